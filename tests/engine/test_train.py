"""Training yields the events of the contract, repeats to the bit, and learns."""

import hashlib
import importlib
from dataclasses import replace
from itertools import product

import pytest
import torch
from making import RUINOUS, made_spec
from msgspec import structs

from fashiontui.data import fashion_mnist
from fashiontui.data.dataset import split
from fashiontui.data.sample import sample_set
from fashiontui.domain.errors import ExitCode, TrainingError
from fashiontui.domain.events import (
    EpochEnded,
    FirstLayer,
    Progress,
    RunFinished,
    RunStarted,
    Scoring,
    Status,
)
from fashiontui.engine import Placement, begin, train
from fashiontui.engine.evaluate import evaluate
from fashiontui.models import build

CPU = Placement(torch.device("cpu"), "fp32", 1)
train_module = importlib.import_module("fashiontui.engine.train")  # not the function of its name


def events_of(spec, data=None, placement=CPU, run_id="run"):
    """All events of a run, and the network it leaves."""
    generator = train(begin(spec, placement), data or sample_set(), run_id)
    events = []
    while True:
        try:
            events.append(next(generator))
        except StopIteration as end:
            return events, end.value


def last_of(spec, data=None, placement=CPU) -> RunFinished:
    return events_of(spec, data, placement)[0][-1]


def test_events_come_in_the_order_of_the_contract():
    events, _ = events_of(made_spec(epochs=3))
    kinds = [type(event) for event in events if not isinstance(event, Progress | Scoring)]
    assert kinds == [RunStarted, *[EpochEnded, FirstLayer] * 3, RunFinished]
    assert {event.run_id for event in events} == {"run"}
    assert [event.epoch for event in events if isinstance(event, EpochEnded)] == [1, 2, 3]


def test_a_run_starts_with_what_it_is_about_to_do():
    spec = made_spec("cnn", (2, 3), epochs=2, batch_size=300)
    events, network = events_of(spec)
    started = events[0]
    assert started.spec == spec
    assert started.weights == spec.weights == sum(p.numel() for p in network.parameters())
    assert started.steps == 2 * (1800 // 300)
    assert (started.device, started.precision, started.threads) == ("cpu", "fp32", 1)
    assert started.versions["torch"] == torch.__version__
    assert started.device_name


def test_progress_is_told_while_an_epoch_is_trained(monkeypatch):
    monkeypatch.setattr(train_module, "TICK_SECONDS", 0.0)
    events, _ = events_of(made_spec(epochs=2, batch_size=600))
    told = [event for event in events if isinstance(event, Progress)]
    assert [event.step for event in told] == [1, 2, 3, 4, 5, 6]
    assert [event.epoch for event in told] == pytest.approx([n / 3 for n in range(1, 7)])
    assert all(event.images_per_second > 0 and event.lr > 0 for event in told)
    times = [event.train_seconds for event in told]
    assert times == sorted(times)


def test_the_loss_of_an_epoch_is_the_mean_of_what_was_told(monkeypatch):
    monkeypatch.setattr(train_module, "TICK_SECONDS", 0.0)
    events, _ = events_of(made_spec(batch_size=600))
    told = [event.loss for event in events if isinstance(event, Progress)]
    [epoch] = [event for event in events if isinstance(event, EpochEnded)]
    assert epoch.train_loss == pytest.approx(sum(told) / len(told))


def test_the_loss_of_an_epoch_does_not_depend_on_when_progress_is_told(monkeypatch):
    silent = events_of(made_spec())[0]
    monkeypatch.setattr(train_module, "TICK_SECONDS", 0.0)
    talkative = events_of(made_spec())[0]
    one, other = (
        next(event for event in events if isinstance(event, EpochEnded))
        for events in (silent, talkative)
    )
    assert one.train_loss == other.train_loss
    assert talkative[-1].weights_sha256 == silent[-1].weights_sha256


def test_a_finished_run_has_the_predictions_of_its_last_network():
    data = sample_set()
    spec = made_spec(epochs=2)
    events, network = events_of(spec)
    finished = events[-1]
    _, validation = split(data.labels, spec.split_seed)
    assert finished.status is Status.FINISHED
    assert finished.validation.labels == bytes(data.labels[validation].tolist())
    assert finished.test.labels == bytes(data.test_labels.tolist())
    [*_, last_epoch] = [event for event in events if isinstance(event, EpochEnded)]
    assert finished.validation.accuracy == last_epoch.val_accuracy
    network.eval()
    with torch.no_grad():
        pixels = (data.test_images.float() - 72.94) / 90.02
        assert finished.test.predicted == bytes(network(pixels).argmax(1).tolist())


def test_the_digest_is_that_of_the_last_network():
    events, network = events_of(made_spec(batch_norm=True))
    content = b"".join(tensor.numpy().tobytes() for tensor in network.state_dict().values())
    assert events[-1].weights_sha256 == hashlib.sha256(content).hexdigest()


EVERYTHING = {"dropout": 0.5, "augment": "flip-shift", "batch_norm": True}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(
    ("arch", "shape"),
    [("fcn", (16, 8)), ("cnn", (3, 4)), ("resnet", (3, 4)), ("dsconv", (3, 4, 4))],
)
def test_the_same_spec_gives_bit_identical_weights(arch, shape, precision):
    spec = made_spec(arch, shape, **EVERYTHING)
    placement = replace(CPU, precision=precision)
    torch.manual_seed(1)
    one = last_of(spec, placement=placement)
    torch.manual_seed(2)
    other = last_of(spec, placement=placement)
    assert one.weights_sha256 == other.weights_sha256
    assert one.test == other.test


def test_another_seed_gives_other_weights():
    one, other = (last_of(made_spec(seed=seed)) for seed in (0, 1))
    assert one.weights_sha256 != other.weights_sha256


def test_another_split_seed_trains_on_other_images():
    spec = made_spec()
    other = last_of(structs.replace(spec, split_seed=1))
    assert last_of(spec).weights_sha256 != other.weights_sha256


def test_the_validation_images_do_not_depend_on_the_seed():
    one, other = (last_of(made_spec(seed=seed)) for seed in (0, 1))
    assert one.validation.labels == other.validation.labels


def test_the_validation_and_test_images_are_never_trained_on():
    """Other pictures there leave the trained weights as they are."""
    data = sample_set()
    spec = made_spec()
    _, validation = split(data.labels, spec.split_seed)
    images = data.images.clone()
    images[validation] = 255 - images[validation]
    other = replace(data, images=images, test_images=255 - data.test_images)
    one, two = last_of(spec), last_of(spec, other)
    assert one.weights_sha256 == two.weights_sha256
    assert one.validation != two.validation
    assert one.test != two.test


def test_training_leaves_the_process_wide_generator_alone():
    before = torch.get_rng_state()
    last_of(made_spec(**EVERYTHING))
    assert torch.equal(torch.get_rng_state(), before)


def test_closing_the_generator_stops_training(monkeypatch):
    monkeypatch.setattr(train_module, "TICK_SECONDS", 0.0)
    generator = train(begin(made_spec(epochs=10_000), CPU), sample_set())
    while not isinstance(next(generator), Progress):
        pass
    generator.close()
    with pytest.raises(StopIteration):
        next(generator)


def test_a_loss_that_is_no_number_ends_the_run_and_names_the_remedy():
    spec = made_spec(batch_size=100, **RUINOUS)
    with pytest.raises(TrainingError, match=r"no longer a finite number at step .*--lr") as failed:
        last_of(spec)
    assert failed.value.exit_code is ExitCode.RUN_FAILED


def test_weights_that_are_no_numbers_after_an_epochs_last_step_end_the_run_too():
    """Both training losses are finite; the second step alone ruins the weights."""
    spec = made_spec(batch_size=900, **RUINOUS)
    with pytest.raises(TrainingError, match="--lr"):
        last_of(spec)


def test_learning_beats_chance_by_far_on_the_sample_set():
    spec = made_spec("fcn", (32,), epochs=10, batch_size=64, optimizer="adamw", lr=3e-3)
    assert last_of(spec).test.accuracy > 85


def test_a_network_shown_shuffled_labels_learns_nothing_that_holds_for_new_images():
    data = sample_set()
    order = torch.randperm(len(data.labels), generator=torch.Generator().manual_seed(3))
    spec = made_spec("fcn", (32,), epochs=10, batch_size=64, optimizer="adamw", lr=3e-3)
    shuffled = last_of(spec, replace(data, labels=data.labels[order]))
    assert 4 < shuffled.validation.accuracy < 16  # 10, and 2.1 one deviation for 200 images


OPTIMIZERS = [
    {"optimizer": "sgd", "momentum": 0.0, "lr": 0.1},
    {"optimizer": "sgd", "lr": 0.1},
    {"optimizer": "sgd", "nesterov": True, "lr": 0.1},
    {"optimizer": "adam", "weight_decay": 1e-4},
    {"optimizer": "adamw", "weight_decay": 1e-2},
    {"optimizer": "muon", "weight_decay": 1e-2, "lr": 0.02},
]
CHOICES = [
    *product(OPTIMIZERS, [{"schedule": name} for name in ("constant", "cosine", "one-cycle")]),
    *product(
        [{"init": name} for name in ("kaiming", "xavier", "normal")],
        [{"activation": name} for name in ("relu", "tanh")],
    ),
    *product(
        [{"erase": 8}, {"mixup": 0.5}, {"ema": 0.5}], [{"batch_norm": False}, {"batch_norm": True}]
    ),
    *product(
        [{"augment": name} for name in ("none", "flip", "shift", "flip-shift")],
        [{"batch_norm": False, "dropout": 0.5}, {"batch_norm": True, "label_smoothing": 0.1}],
    ),
]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("arch", ["fcn", "cnn"])
@pytest.mark.parametrize(
    "chosen", [{**a, **b} for a, b in CHOICES], ids=lambda c: "-".join(map(str, c.values()))
)
def test_an_epoch_of_every_setting_lowers_the_validation_loss(chosen, arch, precision):
    shape = {"fcn": (12,), "cnn": (2, 3)}[arch]
    data = sample_set()
    few = replace(data, images=data.images[:600], labels=data.labels[:600])
    spec = made_spec(arch, shape, batch_size=30, **chosen)
    placement = replace(CPU, precision=precision)
    events, network = events_of(spec, few, placement)
    [epoch] = [event for event in events if isinstance(event, EpochEnded)]
    untrained = build(spec, torch.Generator().manual_seed(0))
    _, validation = split(few.labels, 0)
    before = evaluate(untrained, few.images[validation], few.labels[validation], placement)
    assert 0 < epoch.val_loss < before.loss
    assert all(p.dtype == torch.float32 for p in network.parameters())


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": "sgd"},
        {"optimizer": "adamw"},
        {"optimizer": "muon"},
        {"optimizer": "sgd", "nesterov": True},
        {"momentum": 0.5},
        {"weight_decay": 0.5},
        {"schedule": "cosine"},
        {"schedule": "one-cycle"},
        {"dropout": 0.5},
        {"init": "xavier"},
        {"init": "normal"},
        {"activation": "tanh"},
        {"batch_norm": True},
        {"label_smoothing": 0.1},
        {"augment": "flip"},
        {"augment": "shift"},
        {"augment": "flip-shift"},
        {"erase": 8},
        {"mixup": 0.5},
        {"ema": 0.9},
        {"lr": 2e-3},
        {"batch_size": 128},
        {"epochs": 2},
    ],
    ids=lambda change: "-".join(map(str, change.values())),
)
def test_every_setting_makes_a_difference(change):
    before = {"optimizer": "adam", "lr": 1e-3, "weight_decay": 0.01}
    if "nesterov" in change:
        before["optimizer"] = "sgd"
    changed = last_of(made_spec(**{**before, **change}))
    assert changed.weights_sha256 != last_of(made_spec(**before)).weights_sha256


def test_a_batch_larger_than_the_data_is_the_whole_data():
    events, _ = events_of(made_spec(batch_size=60_000))
    assert events[0].steps == 1


@pytest.mark.parametrize(
    ("arch", "shape", "count", "side"),
    [("fcn", (100, 5), 64, 28), ("fcn", (7,), 7, 28), ("cnn", (9, 4), 9, 5)],
)
def test_the_first_layer_is_shown_as_pictures_of_the_weights_that_meet_the_pixels(
    arch, shape, count, side
):
    events, network = events_of(made_spec(arch, shape))
    [shown] = [event for event in events if isinstance(event, FirstLayer)]
    assert (shown.count, shown.side, shown.epoch) == (count, side, 1)
    pictures = torch.frombuffer(bytearray(shown.pixels), dtype=torch.int8)
    pictures = pictures.reshape(count, side, side).float()
    weights = next(network.parameters()).detach()[:count].reshape(count, side, side)
    largest = weights.abs().max()
    assert pictures.abs().max() == 127
    assert torch.allclose(pictures / 127 * largest, weights, atol=float(largest) / 127 / 1.9)


def test_times_are_told_in_order():
    events, _ = events_of(made_spec(epochs=2))
    ended = [event.train_seconds for event in events if isinstance(event, EpochEnded)]
    assert 0 < ended[0] < ended[1] == events[-1].train_seconds <= events[-1].total_seconds


def test_the_pixel_constants_are_those_of_the_real_training_images(real_data):
    from fashiontui.engine.step import PIXEL_MEAN, PIXEL_STD

    pixels = fashion_mnist.load([real_data], pytest.fail).images.double()
    assert pytest.approx(float(pixels.mean()), abs=0.005) == PIXEL_MEAN
    assert pytest.approx(float(pixels.std()), abs=0.005) == PIXEL_STD


def test_real_images_are_learned(real_data):
    data = fashion_mnist.load([real_data], pytest.fail)
    spec = made_spec("fcn", (48,), optimizer="adamw", lr=3e-3, batch_norm=True)
    assert last_of(spec, data).test.accuracy > 80


def test_real_images_with_shuffled_labels_give_chance_accuracy(real_data):
    """Of both sets: against true test labels, whole classes are guessed alike, right or wrong."""
    data = fashion_mnist.load([real_data], pytest.fail)
    random = torch.Generator().manual_seed(0)
    shuffled = replace(
        data,
        labels=data.labels[torch.randperm(60_000, generator=random)],
        test_labels=data.test_labels[torch.randperm(10_000, generator=random)],
    )
    spec = made_spec("fcn", (48,), optimizer="adamw", lr=3e-3, batch_norm=True)
    finished = last_of(spec, shuffled)
    assert 8.8 < finished.test.accuracy < 11.2  # 10, and 0.30 one deviation
    assert 8.5 < finished.validation.accuracy < 11.5  # 10, and 0.39 one deviation
