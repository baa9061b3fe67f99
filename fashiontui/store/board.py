"""The board's rows in one query, light enough for thousands of runs."""

import math
from functools import cache
from typing import Any

from sqlalchemy import Connection, Float, Row, Select, func, select, type_coerce

from fashiontui.domain.board import BoardRow
from fashiontui.domain.errors import UsageError
from fashiontui.domain.events import Status
from fashiontui.domain.shapes import Shape, family_named
from fashiontui.domain.text import printable
from fashiontui.store.rows import damaged
from fashiontui.store.tables import epochs, predictions, runs


def read_board(connection: Connection, name: str) -> list[BoardRow]:
    """Every run as a light row, the newest first.

    Args:
        connection: To the store.
        name: What to call the store in an error.

    Raises:
        StoreError: a run is damaged.
    """
    return [_board_row(row, name) for row in connection.execute(_query())]


def _query() -> Select[Any]:
    of_run = epochs.c.run_id == runs.c.id
    last_val = (
        select(epochs.c.val_accuracy)
        .where(of_run)
        .order_by(epochs.c.epoch.desc())
        .limit(1)
        .scalar_subquery()
    )
    # The harmonic mean: every epoch trains the same number of images.
    seconds_an_image = func.avg(1 / func.nullif(epochs.c.images_per_second, 0))
    harmonic = type_coerce(1 / func.nullif(seconds_an_image, 0), Float)
    pace = select(harmonic).where(of_run).scalar_subquery()
    done = select(func.max(epochs.c.epoch)).where(of_run).scalar_subquery()
    test_images = (
        select(func.length(predictions.c.labels))
        .where(predictions.c.run_id == runs.c.id, predictions.c.split == "test")
        .scalar_subquery()
    )
    return select(
        *(runs.c[name] for name in ("id", "created", "status", "spec", "device")),
        *(runs.c[name] for name in ("train_seconds", "test_accuracy")),
        last_val.label("val_accuracy"),
        pace.label("images_per_second"),
        done.label("epochs"),
        test_images.label("test_images"),
    ).order_by(runs.c.created.desc(), runs.c.id)


def _board_row(row: Row[Any], name: str) -> BoardRow:
    """A row from the stored spec as it is: checking thousands of them would take long."""
    try:
        spec = row.spec
        arch, shape, model = spec["arch"], tuple(spec["shape"]), spec["model"]
        described, weights = _network_facts(arch, shape)
        if row.created is None:
            raise ValueError("created")
        return BoardRow(
            id=row.id,
            title=printable(model) if model else f"{arch} {described}",
            arch=arch,
            shape=described,
            weights=weights,
            budget=spec["budget"] and int(spec["budget"]),
            recipe=printable(spec["recipe"]),
            seed=int(spec["seed"]),
            dataset=spec["dataset"],
            status=Status(row.status),
            created=row.created,
            device=row.device,
            epochs=row.epochs or 0,
            val_accuracy=_finite(row.val_accuracy),
            test_accuracy=_finite(row.test_accuracy),
            test_images=row.test_images,
            train_seconds=_finite(row.train_seconds),
            images_per_second=_finite(row.images_per_second),
        )
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, UsageError) as error:
        raise damaged(row.id, name) from error


def _finite(number: float | None) -> float | None:
    """The number itself.

    Raises:
        TypeError: it is something else.
        ValueError: it is infinite.
    """
    if number is not None and not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


@cache
def _network_facts(arch: str, shape: Shape) -> tuple[str, int]:
    """How the shape is written, and its weights."""
    family = family_named(arch)
    return family.describe(shape), family.weights(family.check(shape))
