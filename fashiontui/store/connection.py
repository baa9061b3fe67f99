"""From what the user calls a store to a database engine, and from its errors to one sentence."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from fashiontui import paths
from fashiontui.domain.errors import StoreError

BUSY_SECONDS = 30
"""How long a write waits for another process's write."""


def parse_where(where: str) -> tuple[URL, str]:
    """The database's URL, and what to call the store in front of the user, without password.

    Args:
        where: A SQLAlchemy URL, or the path of a SQLite file.

    Raises:
        StoreError: the URL cannot be read.
    """
    if "://" not in where:
        return URL.create("sqlite", database=str(Path(where).expanduser().absolute())), where
    try:
        url = make_url(where)
    except (ArgumentError, ValueError) as error:  # neither repeats it here: it may hold a password
        raise StoreError(
            "Cannot read the store's URL; give a path, or a URL like "
            "sqlite:////home/me/runs.sqlite3 or postgresql+psycopg://me@host/runs."
        ) from error
    return url, url.render_as_string(hide_password=True)


def connectable(url: URL) -> Engine:
    """An engine; SQLite ones wait for each other and mind references.

    pysqlite opens transactions by its own rules and too late; here they begin when SQLAlchemy says
    so, and writing ones (``execution_options(writes=True)``) take their lock at once, so that none
    fails half-way for want of it.
    """
    if url.get_backend_name() != "sqlite":
        return create_engine(url)
    if _in_memory(url):
        engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _configure(connection, _record) -> None:  # type: ignore[no-untyped-def]
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def checkpoint_folder(url: URL) -> Path | None:
    """Where the checkpoints of a store's runs lie: beside a file, else among the program's data.

    None for a database in memory.
    """
    if url.get_backend_name() != "sqlite":
        named = url.render_as_string(hide_password=True)
        return paths.data_folder() / "checkpoints" / sha256(named.encode()).hexdigest()[:16]
    if _in_memory(url):
        return None
    file = Path(url.database or "")
    return file.with_name(f"{file.name}-checkpoints")


def log_ahead(engine: Engine) -> None:
    """Let a SQLite file be read while it is written; it remembers.

    Not done on connecting: it changes the file, which may turn out to be another program's.
    """
    if engine.dialect.name == "sqlite" and not _in_memory(engine.url):
        with closing(engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA journal_mode = WAL")


@contextmanager
def one_sentence_errors(name: str) -> Iterator[None]:
    """Turn every database error into one sentence that names the store.

    Raises:
        StoreError: whenever the block raises a database's or the file system's error.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise StoreError(
            f"The store {name} needs the Python package {error.name}; run: pip install {error.name}"
        ) from error
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(
            f"Cannot use the store {name}: {_reason(error)}; name another one with --store."
        ) from error


def _reason(error: SQLAlchemyError | OSError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    said = str(error.orig if isinstance(error, DBAPIError) else error).strip()
    return said.splitlines()[0].rstrip(".") if said else type(error).__name__


def _in_memory(url: URL) -> bool:
    return url.database in (None, "", ":memory:")
