"""From the tables' rows to whole runs, and back.

What is read is checked: anyone may have written it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from msgspec import ValidationError, convert, to_builtins
from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Result,
    ScalarSelect,
    func,
    insert,
    select,
    type_coerce,
)

from fashiontui.domain.errors import StoreError, UsageError
from fashiontui.domain.events import FirstLayer, Predictions, RunStarted, Status
from fashiontui.domain.record import RunRecord, RunStanding
from fashiontui.domain.spec import RunSpec
from fashiontui.domain.text import printable
from fashiontui.store.packing import (
    inside_fields,
    inside_row,
    predictions_fields,
    predictions_row,
)
from fashiontui.store.tables import MOST_DEVICE_NAME, epochs, inside, predictions, runs

_Values = Mapping[str, Any]
NOT_OVER = dict.fromkeys(("trained_epochs", "val_accuracy", "images_per_second"))
"""The columns of ``outcome`` while epochs may still come."""


def read_runs(
    connection: Connection,
    name: str,
    chosen: Sequence[str] | None = None,
    with_predictions: bool = False,
) -> list[RunRecord]:
    """Runs, the newest first.

    Args:
        connection: To the store.
        name: What to call the store in an error.
        chosen: Their ids; all when None.
        with_predictions: With what networks look like inside, they are by far the largest part.

    Raises:
        StoreError: a run is damaged.
    """
    wanted = select(runs).order_by(runs.c.created.desc(), runs.c.id)
    trained = select(epochs).order_by(epochs.c.run_id, epochs.c.epoch)
    made = select(predictions).order_by(predictions.c.run_id)
    seen = select(inside).order_by(inside.c.run_id, inside.c.epoch)
    if chosen is not None:
        wanted = wanted.where(runs.c.id.in_(chosen))
        trained = trained.where(epochs.c.run_id.in_(chosen))
        made = made.where(predictions.c.run_id.in_(chosen))
        seen = seen.where(inside.c.run_id.in_(chosen))
    rows = _values(connection.execute(wanted))
    histories = _by_run(connection.execute(trained))
    splits = _by_run(connection.execute(made)) if with_predictions else {}
    insides = _by_run(connection.execute(seen)) if with_predictions else {}
    return [
        record_from(
            row,
            histories.get(row["id"], []),
            splits.get(row["id"], []),
            insides.get(row["id"], []),
            name,
        )
        for row in rows
    ]


def read_specs(connection: Connection, name: str) -> list[tuple[str, Status, RunSpec]]:
    """Id, state and spec of every run, the newest first.

    Args:
        connection: To the store.
        name: What to call the store in an error.

    Raises:
        StoreError: a run is damaged.
    """
    found = []
    wanted = select(runs.c.id, runs.c.status, runs.c.spec)
    for row in connection.execute(wanted.order_by(runs.c.created.desc(), runs.c.id)):
        try:
            found.append((row.id, Status(row.status), convert(row.spec, RunSpec)))
        except ValueError as error:
            raise damaged(row.id, name) from error
    return found


def read_standings(connection: Connection, name: str, study: str) -> dict[str, RunStanding]:
    """How the runs of a study's trials stand, by their ids.

    Args:
        connection: To the store.
        name: What to call the store in an error.
        study: Name of the study.

    Raises:
        StoreError: a run is damaged.
    """
    standings = {}
    columns = runs.c.id, runs.c.status, runs.c.test_accuracy
    for run_id, status, accuracy in connection.execute(
        select(*columns).where(runs.c.study == study)
    ):
        try:
            standings[run_id] = RunStanding(Status(status), accuracy)
        except ValueError as error:
            raise damaged(run_id, name) from error
    return standings


def _values(found: Result[Any]) -> list[_Values]:
    names = [*map(str, found.keys())]  # SQLAlchemy's are a text of its own, which msgspec refuses
    return [dict(zip(names, row, strict=True)) for row in found]


def _by_run(found: Result[Any]) -> dict[str, list[_Values]]:
    grouped = groupby(_values(found), key=lambda row: row["run_id"])
    return {run_id: list(group) for run_id, group in grouped}


def record_from(
    row: _Values,
    history: Sequence[_Values],
    splits: Sequence[_Values],
    insides: Sequence[_Values],
    name: str,
) -> RunRecord:
    """One run from its rows, checked.

    Raises:
        StoreError: it holds what this program never stores.
    """
    try:
        made = {split["split"]: predictions_fields(split) for split in splits}
        record = convert(
            {
                **row,
                "versions": {
                    printable(library): printable(version)
                    for library, version in row["versions"].items()
                },
                "epochs": history,
                "validation": made.get("validation"),
                "test": made.get("test"),
                "inside": [inside_fields(seen) for seen in insides],
            },
            RunRecord,
        )
        _check_values(record)
    except ValidationError as error:
        said, _, at = str(error).rpartition(" - at `$.")
        raise damaged(row["id"], name, at.rstrip("`") if said else at) from error
    except (AttributeError, TypeError, ValueError, OverflowError, UsageError) as error:
        raise damaged(row["id"], name, str(error)) from error
    return record


def damaged(run_id: object, name: str, where: str = "") -> StoreError:
    """The error that names a run whose rows cannot be used."""
    at = f" ({printable(where)[:80]})" if where else ""
    return StoreError(f"Run {printable(str(run_id))[:40]} in the store {name} is damaged{at}.")


def _check_values(record: RunRecord) -> None:
    """What types alone do not say.

    Raises:
        ValueError: a figure is none, or predictions fit no images.
    """
    numbers = [record.train_seconds, record.total_seconds, record.test_accuracy]
    for epoch in record.epochs:
        numbers += [epoch.train_loss, epoch.val_loss, epoch.val_accuracy, epoch.lr]
        numbers += [epoch.images_per_second, epoch.train_seconds]
        if epoch.images_per_second <= 0:
            raise ValueError("images_per_second")
    if not all(number is None or math.isfinite(number) for number in numbers):
        raise ValueError("a figure that is no number")
    for made in (record.validation, record.test):
        if made is not None and not _fits(made):
            raise ValueError("predictions")
    for seen in record.inside:
        if not _is_finite(seen):
            raise ValueError("a figure of a layer that is no number")
    record.spec.family.check(record.spec.shape)
    if record.kernels == "rows" and not (record.spec.fits_rows and record.precision == "fp32"):
        raise ValueError("kernels")


def _fits(made: Predictions) -> bool:
    """Whether there is one class from 0 to 9 for every image, and at least one image."""
    same = 0 < len(made.labels) == len(made.predicted)
    return same and max(made.labels) <= 9 and max(made.predicted) <= 9


def _is_finite(seen: FirstLayer) -> bool:
    """Whether every figure on every layer is a number."""
    return all(
        math.isfinite(figure)
        for layer in seen.layers
        for figure in (layer.weight_mean, layer.weight_std, layer.output_mean, layer.output_std)
    )


def outcome(run_id: str) -> dict[str, ScalarSelect[Any]]:
    """The columns of a run that say what its epochs come to, for the statement that ends it."""
    own = epochs.c.run_id == run_id
    last = select(epochs.c.val_accuracy).where(own).order_by(epochs.c.epoch.desc()).limit(1)
    return {
        "trained_epochs": select(func.count()).where(own).scalar_subquery(),
        "val_accuracy": last.scalar_subquery(),
        "images_per_second": select(mean_pace()).where(own).scalar_subquery(),
    }


def mean_pace() -> ColumnElement[float]:
    """Training images per second over epochs: the harmonic mean, all have as many images."""
    seconds_an_image = func.avg(1 / func.nullif(epochs.c.images_per_second, 0))
    return type_coerce(1 / func.nullif(seconds_an_image, 0), Float)


def started_row(started: RunStarted) -> dict[str, object]:
    """The columns of a run that a run's first event fills."""
    return {
        "id": started.run_id,
        "spec": to_builtins(started.spec),
        "device": started.device,
        "device_name": printable(started.device_name)[:MOST_DEVICE_NAME],
        "precision": started.precision,
        "threads": started.threads,
        "kernels": started.kernels,
        "versions": started.versions,
    }


def add_records(
    connection: Connection, records: Sequence[RunRecord], owner: Mapping[str, object]
) -> None:
    """Write whole runs, with histories and predictions.

    Args:
        connection: In a transaction that writes.
        records: Runs whose ids the store does not have yet.
        owner: The columns that say which process they belong to.
    """
    if not records:
        return
    connection.execute(insert(runs), [{**_run_row(record), **owner} for record in records])
    trained = [
        {**asdict(epoch), "run_id": record.id} for record in records for epoch in record.epochs
    ]
    if trained:
        connection.execute(insert(epochs), trained)
    seen = [{**inside_row(one), "run_id": r.id} for r in records for one in r.inside]
    if seen:
        connection.execute(insert(inside), seen)
    for record in records:
        add_predictions(connection, record.id, record.validation, record.test)


def add_predictions(
    connection: Connection,
    run_id: str,
    validation: Predictions | None,
    test: Predictions | None,
) -> None:
    """Write what a run's network made of the validation and the test images."""
    made = {"validation": validation, "test": test}
    rows = [
        {"run_id": run_id, "split": split, **predictions_row(one)}
        for split, one in made.items()
        if one is not None
    ]
    if rows:
        connection.execute(insert(predictions), rows)


def _run_row(record: RunRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "created": record.created,
        "status": record.status.value,
        "cause": record.cause,
        "spec": to_builtins(record.spec),
        "device": record.device,
        "device_name": printable(record.device_name)[:MOST_DEVICE_NAME],
        "precision": record.precision,
        "threads": record.threads,
        "kernels": record.kernels,
        "versions": record.versions,
        "train_seconds": record.train_seconds,
        "total_seconds": record.total_seconds,
        "test_accuracy": record.test_accuracy,
        "weights_sha256": record.weights_sha256,
        "study": record.study,
        "trial": record.trial,
        **(NOT_OVER if record.status is Status.RUNNING else _outcome_of(record)),
    }


def _outcome_of(record: RunRecord) -> dict[str, object]:
    return {
        "trained_epochs": record.last.epoch if record.last else 0,
        "val_accuracy": record.val_accuracy,
        "images_per_second": record.images_per_second,
    }
