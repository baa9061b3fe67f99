"""A PostgreSQL server of one's own, for tests and benchmarks: made, started, stopped, removed."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

from sqlalchemy import URL, create_engine, text

USER, PASSWORD = "fashion", "only for tests"
REMEDY = (
    "install PostgreSQL (Debian: apt-get install postgresql), or name a server of which the user "
    "may make databases with FASHIONTUI_TEST_POSTGRES=postgresql://me@host/postgres"
)


class NoServer(Exception):
    """There is no PostgreSQL here; the message says what to do."""


@dataclass
class Server:
    """A running server."""

    url: URL
    """Of the database one connects to for making others."""
    folder: Path | None = None
    """Where its files lie; None for one that was named."""
    tools: Path | None = None

    @contextmanager
    def database(self) -> Iterator[str]:
        """URL of an empty database, removed afterwards whoever is still connected to it."""
        name = f"fashiontui_{token_hex(6)}"
        self._say(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        try:
            yield self.url.set(database=name).render_as_string(hide_password=False)
        finally:
            self._say(f"DROP DATABASE {name} WITH (FORCE)")

    def restart(self) -> None:
        """Stop it as a machine that is switched off does, and start it anew."""
        self.stop("immediate")
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        assert self.folder and self.tools
        log = self.folder / "log"
        _as_owner([self.tools / "pg_ctl", "-D", self.folder / "data", "-l", log, "-w", "start"])

    def stop(self, mode: str = "fast") -> None:
        """Stop it and wait until it is gone."""
        assert self.folder and self.tools
        _as_owner([self.tools / "pg_ctl", "-D", self.folder / "data", "-m", mode, "-w", "stop"])

    def _say(self, statement: str) -> None:
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@contextmanager
def running(named: str | None = None, durable: bool = False) -> Iterator[Server]:
    """A server in a temporary folder, or the one that is named.

    Args:
        named: URL of a running server.
        durable: Whether commits wait for the disk, as on a server that is meant to keep them.

    Raises:
        NoServer: none is named and PostgreSQL is not installed.
    """
    if named:
        driver = named.replace("postgresql://", "postgresql+psycopg://", 1)
        yield Server(create_engine(driver).url)
        return
    tools = _tools()
    folder = Path(tempfile.mkdtemp(prefix="fashiontui-postgres-"))
    try:
        if _is_root():
            os.chown(folder, *_owner())
        server = _made(tools, folder, durable)
        server.start()
        try:
            yield server
        finally:
            with suppress(subprocess.CalledProcessError):  # a test may have stopped it
                server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made(tools: Path, folder: Path, durable: bool) -> Server:
    """A cluster that listens on a port of this machine alone, with a password."""
    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)  # the folder itself is closed to others
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    data = folder / "data"
    told = ["-U", USER, f"--pwfile={secret}", "-A", "scram-sha-256"]
    told += ["-E", "UTF8", "--locale=C", "--no-sync"]
    _as_owner([tools / "initdb", "-D", data, *told])
    settings = [f"port = {port}", "listen_addresses = '127.0.0.1'"]
    settings += [f"unix_socket_directories = '{folder}'", "max_connections = 60"]
    settings += [] if durable else ["fsync = off"]  # a machine that fails is not tested
    with (data / "postgresql.conf").open("a") as file:
        file.write("\n".join(settings) + "\n")
    url = URL.create("postgresql+psycopg", USER, PASSWORD, "127.0.0.1", port, "postgres")
    return Server(url, folder, tools)


def _tools() -> Path:
    """The folder with PostgreSQL's programs, the newest version's."""
    known = [
        path
        for path in Path("/usr/lib/postgresql").glob("*/bin")
        if (path / "initdb").exists() and path.parent.name.isdigit()
    ]
    if known:
        return max(known, key=lambda path: int(path.parent.name))
    found = shutil.which("initdb")
    if found and shutil.which("pg_ctl"):
        return Path(found).parent
    raise NoServer(f"no PostgreSQL here: {REMEDY}")


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _owner() -> tuple[int, int]:
    """User and group that the server runs as when we are root, for whom PostgreSQL does not run."""
    import pwd  # which only POSIX has, and only root needs

    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            return user.pw_uid, user.pw_gid
    raise NoServer(f"PostgreSQL does not run as root, and there is no user nobody: {REMEDY}")


def _as_owner(command: list[Any]) -> None:
    someone: dict[str, Any] = {}
    if _is_root():
        user, group = _owner()
        someone = {"user": user, "group": group, "extra_groups": []}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   stdin=subprocess.DEVNULL, cwd="/", **someone)  # fmt: skip
