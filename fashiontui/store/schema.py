"""Opening a database: making it new, bringing it up to date, or refusing what is not ours."""

from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, Engine, func, inspect, select, text
from sqlalchemy.exc import DatabaseError, OperationalError

from fashiontui.domain.errors import StoreError
from fashiontui.store.connection import for_writing, sqlite_file
from fashiontui.store.files import engine_reading, refuse_special_file, traces

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST = "0004"
"""Revision of the newest migration (a test compares it with the migrations)."""
_OPENING = 0x66617368
"""Number of PostgreSQL's advisory lock for opening a store: the letters fash."""


def refuse_foreign_file(url: URL, name: str) -> None:
    """Look at a SQLite file before it is opened, which may already change it.

    Raises:
        StoreError: it is no store, or one of a newer version.
    """
    file = sqlite_file(url)
    if file is None:
        return
    refuse_special_file(file, name)
    if not file.exists() or file.stat().st_size == 0:
        return
    before = traces(file)
    try:
        with engine_reading(file) as engine, engine.connect() as connection:
            revision_of(connection, name)
    except OperationalError:
        pass  # locked, or left in the middle of a write, which only opening it can mend
    except (DatabaseError, StoreError):
        if traces(file) == before:
            raise
        # Another process wrote it meanwhile; opening it takes its lock, and looks again.


def bring_up_to_date(engine: Engine, name: str) -> None:
    """Give the database the newest schema, in one transaction; several processes may try at once.

    Args:
        engine: Connected to the database.
        name: What to call it in an error.

    Raises:
        StoreError: it was made by a newer version, or by another program.
    """
    with for_writing(engine).begin() as connection:
        if connection.dialect.name == "postgresql":  # SQLite's writing transactions are alone
            connection.execute(select(func.pg_advisory_xact_lock(_OPENING)))
        revision = revision_of(connection, name)
        if revision != NEWEST:
            migrate(connection, "head")


def revision_of(connection: Connection, name: str) -> str | None:
    """The schema's revision; None for an empty database.

    Raises:
        StoreError: it was made by a newer version, or by another program.
    """
    revision = _revision(connection, name)
    _refuse_unknown(revision, name)
    return revision


def migrate(connection: Connection, revision: str) -> None:
    """Run the migrations up to a revision, within the connection's transaction."""
    from alembic import command

    config = _migrations()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _migrations() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "fashiontui:store/migrations")
    return config


def _revision(connection: Connection, name: str) -> str | None:
    present = inspect(connection).get_table_names()
    if "alembic_version" in present and "runs" in present:
        revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
        if revision is not None:
            return str(revision)
    if present:
        raise StoreError(
            f"{name} is a database of another program; name another store with --store."
        )
    return None


def _refuse_unknown(revision: str | None, name: str) -> None:
    if revision is None or revision == NEWEST:
        return
    from alembic.script import ScriptDirectory

    released = ScriptDirectory.from_config(_migrations()).walk_revisions()
    if revision not in {script.revision for script in released}:
        raise StoreError(
            f"The store {name} was made by a newer fashiontui; "
            "update this one, or name another store with --store."
        )
