"""Every schema that was ever released opens, and what it holds is found as it was."""

import re
import shutil
import sqlite3
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from make_fixture import FIXTURES, STORED
from sqlalchemy import MetaData, create_engine, text
from stores import finish, outside

from fashiontui.store import Store
from fashiontui.store.connection import connectable, parse_where
from fashiontui.store.schema import NEWEST, migrate
from fashiontui.store.tables import metadata


def migrations():
    config = Config()
    config.set_main_option("script_location", "fashiontui:store/migrations")
    return ScriptDirectory.from_config(config)


RELEASED = sorted(script.revision for script in migrations().walk_revisions())


def built(url, revision):
    """A database of an old schema on a server, with the rows of that schema's stored file."""
    engine = connectable(parse_where(url)[0])
    with (
        engine.begin() as connection,
        closing(sqlite3.connect(FIXTURES / f"{revision}.sqlite3")) as stored,
    ):
        migrate(connection, revision)
        connection.execute(text("SET LOCAL TIME ZONE 'UTC'"))  # of moments, as SQLite writes them
        stored.row_factory = sqlite3.Row
        tables = MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            rows = [dict(row) for row in stored.execute(f"SELECT * FROM {table.name}")]
            if table.name != "alembic_version" and rows:
                columns, values = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
                insert = text(f"INSERT INTO {table.name} ({columns}) VALUES ({values})")
                connection.execute(insert, rows)
    engine.dispose()


def outcomes(store):
    """What the board says that each run's epochs come to, which migrations may have filled in."""
    return {
        row.id: (row.epochs, row.val_accuracy, pytest.approx(row.images_per_second))
        for row in store.board()
    }


def test_there_is_a_stored_file_of_every_schema():
    assert sorted(path.stem for path in FIXTURES.glob("*.sqlite3")) == RELEASED


@pytest.mark.parametrize("revision", RELEASED)
def test_every_run_of_a_stored_file_is_found_as_it_was(revision, file):
    shutil.copy(FIXTURES / f"{revision}.sqlite3", file)
    with closing(Store(str(file))) as store:
        held = STORED[revision]
        assert [store.get(record.id) for record in held] == list(held)
        assert len(store.runs()) == len(store.board()) == len(held)
        assert outcomes(store) == {
            record.id: (len(record.epochs), record.val_accuracy, record.images_per_second)
            for record in held
        }
        finish(store, "abc000000000")  # and it can be written
        assert store.get("abc").status == "finished"
    assert outside(file, "SELECT version_num FROM alembic_version") == [(NEWEST,)]


@pytest.mark.parametrize("revision", RELEASED)
def test_every_run_of_an_old_schema_on_a_server_is_found_as_it_was(revision, postgres):
    built(postgres, revision)
    with closing(Store(postgres)) as store:
        held = STORED[revision]
        assert [store.get(record.id) for record in held] == list(held)
        assert outcomes(store) == {
            record.id: (len(record.epochs), record.val_accuracy, record.images_per_second)
            for record in held
        }
        finish(store, "abc000000000")
    assert outside(postgres, "SELECT version_num FROM alembic_version") == [(NEWEST,)]


def test_opening_a_store_of_the_newest_schema_leaves_its_rows_alone(file):
    shutil.copy(FIXTURES / f"{NEWEST}.sqlite3", file)
    with closing(sqlite3.connect(file)) as plain:
        before = list(plain.iterdump())
    Store(str(file)).close()
    with closing(sqlite3.connect(file)) as plain:
        assert list(plain.iterdump()) == before


def test_the_tables_are_what_the_migrations_make(place):
    Store(place).close()
    engine = create_engine(parse_where(place)[0])
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_newest_revision_is_the_migrations_head():
    assert migrations().get_heads() == [NEWEST]


def test_a_migration_that_fails_leaves_the_store_as_it_was(place, monkeypatch):
    """All of it is one transaction, on PostgreSQL as on SQLite."""
    from fashiontui.store import schema

    def migrate_and_fall_over(connection, revision):
        migrate(connection, revision)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(schema, "migrate", migrate_and_fall_over)
    with pytest.raises(Exception, match=re.escape("No space left on device")):
        Store(place)
    monkeypatch.undo()
    assert outside(place, "SELECT 1") == [(1,)]
    with closing(Store(place)) as store:
        assert store.runs() == []
