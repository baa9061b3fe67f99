"""The store as the app sees it: opened behind the first paint, asked from threads only.

A database may be locked by another process for many seconds, so no query ever runs on the event
loop.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from fashiontui.domain.board import Board, board_of
from fashiontui.domain.errors import UsageError
from fashiontui.domain.extras import needed
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import DatasetName

if TYPE_CHECKING:
    from fashiontui.store import Store
    from fashiontui.store.studies import StudyFound, StudyReader
    from fashiontui.store.teachers import Teachers
    from fashiontui.tuning import Studies


@contextmanager
def _uncollected() -> Iterator[None]:
    """Make many objects at once, none of which is garbage: the collector would look through all."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()


class Library:
    """Stored runs, one question at a time; deletions are remembered so that they can be undone."""

    def __init__(self, where: str) -> None:
        """Name a store without opening it: that would import SQLAlchemy before the first paint."""
        self.where = where
        self._store: Store | None = None
        self._studies: Studies | None = None
        self._reader: StudyReader | None = None
        self._opening = Lock()
        self._asking = Lock()
        self._deleted: list[tuple[RunRecord, ...]] = []

    def store(self) -> "Store":
        """The store, opened on first use.

        Raises:
            StoreError: it cannot be opened.
        """
        from fashiontui.store import Store

        with self._opening:
            if self._store is None:
                self._store = Store(self.where)
            return self._store

    def studies(self) -> "Studies":
        """The studies beside the store, opened on first use.

        Raises:
            StoreError: they cannot be opened.
            UsageError: Optuna is not installed.
        """
        with needed("Tuning"):
            from fashiontui.tuning import Studies

        store = self.store()
        with self._opening:
            if self._studies is None:
                self._studies = Studies(store)
            return self._studies

    def study(self, name: str | None) -> "StudyFound":
        """Names of all studies, and one of them: the newest where none is named.

        Raises:
            StoreError: they cannot be read.
            UsageError: there is none of that name, or Optuna is needed and not installed.
        """
        from fashiontui.store.studies import StudyReader

        store = self.store()
        with self._opening:
            self._reader = self._reader or StudyReader(store)
        if (found := self._reader.read(name)) is not None:
            return found
        studies = self.studies()
        names = studies.names()
        wanted = name if name is not None else next(iter(names), None)
        return names, studies.view(wanted) if wanted is not None else None

    def board(self) -> Board:
        """Every stored run as a light row, grouped by seeds and ranked."""
        with self._asking, _uncollected():
            return board_of(self.store().board())

    def get(self, run_ids: list[str]) -> tuple[RunRecord, ...]:
        """Whole runs, with histories and predictions."""
        with self._asking:
            return tuple(self.store().get(run_id) for run_id in run_ids)

    def find(self, run_id: str) -> tuple[RunRecord, ...]:
        """A whole run, or nothing where there is none of that id."""
        try:
            return self.get([run_id])
        except UsageError:
            return ()

    def chosen_teachers(self, run_ids: list[str], dataset: DatasetName) -> "Teachers":
        """These runs as teachers.

        Raises:
            UsageError: one of them cannot teach networks that are trained on this data set.
        """
        from fashiontui.store.teachers import teacher_name, teachers

        with self._asking:
            store = self.store()
            return teachers(store, teacher_name(store, run_ids), dataset)

    def teachers(
        self, rows: Sequence[Sequence[str]], asked: str, dataset: DatasetName
    ) -> tuple[list["Teachers"], str]:
        """Which runs can teach networks that are trained on a data set.

        Args:
            rows: Ids of the runs of each row that may be offered, the best first.
            asked: What settings call the teachers that were chosen; empty for none.
            dataset: That networks are to be trained on.

        Returns:
            Those that were chosen and those of the rows, and why those chosen cannot teach.
        """
        from fashiontui.store.teachers import best_teachers, teachers

        with self._asking:
            store, trouble = self.store(), ""
            chosen: list[Teachers] = []
            if asked:
                try:
                    chosen = [teachers(store, asked, dataset)]
                except UsageError as error:
                    trouble = str(error)
            best = best_teachers(store, rows, dataset)
        return [*chosen, *(one for one in best if one.name != asked)], trouble

    def delete(self, run_ids: list[str]) -> tuple[RunRecord, ...]:
        """Delete runs and return them; ``undo`` brings them back.

        Raises:
            UsageError: one of them is training; those before it are deleted, and can be undone.
        """
        records = self.get(run_ids)
        gone: list[RunRecord] = []
        with self._asking:
            try:
                for record in records:
                    self.store().delete(record.id, undoable=True)
                    gone.append(record)
            finally:
                if gone:
                    self._deleted.append(tuple(gone))
        return records

    def undo(self) -> tuple[RunRecord, ...]:
        """Bring back what was deleted last; nothing when nothing was."""
        with self._asking:
            if not self._deleted:
                return ()
            for record in self._deleted[-1]:
                self.store().restore(record)
            return self._deleted.pop()

    def weights_of(self, run_id: str) -> Path | None:
        """The file of a run's weights, where there is one on this machine."""
        return self.store().checkpoints.find(run_id)

    def close(self) -> None:
        """Let go of the store."""
        if self._reader is not None:
            self._reader.close()
        if self._studies is not None:
            self._studies.close()
        if self._store is not None:
            self._store.close()
