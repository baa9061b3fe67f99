"""How long runs will take here, from a short stretch of each network's training."""

from collections.abc import Iterable
from contextlib import closing
from itertools import islice

from msgspec import structs

from fashiontui import paths
from fashiontui.data import Dataset
from fashiontui.data.dataset import VALIDATION_SHARE
from fashiontui.domain.events import Progress, RunFinished, RunStarted
from fashiontui.domain.recipe import NO_TEACHER
from fashiontui.domain.spec import RunSpec
from fashiontui.engine import choose_placement, find_device
from fashiontui.engine.training import events_of, new_state

TICKS = 6
"""Stretches of about 100 ms that are timed; the first warms up and does not count."""
SCORING_COST = 1 / 3
"""Of scoring an image, against learning from it: a forward pass, without the two backward."""


def seconds_of(specs: Iterable[RunSpec], data: Dataset) -> list[float]:
    """Expected seconds of each run, alone on this machine; networks alike are timed once.

    Args:
        specs: What would be trained.
        data: On the CPU.

    Raises:
        FashiontuiError: the device is not there, or the network cannot be built.
    """
    timed: dict[RunSpec, float] = {}
    expected = []
    for spec in map(_untaught, specs):
        alike = spec.settings.replaced(epochs=1)
        key = structs.replace(spec, seed=0, recipe="", settings=alike)
        if key not in timed:
            timed[key] = _epoch_seconds(spec, data)
        expected.append(timed[key] * spec.settings.epochs)
    return expected


def _untaught(spec: RunSpec) -> RunSpec:
    """The same without a teacher, which makes a step no slower."""
    return structs.replace(spec, settings=spec.settings.replaced(teacher=NO_TEACHER))


def _epoch_seconds(spec: RunSpec, data: Dataset) -> float:
    """Seconds of an epoch with its validation."""
    device = find_device(spec.device)
    placement = choose_placement(spec, device, paths.measurements_file())
    with closing(events_of("", new_state(spec, placement), data.to(device))) as events:
        ticks = (e for e in events if isinstance(e, RunStarted | Progress | RunFinished))
        started, *told = islice(ticks, 1 + TICKS)
    assert isinstance(started, RunStarted)
    if isinstance(told[-1], RunFinished):  # it took less than the timing would have
        return told[-1].total_seconds / spec.settings.epochs
    first, last = told[0], told[-1]
    assert isinstance(first, Progress) and isinstance(last, Progress)
    pace = (last.train_seconds - first.train_seconds) / (last.step - first.step)
    scoring = 1 + SCORING_COST * VALIDATION_SHARE / (1 - VALIDATION_SHARE)
    return pace * scoring * started.steps / spec.settings.epochs
