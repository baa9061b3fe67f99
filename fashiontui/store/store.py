"""The store of runs: what the runner writes and everyone else reads."""

import secrets
import socket
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Connection, delete, insert, select, update

from fashiontui.domain.board import BoardRow
from fashiontui.domain.errors import StoreError, UsageError
from fashiontui.domain.events import (
    UNFINISHED,
    EpochEnded,
    FirstLayer,
    Predictions,
    RunFinished,
    RunStarted,
    Status,
)
from fashiontui.domain.record import RunRecord, RunStanding
from fashiontui.domain.spec import RunSpec
from fashiontui.domain.text import printable
from fashiontui.store.board import read_board
from fashiontui.store.checkpoints import Checkpoints
from fashiontui.store.connection import (
    checkpoint_folder,
    connectable,
    for_reading,
    for_writing,
    log_ahead,
    parse_where,
    sqlite_file,
)
from fashiontui.store.errors import one_sentence_errors
from fashiontui.store.owners import lives, owner
from fashiontui.store.packing import inside_row, spacing
from fashiontui.store.rows import (
    NOT_OVER,
    add_predictions,
    add_records,
    outcome,
    read_runs,
    read_specs,
    read_standings,
    started_row,
)
from fashiontui.store.schema import bring_up_to_date, refuse_foreign_file
from fashiontui.store.tables import epochs, inside
from fashiontui.store.tables import runs as runs_table

RESUMABLE = tuple(status.value for status in UNFINISHED)
MEMORY = "sqlite://"
"""URL of a store that lives as long as the object."""


class Store:
    """Runs in one database. Every write is one transaction; every error is a ``StoreError``."""

    def __init__(self, where: str, logged: bool = True) -> None:
        """Open a store, making it if there is none, and name the runs whose process vanished.

        Args:
            where: A SQLAlchemy URL, or the path of a SQLite file.
            logged: Whether a SQLite file shall be read while it is written, for which SQLite keeps
                a log beside it; without, the file is always all there is.

        Raises:
            StoreError: it cannot be opened or written, or is not a store of runs.
        """
        url, self._name = parse_where(where)
        with one_sentence_errors(self._name):
            refuse_foreign_file(url, self._name)
            self._engine = connectable(url)
        self._mine = threading.local()
        self.checkpoints = Checkpoints(checkpoint_folder(url))
        try:
            with one_sentence_errors(self._name):
                bring_up_to_date(self._engine, self._name)
                if logged:
                    log_ahead(self._engine)
            self.name_interrupted_runs()
            self._prune_checkpoints()
        except BaseException:
            self.close()
            raise

    @property
    def file(self) -> Path | None:
        """The SQLite file it is; None in memory and on a server."""
        return sqlite_file(self._engine.url)

    @property
    def url(self) -> URL:
        """Of the database; it may hold a password."""
        return self._engine.url

    @property
    def name(self) -> str:
        """What to call the store in front of the user."""
        return self._name

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def together(self) -> Iterator[None]:
        """What this thread writes within the block is one transaction: all of it, or nothing."""
        with self._writing() as connection:
            self._mine.connection = connection
            try:
                yield
            finally:
                del self._mine.connection

    def begin(
        self, started: RunStarted, study: str | None = None, trial: int | None = None
    ) -> None:
        """Add a run that is about to train, under the id its event carries.

        Args:
            started: Its first event.
            study: Name of the study it is a trial of.
            trial: Number of the trial in the study.
        """
        with self._writing() as connection:
            connection.execute(
                insert(runs_table).values(
                    created=datetime.now(UTC),
                    status=Status.RUNNING.value,
                    study=study,
                    trial=trial,
                    **started_row(started),
                    **owner(),
                )
            )

    def unfinished(self) -> list[str]:
        """Ids of the runs that can be continued, the oldest first; a study continues its trials."""
        with self._reading() as connection:
            return [
                str(run_id)
                for run_id in connection.scalars(
                    select(runs_table.c.id)
                    .where(runs_table.c.status.in_(RESUMABLE), runs_table.c.study.is_(None))
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
                .values(status=Status.RUNNING.value, cause=None, **NOT_OVER, **owner())
            )
        record = self.get(found)
        if not taken.rowcount:
            raise UsageError(f"Run {found} is {record.status.value}; it cannot be continued.")
        return record

    def add_epoch(self, ended: EpochEnded) -> None:
        """Keep a finished epoch."""
        with self._writing() as connection:
            connection.execute(insert(epochs).values(asdict(ended)))

    def add_inside(self, seen: FirstLayer) -> None:
        """Keep what a network looks like after an epoch; earlier pictures of a long run go."""
        passed = (inside.c.epoch < seen.epoch) & (inside.c.epoch % spacing(seen.epoch) != 0)
        with self._writing() as connection:
            connection.execute(insert(inside).values(inside_row(seen)))
            if spacing(seen.epoch) > 1:
                connection.execute(
                    update(inside)
                    .where(inside.c.run_id == seen.run_id, passed, inside.c.pixels.is_not(None))
                    .values(pixels=None)
                )

    def forget_epochs_after(self, run_id: str, epoch: int) -> None:
        """Leave only the epochs up to this one: the run goes on from there."""
        with self._writing() as connection:
            for table in (epochs, inside):
                later = (table.c.run_id == run_id) & (table.c.epoch > epoch)
                connection.execute(delete(table).where(later))

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
                    **outcome(finished.run_id),
                )
            )
            if changed.rowcount:
                add_predictions(connection, finished.run_id, finished.validation, finished.test)

    def add_test(self, run_id: str, test: Predictions) -> None:
        """Keep what a finished trial's network makes of the test images: the trial was chosen."""
        with self._writing() as connection:
            connection.execute(
                update(runs_table)
                .where(runs_table.c.id == run_id)
                .values(test_accuracy=test.accuracy)
            )
            add_predictions(connection, run_id, None, test)

    def runs(self) -> list[RunRecord]:
        """Every run, the newest first, without predictions."""
        with self._reading() as connection:
            return read_runs(connection, self._name)

    def specs(self) -> list[tuple[str, Status, RunSpec]]:
        """Id, state and spec of every run, the newest first.

        Raises:
            StoreError: the store cannot be read, or a run in it is damaged.
        """
        with self._reading() as connection:
            return read_specs(connection, self._name)

    def board(self) -> list[BoardRow]:
        """Every run as a light row, the newest first.

        Raises:
            StoreError: the store cannot be read, or a run in it is damaged.
        """
        with self._reading() as connection:
            return read_board(connection, self._name)

    def of_study(self, study: str) -> dict[str, RunStanding]:
        """How the runs of a study's trials stand, by their ids.

        Raises:
            StoreError: the store cannot be read, or a run in it is damaged.
        """
        self.name_interrupted_runs()
        with self._reading() as connection:
            return read_standings(connection, self._name, study)

    def get(self, run_id: str) -> RunRecord:
        """One run with its predictions.

        Args:
            run_id: Its id, or as much of its beginning as no other run shares.

        Raises:
            UsageError: no run, or more than one, has an id that begins so.
        """
        with self._reading() as connection:
            found = self._id(connection, run_id)
            records = read_runs(connection, self._name, [found], with_predictions=True)
        if not records:  # another program's id, which no command can name
            raise UsageError(f"There is no run {run_id!r}; see them with: fashiontui runs list")
        return records[0]

    def find(self, run_id: str) -> RunRecord | None:
        """The run of that whole id, without predictions; None where there is none."""
        with self._reading() as connection:
            return next(iter(read_runs(connection, self._name, [run_id])), None)

    def get_all(self, run_ids: Sequence[str]) -> list[RunRecord]:
        """Those of the runs that are there, by their whole ids, with their predictions."""
        with self._reading() as connection:
            return read_runs(connection, self._name, run_ids, with_predictions=True)

    def with_weights(self, digest: str) -> list[RunRecord]:
        """Finished runs whose weights' SHA-256 begins so, the newest first, without predictions."""
        alike = runs_table.c.weights_sha256.startswith(digest, autoescape=True)
        finished = runs_table.c.status == Status.FINISHED.value
        with self._reading() as connection:
            found = connection.scalars(select(runs_table.c.id).where(finished, alike))
            return read_runs(connection, self._name, [str(run_id) for run_id in found])

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
            over = runs_table.c.status != Status.RUNNING.value
            if not connection.execute(
                delete(runs_table).where(runs_table.c.id == found, over)
            ).rowcount:
                raise UsageError(f"Run {found} is training; stop it before deleting it.")
        if undoable:
            self.checkpoints.set_aside(found)
        else:
            self.checkpoints.remove(found)
        return found

    def restore(self, record: RunRecord) -> None:
        """Put back a run that was deleted, with its history and predictions."""
        with self._writing() as connection:
            add_records(connection, [record], owner())
        self.checkpoints.bring_back(record.id)

    def add_new(self, batches: Iterable[Sequence[RunRecord]]) -> int:
        """Add whole runs in one transaction, all or none; return how many.

        Runs whose ids the store knows already stay as they are.
        """
        with self._writing() as connection:
            known = set(connection.scalars(select(runs_table.c.id)))
            added = 0
            for records in batches:
                new = [record for record in records if record.id not in known]
                add_records(connection, new, owner())
                added += len(new)
            return added

    def _id(self, connection: Connection, beginning: str) -> str:
        found = connection.scalars(
            select(runs_table.c.id)
            .where(runs_table.c.id.startswith(printable(beginning), autoescape=True))
            .limit(2)
        ).all()
        if not found or not beginning:
            raise UsageError(f"There is no run {beginning!r}; see them with: fashiontui runs list")
        if len(found) > 1:
            raise UsageError(f"Several runs begin with {beginning!r}; give more of the id.")
        return str(found[0])

    def name_interrupted_runs(self) -> None:
        """Mark runs of this machine whose process is gone as interrupted."""
        with self._reading() as connection:
            running = connection.execute(
                select(runs_table.c.id, runs_table.c.owner_pid, runs_table.c.owner_started).where(
                    runs_table.c.status == Status.RUNNING.value,
                    runs_table.c.owner_host == socket.gethostname(),
                )
            ).all()
        gone = [row.id for row in running if not lives(row.owner_pid, row.owner_started)]
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
        with one_sentence_errors(self._name), for_reading(self._engine).connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if mine := getattr(self._mine, "connection", None):
            yield mine
            return
        if self.file is not None and not self.file.exists():  # SQLite would write into nowhere
            raise StoreError(
                f"The store {self._name} was removed while it was in use; name another one with "
                "--store."
            )
        with one_sentence_errors(self._name), for_writing(self._engine).begin() as connection:
            yield connection


def new_run_id() -> str:
    """An id no other run has: 12 hexadecimal digits."""
    return secrets.token_hex(6)
