"""A run continued from a checkpoint ends as one that was never interrupted, to the bit."""

import importlib
from dataclasses import replace
from itertools import islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from making import made_spec
from msgspec import structs
from safetensors.torch import load_file

from fashiontui.data.sample import sample_set
from fashiontui.domain.errors import CheckpointError
from fashiontui.domain.events import EpochEnded, Progress, RunFinished, RunStarted, Scoring
from fashiontui.engine import Placement, begin, train
from fashiontui.engine.checkpoint import (
    MAX_BYTES,
    restore,
    state_bytes,
    weights_bytes,
)
from fashiontui.engine.checkpoint import network as loaded

CPU = Placement(torch.device("cpu"), "fp32", 1)
train_module = importlib.import_module("fashiontui.engine.train")  # not the function of its name
SPECS = {
    "sgd": made_spec(epochs=2, batch_size=600, optimizer="sgd", lr=0.1, momentum=0.0),
    "nesterov": made_spec(epochs=2, batch_size=600, optimizer="sgd", lr=0.1, nesterov=True),
    "adam, dropout, augmented": made_spec(
        "cnn", (2, 3), epochs=2, batch_size=600, dropout=0.5, augment="flip-shift", batch_norm=True
    ),
    "averaged, mixed, erased": made_spec(
        "cnn", (2, 3), epochs=2, batch_size=600, ema=0.9, mixup=0.5, erase=8, batch_norm=True
    ),
    "muon": made_spec("cnn", (2, 3), epochs=2, batch_size=600, optimizer="muon", lr=0.02),
    "resnet": made_spec("resnet", (2, 3), epochs=2, batch_size=600, lr=0.01),
    "adamw, one-cycle": made_spec(
        epochs=2, batch_size=600, optimizer="adamw", schedule="one-cycle", weight_decay=0.1
    ),
}


@pytest.fixture(autouse=True)
def _told_after_every_step(monkeypatch):
    monkeypatch.setattr(train_module, "TICK_SECONDS", 0.0)


def learned(events):
    """What does not depend on how quick the machine was."""
    return [
        (e.epoch, e.train_loss, e.val_loss, e.val_accuracy, e.lr)
        for e in events
        if isinstance(e, EpochEnded)
    ]


def interrupted(spec, count, path, placement=CPU):
    """Train as far as an event, and keep what is needed to go on; the events until then."""
    state = begin(spec, placement)
    events = train(state, sample_set(), "run")
    seen = list(islice(events, count))
    events.close()
    path.write_bytes(state_bytes(state))
    return seen


def continued(spec, path, placement=CPU):
    return list(train(restore(path, spec, placement, sample_set()), sample_set(), "run"))


BY_ROWS = replace(CPU, kernels="rows")


@pytest.mark.parametrize(
    ("spec", "placement"),
    [
        *((spec, replace(CPU, precision=of)) for spec in SPECS.values() for of in ("fp32", "bf16")),
        (SPECS["adam, dropout, augmented"], BY_ROWS),
        (SPECS["averaged, mixed, erased"], BY_ROWS),
    ],
    ids=[
        *(f"{name}, {of}" for name in SPECS for of in ("fp32", "bf16")),
        *("augmented, by rows", "averaged, by rows"),
    ],
)
def test_wherever_a_run_is_interrupted_it_ends_bit_identical(spec, placement, tmp_path):
    whole = list(train(begin(spec, placement), sample_set(), "run"))
    kinds = {type(event) for event in whole}
    assert {RunStarted, Progress, Scoring, EpochEnded} < kinds  # cut behind each of them
    every = 1 if placement.precision == "fp32" else 5  # few CPUs are quick in bf16
    for count in range(1, len(whole), every):
        before = interrupted(spec, count, tmp_path / "kept", placement)
        after = continued(spec, tmp_path / "kept", placement)
        assert learned(before) + learned(after) == learned(whole), count
        assert after[-1].weights_sha256 == whole[-1].weights_sha256, count
        assert after[-1].validation == whole[-1].validation, count
        assert after[-1].test == whole[-1].test, count


def test_a_run_interrupted_again_and_again_ends_bit_identical(tmp_path):
    spec = SPECS["adam, dropout, augmented"]
    whole = list(train(begin(spec, CPU), sample_set()))
    state, path = begin(spec, CPU), tmp_path / "kept"
    for _ in range(100):
        most = 4 if state.epochs < spec.settings.epochs else None  # scoring would begin anew
        events = train(state, sample_set())
        last = list(islice(events, most))[-1]
        events.close()
        path.write_bytes(state_bytes(state))
        state = restore(path, spec, CPU, sample_set())
        if isinstance(last, RunFinished):
            break
    assert last.weights_sha256 == whole[-1].weights_sha256


def test_time_goes_on_from_where_it_stood(tmp_path):
    spec = SPECS["sgd"]
    before = interrupted(spec, 4, tmp_path / "kept")
    after = continued(spec, tmp_path / "kept")
    told = [e.train_seconds for e in before + after if isinstance(e, Progress | EpochEnded)]
    assert told == sorted(told)
    assert after[-1].total_seconds >= after[-1].train_seconds == told[-1]


def test_the_weights_of_a_finished_run_can_be_read_alone(tmp_path):
    spec = made_spec("cnn", (2, 3), batch_norm=True)
    state = begin(spec, CPU)
    list(train(state, sample_set()))
    path = tmp_path / "kept"
    path.write_bytes(weights_bytes(state))
    kept = load_file(path)
    network = state.net.model.state_dict()
    assert kept.keys() == {f"model.{name}" for name in network}
    assert all(torch.equal(kept[f"model.{name}"], tensor) for name, tensor in network.items())
    with pytest.raises(CheckpointError, match="train the run anew"):
        restore(path, spec, CPU, sample_set())
    predicting = loaded(path, spec)
    assert not predicting.training
    assert all(torch.equal(network[k], tensor) for k, tensor in predicting.state_dict().items())


@pytest.mark.parametrize("content", [b"", b"no weights", None], ids=["empty", "other", "gone"])
def test_weights_that_cannot_be_used_are_refused(content, tmp_path):
    path = tmp_path / "kept"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match="Cannot use the weights in"):
        loaded(path, SPECS["sgd"])


def test_the_weights_of_another_run_are_refused(tmp_path):
    interrupted(SPECS["sgd"], 3, tmp_path / "kept")
    with pytest.raises(CheckpointError, match="belongs to another run"):
        loaded(tmp_path / "kept", structs.replace(SPECS["sgd"], seed=1))


@pytest.mark.parametrize("kept", [state_bytes, weights_bytes])
def test_the_network_read_from_a_file_is_the_one_that_was_scored(kept, tmp_path):
    spec = SPECS["averaged, mixed, erased"]
    state = begin(spec, CPU)
    list(islice(train(state, sample_set()), 3))
    path = tmp_path / "kept"
    path.write_bytes(kept(state))
    read, scored = loaded(path, spec).state_dict(), state.net.scored.state_dict()
    assert all(torch.equal(read[name], tensor) for name, tensor in scored.items())
    assert state.net.scored is not state.net.model


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    interrupted(SPECS["sgd"], 3, tmp_path / "kept")
    other = structs.replace(SPECS["sgd"], seed=1)
    with pytest.raises(CheckpointError, match="belongs to another run"):
        continued(other, tmp_path / "kept")


def test_a_huge_file_is_refused_unread(tmp_path):
    with (tmp_path / "kept").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(CheckpointError, match="too large"):
        continued(SPECS["sgd"], tmp_path / "kept")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A checkpoint taken within an epoch."""
    path = tmp_path_factory.mktemp("checkpoint") / "kept"
    interrupted(SPECS["sgd"], 3, path)
    return path


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_checkpoint_is_refused_or_harmless(data, good, tmp_path_factory):
    """A changed bit in a weight cannot be told from training; all else is refused."""
    content = bytearray(good.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    path = tmp_path_factory.mktemp("damaged") / "kept"
    path.write_bytes(bytes(content[:end]))
    try:
        restore(path, SPECS["sgd"], CPU, sample_set())
    except CheckpointError as error:
        assert str(error).count("\n") == 0
