"""What cannot be used is refused by name, in one sentence, and left as it was."""

import os
import socket
import sqlite3
import struct
import subprocess
import sys
import zlib
from contextlib import closing
from pathlib import Path

import pytest
from making import made_epoch, made_started
from stores import content, finish, foreign, holding, outside, refused

from fashiontui.domain.errors import StoreError
from fashiontui.store import Store

TESTS = Path(__file__).resolve().parent.parent
POSIX = os.name == "posix"
ROOT = POSIX and os.geteuid() == 0
PNG = b"\x89PNG\r\n\x1a\n" + b"".join(
    struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    for kind, data in (
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0\0")),
        (b"IEND", b""),
    )
)


def everything_in(folder) -> dict[str, tuple[int, bytes]]:
    """Names, times of writing and contents of the files of a folder."""
    return {
        path.name: (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.iterdir())
        if path.is_file()
    }


# Files of other programs


@pytest.mark.parametrize(
    "written",
    [b"not a database at all", PNG, b"SQLite format 3\0" + b"\1" * 200, b"\0" * 5000],
    ids=["text", "PNG", "a header without a database", "zeros"],
)
def test_a_file_that_is_no_database_is_refused_and_left_as_it_was(file, written):
    file.write_bytes(written)
    before = everything_in(file.parent)
    assert str(file) in refused(file)
    assert everything_in(file.parent) == before


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_another_programs_database_is_refused_and_left_as_it_was(file, mode):
    foreign(
        file,
        f"PRAGMA journal_mode = {mode}",
        "CREATE TABLE photos (id INTEGER)",
        "INSERT INTO photos VALUES (1)",
    )
    before = everything_in(file.parent)
    assert f"{file} is a database of another program" in refused(file)
    assert everything_in(file.parent) == before


KILLED_WHILE_WRITING = """
import os, sqlite3
plain = sqlite3.connect({file!r})
plain.execute("PRAGMA journal_mode = WAL")
plain.execute("CREATE TABLE photos (id INTEGER)")
plain.commit()
os._exit(9)
"""


def test_a_database_that_another_program_left_in_the_middle_keeps_its_log(file):
    subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING.format(file=str(file))], check=False)
    log = Path(f"{file}-wal")
    before = file.read_bytes(), log.read_bytes()
    assert "another program" in refused(file)
    assert (file.read_bytes(), log.read_bytes()) == before


@pytest.mark.parametrize("table", ["runs", "alembic_version"])
def test_another_programs_database_with_a_table_of_our_names_is_refused(place, table):
    outside(place, f"CREATE TABLE {table} (id INTEGER)")
    before = content(place)
    assert "another program" in refused(place)
    assert content(place) == before


def test_a_store_of_a_newer_version_is_refused_and_left_as_it_was(place):
    holding(place, "abc000000000")
    outside(place, "UPDATE alembic_version SET version_num = '9999'")
    before = content(place)
    assert "was made by a newer fashiontui; update this one" in refused(place)
    assert content(place) == before


def test_not_one_byte_of_a_newer_store_changes(file):
    holding(file, "abc000000000")
    outside(file, "UPDATE alembic_version SET version_num = '9999'")
    before = everything_in(file.parent)
    refused(file)
    assert everything_in(file.parent) == before


# Damage


def many(file, count=40):
    """A store of many pages, closed."""
    holding(file, *(f"{number:012x}" for number in range(count)))
    assert file.stat().st_size > 10 * 4096
    return file


def test_a_store_that_lost_its_end_is_refused_and_left_as_it_was(file):
    os.truncate(many(file), 10 * 4096 + 17)
    before = file.read_bytes()
    said = refused(file)
    assert f"{file}: the file is damaged" in said
    assert file.read_bytes() == before


def test_a_page_that_was_overwritten_is_found_when_it_is_read(file):
    root = outside(many(file), "SELECT rootpage FROM sqlite_master WHERE name = 'runs'")[0][0]
    with file.open("r+b") as opened:
        opened.seek((root - 1) * 4096)
        opened.write(b"\xff" * 4096)
    for ask in (Store.runs, Store.board, lambda store: store.get("0")):
        assert f"{file}: the file is damaged" in refused(file, ask)


@pytest.mark.parametrize("seed", range(8))
def test_a_store_with_flipped_bytes_is_read_or_refused_in_one_sentence(file, seed):
    content = bytearray(many(file, 10).read_bytes())
    for step in range(8):
        at = (seed * 7919 + step * 104_729) % len(content)
        content[at] ^= 1 << (step % 8)
    file.write_bytes(content)
    try:
        with closing(Store(str(file))) as store:
            store.board()
            for record in store.runs():
                store.get(record.id)
    except StoreError as error:
        assert str(file) in str(error)
        assert "\n" not in str(error)


DIE_IN_THE_MIDDLE = """
import os, sys
sys.path.insert(0, {tests!r})
from making import made_epoch, made_started
from fashiontui.store import Store
store = Store({file!r})
store.begin(made_started())
store.add_epoch(made_epoch())
os._exit(9)
"""


def test_what_a_killed_process_left_in_the_log_is_there(file):
    code = DIE_IN_THE_MIDDLE.format(tests=str(TESTS), file=str(file))
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert Path(f"{file}-wal").stat().st_size > 0
    with closing(Store(str(file))) as store:
        [record] = store.runs()
    assert record.epochs == (made_epoch(),)
    assert [path.name for path in file.parent.glob("runs*")] == [file.name]


# What is no file, or may not be written


def test_a_folder_is_no_store(tmp_path):
    assert f"{tmp_path} is a folder" in refused(tmp_path)


@pytest.mark.skipif(not POSIX, reason="needs POSIX files")
def test_a_pipe_is_refused_without_waiting_for_it(file):
    os.mkfifo(file)
    assert f"{file} is no ordinary file" in refused(file)


@pytest.mark.skipif(not POSIX, reason="needs POSIX files")
def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with closing(socket.socket(socket.AF_UNIX)) as there:
        there.bind("s")
        assert "s is no ordinary file" in refused("s")


@pytest.mark.skipif(not POSIX, reason="needs POSIX files")
def test_a_device_is_refused():
    assert "/dev/null is no ordinary file" in refused("/dev/null")


def test_an_empty_file_becomes_a_store(file):
    file.touch()
    holding(file, "abc000000000")
    with closing(Store(str(file))) as store:
        assert len(store.runs()) == 1


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    where = tmp_path / "file" / "runs.sqlite3"
    assert str(where) in refused(where)


AS_NOBODY = """
import os
from fashiontui.domain.errors import StoreError
from fashiontui.store import Store
Store("sqlite://").close()  # imports all that nobody may not read
os.setgid(65534), os.setuid(65534)
try:
    Store({file!r})
except StoreError as error:
    print(error)
"""


@pytest.mark.skipif(not ROOT, reason="needs to be root, to become somebody else")
@pytest.mark.parametrize("closed", ["file", "folder"])
def test_what_may_not_be_written_is_refused_and_left_as_it_was(file, closed):
    if closed == "file":
        holding(file, "abc000000000")
    before = everything_in(file.parent)
    pytests = [f for f in file.parents if f.name.startswith(("pytest-", "popen-"))]
    for folder in (file.parent, *pytests):
        folder.chmod(0o755)
    code = AS_NOBODY.format(file=str(file))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"Cannot use the store {file}: it" in done.stdout, done.stderr
    assert done.stdout.count("\n") == 1
    assert everything_in(file.parent) == before


WRITE_WITH_LITTLE_ROOM = """
import resource, sys
sys.path.insert(0, {tests!r})
from stores import finish
from fashiontui.domain.errors import StoreError
from fashiontui.store import Store
from fashiontui.store.store import new_run_id
store = Store({file!r})
limit = {limit}
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    for _ in range(10_000):
        finish(store, new_run_id())
except StoreError as error:
    print(error, flush=True)
"""


def fill(file, limit=0):
    """Write a store until there is no room; return what was said."""
    code = WRITE_WITH_LITTLE_ROOM.format(tests=str(TESTS), file=str(file), limit=limit)
    path = os.pathsep.join([str(TESTS / "store"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.skipif(not POSIX, reason="needs POSIX limits")
def test_a_file_that_may_not_grow_says_so_and_keeps_what_was_written(file):
    said = fill(file, limit=300_000)
    assert said.startswith(f"Cannot use the store {file}: ")
    assert said.count("\n") == 1
    with closing(Store(str(file))) as store:
        finished = [record for record in store.runs() if record.status == "finished"]
        assert finished
        finish(store, "abc000000000")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if not ROOT or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can only be mounted by root, and not in every container")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_named_and_what_was_written_is_kept(small_disk):
    file = small_disk / "runs.sqlite3"
    said = fill(file)
    assert said == (
        f"Cannot use the store {file}: the disk is full; make room, "
        "or name another one with --store.\n"
    )
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    with closing(Store(str(file))) as store:
        assert any(record.status == "finished" for record in store.runs())
        finish(store, "abc000000000")


def test_a_store_that_another_process_keeps_locked_says_so(file, monkeypatch):
    monkeypatch.setattr("fashiontui.store.connection.BUSY_SECONDS", 0.1)
    holding(file)
    with closing(Store(str(file))) as store, closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process has been writing it"):
            store.begin(made_started())


# Addresses


@pytest.mark.parametrize(
    "url", ["nonsense://host/runs", "mysql://host/runs", "postgresql+nonsense://host/runs"]
)
def test_an_address_of_another_kind_is_refused(url):
    assert f"Cannot use the store {url}" in refused(url)


def test_an_address_of_a_file_on_another_host_is_refused():
    assert "Cannot use the store sqlite://host/runs" in refused("sqlite://host/runs")


@pytest.mark.parametrize(
    "url",
    [
        "://",
        "postgresql://user:hush@host:port/runs",
        "postgresql://user:begin@hush@host/runs",
    ],
)
def test_an_address_that_cannot_be_read_is_not_repeated(url):
    said = refused(url)
    assert "Cannot read the store's URL" in said
    assert "hush" not in said


@pytest.mark.parametrize(
    "url",
    [
        "nonsense://user:hush@host/runs",
        "postgresql://user:hush@127.0.0.1:1/runs",
        "postgresql://127.0.0.1:1/runs?user=user&password=hush",
        "postgresql+nonsense://user:hush@host/runs",
        "://user:hush@host/runs",
        "sqlite://user:hush@host/runs",
        "postgresql://user:hush@host:port/runs",
    ],
)
def test_a_password_in_an_address_is_never_repeated(url):
    assert "hush" not in refused(url)
