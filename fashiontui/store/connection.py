"""From what the user calls a store to a database engine that behaves alike on every database."""

import json
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import StaticPool

from fashiontui import paths
from fashiontui.domain.errors import StoreError

BUSY_SECONDS = 30
"""How long a write waits for another process's write."""
STUDIES_SCHEMA = "fashiontui_studies"
"""PostgreSQL's schema of Optuna's tables."""
_POSTGRES = "postgresql+psycopg"
_SERVER_PATIENCE = {
    "connect_timeout": 10,  # seconds
    "tcp_user_timeout": 30_000,  # ms without an answer after which the server counts as gone
    "application_name": "fashiontui",
}


def parse_where(where: str) -> tuple[URL, str]:
    """The database's URL, and what to call the store in front of the user, without password.

    Args:
        where: A SQLAlchemy URL, or the path of a SQLite file.

    Raises:
        StoreError: the URL cannot be read, or names a database that cannot be a store.
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
    if "@" in (url.host or ""):  # the rest of a password: it would be taken for the host's name
        raise StoreError("Cannot read the store's URL; write each @ in its password as %40.")
    name = url.set(query={}).render_as_string(hide_password=True)  # queries hold passwords too
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername=_POSTGRES)
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise StoreError(
            f"Cannot use the store {name}: runs are kept in SQLite files and PostgreSQL databases; "
            f"name one with --store, by its path or as {_POSTGRES}://me@host/runs."
        )
    return url, name


def sqlite_file(url: URL) -> Path | None:
    """The file behind a URL; None for memory and for servers."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database))


def connectable(url: URL) -> Engine:
    """An engine on which several processes may write at once."""
    if url.get_backend_name() != "sqlite":
        patience = {
            name: value for name, value in _SERVER_PATIENCE.items() if name not in url.query
        }
        # Every connection is tried before it is used: the server may have been started anew.
        return create_engine(
            url, pool_pre_ping=True, connect_args=patience, json_deserializer=_from_json
        )
    options: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS}}
    file = sqlite_file(url)
    if file is None:
        options = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, json_deserializer=_from_json, **options)
    begin_as_told(engine)
    return engine


def begin_as_told(engine: Engine) -> None:
    """Make SQLite mind references, keep what it was given, and begin when it is told to.

    pysqlite opens transactions by its own rules and too late; here they begin when SQLAlchemy says
    so, and writing ones take their lock at once, so that none fails half-way for want of it.
    """

    @event.listens_for(engine, "connect")
    def _configure(connection, _record) -> None:  # type: ignore[no-untyped-def]
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        # Each commit reaches the disk, so that power that fails costs no finished epoch. Most
        # builds of SQLite do so by themselves; some, such as Apple's, do not.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA trusted_schema = OFF")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def for_reading(engine: Engine) -> Engine:
    """The engine, for transactions that see one moment of the store, however long they take."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine  # SQLite always does


def for_writing(engine: Engine) -> Engine:
    """The engine, for transactions that write."""
    return engine.execution_options(writes=True)


def checkpoint_folder(url: URL) -> Path | None:
    """Where the checkpoints of a store's runs lie: beside a file, else among the program's data.

    None for a database in memory.
    """
    if url.get_backend_name() != "sqlite":
        named = url.render_as_string(hide_password=True)
        return paths.data_folder() / "checkpoints" / sha256(named.encode()).hexdigest()[:16]
    file = sqlite_file(url)
    return file and file.with_name(f"{file.name}-checkpoints")


def studies_url(url: URL) -> URL | None:
    """Where Optuna keeps the studies of a store: a file beside it, or a schema of the same server.

    None for a database in memory.
    """
    if url.get_backend_name() != "sqlite":
        # A schema of its own: Optuna, too, calls a table alembic_version.
        return url.update_query_dict({"options": f"-csearch_path={STUDIES_SCHEMA}"})
    file = sqlite_file(url)
    if file is None:
        return None
    return URL.create("sqlite", database=str(file.with_name(f"{file.name}-studies")))


def log_ahead(engine: Engine) -> None:
    """Let a SQLite file be read while it is written; it remembers.

    Not done on connecting: it changes the file, which may turn out to be another program's.
    """
    if engine.dialect.name != "sqlite" or sqlite_file(engine.url) is None:
        return
    give_up = monotonic() + BUSY_SECONDS
    with closing(engine.raw_connection()) as connection:
        while True:
            try:
                connection.cursor().execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                # Here SQLite itself does not wait for others who are opening the file.
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > give_up:
                    raise
                sleep(0.01)


def _from_json(text: str) -> object:
    """What a column of JSON holds; None where it is damaged, so that the run is named for it."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
