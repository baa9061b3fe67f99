"""A study: what a search tries, what came of its trials, and which of them is chosen."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from fashiontui.domain.budget import solve
from fashiontui.domain.errors import UsageError
from fashiontui.domain.events import UNFINISHED
from fashiontui.domain.recipe import Recipe, Settings
from fashiontui.domain.record import RunStanding
from fashiontui.domain.shapes import Shape, family_named
from fashiontui.domain.space import Range, Space, Value
from fashiontui.domain.spec import DatasetName, RunSpec, Seed

Sampler = Literal["tpe", "random", "grid"]
Pruner = Literal["hyperband", "none"]
Against = Literal["weights", "time"]
SHAPE = "shape"
"""Parameter of a trial beside its settings: a shape as ``--hidden`` and ``--channels`` take it."""
TARGET_MARGIN = 1.0
"""Points by which validation must exceed a test accuracy that is asked for.

Over the report's models test accuracy lies about half a point below validation; a difference of
accuracies on 6,000 and on 10,000 images has a standard deviation of half a point by itself.
"""
ENOUGH_TO_JUDGE = 10
"""Complete trials from which on the parameters' importances are told."""
MOST_GRID = 10_000
"""Most trials of a grid."""
LONGEST_NAME = 100
"""Characters of a study's name."""


class TrialState(StrEnum):
    """State of a trial."""

    RUNNING = "running"
    STOPPED = "stopped"
    """To be continued: the user stopped it, or its process vanished."""
    COMPLETE = "complete"
    PRUNED = "pruned"
    """Ended early: others did better after as many epochs."""
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of the trial."""
        return self not in (TrialState.RUNNING, TrialState.STOPPED)


class StudySpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a study searches, fully written down: with its name, enough to repeat it."""

    arch: str
    """Name of the family."""
    budget: int
    """Most weights."""
    shapes: Annotated[tuple[Shape, ...], Meta(min_length=1)]
    """What the solver makes of the budget, or of the space's shares of it."""
    space: Space
    recipe: str
    """Name of the recipe that the settings came from."""
    settings: Settings
    """Of every trial, less those that are searched."""
    against: Against | None = None
    """What is to be kept low while accuracy is to be high; None for accuracy alone."""
    sampler: Sampler = "tpe"
    pruner: Pruner = "hyperband"
    seed: Seed = 0
    """Of the search, and of every run."""
    dataset: DatasetName = "fashion-mnist"
    device: str = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    threads: int | None = None
    kernels: Literal["auto", "torch", "rows"] = "auto"

    @property
    def usual_name(self) -> str:
        """What the study is called unless it is named."""
        thousands, rest = divmod(self.budget, 1000)
        budget = str(self.budget) if rest else f"{thousands}k"
        return f"{self.arch}-{budget}" + (f"-{self.against}" if self.against else "")

    @property
    def most_epochs(self) -> int:
        """The most epochs a trial has."""
        return self.space.most_epochs or self.settings.epochs

    def choices(self) -> dict[str, tuple[Value, ...] | Range]:
        """Every parameter of a trial, with what it may be."""
        shapes = tuple(written(shape) for shape in self.shapes)
        return {SHAPE: shapes, **self.space.settings}

    def grid(self) -> dict[str, tuple[Value, ...]]:
        """Every parameter of a trial, with the values that a grid tries.

        Raises:
            UsageError: there are too many combinations.
        """
        grid = {SHAPE: self.choices()[SHAPE], **self.space.grid()}
        points = math.prod(map(len, grid.values()))  # type: ignore[arg-type]
        if points > MOST_GRID:
            raise UsageError(
                f"The grid has {points:,} points, more than {MOST_GRID:,}; give it shorter lists "
                "and fewer ranges with --space FILE.toml, or use --sampler tpe."
            )
        return grid  # type: ignore[return-value]

    def run_of(self, params: Mapping[str, Any]) -> RunSpec:
        """The run that a trial with these parameters is."""
        changes = {name: value for name, value in params.items() if name != SHAPE}
        return RunSpec(
            arch=self.arch,
            shape=shape_from(params[SHAPE]),
            budget=self.budget,
            recipe=self.recipe,
            settings=self.settings.replaced(**changes),
            seed=self.seed,
            dataset=self.dataset,
            device=self.device,
            precision=self.precision,
            threads=self.threads,
            kernels=self.kernels,
        )

    def widest(self) -> RunSpec:
        """A run of the first shape with the settings that are not searched."""
        return self.run_of({SHAPE: written(self.shapes[0])})


def plan_study(
    arch: str,
    budget: int,
    space: Space,
    recipe: Recipe,
    **how: Any,
) -> StudySpec:
    """What to search for a family within a budget.

    Args:
        arch: Name of the family.
        budget: Most weights.
        space: What may be chosen.
        recipe: Settings of what is not searched, as it has them for the widest shape.
        how: The study's other fields.

    Raises:
        UsageError: the family or the budget has no shapes, the space cannot be searched, or the
            kernels cannot compute the family.
    """
    family = family_named(arch)
    shapes = dict.fromkeys(
        shape for share in space.shares for shape in solve(family, int(share * budget))
    )
    settings = recipe.settings_for(arch, family.weights(next(iter(shapes))))
    space.check(settings)
    study = StudySpec(
        arch=arch,
        budget=budget,
        shapes=tuple(shapes),
        space=space,
        recipe=recipe.name,
        settings=settings,
        **how,
    )
    study.widest().check_kernels()
    if study.sampler == "grid":
        study.grid()
    return study


def written(shape: Shape) -> str:
    """A shape as it is typed: ``112,106``."""
    return ",".join(map(str, shape))


def shape_from(text: str) -> Shape:
    """The shape that was written so."""
    return tuple(map(int, text.split(",")))


@dataclass(frozen=True)
class Trial:
    """One trial of a study."""

    number: int
    state: TrialState
    params: Mapping[str, Value]
    weights: int
    run_id: str | None
    """The run that it is in the store."""
    epochs: int = 0
    """Finished epochs."""
    val_accuracy: float | None = None
    """After the last of them, in percent."""
    train_seconds: float | None = None
    """Training and validation; None until it is over."""
    test_accuracy: float | None = None
    """In percent; of the chosen trial alone, once it is scored."""

    def cost(self, against: Against) -> float:
        """What is to be low: weights, or seconds."""
        return self.weights if against == "weights" else self.train_seconds or math.inf

    def promises(self, target: float) -> bool:
        """Whether validation accuracy promises a test accuracy above the target."""
        return _accuracy(self) >= target + TARGET_MARGIN


def trial_of(
    spec: StudySpec,
    number: int,
    state: str,
    params: Mapping[str, Value],
    reported: Mapping[int, float],
    accuracy: float | None,
    run_id: str | None,
    seconds: float | None,
    runs: Mapping[str, RunStanding],
) -> Trial:
    """A trial from what Optuna keeps of it.

    Args:
        spec: Of its study.
        number: From 0 on.
        state: Name of Optuna's state.
        params: What it tries.
        reported: Validation accuracy after epochs, by their numbers.
        accuracy: At its end, if it is complete.
        run_id: The run that it is in the store.
        seconds: Training and validation.
        runs: How the runs of the study's trials stand, by their ids.
    """
    run = runs.get(run_id) if run_id else None
    stopped = _STATES[state] is TrialState.RUNNING and run and run.status in UNFINISHED
    complete = state == "COMPLETE"
    last = reported[max(reported)] if reported else None
    return Trial(
        number=number,
        state=TrialState.STOPPED if stopped else _STATES[state],
        params=params,
        weights=family_named(spec.arch).weights(shape_from(str(params[SHAPE]))),
        run_id=run_id,
        epochs=spec.run_of(params).settings.epochs if complete else max(reported, default=0),
        val_accuracy=accuracy if complete and accuracy is not None else last,
        train_seconds=seconds,
        test_accuracy=run.test_accuracy if run else None,
    )


_STATES = {
    "RUNNING": TrialState.RUNNING,
    "WAITING": TrialState.RUNNING,
    "COMPLETE": TrialState.COMPLETE,
    "PRUNED": TrialState.PRUNED,
    "FAIL": TrialState.FAILED,
}


@dataclass(frozen=True)
class StudyView:
    """A study at one moment."""

    name: str
    spec: StudySpec
    trials: tuple[Trial, ...] = ()
    importances: Mapping[str, float] | None = None
    """Share of each parameter in being among the best tenth, the most important first; None before
    there is enough to say, or where it was not asked."""

    @property
    def complete(self) -> list[Trial]:
        """Trials that trained to their end."""
        return [trial for trial in self.trials if trial.state is TrialState.COMPLETE]

    @property
    def best(self) -> Trial | None:
        """The most accurate one on validation; of equals the one with fewer weights."""
        return max(self.complete, key=_accurate, default=None)

    @property
    def pareto(self) -> list[Trial]:
        """Trials that no other beats in accuracy without costing more, the cheapest first."""
        against = self.spec.against
        if against is None:
            return [self.best] if self.best else []
        front: list[Trial] = []
        for trial in sorted(self.complete, key=lambda t: (t.cost(against), *_less_accurate(t))):
            if not front or _accuracy(trial) > _accuracy(front[-1]):
                front.append(trial)
        return front

    def reaching(self, target: float) -> list[Trial]:
        """Trials whose validation accuracy promises a test accuracy above the target."""
        return [trial for trial in self.complete if trial.promises(target)]

    def choose(self, target: float | None) -> Trial | None:
        """The trial that the test set is scored for; None while none is complete.

        It is the most accurate one on validation. With two objectives and a target, it is the one
        of the Pareto set with the least cost that reaches the target, if one does.
        """
        if self.spec.against and target is not None:
            reaching = {trial.number for trial in self.reaching(target)}
            if cheapest := next((t for t in self.pareto if t.number in reaching), None):
                return cheapest
        return self.best

    def best_so_far(self) -> list[tuple[int, float]]:
        """After each complete trial, by number, the best accuracy until then."""
        complete = self.complete
        bests = accumulate((_accuracy(trial) for trial in complete), max)
        return [(trial.number, best) for trial, best in zip(complete, bests, strict=True)]


@dataclass(frozen=True)
class Limits:
    """When a study is over."""

    trials: int | None = None
    """Trials of the study, whoever trained them; None for no such limit."""
    target: float | None = None
    """Test accuracy that is asked for, in percent; ends a search for accuracy alone."""

    def met_by(self, view: StudyView) -> bool:
        """Whether all trials are over that were asked for."""
        if not all(trial.state.is_over for trial in view.trials):
            return False
        enough = self.trials is not None and len(view.trials) >= self.trials
        reached = self.target is not None and not view.spec.against and view.reaching(self.target)
        return enough or bool(reached)


def _accuracy(trial: Trial) -> float:
    return -math.inf if trial.val_accuracy is None else trial.val_accuracy


def _accurate(trial: Trial) -> tuple[float, int, int]:
    return _accuracy(trial), -trial.weights, -trial.number


def _less_accurate(trial: Trial) -> Iterable[float]:
    return (-value for value in _accurate(trial))
