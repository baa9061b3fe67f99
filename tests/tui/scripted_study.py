"""Studies whose trials are made by formulas."""

from dataclasses import replace
from math import log10

from making import made_epoch, made_record
from scripted import RECIPES

from fashiontui.domain.events import Status
from fashiontui.domain.recipe import load_recipe
from fashiontui.domain.space import load_space
from fashiontui.domain.study import StudySpec, plan_study
from fashiontui.tuning import Studies

PENALTIES = {"adam": 0.1, "adamw": 0.0, "sgd": 0.6, "none": 0.0, "flip": 0.8, "flip-shift": 2.0}


def made_spec(**how: object) -> StudySpec:
    """The built-in space within 100,000 weights."""
    recipe = load_recipe("fast", RECIPES)
    return plan_study("fcn", 100_000, load_space(None), recipe, **{"sampler": "random", **how})


def fill_study(studies: Studies, trials: int = 24, name: str | None = None, **how: object) -> str:
    """Begin a study, and tell of so many trials; the last one is still under way."""
    study = studies.begin(made_spec(**how), name)
    for number in range(trials):
        trial = study.ask(f"{number:012x}")
        params = trial.params
        off = abs(log10(params["lr"]) + 2)
        accuracy = 90.2 - 2.5 * off - sum(PENALTIES.get(str(v), 0.0) for v in params.values())
        spec = study.spec.run_of(params)
        last = number == trials - 1
        pruned = study.spec.against is None and accuracy < 87.0
        epochs = 2 if pruned or last else spec.settings.epochs
        if study.spec.against is None:
            for epoch in range(1, epochs + 1):
                trial.report(accuracy - 3 / epoch, epoch)
        record = replace(
            made_record(spec=spec, run_id=f"{number:012x}", status=Status.FINISHED),
            epochs=(made_epoch(epochs, val_accuracy=round(accuracy, 2)),),
            train_seconds=1.5 + 512 / params["batch_size"],
        )
        if last:
            break
        if pruned:
            study.prune(trial, record)
        elif number == 5:
            study.fail(trial, "The loss is no longer a finite number.")
        else:
            study.complete(trial, record)
    return study.name
