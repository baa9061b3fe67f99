"""Every run ends in exactly one state, whatever ends it."""

import importlib
import os
import signal

import pytest
import torch
from making import RUINOUS, made_spec

from fashiontui.data.sample import sample_set
from fashiontui.domain.errors import StoreError, TrainingError
from fashiontui.domain.events import EpochEnded, RunFinished, RunStarted, Status
from fashiontui.engine import Placement
from fashiontui.runner import resume, run, run_stack
from fashiontui.store import Store
from fashiontui.store.store import MEMORY

CPU = Placement(torch.device("cpu"), "fp32", 1)
train_module = importlib.import_module("fashiontui.engine.train")  # not the function of its name
LONG = made_spec(epochs=10_000, dataset="sample")


@pytest.fixture
def store():
    opened = Store(MEMORY)
    yield opened
    opened.close()


def running(spec, store):
    return run(spec, sample_set(), CPU, store)


def only(store):
    [listed] = store.runs()
    return store.get(listed.id)


def until(kind, events):
    """Read events up to the first of a kind."""
    for event in events:
        if isinstance(event, kind):
            return event
    raise AssertionError(f"no {kind.__name__} came")


def test_a_run_to_the_end_is_finished_with_everything_kept(store):
    events = list(running(made_spec(epochs=2, dataset="sample"), store))
    record = only(store)
    assert record.status is Status.FINISHED
    assert record.epochs == tuple(event for event in events if isinstance(event, EpochEnded))
    assert (record.test, record.validation) == (events[-1].test, events[-1].validation)
    assert record.weights_sha256 == events[-1].weights_sha256
    assert {event.run_id for event in events} == {record.id}


def test_an_event_is_stored_before_it_is_passed_on(store):
    events = running(made_spec(dataset="sample"), store)
    until(RunStarted, events)
    assert only(store).status is Status.RUNNING
    until(EpochEnded, events)
    assert len(only(store).epochs) == 1
    until(RunFinished, events)
    assert only(store).status is Status.FINISHED
    events.close()


def test_closing_a_run_stops_it_and_keeps_its_epochs(store):
    events = running(LONG, store)
    ended = until(EpochEnded, events)
    events.close()
    record = only(store)
    assert (record.status, record.cause) == (Status.STOPPED, None)
    assert record.epochs == (ended,)
    assert record.test is None
    assert record.train_seconds >= ended.train_seconds


def test_closing_a_run_that_finished_leaves_it_finished(store):
    events = running(made_spec(dataset="sample"), store)
    until(RunFinished, events)
    events.close()
    assert only(store).status is Status.FINISHED


def test_closing_a_run_before_it_started_stores_nothing(store):
    events = running(LONG, store)
    events.close()
    assert store.runs() == []


def test_a_run_that_fails_before_it_starts_is_an_error_and_stores_nothing(store, monkeypatch):
    def no_memory(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(importlib.import_module("fashiontui.engine.state"), "build", no_memory)
    with pytest.raises(TrainingError, match="out of memory"):
        list(running(LONG, store))
    assert store.runs() == []


def test_a_loss_that_is_no_number_ends_as_failed_with_its_cause(store):
    spec = made_spec(batch_size=100, dataset="sample", **RUINOUS)
    events = list(running(spec, store))
    record = only(store)
    assert record.status is Status.FAILED
    assert "--lr" in record.cause
    assert (events[-1].status, events[-1].cause) == (Status.FAILED, record.cause)
    assert sum(isinstance(event, RunFinished) for event in events) == 1


def test_weights_ruined_by_an_epochs_last_step_end_as_failed(store):
    spec = made_spec(batch_size=900, dataset="sample", **RUINOUS)
    events = list(running(spec, store))
    assert events[-1].status is Status.FAILED
    assert only(store).status is Status.FAILED


def test_ctrl_c_in_the_middle_of_training_stops_the_run_and_goes_on_up(store, monkeypatch):
    steps = 0

    def lr_at(*_):
        nonlocal steps
        steps += 1
        if steps == 20:  # in the third epoch of seven steps
            os.kill(os.getpid(), signal.SIGINT)
        return 1e-3

    monkeypatch.setattr(train_module, "lr_at", lr_at)
    with pytest.raises(KeyboardInterrupt):
        list(running(LONG, store))
    record = only(store)
    assert record.status is Status.STOPPED
    assert [epoch.epoch for epoch in record.epochs] == [1, 2]


class Hooked(Store):
    """A store that does something else the first time a run's end is written."""

    def __init__(self, where, error):
        super().__init__(where)
        self.error = error

    def end(self, finished):
        if self.error:
            error, self.error = self.error, None
            raise error
        super().end(finished)


def test_ctrl_c_while_the_end_is_written_still_leaves_a_final_state():
    store = Hooked(MEMORY, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        list(running(made_spec(dataset="sample"), store))
    assert only(store).status in (Status.STOPPED, Status.FINISHED)
    store.close()


def test_a_store_that_cannot_be_written_ends_the_run_with_its_own_error():
    store = Hooked(MEMORY, StoreError("The disk is full."))
    with pytest.raises(StoreError, match="The disk is full"):
        list(running(made_spec(dataset="sample"), store))
    store.close()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "smaller --batch-size"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "smaller --batch-size"),
        (torch.AcceleratorError("CUDA error: device-side assert"), "was lost"),
        (RuntimeError("a kernel failed\nwith a long tale"), "RuntimeError: a kernel failed (fail"),
    ],
)
def test_an_error_while_training_fails_the_run_with_its_cause_alone(
    error, said, store, monkeypatch
):
    """No real device breaks on demand, so the scoring is made to."""

    def fail(*_):
        raise error

    monkeypatch.setattr(train_module, "evaluation", fail)
    events = list(running(made_spec(dataset="sample"), store))
    assert events[-1].status is Status.FAILED
    record = only(store)
    assert record.status is Status.FAILED
    assert said in record.cause
    assert "\n" not in record.cause


def test_two_runs_of_one_spec_are_two_runs_with_the_same_weights(store):
    for _ in range(2):
        list(running(made_spec(dataset="sample"), store))
    one, other = store.runs()
    assert one.id != other.id
    assert one.weights_sha256 == other.weights_sha256


@pytest.fixture
def on_disk(tmp_path):
    opened = Store(str(tmp_path / "runs.sqlite3"))
    yield opened
    opened.close()


def stack(store, **settings):
    specs = [made_spec(seed=seed, dataset="sample", **settings) for seed in (4, 2)]
    return run_stack(specs, sample_set(), CPU, store)


def test_seeds_trained_at_once_are_runs_of_their_own(on_disk):
    events = list(stack(on_disk, epochs=2))
    records = [on_disk.get(listed.id) for listed in on_disk.runs()]
    assert {record.spec.seed for record in records} == {2, 4}
    for record in records:
        mine = [event for event in events if event.run_id == record.id]
        assert record.status is Status.FINISHED
        assert record.epochs == tuple(e for e in mine if isinstance(e, EpochEnded))
        assert record.weights_sha256 == mine[-1].weights_sha256
        assert on_disk.checkpoints.find(record.id)


def test_closing_a_stack_stops_every_run_of_it_and_each_goes_on_alone(on_disk):
    events = stack(on_disk, epochs=3)
    until(EpochEnded, events)
    events.close()
    records = [on_disk.get(listed.id) for listed in on_disk.runs()]
    assert [record.status for record in records] == [Status.STOPPED] * 2
    for record in records:
        *_, end = resume(on_disk.resume(record.id), sample_set(), on_disk)
        assert end.status is Status.FINISHED
        assert len(on_disk.get(record.id).epochs) == 3
