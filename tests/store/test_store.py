"""A store keeps what it was given, and names what was interrupted, on every database."""

import os
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from making import (
    made_epoch,
    made_finished,
    made_inside,
    made_record,
    made_spec,
    made_started,
)
from msgspec import structs
from stores import finish, holding, outside

from fashiontui.domain.errors import StoreError, UsageError
from fashiontui.domain.events import Predictions, RunFinished, Status
from fashiontui.store import Store
from fashiontui.store.store import new_run_id

TESTS = Path(__file__).resolve().parent.parent


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
    assert (record.precision, record.threads, record.kernels) == ("fp32", 1, "torch")
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


def test_deleting_a_run_deletes_all_that_belongs_to_it_and_no_other(place):
    store = Store(place)
    finish(store, "abc000000000")
    finish(store, "abd000000000")
    assert store.delete("abc") == "abc000000000"
    assert [record.id for record in store.runs()] == ["abd000000000"]
    store.close()
    for table in ("epochs", "predictions"):
        assert outside(place, f"SELECT DISTINCT run_id FROM {table}") == [("abd000000000",)]


def test_a_run_that_is_training_is_not_deleted(store):
    store.begin(made_started())
    with pytest.raises(UsageError, match="is training"):
        store.delete(made_started().run_id)
    assert len(store.runs()) == 1


def test_what_was_stored_is_there_when_the_store_is_opened_again(place):
    holding(place, "abc000000000")
    again = Store(place)
    assert again.get("abc").test.accuracy == 75.0
    again.close()


def test_a_write_that_fails_leaves_what_was_there(store):
    store.begin(made_started())
    store.add_epoch(made_epoch(1))
    with pytest.raises(StoreError):
        store.add_epoch(replace(made_epoch(1), val_accuracy=1.0))
    [epoch] = store.get(made_started().run_id).epochs
    assert epoch == made_epoch(1)


def test_the_first_final_state_of_a_run_stays(store):
    store.begin(made_started())
    finished = made_finished()
    store.end(finished)
    store.end(replace(finished, status=Status.STOPPED, test=None))
    kept = store.get(finished.run_id)
    assert (kept.status, kept.test) == (Status.FINISHED, finished.test)


def test_moments_come_back_in_utc_whatever_zone_they_were_given_in(store):
    moment = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=-7)))
    store.restore(replace(made_record(), created=moment))
    created = store.get(made_record().id).created
    assert created == moment
    assert created.utcoffset() == timedelta(0)


def test_figures_come_back_to_the_last_bit(store):
    epoch = replace(made_epoch(), train_loss=0.1 + 0.2, lr=1e-300, images_per_second=1e308)
    record = replace(made_record(), epochs=(epoch,), train_seconds=5e-324, total_seconds=1 / 3)
    store.restore(record)
    assert store.get(record.id) == record


def test_every_class_of_every_image_comes_back(store):
    made = Predictions(bytes(range(10)) * 1000, bytes(reversed(range(10))) * 1000)
    record = replace(made_record(), validation=made, test=made, test_accuracy=made.accuracy)
    store.restore(record)
    assert store.get(record.id) == record


def test_text_that_no_database_keeps_and_no_terminal_should_see_is_written_out(store):
    started = replace(
        made_started(structs.replace(made_spec(dataset="sample"), recipe="my\x1b[31m")),
        device_name="GPU \0\x1b]0;mine\x07 \ud800 \u202eecived",
        versions={"torch\x9b": "2.9\n"},
    )
    store.begin(started)
    store.end(RunFinished(started.run_id, Status.FAILED, "a\0b\ud800\r\n[red]c", 1.0, 1.0))
    kept = store.get(started.run_id)
    assert kept.device_name == r"GPU \x00\x1b]0;mine\x07 \ud800 \u202eecived"
    assert kept.cause == r"a\x00b\ud800\r\n[red]c"
    assert kept.versions == {r"torch\x9b": r"2.9\n"}
    assert kept.spec.recipe == store.board()[0].recipe == r"my\x1b[31m"


def test_a_device_name_of_any_length_can_be_kept(store):
    store.begin(replace(made_started(), device_name="é" * 1000))
    assert store.get(made_started().run_id).device_name == "é" * 200


def test_an_id_that_was_typed_badly_is_no_id(store):
    finish(store, "abc000000000")
    for typed in ("\ud800", "a\0", "\x1b[31m"):
        with pytest.raises(UsageError, match="There is no run"):
            store.get(typed)


def test_an_id_that_another_program_made_up_is_shown_and_names_no_run(file):
    holding(file, "abc000000000")
    outside(file, "DELETE FROM epochs", "DELETE FROM predictions")
    outside(file, "UPDATE runs SET id = 'abc' || char(27) || '[31m'")
    with closing(Store(str(file))) as store:
        assert [row.id for row in store.board()] == [r"abc\x1b[31m"]
        assert [record.id for record in store.runs()] == [r"abc\x1b[31m"]
        with pytest.raises(UsageError, match="There is no run 'abc'"):
            store.get("abc")


def test_the_board_says_what_the_runs_say(store):
    paces = [1000.0, 3000.0]
    epochs = [made_epoch(n, images_per_second=pace) for n, pace in enumerate(paces, start=1)]
    record = replace(made_record("cnn-10k"), epochs=tuple(epochs))
    store.restore(record)
    store.restore(replace(made_record(status=Status.FAILED), id="fa11ed000000", epochs=()))
    rows = {row.id: row for row in store.board()}
    row, failed = rows[record.id], rows["fa11ed000000"]
    assert row.images_per_second == pytest.approx(record.images_per_second) == 1500
    assert (row.title, row.epochs) == ("cnn-10k", 2)
    assert (row.val_accuracy, row.test_accuracy) == (record.val_accuracy, record.test_accuracy)
    assert (row.created, row.train_seconds) == (record.created, record.train_seconds)
    assert (failed.epochs, failed.images_per_second, failed.test_margin) == (0, None, None)


def test_the_board_follows_a_run_that_is_stopped_continued_and_finished(store):
    """Runs that are over have what their epochs come to in their own row; these here take turns."""

    def agrees():
        row, record = store.board()[0], store.get("abc")
        assert (row.status, row.epochs) == (record.status, len(record.epochs))
        assert row.val_accuracy == record.val_accuracy
        assert row.images_per_second == pytest.approx(record.images_per_second)

    run_id = "abc000000000"
    store.begin(made_started(run_id=run_id))
    agrees()
    for epoch, pace in ((1, 1000.0), (2, 3000.0)):
        ended = made_epoch(epoch, run_id=run_id, images_per_second=pace, val_accuracy=80 + epoch)
        store.add_epoch(ended)
        agrees()
    stopped = replace(made_finished(run_id), status=Status.STOPPED, validation=None, test=None)
    store.end(stopped)
    agrees()
    store.resume(run_id)
    store.forget_epochs_after(run_id, 1)
    agrees()
    store.add_epoch(made_epoch(2, run_id=run_id, images_per_second=2000.0, val_accuracy=85.0))
    agrees()
    store.end(made_finished(run_id))
    agrees()
    assert store.board()[0].val_accuracy == 85.0


def test_a_run_deleted_and_restored_is_the_same(store):
    finish(store, "abc000000000")
    before = store.get("abc")
    store.delete("abc")
    store.restore(before)
    assert store.get("abc") == before


def test_runs_are_added_all_or_none(store):
    finish(store, "abc000000000")
    records = [made_record(run_id="abd000000000"), made_record(run_id="abe000000000")]

    def batches():
        yield records
        raise StoreError("The third is damaged.")

    with pytest.raises(StoreError, match="third"):
        store.add_new(batches())
    assert [record.id for record in store.runs()] == ["abc000000000"]


DAMAGES = {
    "no JSON": "UPDATE runs SET spec = '{{'",
    "JSON that never ends": "UPDATE runs SET spec = '" + "[" * 100_000 + "'",
    "another family": """UPDATE runs SET spec = '{"arch": "rnn"}'""",
    "no moment": "UPDATE runs SET created = 'yesterday'",
    "a moment nobody lives to see": "UPDATE runs SET created = '9999-12-31 23:59:59.999999'",
    "a status of its own": "UPDATE runs SET status = 'asleep'",
    "a text for a figure": "UPDATE runs SET train_seconds = 'long'",
    "an infinite figure": "UPDATE runs SET test_accuracy = 9e999",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_run_is_named_wherever_it_is_read(file, damage):
    holding(file, "abc000000000")
    outside(file, damage.replace("{{", "{"))
    with closing(Store(str(file))) as store:
        for ask in (store.runs, store.board, lambda: store.get("abc")):
            with pytest.raises(StoreError, match=f"abc000000000 in the store {file} is damaged"):
                ask()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE predictions SET predicted = x'00'",
        "UPDATE predictions SET predicted = x'00010a03', labels = x'00010203' WHERE split = 'test'",
        "UPDATE epochs SET val_loss = 'low'",
        "UPDATE epochs SET images_per_second = 0",
    ],
)
def test_a_run_with_damaged_results_is_named(file, damage):
    holding(file, "abc000000000")
    outside(file, damage)
    with (
        closing(Store(str(file))) as store,
        pytest.raises(StoreError, match=f"abc000000000 in the store {file} is damaged"),
    ):
        store.get("abc")


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
store = Store({place!r})
store.begin(made_started())
store.add_epoch(made_epoch())
print("begun", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def training(place):
    """Another process that has begun a run and holds on to it."""
    code = BEGIN_AND_WAIT.format(tests=str(TESTS), place=place)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "begun\n"
        yield process
        process.kill()


def status_in(place) -> Status:
    store = Store(place)
    [record] = store.runs()
    store.close()
    return record.status


def test_a_run_whose_process_lives_is_running_for_others(place, training):
    assert status_in(place) is Status.RUNNING


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_a_run_whose_process_was_killed_is_interrupted_at_the_next_start(place, training):
    training.send_signal(signal.SIGKILL)
    training.wait()
    store = Store(place)
    [record] = store.runs()
    store.close()
    assert record.status is Status.INTERRUPTED
    assert record.epochs == (made_epoch(),)


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="needs POSIX processes")
def test_a_killed_process_that_nobody_reaped_is_dead_too(place, training):
    training.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, training.pid, os.WEXITED | os.WNOWAIT)  # dead, and still in the table
    assert status_in(place) is Status.INTERRUPTED


def test_a_run_of_a_process_whose_number_was_given_to_another_is_interrupted(place):
    store = Store(place)
    store.begin(made_started())
    store.close()
    outside(place, "UPDATE runs SET owner_started = owner_started - 1000")
    assert status_in(place) is Status.INTERRUPTED


def test_a_run_of_another_machine_is_not_judged(place):
    store = Store(place)
    store.begin(made_started())
    store.close()
    outside(place, "UPDATE runs SET owner_host = 'elsewhere', owner_started = 0")
    assert status_in(place) is Status.RUNNING


def test_runs_that_are_over_are_never_called_interrupted(place):
    holding(place, "abc000000000")
    outside(place, "UPDATE runs SET owner_started = 0")
    assert status_in(place) is Status.FINISHED


def test_what_a_network_looks_like_inside_is_kept_with_its_run(store):
    store.begin(made_started())
    store.add_epoch(made_epoch(1))
    store.add_inside(made_inside(1))
    assert store.get(made_started().run_id).inside == (made_inside(1),)
    assert store.runs()[0].inside == ()


def test_of_a_long_run_few_pictures_are_kept_and_the_figures_of_every_epoch(store):
    store.begin(made_started())
    for epoch in range(1, 72):
        store.add_inside(made_inside(epoch))
    seen = store.get(made_started().run_id).inside
    assert [one.layers for one in seen] == [made_inside(epoch).layers for epoch in range(1, 72)]
    assert [one.epoch for one in seen if one.count] == [8, 16, 24, 32, 40, 48, 56, 64, 71]


def test_of_many_large_pictures_the_first_are_kept(store):
    store.begin(made_started())
    store.add_inside(made_inside(count=64, side=28))
    [seen] = store.get(made_started().run_id).inside
    assert (seen.count, seen.side) == (16, 28)
    assert seen.pixels == made_inside(count=16, side=28).pixels


def test_epochs_that_are_forgotten_take_what_was_seen_in_them_along(store):
    store.begin(made_started())
    for epoch in (1, 2):
        store.add_epoch(made_epoch(epoch))
        store.add_inside(made_inside(epoch))
    store.forget_epochs_after(made_started().run_id, 1)
    assert store.get(made_started().run_id).inside == (made_inside(1),)


def test_a_deleted_run_comes_back_with_probabilities_inside_and_study(store):
    store.begin(made_started(), study="widths", trial=3)
    store.add_epoch(made_epoch(1))
    store.add_inside(made_inside(1))
    store.end(made_finished())
    before = store.get(made_started().run_id)
    store.delete(before.id)
    store.restore(before)
    assert store.get(before.id) == before
    assert (before.study, before.trial) == ("widths", 3)
    assert before.test.probabilities == made_finished().test.probabilities


def test_what_is_written_together_is_there_as_a_whole_or_not_at_all(store):
    with pytest.raises(RuntimeError, match="in between"), store.together():
        store.begin(made_started(run_id="aaaaaaaaaaaa"))
        store.add_epoch(made_epoch(run_id="aaaaaaaaaaaa"))
        raise RuntimeError("in between")
    assert store.runs() == []
    with store.together():
        for run_id in ("aaaaaaaaaaaa", "bbbbbbbbbbbb"):
            store.begin(made_started(run_id=run_id))
            store.add_epoch(made_epoch(run_id=run_id))
            store.end(made_finished(run_id=run_id))
    assert [run.status for run in store.runs()] == [Status.FINISHED] * 2
    store.delete("aaaaaaaaaaaa")
    assert len(store.runs()) == 1
