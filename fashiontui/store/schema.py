"""Opening a database: making it new, bringing it up to date, or refusing what is not ours."""

from sqlalchemy import Connection, Engine, inspect, text

from fashiontui.domain.errors import StoreError

NEWEST = "0001"
"""Revision of the newest migration (a test compares it with the migrations)."""


def bring_up_to_date(engine: Engine, name: str) -> None:
    """Give the database the newest schema, in one transaction.

    Args:
        engine: Connected to the database.
        name: What to call it in an error.

    Raises:
        StoreError: it was made by a newer version, or by another program.
    """
    with engine.execution_options(writes=True).begin() as connection:
        revision = _revision(connection, name)
        if revision == NEWEST:
            return
        from alembic import command
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", "fashiontui:store/migrations")
        config.attributes["connection"] = connection
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if revision is not None and revision not in known:
            raise StoreError(
                f"The store {name} was made by a newer fashiontui; "
                "update this one, or name another store with --store."
            )
        command.upgrade(config, "head")


def _revision(connection: Connection, name: str) -> str | None:
    """The schema's revision; None for an empty database."""
    present = inspect(connection).get_table_names()
    if "alembic_version" in present and "runs" in present:
        return str(connection.scalar(text("SELECT version_num FROM alembic_version")))
    if present:
        raise StoreError(
            f"{name} is a database of another program; name another store with --store."
        )
    return None
