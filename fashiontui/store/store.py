"""The store of runs: what the runner writes and everyone else reads."""

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from typing import Any

import psutil
from pydantic import ValidationError
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from fashiontui.domain.board import BoardRow
from fashiontui.domain.errors import StoreError, UsageError
from fashiontui.domain.events import EpochEnded, Predictions, RunFinished, RunStarted, Status
from fashiontui.domain.record import RunRecord
from fashiontui.domain.shapes import Shape, family_named
from fashiontui.domain.spec import RunSpec
from fashiontui.store.checkpoints import Checkpoints
from fashiontui.store.connection import (
    checkpoint_folder,
    connectable,
    log_ahead,
    one_sentence_errors,
    parse_where,
)
from fashiontui.store.schema import bring_up_to_date
from fashiontui.store.tables import epochs, predictions
from fashiontui.store.tables import runs as runs_table

RESUMABLE = (Status.STOPPED.value, Status.INTERRUPTED.value)
"""Runs in these states can be continued."""
MEMORY = "sqlite://"
"""URL of a store that lives as long as the object."""


class Store:
    """Runs in one database. Every write is one transaction; every error is a ``StoreError``."""

    def __init__(self, where: str) -> None:
        """Open a store, making it if there is none, and name the runs whose process vanished.

        Args:
            where: A SQLAlchemy URL, or the path of a SQLite file.

        Raises:
            StoreError: it cannot be opened or written, or is not a store of runs.
        """
        url, self._name = parse_where(where)
        with one_sentence_errors(self._name):
            self._engine = connectable(url)
            bring_up_to_date(self._engine, self._name)
            log_ahead(self._engine)
        self.checkpoints = Checkpoints(checkpoint_folder(url))
        self._name_interrupted_runs()
        self._prune_checkpoints()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def begin(self, started: RunStarted) -> None:
        """Add a run that is about to train, under the id its event carries."""
        with self._writing() as connection:
            connection.execute(
                insert(runs_table).values(
                    id=started.run_id,
                    created=datetime.now(UTC),
                    status=Status.RUNNING.value,
                    spec=started.spec.model_dump(mode="json"),
                    device=started.device,
                    device_name=started.device_name,
                    precision=started.precision,
                    threads=started.threads,
                    versions=started.versions,
                    **_owner(),
                )
            )

    def unfinished(self) -> list[str]:
        """Ids of the runs that can be continued, the oldest first."""
        with self._reading() as connection:
            return [
                str(run_id)
                for run_id in connection.scalars(
                    select(runs_table.c.id)
                    .where(runs_table.c.status.in_(RESUMABLE))
                    .order_by(runs_table.c.created, runs_table.c.id)
                )
            ]

    def resume(self, run_id: str) -> RunRecord:
        """Make a run this process's, to be continued, and return it as it stands.

        Raises:
            UsageError: there is no such run, or it is over, or another process has taken it.
        """
        with self._writing() as connection:
            found = self._id(connection, run_id)
            taken = connection.execute(
                update(runs_table)
                .where(runs_table.c.id == found, runs_table.c.status.in_(RESUMABLE))
                .values(status=Status.RUNNING.value, cause=None, **_owner())
            )
        record = self.get(found)
        if not taken.rowcount:
            raise UsageError(f"Run {found} is {record.status.value}; it cannot be continued.")
        return record

    def add_epoch(self, ended: EpochEnded) -> None:
        """Keep a finished epoch."""
        with self._writing() as connection:
            connection.execute(
                insert(epochs).values(
                    run_id=ended.run_id,
                    epoch=ended.epoch,
                    train_loss=ended.train_loss,
                    val_loss=ended.val_loss,
                    val_accuracy=ended.val_accuracy,
                    lr=ended.lr,
                    images_per_second=ended.images_per_second,
                    train_seconds=ended.train_seconds,
                )
            )

    def forget_epochs_after(self, run_id: str, epoch: int) -> None:
        """Leave only the epochs up to this one: the run goes on from there."""
        with self._writing() as connection:
            of_run = epochs.c.run_id == run_id
            connection.execute(delete(epochs).where(of_run, epochs.c.epoch > epoch))

    def end(self, finished: RunFinished) -> None:
        """Give a run its final state and keep its predictions; the first one given stays."""
        with self._writing() as connection:
            changed = connection.execute(
                update(runs_table)
                .where(
                    runs_table.c.id == finished.run_id,
                    runs_table.c.status == Status.RUNNING.value,
                )
                .values(
                    status=finished.status.value,
                    cause=finished.cause,
                    train_seconds=finished.train_seconds,
                    total_seconds=finished.total_seconds,
                    test_accuracy=finished.test.accuracy if finished.test else None,
                    weights_sha256=finished.weights_sha256,
                )
            )
            if changed.rowcount:
                _keep_predictions(connection, finished.run_id, finished.validation, finished.test)

    def runs(self) -> list[RunRecord]:
        """Every run, the newest first, without predictions."""
        with self._reading() as connection:
            rows = connection.execute(
                select(runs_table).order_by(runs_table.c.created.desc(), runs_table.c.id)
            ).all()
            histories: dict[str, list[EpochEnded]] = {}
            for row in connection.execute(select(epochs).order_by(epochs.c.run_id, epochs.c.epoch)):
                histories.setdefault(row.run_id, []).append(EpochEnded(**row._mapping))
            return [self._record(row, histories.get(row.id, []), {}) for row in rows]

    def board(self) -> list[BoardRow]:
        """Every run as a light row, the newest first, in one query.

        Raises:
            StoreError: the store cannot be read, or a run in it is damaged.
        """
        of_run = epochs.c.run_id == runs_table.c.id
        last_val = (
            select(epochs.c.val_accuracy)
            .where(of_run)
            .order_by(epochs.c.epoch.desc())
            .limit(1)
            .scalar_subquery()
        )
        # The harmonic mean: every epoch trains the same number of images.
        pace = select(1 / func.avg(1 / epochs.c.images_per_second)).where(of_run).scalar_subquery()
        done = select(func.max(epochs.c.epoch)).where(of_run).scalar_subquery()
        test_images = (
            select(func.length(predictions.c.labels))
            .where(predictions.c.run_id == runs_table.c.id, predictions.c.split == "test")
            .scalar_subquery()
        )
        columns = (
            *(runs_table.c[name] for name in ("id", "created", "status", "spec", "device")),
            *(runs_table.c[name] for name in ("train_seconds", "test_accuracy")),
            last_val.label("val_accuracy"),
            pace.label("images_per_second"),
            done.label("epochs"),
            test_images.label("test_images"),
        )
        newest_first = (runs_table.c.created.desc(), runs_table.c.id)
        with self._reading() as connection:
            rows = connection.execute(select(*columns).order_by(*newest_first))
            return [self._board_row(row) for row in rows]

    def get(self, run_id: str) -> RunRecord:
        """One run with its predictions.

        Args:
            run_id: Its id, or as much of its beginning as no other run shares.

        Raises:
            UsageError: no run, or more than one, has an id that begins so.
        """
        with self._reading() as connection:
            found = self._id(connection, run_id)
            row = connection.execute(select(runs_table).where(runs_table.c.id == found)).one()
            history = connection.execute(
                select(epochs).where(epochs.c.run_id == found).order_by(epochs.c.epoch)
            )
            made = connection.execute(select(predictions).where(predictions.c.run_id == found))
            return self._record(
                row,
                [EpochEnded(**epoch._mapping) for epoch in history],
                {one.split: Predictions(one.predicted, one.labels) for one in made},
            )

    def delete(self, run_id: str, undoable: bool = False) -> str:
        """Delete a run and all that belongs to it; return its whole id.

        Args:
            run_id: Its id, or as much of its beginning as no other run shares.
            undoable: Keep its checkpoint for a day, in case ``restore`` brings the run back.

        Raises:
            UsageError: no run, or more than one, has an id that begins so, or it is training.
        """
        with self._writing() as connection:
            found = self._id(connection, run_id)
            if (
                connection.scalar(select(runs_table.c.status).where(runs_table.c.id == found))
                == "running"
            ):
                raise UsageError(f"Run {found} is training; stop it before deleting it.")
            connection.execute(delete(runs_table).where(runs_table.c.id == found))
        if undoable:
            self.checkpoints.set_aside(found)
        else:
            self.checkpoints.remove(found)
        return found

    def restore(self, record: RunRecord) -> None:
        """Put back a run that was deleted, with its history and predictions."""
        with self._writing() as connection:
            connection.execute(
                insert(runs_table).values(
                    id=record.id,
                    created=record.created,
                    status=record.status.value,
                    cause=record.cause,
                    spec=record.spec.model_dump(mode="json"),
                    device=record.device,
                    device_name=record.device_name,
                    precision=record.precision,
                    threads=record.threads,
                    versions=record.versions,
                    train_seconds=record.train_seconds,
                    total_seconds=record.total_seconds,
                    test_accuracy=record.test_accuracy,
                    weights_sha256=record.weights_sha256,
                    **_owner(),
                )
            )
            if record.epochs:
                connection.execute(insert(epochs), [asdict(epoch) for epoch in record.epochs])
            _keep_predictions(connection, record.id, record.validation, record.test)
        self.checkpoints.bring_back(record.id)

    def _id(self, connection: Connection, beginning: str) -> str:
        found = connection.scalars(
            select(runs_table.c.id)
            .where(runs_table.c.id.startswith(beginning, autoescape=True))
            .limit(2)
        ).all()
        if not found or not beginning:
            raise UsageError(f"There is no run {beginning!r}; see them with: fashiontui runs list")
        if len(found) > 1:
            raise UsageError(f"Several runs begin with {beginning!r}; give more of the id.")
        return str(found[0])

    def _record(
        self, row: Row[tuple[object, ...]], history: list[EpochEnded], made: dict[str, Predictions]
    ) -> RunRecord:
        try:
            spec = RunSpec.model_validate(row.spec)
        except ValidationError as error:
            raise StoreError(f"Run {row.id} in the store {self._name} is damaged.") from error
        return RunRecord(
            id=row.id,
            spec=spec,
            status=Status(row.status),
            created=row.created,
            device=row.device,
            device_name=row.device_name,
            precision=row.precision,
            threads=row.threads,
            versions=row.versions,
            epochs=tuple(history),
            cause=row.cause,
            train_seconds=row.train_seconds,
            total_seconds=row.total_seconds,
            test_accuracy=row.test_accuracy,
            weights_sha256=row.weights_sha256,
            validation=made.get("validation"),
            test=made.get("test"),
        )

    def _board_row(self, row: Row[Any]) -> BoardRow:
        """A row from the stored spec as it is: checking thousands of them would take long."""
        try:
            spec = row.spec
            arch, shape, model = spec["arch"], tuple(spec["shape"]), spec["model"]
            described, weights = _network_facts(arch, shape)
            return BoardRow(
                id=row.id,
                title=model or f"{arch} {described}",
                arch=arch,
                shape=described,
                weights=weights,
                budget=spec["budget"],
                recipe=spec["recipe"],
                seed=spec["seed"],
                dataset=spec["dataset"],
                status=Status(row.status),
                created=row.created,
                device=row.device,
                epochs=row.epochs or 0,
                val_accuracy=row.val_accuracy,
                test_accuracy=row.test_accuracy,
                test_images=row.test_images,
                train_seconds=row.train_seconds,
                images_per_second=row.images_per_second,
            )
        except (KeyError, TypeError, ValueError, UsageError) as error:
            raise StoreError(f"Run {row.id} in the store {self._name} is damaged.") from error

    def _name_interrupted_runs(self) -> None:
        """Mark runs of this machine whose process is gone as interrupted."""
        with self._reading() as connection:
            running = connection.execute(
                select(runs_table.c.id, runs_table.c.owner_pid, runs_table.c.owner_started).where(
                    runs_table.c.status == Status.RUNNING.value,
                    runs_table.c.owner_host == socket.gethostname(),
                )
            ).all()
        gone = [row.id for row in running if not _lives(row.owner_pid, row.owner_started)]
        if gone:
            with self._writing() as connection:
                connection.execute(
                    update(runs_table)
                    .where(runs_table.c.id.in_(gone), runs_table.c.status == Status.RUNNING.value)
                    .values(status=Status.INTERRUPTED.value)
                )

    def _prune_checkpoints(self) -> None:
        """Remove those of runs that are gone, and of unfinished ones that nobody continued."""
        present = [*self.checkpoints.sizes()]  # asked first: another process may begin a run now
        if not present:
            return
        with self._reading() as connection:
            runs = select(runs_table.c.id, runs_table.c.status)
            status = {row.id: row.status for row in connection.execute(runs)}
        for run_id in present:
            waiting = status.get(run_id) in RESUMABLE
            if run_id not in status or (waiting and self.checkpoints.overdue(run_id)):
                self.checkpoints.remove(run_id)
        self.checkpoints.clean()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with one_sentence_errors(self._name), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        writing = self._engine.execution_options(writes=True)
        with one_sentence_errors(self._name), writing.begin() as connection:
            yield connection


def _owner() -> dict[str, str | int | float]:
    """The columns that say which process a run belongs to: this one."""
    return {
        "owner_host": socket.gethostname(),
        "owner_pid": os.getpid(),
        "owner_started": psutil.Process().create_time(),
    }


def _keep_predictions(
    connection: Connection,
    run_id: str,
    validation: Predictions | None,
    test: Predictions | None,
) -> None:
    for split, made in (("validation", validation), ("test", test)):
        if made is not None:
            connection.execute(
                insert(predictions).values(
                    run_id=run_id, split=split, predicted=made.predicted, labels=made.labels
                )
            )


@cache
def _network_facts(arch: str, shape: Shape) -> tuple[str, int]:
    """How the shape is written, and its weights."""
    family = family_named(arch)
    return family.describe(shape), family.weights(shape)


def new_run_id() -> str:
    """An id no other run has: 12 hexadecimal digits."""
    return secrets.token_hex(6)


def _lives(pid: int, started: float) -> bool:
    """Whether the process that had this number at that time still runs."""
    try:
        process = psutil.Process(pid)
        zombie = process.status() == psutil.STATUS_ZOMBIE  # killed, and nobody asked how it ended
        return not zombie and abs(process.create_time() - started) < 1
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
