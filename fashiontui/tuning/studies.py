"""The studies of a store: in Optuna's own tables, in a file beside the runs or on their server."""

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import chain, count
from threading import RLock

import msgspec
import optuna
from filelock import FileLock
from msgspec import to_builtins
from optuna.exceptions import DuplicatedStudyError, ExperimentalWarning, StorageInternalError
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from sqlalchemy import NullPool, create_engine, func, select
from sqlalchemy.schema import CreateSchema

from fashiontui.domain.errors import StoreError, UsageError
from fashiontui.domain.study import LONGEST_NAME, StudySpec, StudyView
from fashiontui.domain.text import printable
from fashiontui.store import Store
from fashiontui.store.connection import (
    BUSY_SECONDS,
    STUDIES_SCHEMA,
    begin_as_told,
    for_writing,
    log_ahead,
    sqlite_file,
    studies_url,
)
from fashiontui.store.errors import one_sentence_errors
from fashiontui.store.studies import SPEC
from fashiontui.tuning.study import Study, directions, importances, objectives, view_of

_TAKING = 0x66617369
"""Number of PostgreSQL's advisory lock for taking a trial: the letters fasi."""

optuna.logging.disable_default_handler()
optuna.logging.set_verbosity(optuna.logging.ERROR)


class Studies:
    """Every study of a store. Every error of the database is a ``StoreError``."""

    def __init__(self, store: Store) -> None:
        """Open the studies beside a store, making their tables where there are none.

        Raises:
            StoreError: they cannot be opened, or were written by a newer Optuna.
        """
        self.store = store
        self._url = studies_url(store.url)
        self._name = f"{store.name}-studies" if store.file else f"{store.name} ({STUDIES_SCHEMA})"
        self._within = RLock()  # of this process's threads
        self._storage: BaseStorage = InMemoryStorage()
        if self._url is not None:
            with self.alone():
                self._storage = self._opened()

    @property
    def url(self) -> str | None:
        """As Optuna and optuna-dashboard take it, without password; None in memory."""
        return self._url and self._url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Let go of the database."""
        if isinstance(self._storage, RDBStorage):
            self._storage.remove_session()
            self._storage.engine.dispose()

    def names(self) -> list[str]:
        """Names of the studies that this program can go on with, the newest first."""
        with self.kept():
            found = self._storage.get_all_studies()
        return [study.study_name for study in reversed(found) if SPEC in study.user_attrs]

    def begin(self, spec: StudySpec, name: str | None = None) -> Study:
        """Begin a study, or go on with the one of that name.

        Args:
            spec: What to search.
            name: What to call it; after family and budget where it is None.

        Raises:
            UsageError: the study of that name searches something else, or the name cannot be used.
        """
        name = name if name is not None else spec.usual_name
        if not 0 < len(name) <= LONGEST_NAME or printable(name) != name:
            raise UsageError(
                f"A study's name has 1 to {LONGEST_NAME} characters that can be shown, not "
                f"{printable(name)[:LONGEST_NAME]!r}."
            )
        with self.alone():
            try:
                made = optuna.create_study(
                    study_name=name, storage=self._storage, directions=directions(spec)
                )
                made.set_user_attr(SPEC, msgspec.json.encode(spec).decode())
                with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
                    made.set_metric_names(objectives(spec))  # as optuna-dashboard calls them
            except DuplicatedStudyError:
                found = self.open(name)
                if differs := _difference(found.spec, spec):
                    raise UsageError(
                        f"The study {name!r} was begun with {differs}; give the same to go on with "
                        "it, or --study NAME to begin another."
                    ) from None
                return found
        return self.open(name)

    def begin_another(self, spec: StudySpec) -> Study:
        """Begin a study under its first free name, or go on with one that searches the same.

        Args:
            spec: What to search.

        Raises:
            UsageError: its name cannot be used.
        """
        taken, names = self.names(), (f"{spec.usual_name}-{number}" for number in count(2))
        for name in chain([spec.usual_name], names):
            if name not in taken or _difference(self.open(name).spec, spec) is None:
                break
        return self.begin(spec, name)

    def open(self, name: str) -> Study:
        """The study of that name.

        Raises:
            UsageError: there is none.
        """
        with self.kept():
            try:
                found = optuna.load_study(study_name=name, storage=self._storage)
            except KeyError:
                known = ", ".join(self.names()[:10]) or "none"
                raise UsageError(f"There is no study {name!r}; there are: {known}.") from None
            return Study(found, self)

    def view(self, name: str) -> StudyView:
        """A study as it stands, without its parameters' importances.

        Raises:
            UsageError: there is none of that name.
        """
        study = self.open(name)
        with self.kept():
            return view_of(study)

    def importances(self, name: str) -> dict[str, float] | None:
        """Share of each parameter, the most important first; None before there is enough to say.

        Raises:
            UsageError: there is no study of that name.
        """
        study = self.open(name)
        with self.kept():
            return importances(study)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Within the block no other thread or process takes a trial of any study here.

        Raises:
            StoreError: the database cannot be used.
        """
        with self._within, self.kept(), self._other_processes_waiting():
            yield

    def _other_processes_waiting(self) -> AbstractContextManager[object]:
        if self._url is None:
            return ExitStack()
        file = sqlite_file(self._url)
        return FileLock(file.with_name(f"{file.name}.lock")) if file else self._advisory_lock()

    @contextmanager
    def _advisory_lock(self) -> Iterator[None]:
        assert self._url is not None
        with create_engine(self._url, poolclass=NullPool).begin() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(_TAKING)))
            yield

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Turn every error of Optuna's storage into one sentence.

        Raises:
            StoreError: the database cannot be used.
        """
        with one_sentence_errors(self._name):
            try:
                yield
            except StorageInternalError as error:
                raise error.__cause__ or StoreError(str(error)) from error

    def _opened(self) -> RDBStorage:
        """Optuna's storage, on an engine that several processes may write through at once."""
        assert self._url is not None
        file = sqlite_file(self._url)
        if file is None:
            with create_engine(self._url, poolclass=NullPool).begin() as connection:
                connection.execute(CreateSchema(STUDIES_SCHEMA, if_not_exists=True))
        url = self._url.render_as_string(hide_password=False)
        patience = {"connect_args": {"timeout": BUSY_SECONDS}} if file else {"pool_pre_ping": True}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of experimental features: none is used here
                storage = RDBStorage(url, engine_kwargs=patience)
        except RuntimeError as error:  # of the schema's version
            raise StoreError(
                f"The studies in {self._name} were written by another version of Optuna; "
                "run: pip install -U optuna"
            ) from error
        if file is not None:
            storage.engine.dispose()  # connections that do not begin as told
            begin_as_told(storage.engine)
            log_ahead(storage.engine)
            storage.engine.update_execution_options(
                **for_writing(storage.engine).get_execution_options()
            )
        return storage


def _difference(old: StudySpec, new: StudySpec) -> str | None:
    """The first thing in which two studies differ, as the old one has it; None where in nothing."""
    before, after = to_builtins(old), to_builtins(new)
    for name in ("device", "threads", "precision", "kernels"):  # another machine may go on with it
        del before[name], after[name]
    for name, value in before.items():
        if value == after[name]:
            continue
        if name in ("space", "settings", "shapes"):
            return f"another {'recipe' if name == 'settings' else 'search space'}"
        return f"{name.replace('_', ' ')} {value if value is not None else 'accuracy alone'}"
    return None
