"""Runs beside each other, each in a process of its own, with one writer of the store."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing

import psutil
import pytest
import torch
from making import RUINOUS, made_spec
from msgspec import structs

from fashiontui.data.sample import sample_set
from fashiontui.domain.errors import StoreError, TrainingError
from fashiontui.domain.events import EpochEnded, Progress, RunFinished, RunStarted, Status
from fashiontui.engine import Placement
from fashiontui.pool import Pool, pinned
from fashiontui.runner import run
from fashiontui.store import Store

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")

CPU = Placement(torch.device("cpu"), "fp32", 1)


def spec_of(seed=0, epochs=2, **settings):
    """A run placed the same wherever it trains."""
    spec = made_spec(seed=seed, epochs=epochs, dataset="sample", dropout=0.2, **settings)
    return structs.replace(spec, device="cpu", precision="fp32", threads=1)


@pytest.fixture(scope="module")
def pool():
    """Two workers, which serve every test of this module: starting them takes seconds."""
    with closing(Pool(2, sample_set())) as started:
        yield started


@pytest.fixture
def store(tmp_path):
    with closing(Store(str(tmp_path / "runs.sqlite3"))) as opened:
        yield opened


def learned(record):
    epochs = [(e.epoch, e.train_loss, e.val_loss, e.val_accuracy, e.lr) for e in record.epochs]
    return record.spec, record.weights_sha256, epochs, record.validation, record.test


def until_both_train(told):
    """Read on until two runs have finished an epoch each; return their numbers and run ids."""
    trained = {}
    for number, said in told:
        if isinstance(said, EpochEnded):
            trained[number] = said.run_id
        if len(trained) == 2:
            return trained
    raise AssertionError("the runs ended before")


def process_of(pool, number):
    [worker] = [worker for worker in pool._workers if worker.number == number]
    return worker._process.pid


def test_runs_beside_each_other_are_those_one_after_another_to_the_last_bit(pool, store, tmp_path):
    specs = [spec_of(seed) for seed in range(4)]
    told = list(pool.train(specs, store))
    with closing(Store(str(tmp_path / "alone.sqlite3"))) as alone:
        for spec in specs:
            list(run(spec, sample_set(), CPU, alone))
        expected = sorted((learned(alone.get(r.id)) for r in alone.runs()), key=lambda r: r[0].seed)
    got = sorted((learned(store.get(r.id)) for r in store.runs()), key=lambda r: r[0].seed)
    assert got == expected
    assert {number for number, said in told if said is None} == {0, 1, 2, 3}
    for number in range(4):
        events = [said for of, said in told if of == number and not isinstance(said, Progress)]
        assert events[0] is None
        assert isinstance(events[1], RunStarted)
        assert events[-1].status is Status.FINISHED
    assert all(size > 0 for size in store.checkpoints.sizes().values())
    assert len(store.checkpoints.sizes()) == 4


def test_an_event_of_a_worker_is_stored_before_it_is_passed_on(pool, store):
    for _, said in pool.train([spec_of()], store):
        if isinstance(said, EpochEnded):
            assert store.get(said.run_id).epochs[-1] == said
        if isinstance(said, RunFinished):
            assert store.get(said.run_id).status is said.status


def test_closing_stops_every_run_and_each_goes_on_as_if_it_had_not_been_stopped(pool, store):
    specs = [spec_of(0, epochs=30), spec_of(1, epochs=30)]
    told = pool.train(specs, store)
    until_both_train(told)
    told.close()
    records = [store.get(run_id) for run_id in store.unfinished()]
    assert [record.status for record in records] == [Status.STOPPED] * 2
    list(pool.train(records, store))
    for record in records:
        [*_, whole] = run(record.spec, sample_set(), CPU, store)
        one, other = store.get(record.id), store.get(whole.run_id)
        assert learned(one) == learned(other)


def test_a_wish_to_stop_is_heard_while_no_worker_tells_anything(pool, store):
    assert list(pool.train([spec_of()], store, stopping=lambda: True)) == []
    assert store.runs() == []


def test_a_killed_worker_interrupts_its_run_alone_and_the_others_go_on(pool, store):
    specs = [spec_of(0, epochs=10_000), spec_of(1, epochs=40), spec_of(2), spec_of(3)]
    told = pool.train(specs, store)
    trained = until_both_train(told)
    os.kill(process_of(pool, 0), signal.SIGKILL)
    ends = {number: said for number, said in told if isinstance(said, RunFinished)}
    assert {number: end.status for number, end in ends.items()} == {
        0: Status.INTERRUPTED,
        1: Status.FINISHED,
        2: Status.FINISHED,
        3: Status.FINISHED,
    }
    killed = store.get(trained[0])
    assert (killed.status, killed.cause) == (Status.INTERRUPTED, ends[0].cause)
    assert "killed by SIGKILL" in killed.cause
    assert store.unfinished() == [killed.id]
    assert killed.epochs
    assert store.checkpoints.find(killed.id)


def test_a_run_that_diverges_fails_alone(pool, store):
    ruinous = spec_of(batch_size=100, **RUINOUS)
    said = dict(pool.train([ruinous, spec_of()], store))
    assert said[0].status is Status.FAILED
    assert "--lr" in said[0].cause
    assert said[1].status is Status.FINISHED


def test_a_run_that_cannot_be_continued_stays_interrupted_and_says_why(pool, store):
    told = pool.train([spec_of(0, epochs=10_000), spec_of(1, epochs=10_000)], store)
    until_both_train(told)
    told.close()
    first, second = store.unfinished()
    store.checkpoints.remove(first)
    said = dict(pool.train([store.get(first)], store))
    assert "not on this machine" in str(said[0])
    assert store.get(first).status is Status.INTERRUPTED
    assert store.get(second).status is Status.STOPPED


def test_a_checkpoint_that_cannot_be_written_fails_its_run_and_the_worker_goes_on(pool, store):
    store.checkpoints.folder.write_text("in the way")
    told = list(pool.train([spec_of(0, epochs=10_000)], store))
    assert told[-1][1].status is Status.FAILED
    assert "mend the folder" in told[-1][1].cause
    store.checkpoints.folder.unlink()
    [*_, (_, end)] = pool.train([spec_of()], store)
    assert end.status is Status.FINISHED


def test_a_store_that_cannot_be_written_ends_every_run(pool, store):
    told = pool.train([spec_of(0, epochs=10_000), spec_of(1, epochs=10_000)], store)
    until_both_train(told)
    os.unlink(store.file)
    with pytest.raises(StoreError, match="was removed while it was in use"):
        list(told)


def test_workers_that_cannot_start_are_one_sentence(store, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.devnull)
    monkeypatch.setattr(sys, "path", [])
    with (
        closing(Pool(1, sample_set())) as broken,
        pytest.raises(TrainingError, match="No worker process could start: it ended with exit co"),
    ):
        list(broken.train([spec_of()], store))


def test_workers_share_one_copy_of_the_images(pool, store):
    [*_] = pool.train([spec_of(0), spec_of(1)], store)
    for worker in pool._workers:
        maps = psutil.Process(worker._process.pid).memory_maps(grouped=False)
        images = [m for m in maps if "images.safetensors" in m.path]
        assert images
        assert all(m.anonymous == 0 for m in images)
    assert not pool._images.exists()  # nothing is left behind, however this process ends


def test_threads_left_open_are_a_share_of_the_cores():
    assert pinned(made_spec(), 10_000).threads == 1
    assert pinned(structs.replace(made_spec(), threads=7), 2).threads == 7


# The command

SMALL = ("--batch", "--data", "sample", "--precision", "fp32", "--model", "cnn-10k")


def test_events_of_runs_beside_each_other_are_told_by_their_ids(cli):
    outcome = cli(*SMALL, "--seeds", "2", "--epochs", "1", "--jobs", "2", "--jsonl")
    assert (outcome.code, outcome.err) == (0, "")
    events = [json.loads(line) for line in outcome.out.splitlines()]
    kinds = {}
    for event in events:
        if event["event"] != "progress":
            kinds.setdefault(event["run_id"], []).append(event["event"])
    assert list(kinds.values()) == [["run_started", "epoch_ended", "run_finished"]] * 2


def started(folder, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "fashiontui", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        start_new_session=True,
    )


def test_ctrl_c_at_the_terminal_saves_all_runs_in_two_seconds_and_resume_goes_on(tmp_path, cli):
    where = ("--store", "runs.sqlite3")
    asked = (*SMALL, "--seeds", "2", *where, "--jobs", "2", "--jsonl")
    with started(tmp_path, *asked, "--epochs", "10000") as process:
        trained = set()
        while len(trained) < 2:
            event = json.loads(process.stdout.readline())
            if event["event"] == "epoch_ended":
                trained.add(event["run_id"])
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the group
        sent = time.monotonic()
        _, err = process.communicate(timeout=30)
        took = time.monotonic() - sent
    assert process.returncode == 130
    assert took < 2
    assert "Traceback" not in err
    assert "0 of 2 runs finished; continue those under way with" in err
    with closing(Store(str(tmp_path / "runs.sqlite3"))) as store:
        assert [record.status for record in store.runs()] == [Status.STOPPED] * 2
        assert set(store.unfinished()) == trained == set(store.checkpoints.sizes())
    with started(
        tmp_path, "--batch", "--data", "sample", "--resume", "--jobs", "2", "--jsonl", *where
    ) as process:
        resumed = set()
        while len(resumed) < 2:
            event = json.loads(process.stdout.readline())
            if event["event"] == "run_started":
                resumed.add(event["run_id"])
                assert event["epochs"]
        process.kill()
    assert resumed == trained


def test_workers_leave_when_the_command_is_killed(tmp_path):
    asked = (*SMALL, "--seeds", "2", "--epochs", "10000", "--jobs", "2", "--jsonl")
    with started(tmp_path, *asked) as process:
        process.stdout.readline()
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []


@pytest.mark.parametrize("jobs", ["0", "-1", "257"])
def test_a_number_of_jobs_out_of_range_is_one_sentence(jobs, here):
    outcome = here(*SMALL, "--jobs", jobs)
    assert outcome.code == 2
    assert outcome.err == f"fashiontui: --jobs takes 1 to 256, not {jobs}.\n"
