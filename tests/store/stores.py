"""What the tests of the store do to stores, from inside and from outside."""

import sqlite3
from contextlib import closing

import pytest
from making import made_epoch, made_finished, made_inside, made_started
from sqlalchemy import create_engine, inspect, text

from fashiontui.domain.errors import ExitCode, StoreError
from fashiontui.store import Store
from fashiontui.store.connection import parse_where


def finish(store, run_id):
    """Store a finished run of one epoch."""
    store.begin(made_started(run_id=run_id))
    store.add_epoch(made_epoch(1, run_id=run_id))
    store.add_inside(made_inside(1, run_id=run_id))
    store.end(made_finished(run_id))


def holding(place, *run_ids):
    """Make a store that holds finished runs, and close it."""
    with closing(Store(str(place))) as store:
        for run_id in run_ids:
            finish(store, run_id)


def outside(place, *statements):
    """Change a database as another program would; return what the last statement found."""
    engine = create_engine(parse_where(str(place))[0])
    with engine.begin() as connection:
        for statement in statements:
            done = connection.execute(text(statement))
        found = [tuple(row) for row in done.all()] if done.returns_rows else []
    engine.dispose()
    return found


def content(place):
    """Every table of a database with its rows."""
    engine = create_engine(parse_where(str(place))[0])
    with engine.connect() as connection:
        found = {
            table: sorted(
                map(
                    repr, (tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}")))
                )
            )
            for table in inspect(connection).get_table_names()
        }
    engine.dispose()
    return found


def foreign(file, *statements):
    """A SQLite file that another program made."""
    with closing(sqlite3.connect(file)) as plain, plain:
        for statement in statements:
            plain.execute(statement)
    return file


def refused(where, ask=None) -> str:
    """The one sentence with which a store is refused, at once or when it is asked something."""
    with pytest.raises(StoreError) as error, closing(Store(str(where))) as store:
        if ask:
            ask(store)
    said = str(error.value)
    assert error.value.exit_code is ExitCode.NO_STORE
    assert "\n" not in said
    return said
