"""From what databases say to one sentence with its remedy."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from fashiontui.domain.errors import StoreError
from fashiontui.domain.text import printable
from fashiontui.store.connection import BUSY_SECONDS

_KNOWN = tuple(
    (re.compile(pattern, re.IGNORECASE), sentence)
    for pattern, sentence in (
        # PostgreSQL
        ("connection refused", "no server answers there; start it, or correct the URL"),
        ("no such file or directory", "no server answers there; start it, or correct the URL"),
        (
            "resolve host|translate host name|name or service not known",
            "there is no host of that name; correct the URL",
        ),
        ("timeout expired", "the server does not answer; correct the URL, or try again"),
        (
            "password|no pg_hba.conf entry",
            "the server refuses this user or password; correct them in the URL, or in ~/.pgpass",
        ),
        (
            'database ".*" does not exist',
            "the server has no such database; make it with createdb, or correct the URL",
        ),
        ('role ".*" does not exist', "the server knows no such user; correct the URL"),
        (
            "permission denied for schema",
            "this user may not make tables in it; use a database of which the user is the owner",
        ),
        (
            "server closed the connection|terminating connection|connection is (lost|closed)|"
            "the database system is|could not receive data|consuming input failed",
            "the server went away; try again when it is back",
        ),
        # SQLite
        (
            "database is locked",
            f"another process has been writing it for {BUSY_SECONDS} seconds; try again",
        ),
        (
            "malformed|not a database|file is encrypted",
            "the file is damaged, or is no store; bring back a copy of it, or {otherwise}",
        ),
        (
            "disk is full|no space left|disk quota|file too large",
            "the disk is full; make room, or {otherwise}",
        ),
        ("readonly database", "it cannot be written; {otherwise}"),
        ("unable to open database file", "its file cannot be opened or made; {otherwise}"),
    )
)


@contextmanager
def one_sentence_errors(
    name: str,
    cannot: str = "use the store",
    otherwise: str = "name another one with --store",
) -> Iterator[None]:
    """Turn every database error into one sentence that names the store.

    Args:
        name: What to call the store.
        cannot: What cannot be done with it.
        otherwise: What the user may do instead.

    Raises:
        StoreError: whenever the block raises a database's or the file system's error.
    """
    try:
        yield
    except ImportError as error:
        if (error.name or "psycopg").split(".")[0] == "psycopg":
            raise StoreError(
                f"The store {name} needs the driver of PostgreSQL; "
                "run: pip install 'fashiontui[postgres]'"
            ) from error
        raise StoreError(
            f"The store {name} needs the Python package {error.name}; run: pip install {error.name}"
        ) from error
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise StoreError(f"Cannot {cannot} {name}: {_reason(error, otherwise)}.") from error


def _reason(error: Exception, otherwise: str) -> str:
    """Why, and what to do about it; nothing of the URL, which may hold a password."""
    if isinstance(error, OSError) and error.strerror:
        said = error.strerror
    else:
        said = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        for pattern, sentence in _KNOWN:
            if pattern.search(said):
                return sentence.format(otherwise=otherwise)
    first = said.splitlines()[0].rstrip(".") if said else type(error).__name__
    return f"{printable(first)}; {otherwise}"
