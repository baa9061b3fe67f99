"""Stopped and interrupted runs go on; what keeps them from it is said."""

import importlib
import os
import time
from pathlib import Path

import pytest
import torch
from making import RUINOUS, made_spec

from fashiontui.data.sample import sample_set
from fashiontui.domain.errors import CheckpointError, StoreError, UsageError
from fashiontui.domain.events import EpochEnded, Progress, RunFinished, RunStarted, Status
from fashiontui.engine import Placement
from fashiontui.runner import resume, run
from fashiontui.store import Store
from fashiontui.store.checkpoints import KEPT_DAYS
from fashiontui.store.store import MEMORY

CPU = Placement(torch.device("cpu"), "fp32", 1)
SPEC = made_spec(epochs=3, dataset="sample", optimizer="adamw", dropout=0.2)


@pytest.fixture
def where(tmp_path):
    return str(tmp_path / "runs.sqlite3")


@pytest.fixture
def store(where):
    opened = Store(where)
    yield opened
    opened.close()


def stopped_after(epoch, store, spec=SPEC, placement=CPU):
    """Train until an epoch ended, stop, and return the run's id."""
    events = run(spec, sample_set(), placement, store)
    for event in events:
        if isinstance(event, EpochEnded) and event.epoch == epoch:
            events.close()
            return event.run_id
    raise AssertionError("the run ended before")


def continued(run_id, store):
    return list(resume(store.resume(run_id), sample_set(), store))


def history(record):
    return [(e.epoch, e.train_loss, e.val_loss, e.val_accuracy, e.lr) for e in record.epochs]


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_stopped_run_ends_as_if_it_had_not_been_stopped(epoch, store):
    [*_, whole] = run(SPEC, sample_set(), CPU, store)
    run_id = stopped_after(epoch, store)
    assert store.get(run_id).status is Status.STOPPED
    continued(run_id, store)
    one, other = store.get(whole.run_id), store.get(run_id)
    assert other.status is Status.FINISHED
    assert other.weights_sha256 == one.weights_sha256
    assert history(other) == history(one)
    assert (other.test, other.validation) == (one.test, one.validation)
    assert other.total_seconds >= other.train_seconds


def test_a_run_goes_on_by_the_kernels_it_began_with(store):
    spec = made_spec("cnn", (3, 4), epochs=2, dataset="sample", batch_norm=True)
    by_rows = Placement(CPU.device, "fp32", 1, "rows")
    [*_, whole] = run(spec, sample_set(), by_rows, store)
    run_id = stopped_after(1, store, spec, by_rows)
    assert store.get(run_id).kernels == "rows"
    started, *_ = continued(run_id, store)
    assert started.kernels == "rows"
    assert store.get(run_id).weights_sha256 == whole.weights_sha256


def test_a_resumed_run_tells_what_came_before(store):
    run_id = stopped_after(2, store)
    before = store.get(run_id).epochs
    started, *rest = continued(run_id, store)
    assert isinstance(started, RunStarted)
    assert started.epochs == before
    assert [event.epoch for event in rest if isinstance(event, EpochEnded)] == [3]


def test_a_run_stopped_within_an_epoch_keeps_the_steps_it_took(store, monkeypatch):
    monkeypatch.setattr(importlib.import_module("fashiontui.engine.train"), "TICK_SECONDS", 0.0)
    events = run(made_spec(epochs=2, batch_size=100, dataset="sample"), sample_set(), CPU, store)
    told = [next(events) for _ in range(6)]
    events.close()
    assert told[-1].step == 5
    resumed = continued(told[0].run_id, store)
    assert next(event.step for event in resumed if isinstance(event, Progress)) == 6


def test_a_run_interrupted_before_its_first_checkpoint_begins_anew_under_its_id(where):
    store = Store(where)
    events = run(SPEC, sample_set(), CPU, store)
    started = next(events)
    store._engine.dispose()  # the process dies: nothing more is written
    reopened = Store(where)
    with reopened._writing() as connection:
        connection.exec_driver_sql("UPDATE runs SET status = 'interrupted'")
    finished = continued(started.run_id, reopened)[-1]
    assert finished.status is Status.FINISHED
    assert len(reopened.get(started.run_id).epochs) == 3
    reopened.close()


def test_an_epoch_whose_row_was_never_written_is_brought_along_by_its_checkpoint(store):
    run_id = stopped_after(2, store)
    store.forget_epochs_after(run_id, 1)  # as if killed between the checkpoint and the row
    continued(run_id, store)
    assert [epoch.epoch for epoch in store.get(run_id).epochs] == [1, 2, 3]


def test_a_run_can_be_taken_only_once_and_only_while_unfinished(store):
    run_id = stopped_after(1, store)
    record = store.resume(run_id)
    with pytest.raises(UsageError, match="is running; it cannot be continued"):
        store.resume(run_id)
    list(resume(record, sample_set(), store))
    with pytest.raises(UsageError, match="is finished; it cannot be continued"):
        store.resume(run_id)


def test_a_run_whose_checkpoint_is_gone_stays_interrupted_and_says_so(store):
    run_id = stopped_after(1, store)
    spent = store.get(run_id).train_seconds
    store.checkpoints.remove(run_id)
    with pytest.raises(CheckpointError, match="not on this machine; train the run anew"):
        continued(run_id, store)
    assert store.get(run_id).status is Status.INTERRUPTED
    assert store.get(run_id).train_seconds == spent > 0


def test_only_stopped_and_interrupted_runs_wait_to_be_continued(store):
    list(run(SPEC, sample_set(), CPU, store))
    list(run(made_spec(batch_size=100, dataset="sample", **RUINOUS), sample_set(), CPU, store))
    first, second = stopped_after(1, store), stopped_after(2, store)
    assert store.unfinished() == [first, second]


def test_a_finished_run_keeps_its_weights_alone(store):
    run_id = stopped_after(2, store)
    unfinished = store.checkpoints.sizes()[run_id]
    continued(run_id, store)
    assert 0 < store.checkpoints.sizes()[run_id] < unfinished / 2


def test_checkpoints_go_with_their_runs_and_come_back_with_them(where, store):
    run_id = stopped_after(1, store)
    record = store.get(run_id)
    store.delete(run_id, undoable=True)
    assert store.checkpoints.find(run_id) is None
    store.restore(record)
    assert continued(run_id, store)[-1].status is Status.FINISHED
    store.delete(run_id)
    store.restore(record)
    assert store.checkpoints.find(run_id) is None


def test_opening_a_store_removes_checkpoints_that_nobody_needs(where, store):
    waiting, overdue, finished = (stopped_after(1, store) for _ in range(3))
    continued(finished, store)
    long_ago = time.time() - (KEPT_DAYS + 1) * 86_400
    for run_id in (overdue, finished):
        os.utime(store.checkpoints.find(run_id), (long_ago, long_ago))
    store.checkpoints.write("0123456789ab", b"of a run that is not in the store")
    (store.checkpoints.folder / "x.1.tmp").write_bytes(b"half")
    os.utime(store.checkpoints.folder / "x.1.tmp", (long_ago, long_ago))
    Store(where).close()
    left = {path.name for path in store.checkpoints.folder.iterdir()}
    assert left == {f"{run_id}.safetensors" for run_id in (waiting, finished)}


def test_a_store_in_memory_keeps_no_checkpoints():
    store = Store(MEMORY)
    run_id = stopped_after(1, store)
    assert store.checkpoints.sizes() == {}
    with pytest.raises(CheckpointError, match="not on this machine"):
        continued(run_id, store)
    store.close()


def test_a_disk_too_full_for_a_checkpoint_fails_the_run_and_keeps_its_epochs(store, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fashiontui.store.checkpoints.os.fsync", full)
    events = list(run(SPEC, sample_set(), CPU, store))
    assert events[-1].status is Status.FAILED
    [listed] = store.runs()
    assert "No space left on device; free some space" in listed.cause
    assert [epoch.epoch for epoch in listed.epochs] == [1]
    assert store.checkpoints.sizes() == {}
    assert list(store.checkpoints.folder.iterdir()) == []


def test_a_store_that_cannot_be_written_while_a_run_begins_anew_names_its_own_error(store):
    class Broken(Store):
        def add_epoch(self, ended):
            raise StoreError("The disk is full.")

    broken = Broken(MEMORY)
    with pytest.raises(StoreError, match="The disk is full"):
        list(run(SPEC, sample_set(), CPU, broken))
    [listed] = broken.runs()
    assert (listed.status, listed.cause) == (Status.FAILED, "The disk is full.")
    broken.close()


def test_a_store_removed_while_it_is_in_use_is_said_at_the_next_write(where, store):
    events = run(SPEC, sample_set(), CPU, store)
    next(events)
    os.unlink(where)
    with pytest.raises(StoreError, match="was removed while it was in use"):
        list(events)


def test_a_checkpoint_folder_that_is_a_file_is_said_as_what_it_is(where, store):
    (store.checkpoints.folder.parent).mkdir(exist_ok=True)
    store.checkpoints.folder.write_text("in the way")
    assert list(run(SPEC, sample_set(), CPU, store))[-1].cause.endswith(
        "mend the folder or name a store elsewhere with --store."
    )


def test_the_end_of_a_run_is_told_once(store):
    run_id = stopped_after(1, store)
    assert sum(isinstance(event, RunFinished) for event in continued(run_id, store)) == 1


def test_whatever_lies_among_the_checkpoints_the_store_opens(where):
    folder = Store(where).checkpoints.folder
    folder.mkdir()
    (folder / "000000000001.safetensors").symlink_to(folder / "nowhere")
    (folder / "000000000002.safetensors").symlink_to(folder / "000000000002.safetensors")
    (folder / "000000000003.safetensors").mkdir()
    (folder / "000000000004.1.tmp").symlink_to(folder / "moved meanwhile")
    opened = Store(where)
    assert opened.unfinished() == []
    opened.close()


def test_a_checkpoint_that_cannot_be_removed_keeps_no_store_shut(where, store, monkeypatch):
    run_id = stopped_after(1, store)

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refused)
    monkeypatch.setattr(Path, "replace", refused)
    store.delete(run_id)
    opened = Store(where)  # which tries to remove it, too
    assert opened.runs() == []
    opened.close()
