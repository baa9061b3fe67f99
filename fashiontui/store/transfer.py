"""Runs from one store to another: a backup, a colleague's runs, a move to a server.

What is exported *is* a store: a SQLite file with the newest schema. Checkpoints of models are files
outside of stores and stay where they are.
"""

import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    LargeBinary,
    Text,
    cast,
    func,
    inspect,
    or_,
    select,
)

from fashiontui.domain.errors import StoreError, UsageError
from fashiontui.domain.events import FirstLayer, Status
from fashiontui.domain.record import RunRecord
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.writing import sync_folder
from fashiontui.store.connection import connectable, for_reading, parse_where, sqlite_file
from fashiontui.store.errors import one_sentence_errors
from fashiontui.store.files import in_use, reading, refuse_special_file
from fashiontui.store.packing import KEPT_EPOCHS
from fashiontui.store.rows import read_runs
from fashiontui.store.schema import NEWEST, bring_up_to_date, revision_of
from fashiontui.store.store import Store
from fashiontui.store.tables import epochs, inside, metadata, predictions, runs

BATCH = 50
"""Runs read and written at once: a few megabytes with their predictions."""
MOST_CHARACTERS = 200_000
"""Longest text, row of predictions or packed column that is read from somebody else's store."""
MOST_EPOCHS = 10_000
"""As many as settings allow."""
MOST_WIDTH = 9_999_999
MOST_LAYERS = 100
_IMPORTING = ("import", "name another file or URL")
_ID = re.compile("[0-9a-f]{12}")


@dataclass(frozen=True)
class Imported:
    """What came of an import."""

    new: int
    known: int
    """Runs that were there already, and were left as they are."""


def export_runs(store: Store, target: Path, run_ids: Sequence[str], force: bool = False) -> int:
    """Write runs to a file that is a store itself; return how many.

    The file is there whole or not at all: it is written beside its place, then moved there. Runs
    that train are written as interrupted, which is what their copies are.

    Args:
        store: Where they are.
        target: The file.
        run_ids: Their ids, or beginnings of them; all runs when there are none.
        force: Whether it may take the place of another file.

    Raises:
        UsageError: a file of that name is there, or is not one to replace; or no such run is.
        StoreError: the store cannot be read or the file cannot be written.
    """
    target = target.expanduser().absolute()
    _refuse_target(target, store, force)
    chosen = [store.get(run_id).id for run_id in run_ids] or [run.id for run in store.board()]
    chosen = list(dict.fromkeys(chosen))
    with (
        one_sentence_errors(str(target), "write", "name another file"),
        TemporaryDirectory(dir=target.parent, prefix=f".{target.name[:40]}-") as folder,
    ):
        written = Path(folder) / "runs.sqlite3"
        with closing(Store(str(written), logged=False)) as copy:
            count = copy.add_new(_batches(store, chosen))
        with written.open("rb") as file:
            os.fsync(file.fileno())
        _refuse_target(target, store, force)  # asked again: it took a while
        written.replace(target)
        sync_folder(target.parent)
    return count


def import_runs(store: Store, source: str) -> Imported:
    """Add another store's runs to this one, all or none; the other one is not changed.

    Whoever made it is not trusted: everything in it is checked before anything is kept.

    Args:
        store: Where they shall be.
        source: A SQLAlchemy URL, or the path of a SQLite file.

    Raises:
        StoreError: the source is no store, is damaged, or holds what this program never stores.
    """
    with (
        _opened(source) as (engine, name),
        one_sentence_errors(name, *_IMPORTING),
        for_reading(engine).connect() as connection,
    ):
        _check_sizes(connection, name)
        ids = list(connection.scalars(select(runs.c.id).order_by(runs.c.created, runs.c.id)))
        _check_ids(ids, name)

        def checked() -> Iterator[list[RunRecord]]:
            for at in range(0, len(ids), BATCH):
                found = read_runs(connection, name, ids[at : at + BATCH], with_predictions=True)
                yield [_as_copy(_checked(record, name)) for record in found]

        total = sum(len(records) for records in checked())  # all, before the store is locked
        new = store.add_new(checked())
    return Imported(new, total - new)


def _batches(store: Store, run_ids: Sequence[str]) -> Iterator[list[RunRecord]]:
    for at in range(0, len(run_ids), BATCH):
        yield [_as_copy(record) for record in store.get_all(run_ids[at : at + BATCH])]


def _as_copy(record: RunRecord) -> RunRecord:
    """A run as its copy is: nobody trains it."""
    if record.status is Status.RUNNING:
        return replace(record, status=Status.INTERRUPTED)
    return record


def _refuse_target(target: Path, store: Store, force: bool) -> None:
    if store.file and target.exists() and target.samefile(store.file):
        raise UsageError(f"{target} is the store itself; export to another file.")
    if target.is_dir():
        raise UsageError(f"{target} is a folder; name a file in it.")
    if in_use(target):
        raise UsageError(
            f"{target} is a store in use, its log lies beside it; export to another file."
        )
    if target.exists() and not (force and target.is_file()):
        raise UsageError(f"{target} is there already; --force puts the export in its place.")


@contextmanager
def _opened(source: str) -> Iterator[tuple[Engine, str]]:
    """A store to read from, of the newest schema, and what to call it."""
    url, name = parse_where(source)
    file = sqlite_file(url)
    with TemporaryDirectory() as folder:
        with one_sentence_errors(name, *_IMPORTING):
            if file is not None:
                copy = Path(folder) / "copy.sqlite3"
                _copy(file, copy, name)
                url = URL.create("sqlite", database=str(copy))
            engine = connectable(url)
        try:
            with one_sentence_errors(name, *_IMPORTING):
                if file is not None:
                    bring_up_to_date(engine, name)
                _check_schema(engine, name)
            yield engine, name
        finally:
            engine.dispose()


def _copy(file: Path, copy: Path, name: str) -> None:
    """Copy a SQLite file as it is at this moment, with what its log holds; check it page by page.

    Work on a copy leaves the source as it is, whatever has to be done to read it.
    """
    if not file.exists():
        raise StoreError(f"There is no file {name}.")
    refuse_special_file(file, name)
    with reading(file) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    with reading(copy) as target:
        target.execute("PRAGMA cell_size_check = ON")
        try:
            [found] = target.execute("PRAGMA quick_check(1)").fetchone()
        except UnicodeDecodeError:  # SQLite's error quotes what is damaged, which may be no text
            found = "damaged"
        if found != "ok":
            raise StoreError(f"{name} is damaged; nothing was imported.")
        # Views, triggers, virtual tables and computed columns are programs; no store has any.
        programs = target.execute(
            "SELECT count(*) FROM sqlite_master WHERE type NOT IN ('table', 'index') "
            "OR sql LIKE '%virtual%' OR sql LIKE '%generated%' OR sql LIKE '% AS %(%'"
        ).fetchone()
        if programs != (0,):
            raise StoreError(f"{name} is a database of another program; nothing was imported.")


def _check_schema(engine: Engine, name: str) -> None:
    """Hold the tables against those of a store.

    Raises:
        StoreError: they differ, or are those of an older version on a server.
    """
    with for_reading(engine).connect() as connection:
        revision = revision_of(connection, name)
        if revision != NEWEST:
            raise StoreError(
                f"The store {name} is empty or of an older version; open it once with "
                f"fashiontui runs --store {name}, then import it."
            )
        found = inspect(connection)
        for table in metadata.tables.values():
            columns = found.get_columns(table.name) if found.has_table(table.name) else []
            if {column["name"] for column in columns} != set(table.columns.keys()) or any(
                "computed" in column for column in columns
            ):
                raise StoreError(
                    f"The table {table.name} of {name} is not a store's; nothing was imported."
                )


def _check_sizes(connection: Connection, name: str) -> None:
    """Look for what is too large before it is loaded.

    Raises:
        StoreError: a value is longer, or a history or a set of predictions larger, than any.
    """
    for table in (runs, epochs, predictions, inside):
        lengths = [
            func.length(column if isinstance(column.type, LargeBinary) else cast(column, Text))
            for column in table.columns
        ]
        too_long = or_(*(length > MOST_CHARACTERS for length in lengths))
        if connection.scalar(select(func.count()).select_from(table).where(too_long)):
            raise StoreError(
                f"A text in the table {table.name} of {name} is longer than "
                f"{MOST_CHARACTERS:,} characters; nothing was imported."
            )
    for rows, counted, most in (
        (epochs, epochs.c.epoch, MOST_EPOCHS),
        (predictions, predictions.c.split, 2),
        (inside, inside.c.epoch, MOST_EPOCHS),
        (inside, inside.c.pixels, KEPT_EPOCHS + 1),
    ):
        over = func.count(counted) > most
        found = select(rows.c.run_id).group_by(rows.c.run_id).having(over).limit(1)
        if connection.scalar(found) is not None:
            raise StoreError(
                f"A run in {name} has more than {most:,} {counted.name} in the table {rows.name}; "
                "nothing was imported."
            )


def _check_ids(ids: Sequence[object], name: str) -> None:
    wrong = [run_id for run_id in ids if not isinstance(run_id, str) or not _ID.fullmatch(run_id)]
    if wrong or len(set(ids)) < len(ids):
        which = f"{str(wrong[0])[:40]!r} is none" if wrong else "some are there twice"
        raise StoreError(f"The ids of runs in {name} are wrong ({which}); nothing was imported.")


def _as_tested(record: RunRecord) -> bool:
    """Whether the test accuracy is that of the stored predictions."""
    if record.test is None or record.test_accuracy is None:
        return record.test is None and record.test_accuracy is None
    return abs(record.test.accuracy - record.test_accuracy) < 0.01


def _is_of_layers(seen: FirstLayer) -> bool:
    """Whether figures on layers are of the size that a network can have."""
    return len(seen.layers) <= MOST_LAYERS and all(
        len(layer.name) <= 40 and 0 <= layer.dead <= layer.units <= MOST_WIDTH
        for layer in seen.layers
    )


def _checked(record: RunRecord, name: str) -> RunRecord:
    """A run that is fit to be kept.

    Raises:
        StoreError: something about it is not as this program stores it.
    """
    spec, now = record.spec, datetime.now(UTC)
    percentages = [record.test_accuracy, *(epoch.val_accuracy for epoch in record.epochs)]
    figures = [record.train_seconds, record.total_seconds]
    for epoch in record.epochs:
        figures += [epoch.train_loss, epoch.val_loss, epoch.lr]
        figures += [epoch.images_per_second, epoch.train_seconds]
    for holds, what in (
        (spec.model is None or spec.model in REPORT_MODELS, "its model"),
        (max(spec.shape) <= MOST_WIDTH, "its shape"),
        (spec.budget is None or 0 < spec.budget < 2**63, "its budget"),
        (len(spec.recipe) <= 200, "its recipe"),
        (record.created < now + timedelta(days=1), "when it began"),
        (1 <= record.threads <= 1024, "its threads"),
        (len(record.device) <= 20 and len(spec.device) <= 20, "its device"),
        (record.weights_sha256 is None or len(record.weights_sha256) == 64, "its digest"),
        (
            [epoch.epoch for epoch in record.epochs] == [*range(1, len(record.epochs) + 1)],
            "its epochs",
        ),
        (len(record.epochs) <= spec.settings.epochs, "its epochs"),
        (
            {seen.epoch for seen in record.inside} <= {epoch.epoch for epoch in record.epochs},
            "what it looks like inside",
        ),
        (all(_is_of_layers(seen) for seen in record.inside), "what it looks like inside"),
        (record.study is None or len(record.study) <= 200, "its study"),
        (record.trial is None or 0 <= record.trial < 2**31, "its trial"),
        (all(p is None or 0 <= p <= 100 for p in percentages), "an accuracy"),
        (all(f is None or 0 <= f < 1e12 for f in figures), "a figure"),
        (_as_tested(record), "its test accuracy"),
    ):
        if not holds:
            raise StoreError(
                f"Run {record.id} in {name} cannot be one of fashiontui's ({what} is wrong); "
                "nothing was imported."
            )
    return record
