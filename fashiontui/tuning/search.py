"""The search: takes trials one after another, trains each as a run, and scores the chosen one.

A trial is Optuna's; the network it trains is a run of the store, whose id the trial knows before
it begins. What a killed process wrote last does not matter: when a trial is taken, those whose runs
are over are told to Optuna first, and a run that was left goes on from its checkpoint.
"""

from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import optuna
import torch
from optuna.trial import FrozenTrial

from fashiontui.data import Dataset
from fashiontui.domain.errors import CheckpointError, DeviceError, Pruned, TrainingError
from fashiontui.domain.events import EpochEnded, Event, RunFinished, RunStarted, Status, TrialMark
from fashiontui.domain.record import RunRecord
from fashiontui.domain.study import SHAPE, Limits, Trial
from fashiontui.engine import Placement, choose_placement, find_device
from fashiontui.engine.checkpoint import network
from fashiontui.engine.evaluate import evaluation
from fashiontui.runner import resume, run
from fashiontui.store.store import new_run_id
from fashiontui.store.studies import RUN
from fashiontui.tuning.study import Study

Events = Generator[Event, None, None]
_PRUNED = "Pruned"
"""How the cause of a pruned trial's run begins."""


def next_trial(
    study: Study, limits: Limits, data: Dataset, measured: Path, spare_cores: int = 0
) -> Events | None:
    """Take a trial and return its training, which has begun; None where the study is over.

    Trials that a stopped or killed process left come first. Closing the generator stops the trial,
    to be continued; its last event is a ``RunFinished``.

    Args:
        study: What to search.
        limits: When it is over.
        data: The data set, on the study's device.
        measured: File of what was measured of this machine's speed.
        spare_cores: Cores to leave to others.

    Raises:
        StoreError: runs or studies cannot be read or written.
        TrainingError: it cannot begin, as for want of memory; the trial has failed.
    """
    with study.studies.alone():
        placement = _placement(study, measured, spare_cores)
        for left in _left(study):
            trial, record = study.again(left), study.store.find(left.user_attrs[RUN])
            if record is None:
                events = _anew(study, trial, data, placement)
            else:
                events = resume(study.store.resume(record.id), data, study.store)
            try:
                return _followed(study, trial, next(events), events)
            except (CheckpointError, DeviceError) as error:
                study.fail(trial, str(error), again=True)
        if _over(study, limits):
            return None
        trial = study.ask(new_run_id())
        events = _anew(study, trial, data, placement)
        try:
            begun = next(events)  # in the store before another process looks for what was left
        except TrainingError as error:
            study.fail(trial, str(error))
            raise
    return _followed(study, trial, begun, events)


def score_chosen(
    study: Study, target: float | None, data: Dataset
) -> Generator[Event, None, tuple[Trial, RunRecord] | None]:
    """Score the test set for the chosen trial, unless it was before; return it with its run.

    Its network is the one that validation was scored with. Where its weights are not on this
    machine, it is trained anew, as a run that is no trial.

    Args:
        study: Returns None while other processes train trials of it, or if none is complete.
        target: Test accuracy that is asked for, in percent.
        data: The data set, on the study's device.

    Raises:
        StoreError: runs or studies cannot be read or written.
        DeviceError: the study's device is not there.
    """
    store = study.store
    with study.studies.alone():
        chosen = study.studies.view(study.name).choose(target)
        if chosen is None or chosen.run_id is None or _trained_by_others(study):
            return None
        placement = _placement(study)
        scored = store.find(study.scored.get(chosen.number, chosen.run_id))
        if scored is not None and scored.test_accuracy is not None:
            return chosen, store.get(scored.id)
        path = store.checkpoints.find(chosen.run_id)
        if scored is None or path is None:
            run_id = yield from _trained_anew(study, chosen, data, placement)
            return chosen, store.get(run_id)
        placement.apply()
        model = network(path, scored.spec, placement.kernels).to(placement.device)
        model = model.to(memory_format=torch.channels_last)
        images, labels = data.test_images, data.test_labels
        score = yield from evaluation(model, images, labels, placement, scored.id)
        store.add_test(scored.id, score.predictions)
        return chosen, store.get(scored.id)


def _trained_anew(
    study: Study, chosen: Trial, data: Dataset, placement: Placement
) -> Generator[Event, None, str]:
    """Train a trial's spec again, as an ordinary run; return its id."""
    run_id = ""
    for event in run(study.spec.run_of(chosen.params), data, placement, study.store):
        if isinstance(event, RunStarted):
            run_id = event.run_id
        yield event
    study.scored = {**study.scored, chosen.number: run_id}
    return run_id


def _placement(study: Study, measured: Path | None = None, spare_cores: int = 0) -> Placement:
    """Where and how all trials of a study train, measured when it begins."""
    device = find_device(study.spec.device)
    if known := study.placement:
        return Placement(device, **known)
    assert measured is not None
    chosen = choose_placement(study.spec.widest(), device, measured, spare_cores)
    study.placement = {
        "precision": chosen.precision,
        "threads": chosen.threads,
        "kernels": chosen.kernels,
    }
    return chosen


def _left(study: Study) -> list[FrozenTrial]:
    """Trials to be continued, the oldest first; those whose runs are over are told so first."""
    study.store.name_interrupted_runs()
    left = []
    for trial in study.running():
        if SHAPE not in trial.params or RUN not in trial.user_attrs:
            study.fail(study.again(trial), "Its process vanished before it began.")
            continue
        record = study.store.find(trial.user_attrs[RUN])
        if record is None or (not _over_already(record) and record.status is not Status.RUNNING):
            left.append(trial)
        elif _over_already(record):
            _tell(study, study.again(trial), record)
    return left


def _over_already(record: RunRecord) -> bool:
    """Whether the run came to its end; one that was stopped by the user did not."""
    if record.status is Status.STOPPED:
        return (record.cause or "").startswith(_PRUNED)
    return record.status in (Status.FINISHED, Status.FAILED)


def _trained_by_others(study: Study) -> bool:
    """Whether trials train, in other processes than this one, which has come to its end."""
    runs = (study.store.find(trial.user_attrs.get(RUN, "")) for trial in study.running())
    return any(record is not None and record.status is Status.RUNNING for record in runs)


def _over(study: Study, limits: Limits) -> bool:
    """Whether no further trial is to begin."""
    if study.waiting():
        return False
    ends = [most for most in (limits.trials, study.most_trials) if most is not None]
    if ends and len(study.trials()) >= min(ends):
        return True
    if limits.target is None or study.spec.against is not None:
        return False
    return bool(study.studies.view(study.name).reaching(limits.target))


def _anew(study: Study, trial: optuna.Trial, data: Dataset, placement: Placement) -> Events:
    mark = TrialMark(study.name, trial.number, trial.user_attrs[RUN])
    return run(study.spec.run_of(trial.params), data, placement, study.store, mark)


def _followed(study: Study, trial: optuna.Trial, begun: Event, events: Events) -> Events:
    """Pass a trial's events on, and tell Optuna of its epochs and its end."""
    event = begun
    with closing(events):
        while True:
            yield event
            match event:
                case RunStarted(epochs=epochs):
                    reason = study.report(trial, epochs)  # told already, unless it was killed then
                case EpochEnded():
                    reason = study.report(trial, [event])
                case RunFinished():
                    return
                case _:
                    reason = None
            if reason is not None:
                event = events.throw(Pruned(f"{_PRUNED} {reason}"))
            else:
                event = next(events)
            if isinstance(event, RunFinished):
                with study.studies.alone():
                    _tell(study, trial, study.store.find(event.run_id))


def _tell(study: Study, trial: optuna.Trial, record: RunRecord | None) -> None:
    """Tell how a trial's run ended, unless another process has found and told it meanwhile."""
    if record is None or study.is_over(trial):
        return
    match record.status:
        case Status.FINISHED:
            study.complete(trial, record)
        case Status.FAILED:
            study.fail(trial, record.cause or "It failed.")
        case _:
            study.prune(trial, record)
