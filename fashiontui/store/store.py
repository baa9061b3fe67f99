"""The store of runs: what the runner writes and everyone else reads."""

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psutil
from pydantic import ValidationError
from sqlalchemy import Connection, Row, delete, insert, select, update

from fashiontui.domain.errors import StoreError, UsageError
from fashiontui.domain.events import EpochEnded, Predictions, RunFinished, RunStarted, Status
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import RunSpec
from fashiontui.store.connection import (
    connectable,
    log_ahead,
    one_sentence_errors,
    parse_where,
)
from fashiontui.store.schema import bring_up_to_date
from fashiontui.store.tables import epochs, predictions
from fashiontui.store.tables import runs as runs_table

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
        self._name_interrupted_runs()

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
                    owner_host=socket.gethostname(),
                    owner_pid=os.getpid(),
                    owner_started=psutil.Process().create_time(),
                )
            )

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
            for split, made in (("validation", finished.validation), ("test", finished.test)):
                if changed.rowcount and made is not None:
                    connection.execute(
                        insert(predictions).values(
                            run_id=finished.run_id,
                            split=split,
                            predicted=made.predicted,
                            labels=made.labels,
                        )
                    )

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

    def delete(self, run_id: str) -> str:
        """Delete a run and all that belongs to it; return its whole id.

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
            return found

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

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with one_sentence_errors(self._name), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        writing = self._engine.execution_options(writes=True)
        with one_sentence_errors(self._name), writing.begin() as connection:
            yield connection


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
