"""The board's rows, light and quick enough for tens of thousands of runs."""

import math
from functools import cache
from operator import attrgetter
from typing import Any

from msgspec import json  # takes a third of the time of Python's own
from sqlalchemy import Connection, Select, String, Text, cast, func, select, type_coerce

from fashiontui.domain.board import BoardRow
from fashiontui.domain.errors import UsageError
from fashiontui.domain.events import Status
from fashiontui.domain.recipe import NO_TEACHER, recipe_title
from fashiontui.domain.shapes import Shape, family_named
from fashiontui.domain.spec import VALIDATION_IMAGES, DatasetName, configuration
from fashiontui.domain.text import printable
from fashiontui.store.rows import damaged, mean_pace
from fashiontui.store.tables import epochs, runs

_SEED = '"seed":'
_UNUSABLE = (
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
    OverflowError,
    RecursionError,
    UsageError,
)
"""What a damaged spec or figure raises when it is read."""
_STATUS = {status.value: status for status in Status}
_DATASETS: dict[str, DatasetName] = {name: name for name in VALIDATION_IMAGES}
_read = json.Decoder().decode
_Facts = tuple[str, str, str, int, int | None, str, DatasetName, str]
"""What a spec tells of a row: its first fields."""


def read_board(connection: Connection, name: str) -> list[BoardRow]:
    """Every run as a light row, the newest first.

    Args:
        connection: To the store.
        name: What to call the store in an error.

    Raises:
        StoreError: a run is damaged.
    """
    known: dict[tuple[str, str], _Facts] = {}
    trained = {run_id: figures for run_id, *figures in connection.execute(_so_far()).all()}
    untrained = (0, None, None)
    rows = []
    for run_id, spec, precision, status, created, device, *figures in connection.execute(
        _runs()
    ).all():
        try:
            seed, spec = _seed_apart(spec)
            if (facts := known.get((spec, precision))) is None:
                facts = known[spec, precision] = _facts(spec, precision)
            test, seconds, study, trial, done, val, pace = figures
            if done is None:
                done, val, pace = trained.get(run_id, untrained)
            if created is None or not math.isfinite(
                (val or 0.0) + (test or 0.0) + (seconds or 0.0) + (pace or 0.0)
            ):
                raise ValueError("no moment, or a figure that is no number")
            rows.append(
                BoardRow(
                    *facts, seed, printable(run_id), _STATUS[status], created, printable(device),
                    done, val, test, seconds, pace, None, study and printable(study), trial,
                )
            )  # fmt: skip
        except _UNUSABLE as error:
            raise damaged(run_id, name) from error
    # Quicker here than by SQLite, which has them nearly in this order: as they were begun.
    rows.sort(key=attrgetter("created", "id"), reverse=True)
    return rows


def _runs() -> Select[Any]:
    """Texts come as they are stored: to make each safe on its way would double the time."""
    return select(
        type_coerce(runs.c.id, String),
        cast(runs.c.spec, Text),
        type_coerce(runs.c.precision, String),
        type_coerce(runs.c.status, String),
        runs.c.created,
        type_coerce(runs.c.device, String),
        runs.c.test_accuracy,
        runs.c.train_seconds,
        type_coerce(runs.c.study, String),
        runs.c.trial,
        runs.c.trained_epochs,
        runs.c.val_accuracy,
        runs.c.images_per_second,
    )


def _so_far() -> Select[Any]:
    """How far each run has come that is not over."""
    going = select(runs.c.id).where(runs.c.trained_epochs.is_(None))
    trained = (
        select(epochs.c.run_id, func.max(epochs.c.epoch).label("done"), mean_pace().label("pace"))
        .where(epochs.c.run_id.in_(going))
        .group_by(epochs.c.run_id)
        .subquery()
    )
    last = (epochs.c.run_id == trained.c.run_id) & (epochs.c.epoch == trained.c.done)
    return select(
        type_coerce(epochs.c.run_id, String), epochs.c.epoch, epochs.c.val_accuracy, trained.c.pace
    ).join_from(trained, epochs, last)


def _seed_apart(spec: str) -> tuple[int, str]:
    """The seed, and the spec without it, which is the same text for all runs of one spec."""
    before, _, after = spec.partition(_SEED)
    seed, comma, after = after.partition(",")
    if not comma or not seed.strip().isdecimal() or _SEED in after:  # another program's
        return int(_read(spec)["seed"]), spec
    return int(seed), before + after


def _facts(text: str, precision: str) -> _Facts:
    """From the stored spec as it is: checking thousands of them would take long."""
    spec = _read(text)
    arch, shape, model = spec["arch"], tuple(spec["shape"]), spec["model"]
    described, weights = _network_facts(arch, shape)
    return (
        printable(model) if model else f"{arch} {described}",
        arch,
        described,
        weights,
        spec["budget"] and int(spec["budget"]),
        printable(recipe_title(spec["recipe"], spec["settings"].get("teacher", NO_TEACHER))),
        _DATASETS[spec["dataset"]],
        printable(configuration(spec, precision)),
    )


@cache
def _network_facts(arch: str, shape: Shape) -> tuple[str, int]:
    """How the shape is written, and its weights."""
    family = family_named(arch)
    return family.describe(shape), family.weights(family.check(shape))
