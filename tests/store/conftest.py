"""Stores of every kind, empty, each test's own."""

import pytest

from fashiontui.store import Store
from fashiontui.store.store import MEMORY


@pytest.fixture
def file(tmp_path):
    """Path of a SQLite file that is not there yet."""
    return tmp_path / "runs.sqlite3"


@pytest.fixture(params=["sqlite-file", "postgresql"])
def place(request):
    """Where several stores, and several processes, meet: a path or a URL."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres")
    return str(request.getfixturevalue("file"))


@pytest.fixture(params=["sqlite-file", "sqlite-memory", "postgresql"])
def store(request):
    """An open store; the same promises hold for each."""
    match request.param:
        case "sqlite-file":
            where = str(request.getfixturevalue("file"))
        case "sqlite-memory":
            where = MEMORY
        case "postgresql":
            where = request.getfixturevalue("postgres")
    opened = Store(where)
    yield opened
    opened.close()
