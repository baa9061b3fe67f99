"""Seeds trained at once learn what each learns alone, and end as runs of their own."""

import json
from contextlib import closing

import pytest
import torch
from making import made_spec

from fashiontui.data.sample import sample_set
from fashiontui.domain.events import EpochEnded, Progress, RunFinished, RunStarted, Status
from fashiontui.engine import Placement, begin, evaluate, inspect, stacked, step, train
from fashiontui.engine.stacked import stackable, train_stack

CPU = Placement(torch.device("cpu"), "fp32", 1)
SEEDS = (3, 0, 7)


def states_of(**chosen):
    return {
        f"run{seed}": begin(made_spec(seed=seed, batch_size=450, **chosen), CPU) for seed in SEEDS
    }


def alone(state):
    for _ in train(state, sample_set()):
        pass
    return state


@pytest.fixture
def in_double_precision(monkeypatch):
    """Networks that compute in float64: what differs by more than its rounding is an error.

    Optimisers that level gradients, however small, make float32's rounding as large as an update.
    """

    def forward(model, images, placement):
        return model.double()((images.double() - step.PIXEL_MEAN) / step.PIXEL_STD)

    for module in (step, evaluate, stacked, inspect):
        monkeypatch.setattr(module, "forward", forward)


FAMILIES = [("fcn", (40, 8)), ("cnn", (6, 3)), ("resnet", (4, 4, 6, 5)), ("dsconv", (3, 4, 4))]


def farthest_from_alone(states):
    """Train a stack, and each of its runs alone; by how much any number differs at most."""
    others = [begin(state.spec, CPU) for state in states.values()]
    list(train_stack(states, sample_set()))
    farthest = 0.0
    for state, other in zip(states.values(), map(alone, others), strict=True):
        assert torch.equal(state.net.generator.get_state(), other.net.generator.get_state())
        for one, two in zip(
            state.net.scored.state_dict().values(),
            other.net.scored.state_dict().values(),
            strict=True,
        ):
            farthest = max(farthest, float((one - two).abs().max()))
    return farthest


@pytest.mark.parametrize(("arch", "shape"), FAMILIES)
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "muon"])
def test_a_stack_gives_each_seed_the_network_it_gets_alone(
    arch, shape, optimizer, in_double_precision
):
    states = states_of(arch=arch, shape=shape, optimizer=optimizer, lr=0.01, weight_decay=0.01)
    assert farthest_from_alone(states) < 1e-6  # float32 is what is kept


@pytest.mark.parametrize(("arch", "shape"), FAMILIES)
def test_a_stack_draws_what_each_seed_draws_alone(arch, shape):
    chosen = {
        "optimizer": "sgd",
        "lr": 0.01,
        "batch_norm": True,
        "dropout": 0.3,
        "augment": "flip-shift",
        "erase": 4,
        "label_smoothing": 0.1,
        "mixup": 0.3,
        "ema": 0.9,
    }
    assert farthest_from_alone(states_of(arch=arch, shape=shape, **chosen)) < 1e-4


def test_every_run_of_a_stack_tells_its_own_story(monkeypatch):
    monkeypatch.setattr(stacked, "TICK_SECONDS", 0.0)
    told = {}
    for event in train_stack(states_of(epochs=2), sample_set()):
        told.setdefault(event.run_id, []).append(event)
    for story in told.values():
        assert isinstance(story[0], RunStarted)
        assert [e.step for e in story if isinstance(e, Progress)] == [1, 2, 3, 4, 5, 6, 7, 8]
        assert [e.epoch for e in story if isinstance(e, EpochEnded)] == [1, 2]
        assert isinstance(story[-1], RunFinished)
        assert story[-1].test.accuracy > 0
        assert sum(isinstance(e, RunStarted | RunFinished) for e in story) == 2
    assert {story[0].spec.seed for story in told.values()} == set(SEEDS)


def test_a_seed_that_diverges_fails_alone():
    states = states_of(epochs=2)
    next(states["run0"].net.model.parameters()).data.fill_(float("nan"))
    ends = {e.run_id: e for e in train_stack(states, sample_set()) if isinstance(e, RunFinished)}
    assert "--lr" in ends.pop("run0").cause
    assert [end.status for end in ends.values()] == [Status.FINISHED] * 2


def test_out_of_memory_splits_the_stack_and_goes_on(monkeypatch):
    whole = stacked._Stack._compute
    failed = []

    def compute(self):
        whole(self)
        if len(self._states) > 2 and self._states["run3"].epochs == 1:
            failed.append(len(self._states))
            raise torch.OutOfMemoryError

    monkeypatch.setattr(stacked._Stack, "_compute", compute)
    states = states_of(epochs=2, batch_norm=True, dropout=0.3)
    events = list(train_stack(states, sample_set()))
    assert failed == [3]
    assert [e.status for e in events if isinstance(e, RunFinished)] == [Status.FINISHED] * 3
    assert sum(isinstance(e, RunStarted) for e in events) == 3
    monkeypatch.setattr(stacked._Stack, "_compute", whole)
    untroubled = states_of(epochs=2, batch_norm=True, dropout=0.3)
    list(train_stack(untroubled, sample_set()))
    for state, other in zip(states.values(), untroubled.values(), strict=True):
        assert state.step == other.step
        for one, two in zip(
            state.net.model.parameters(), other.net.model.parameters(), strict=True
        ):
            assert torch.allclose(one, two, atol=1e-4)


def test_a_single_seed_without_memory_fails_with_the_remedy(monkeypatch):
    def compute(self):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(stacked._Stack, "_compute", compute)
    events = list(train_stack(states_of(), sample_set()))
    ends = [event for event in events if isinstance(event, RunFinished)]
    assert [end.status for end in ends] == [Status.FAILED] * 3
    assert all("smaller --batch-size" in end.cause for end in ends)


def test_a_stack_closed_within_an_epoch_leaves_states_that_go_on_alone(monkeypatch):
    monkeypatch.setattr(stacked, "TICK_SECONDS", 0.0)
    states = states_of(epochs=2, optimizer="adam")
    with closing(train_stack(states, sample_set())) as events:
        for event in events:
            if isinstance(event, Progress) and event.step == 6:
                break
    for state in states.values():
        assert state.step == 6
        other = alone(begin(state.spec, CPU))
        alone(state)
        for one, two in zip(
            state.net.model.parameters(), other.net.model.parameters(), strict=True
        ):
            assert torch.allclose(one, two, atol=1e-3)


def test_only_specs_that_differ_in_their_seeds_alone_are_stacked():
    one = made_spec(seed=0)
    assert stackable(one, made_spec(seed=1))
    assert not stackable(one, made_spec(seed=1, epochs=7))
    assert not stackable(one, made_spec("fcn", (5,), seed=1))


def test_a_batch_trains_the_seeds_of_a_network_at_once_where_that_pays(here, monkeypatch):
    monkeypatch.setattr(stacked, "pays_on", lambda device: True)
    sizes = []
    whole = stacked._Stack.__init__

    def counted(self, states, data):
        sizes.append(len(states))
        whole(self, states, data)

    monkeypatch.setattr(stacked._Stack, "__init__", counted)
    told = here(
        *("--batch", "--data", "sample", "--hidden", "5", "--channels", "2,3", "--seeds", "3"),
        *("--epochs", "1", "--threads", "1", "--precision", "fp32", "--json"),
        *("--store", "runs.db"),
    )
    assert told.code == 0
    runs = json.loads(told.out)["runs"]
    assert [(run["arch"], run["seed"]) for run in runs] == [
        (arch, seed) for arch in ("fcn", "cnn") for seed in range(3)
    ]
    assert {run["status"] for run in runs} == {"finished"}
    assert sizes == [3, 3]
