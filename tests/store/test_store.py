"""A store keeps what it was given, names what was interrupted, and harms nobody else's files."""

import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from making import made_epoch, made_finished, made_spec, made_started
from sqlalchemy import create_engine

from fashiontui.domain.errors import ExitCode, StoreError, UsageError
from fashiontui.domain.events import RunFinished, Status
from fashiontui.store import Store
from fashiontui.store.schema import NEWEST
from fashiontui.store.store import MEMORY, new_run_id
from fashiontui.store.tables import metadata

TESTS = Path(__file__).resolve().parent.parent


@pytest.fixture(params=["file", "url", "memory"])
def store(request, tmp_path):
    """The same promises for a file by its path, by its URL, and for memory."""
    where = {
        "file": str(tmp_path / "new" / "runs.sqlite3"),
        "url": f"sqlite:///{tmp_path}/runs.sqlite3",
        "memory": MEMORY,
    }
    opened = Store(where[request.param])
    yield opened
    opened.close()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "runs.sqlite3"


def opened(path) -> Store:
    return Store(str(path))


def finish(store, run_id):
    store.begin(made_started(run_id=run_id))
    store.add_epoch(made_epoch(1, run_id=run_id))
    store.end(made_finished(run_id))


def test_a_run_that_began_is_running(store):
    store.begin(made_started())
    [record] = store.runs()
    assert (record.status, record.cause, record.test_accuracy) == (Status.RUNNING, None, None)
    assert record.epochs == ()


def test_a_finished_run_comes_back_whole(store):
    spec = made_spec(model="cnn-10k", seed=2**62, lr=0.123, augment="flip")
    before = datetime.now(UTC)
    started = made_started(spec)
    store.begin(started)
    epochs = (made_epoch(1), made_epoch(2, val_accuracy=82.25))
    for epoch in epochs:
        store.add_epoch(epoch)
    finished = made_finished()
    store.end(finished)
    record = store.get(started.run_id)
    assert record.spec == spec
    assert record.epochs == epochs
    assert (record.validation, record.test) == (finished.validation, finished.test)
    assert record.test_accuracy == 75.0
    assert record.status is Status.FINISHED
    assert record.weights_sha256 == finished.weights_sha256
    assert (record.train_seconds, record.total_seconds) == (1.5, 2.0)
    assert record.versions == started.versions
    assert (record.device, record.device_name) == ("cpu", "A processor")
    assert (record.precision, record.threads) == ("fp32", 1)
    assert before <= record.created <= datetime.now(UTC)


@pytest.mark.parametrize("status", [Status.STOPPED, Status.FAILED])
def test_a_run_that_ended_early_keeps_its_state_cause_and_epochs(store, status):
    store.begin(made_started())
    store.add_epoch(made_epoch())
    store.end(RunFinished(made_started().run_id, status, "It fell over.", 3.0, 4.0))
    record = store.get(made_started().run_id)
    assert (record.status, record.cause) == (status, "It fell over.")
    assert record.epochs == (made_epoch(),)
    assert (record.test, record.test_accuracy) == (None, None)


def test_runs_are_listed_newest_first_with_their_epochs_and_without_predictions(store):
    ids = [new_run_id() for _ in range(3)]
    for run_id in ids:
        finish(store, run_id)
    records = store.runs()
    assert [record.id for record in records] == ids[::-1]
    assert all([epoch.run_id for epoch in record.epochs] == [record.id] for record in records)
    assert {record.test for record in records} == {None}


def test_the_beginning_of_an_id_is_enough(store):
    finish(store, "abc000000000")
    finish(store, "abd000000000")
    assert store.get("abc").id == "abc000000000"
    assert store.get("abd000000000").id == "abd000000000"


def test_a_beginning_that_several_ids_share_is_refused(store):
    finish(store, "abc000000000")
    finish(store, "abd000000000")
    for action in (store.get, store.delete):
        with pytest.raises(UsageError, match="Several runs begin with 'ab'"):
            action("ab")
    assert len(store.runs()) == 2


@pytest.mark.parametrize("run_id", ["", "nope", "%", "_", "a%", "'; DROP TABLE runs; --"])
def test_an_unknown_id_is_refused(store, run_id):
    finish(store, "abc000000000")
    for action in (store.get, store.delete):
        with pytest.raises(UsageError, match="There is no run"):
            action(run_id)
    assert len(store.runs()) == 1


def test_deleting_a_run_deletes_all_that_belongs_to_it_and_no_other(file):
    store = opened(file)
    finish(store, "abc000000000")
    finish(store, "abd000000000")
    assert store.delete("abc") == "abc000000000"
    assert [record.id for record in store.runs()] == ["abd000000000"]
    store.close()
    with sqlite3.connect(file) as plain:
        left = [
            plain.execute(f"SELECT DISTINCT run_id FROM {table}").fetchall()
            for table in ("epochs", "predictions")
        ]
    plain.close()
    assert left == [[("abd000000000",)]] * 2


def test_a_run_that_is_training_is_not_deleted(store):
    store.begin(made_started())
    with pytest.raises(UsageError, match="is training"):
        store.delete(made_started().run_id)
    assert len(store.runs()) == 1


def test_what_was_stored_is_there_when_the_store_is_opened_again(file):
    store = opened(file)
    finish(store, "abc000000000")
    store.close()
    again = opened(file)
    assert again.get("abc").test.accuracy == 75.0
    again.close()


def test_a_write_that_fails_leaves_what_was_there(file):
    store = opened(file)
    store.begin(made_started())
    store.add_epoch(made_epoch(1))
    with pytest.raises(StoreError):
        store.add_epoch(replace(made_epoch(1), val_accuracy=1.0))
    [epoch] = store.get(made_started().run_id).epochs
    assert epoch == made_epoch(1)
    store.close()


def test_the_first_final_state_of_a_run_stays(file):
    store = opened(file)
    store.begin(made_started())
    finished = made_finished()
    store.end(finished)
    store.end(replace(finished, status=Status.STOPPED, test=None))
    kept = store.get(finished.run_id)
    assert (kept.status, kept.test) == (Status.FINISHED, finished.test)
    store.close()


def test_run_ids_are_12_hexadecimal_digits_and_differ():
    ids = {new_run_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(run_id) == 12 and int(run_id, 16) >= 0 for run_id in ids)


# Processes


BEGIN_AND_WAIT = """
import sys, time
sys.path.insert(0, {tests!r})
from making import made_epoch, made_started
from fashiontui.store import Store
store = Store({file!r})
store.begin(made_started())
store.add_epoch(made_epoch())
print("begun", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def training(file):
    """Another process that has begun a run and holds on to it."""
    code = BEGIN_AND_WAIT.format(tests=str(TESTS), file=str(file))
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "begun\n"
        yield process
        process.kill()


def status_in(file) -> Status:
    store = opened(file)
    [record] = store.runs()
    store.close()
    return record.status


def test_a_run_whose_process_lives_is_running_for_others(file, training):
    assert status_in(file) is Status.RUNNING


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_a_run_whose_process_was_killed_is_interrupted_at_the_next_start(file, training):
    training.send_signal(signal.SIGKILL)
    training.wait()
    store = opened(file)
    [record] = store.runs()
    store.close()
    assert record.status is Status.INTERRUPTED
    assert record.epochs == (made_epoch(),)


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="needs POSIX processes")
def test_a_killed_process_that_nobody_reaped_is_dead_too(file, training):
    training.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, training.pid, os.WEXITED | os.WNOWAIT)  # dead, and still in the table
    assert status_in(file) is Status.INTERRUPTED


def test_a_run_of_a_process_whose_number_was_given_to_another_is_interrupted(file):
    store = opened(file)
    store.begin(made_started())
    store.close()
    with sqlite3.connect(file) as plain:
        plain.execute("UPDATE runs SET owner_started = owner_started - 1000")
    plain.close()
    assert status_in(file) is Status.INTERRUPTED


def test_a_run_of_another_machine_is_not_judged(file):
    store = opened(file)
    store.begin(made_started())
    store.close()
    with sqlite3.connect(file) as plain:
        plain.execute("UPDATE runs SET owner_host = 'elsewhere', owner_started = 0")
    plain.close()
    assert status_in(file) is Status.RUNNING


def test_runs_that_are_over_are_never_called_interrupted(file):
    store = opened(file)
    finish(store, "abc000000000")
    store.close()
    with sqlite3.connect(file) as plain:
        plain.execute("UPDATE runs SET owner_started = 0")
    plain.close()
    assert status_in(file) is Status.FINISHED


WRITE_MANY = """
import sys, time
sys.path.insert(0, {tests!r})
from making import made_epoch, made_finished, made_started
from fashiontui.store import Store
from fashiontui.store.store import new_run_id
import alembic.command
sys.stdin.readline()
store = Store({file!r})
for _ in range(15):
    run_id = new_run_id()
    store.begin(made_started(run_id=run_id))
    for epoch in range(1, 4):
        store.add_epoch(made_epoch(epoch, run_id=run_id))
    store.end(made_finished(run_id))
"""


def test_processes_that_make_a_store_and_write_it_at_once_lose_nothing(file):
    code = WRITE_MANY.format(tests=str(TESTS), file=str(file))
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    said = [writer.communicate(timeout=60)[1] for writer in writers]
    assert said == [""] * 3
    store = opened(file)
    records = store.runs()
    store.close()
    assert len(records) == 45
    assert all(record.status is Status.FINISHED and len(record.epochs) == 3 for record in records)


# What cannot be used


def refused(where) -> str:
    with pytest.raises(StoreError) as error:
        Store(str(where))
    said = str(error.value)
    assert error.value.exit_code is ExitCode.NO_STORE
    assert "\n" not in said
    return said


def foreign(file, *statements):
    with sqlite3.connect(file) as plain:
        for statement in statements:
            plain.execute(statement)
    plain.close()
    return file


def test_another_programs_database_is_refused_by_name_and_left_as_it_was(file):
    foreign(file, "CREATE TABLE photos (id INTEGER)", "INSERT INTO photos VALUES (1)")
    before = file.read_bytes()
    assert f"{file} is a database of another program" in refused(file)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.glob("runs.*")] == [file.name]


@pytest.mark.parametrize("table", ["runs", "alembic_version"])
def test_another_programs_database_with_a_table_of_our_names_is_refused(file, table):
    foreign(file, f"CREATE TABLE {table} (id INTEGER)")
    assert "another program" in refused(file)


def test_a_store_of_a_newer_version_is_refused_and_left_as_it_was(file):
    opened(file).close()
    foreign(file, "UPDATE alembic_version SET version_num = '9999'")
    before = file.read_bytes()
    assert f"{file} was made by a newer fashiontui" in refused(file)
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database at all", b"SQLite format 3\0" + b"\1" * 200])
def test_a_file_that_is_no_database_is_refused_by_name_and_left_as_it_was(file, content):
    file.write_bytes(content)
    assert str(file) in refused(file)
    assert file.read_bytes() == content


def test_a_folder_is_no_store(tmp_path):
    assert str(tmp_path) in refused(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    where = tmp_path / "file" / "runs.sqlite3"
    assert str(where) in refused(where)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    assert str(folder) in refused(folder / "runs.sqlite3")


@pytest.mark.parametrize(
    "url",
    [
        "nonsense://host/runs",
        "postgresql+nonsense://host/runs",
        "sqlite://host/runs",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_in_one_sentence(url):
    assert "Cannot use the store" in refused(url)


@pytest.mark.parametrize("url", ["://", "postgresql://user:hush@host:port/runs"])
def test_an_address_that_cannot_be_read_is_not_repeated(url):
    said = refused(url)
    assert "Cannot read the store's URL" in said
    assert "hush" not in said


@pytest.mark.parametrize(
    "url",
    [
        "nonsense://user:hush@host/runs",
        "postgresql://user:hush@127.0.0.1:1/runs",
        "postgresql+nonsense://user:hush@host/runs",
        "://user:hush@host/runs",
        "sqlite://user:hush@host/runs",
        "postgresql://user:hush@host:port/runs",
    ],
)
def test_a_password_in_an_address_is_never_repeated(url):
    with pytest.raises(StoreError) as error:
        Store(url)
    assert "hush" not in str(error.value)


def test_a_damaged_run_is_named(file):
    store = opened(file)
    finish(store, "abc000000000")
    store.close()
    foreign(file, """UPDATE runs SET spec = '{"arch": "rnn"}'""")
    store = opened(file)
    with pytest.raises(StoreError, match=f"abc000000000 in the store {file} is damaged"):
        store.get("abc")
    store.close()


# The schema


def test_the_tables_are_what_the_migrations_make(file):
    opened(file).close()
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_the_newest_revision_is_the_migrations_head():
    config = Config()
    config.set_main_option("script_location", "fashiontui:store/migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [NEWEST]


def test_moments_come_back_in_utc(file):
    store = opened(file)
    finish(store, "abc000000000")
    created = store.get("abc").created
    store.close()
    assert created.utcoffset() == timedelta(0)
