"""SQLite files that may be anything: looked at without a trace before they are opened."""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool

from fashiontui.domain.errors import StoreError

_LOGS = ("-wal", "-journal")
"""What SQLite keeps beside a file that is in use, or was left in the middle of a write."""


def refuse_special_file(file: Path, name: str) -> None:
    """Say no to folders, pipes, sockets and devices; SQLite would wait for some of them for ever.

    Raises:
        StoreError: it is none of the files that can hold a store.
        OSError: it cannot be looked at.
    """
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "no ordinary file"
        raise StoreError(f"{name} is {what}; name a file with --store.")


def in_use(file: Path) -> bool:
    """Whether SQLite's log lies beside the file: then the file is only a part of the database."""
    return any(Path(f"{file}{log}").exists() for log in _LOGS)


def traces(file: Path) -> list[tuple[int, int] | None]:
    """When the file and its logs were last written, and their sizes."""
    found: list[tuple[int, int] | None] = []
    for path in (file, *(Path(f"{file}{log}") for log in _LOGS)):
        try:
            facts = path.stat()
            found.append((facts.st_mtime_ns, facts.st_size))
        except FileNotFoundError:
            found.append(None)
    return found


@contextmanager
def reading(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection that changes neither the file nor what lies beside it.

    Without a log beside it the file is all there is, and SQLite is told that nobody writes it:
    otherwise it would lay a log of its own there.
    """
    options = "mode=ro" if in_use(file) else "mode=ro&immutable=1"
    address = f"file:{quote(str(file))}?{options}"
    connection = sqlite3.connect(address, uri=True, check_same_thread=False)
    with closing(connection):
        connection.execute("PRAGMA trusted_schema = OFF")
        yield connection


@contextmanager
def engine_reading(file: Path) -> Iterator[Engine]:
    """The same as an engine."""
    with reading(file) as connection:
        engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
        try:
            yield engine
        finally:
            engine.dispose()
