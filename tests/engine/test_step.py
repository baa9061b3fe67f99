"""Learning rates, scores, and what an optimiser step does."""

import math
import subprocess
import sys
from copy import deepcopy
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from making import made_spec
from torch import nn

from fashiontui.data.augment import mixed
from fashiontui.domain.recipe import Settings
from fashiontui.engine import Placement, muon
from fashiontui.engine.evaluate import BATCH, evaluate
from fashiontui.engine.muon import orthogonal
from fashiontui.engine.step import ONE_CYCLE_WARMUP, forward, lr_at, trainable
from fashiontui.engine.uncompiled import take_step
from fashiontui.models import build

CPU = Placement(torch.device("cpu"), "fp32", 1)
quick = settings(deadline=None, derandomize=True)
PLACES = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n)))


def rates(schedule, steps, lr=0.3):
    chosen = Settings(schedule=schedule, lr=lr)
    return [lr_at(step, steps, chosen) for step in range(steps)]


@quick
@given(st.sampled_from(["constant", "cosine", "one-cycle"]), PLACES, st.floats(1e-6, 100))
def test_a_learning_rate_is_above_zero_and_at_most_the_one_asked_for(schedule, place, lr):
    step, steps = place
    rate = lr_at(step, steps, Settings(schedule=schedule, lr=lr))
    assert 0 < rate <= lr * (1 + 1e-12)


def test_the_constant_schedule_never_changes():
    assert set(rates("constant", 50)) == {0.3}


def test_the_cosine_schedule_starts_at_the_top_is_half_way_at_half_time_and_falls():
    told = rates("cosine", 100)
    assert told[0] == 0.3
    assert told[50] == pytest.approx(0.15)
    assert told[25] == pytest.approx(0.3 * (1 + math.sqrt(0.5)) / 2)
    assert all(a > b for a, b in pairwise(told))
    assert told[-1] < 0.001


def test_the_one_cycle_schedule_rises_for_a_quarter_and_falls_for_the_rest():
    told = rates("one-cycle", 1000)
    top = told.index(max(told))
    assert top == ONE_CYCLE_WARMUP * 1000
    assert told[top] == 0.3
    assert all(a < b for a, b in pairwise(told[: top + 1]))
    assert all(a > b for a, b in pairwise(told[top:]))
    assert told[0] < 0.3 / 200
    assert told[-1] < 0.3 / 700


@quick
@given(st.integers(20, 3000))
def test_the_one_cycle_schedule_has_no_jump(steps):
    told = rates("one-cycle", steps, lr=1.0)
    largest = max(abs(b - a) for a, b in pairwise(told))
    assert largest <= 1 / (ONE_CYCLE_WARMUP * steps) + 1e-12
    assert max(told) >= 1 - 2 / steps


class Fixed(nn.Module):
    """A network whose logits are told by the first pixel: that class, surely."""

    def forward(self, pixels):
        grey = (pixels[:, 0, 0, 0] * 90.02 + 72.94).round().long()
        return 20.0 * nn.functional.one_hot(grey, 10).float()


@pytest.mark.parametrize("count", [1, BATCH - 1, BATCH, BATCH + 1, 2 * BATCH + 500])
def test_a_score_counts_every_image_once(count):
    told = torch.arange(count) % 10
    labels = torch.where(torch.arange(count) % 4 == 0, (told + 1) % 10, told)
    images = told.to(torch.uint8)[:, None, None, None].expand(-1, 1, 28, 28)
    score = evaluate(Fixed(), images, labels, CPU)
    wrong = math.ceil(count / 4)
    assert score.predictions.predicted == bytes(told.tolist())
    assert score.predictions.labels == bytes(labels.tolist())
    assert score.predictions.accuracy == pytest.approx(100 * (count - wrong) / count)
    sure = math.log(1 + 9 * math.exp(-20))
    assert score.loss == pytest.approx(sure + 20 * wrong / count, rel=1e-5)


def test_scoring_neither_drops_nor_learns_and_leaves_the_network_training():
    generator = torch.Generator().manual_seed(0)
    model = build(made_spec(dropout=0.5, batch_norm=True), generator)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    masks = generator.get_state()
    images = torch.full((30, 1, 28, 28), 200, dtype=torch.uint8)
    labels = torch.zeros(30, dtype=torch.int64)
    scores = [evaluate(model, images, labels, CPU) for _ in range(2)]
    assert scores[0] == scores[1]
    assert all(torch.equal(before[name], now) for name, now in model.state_dict().items())
    assert torch.equal(generator.get_state(), masks)
    assert model.training


def net(**chosen):
    spec = made_spec(**chosen)
    generator = torch.Generator().manual_seed(0)
    return trainable(build(spec, generator), spec.settings, CPU, generator)


IMAGES = torch.randint(
    0, 256, (64, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
)
LABELS = torch.arange(64) % 10


def test_pixels_are_normalised_before_the_network_sees_them():
    seen = SimpleNamespace()

    class Watch(nn.Module):
        def forward(self, pixels):
            seen.pixels = pixels
            return pixels.flatten(1)[:, :10]

    forward(Watch(), IMAGES, CPU)
    expected = (IMAGES.float() - 72.94) / 90.02
    assert torch.allclose(seen.pixels, expected, atol=1e-6)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_logits_are_float32_whatever_the_precision(precision):
    placement = Placement(torch.device("cpu"), precision, 1)
    logits = forward(net().model, IMAGES, placement)
    assert (logits.dtype, logits.shape) == (torch.float32, (64, 10))


def test_bf16_gives_nearly_the_logits_of_fp32():
    model = net().model
    half = forward(model, IMAGES, Placement(torch.device("cpu"), "bf16", 1))
    whole = forward(model, IMAGES, CPU)
    assert not torch.equal(half, whole)
    assert torch.allclose(half, whole, atol=0.1)


def test_a_step_of_plain_sgd_goes_down_the_gradient_by_the_learning_rate():
    trained = net(optimizer="sgd", momentum=0.0)
    loss = nn.functional.cross_entropy(forward(trained.model, IMAGES, CPU), LABELS)
    parameters = list(trained.model.parameters())
    gradients = torch.autograd.grad(loss, parameters)
    before = [parameter.detach().clone() for parameter in parameters]
    told = trained.step(IMAGES, LABELS, lr=0.25)
    assert told.item() == pytest.approx(loss.item())
    for parameter, old, gradient in zip(parameters, before, gradients, strict=True):
        assert torch.allclose(parameter, old - 0.25 * gradient, atol=1e-6)


def test_label_smoothing_is_part_of_the_training_loss():
    plain, smooth = (net(label_smoothing=share).step(IMAGES, LABELS, 0.1) for share in (0, 0.3))
    logits = forward(net().model, IMAGES, CPU)
    expected = nn.functional.cross_entropy(logits, LABELS, label_smoothing=0.3)
    assert smooth.item() == pytest.approx(expected.item())
    assert plain.item() != pytest.approx(expected.item())


def test_only_matrices_and_kernels_decay():
    trained = net(optimizer="adamw", weight_decay=0.5)
    decays = {
        (parameter.ndim > 1, group["weight_decay"])
        for group in trained.optimizer.param_groups
        for parameter in group["params"]
    }
    assert decays == {(True, 0.5), (False, 0.0)}


@pytest.mark.parametrize("size", [(1, 1), (9, 1), (1, 9), (4, 4), (8, 72), (200, 10)])
def test_an_orthogonal_update_keeps_its_directions_and_levels_their_lengths(size):
    matrix = torch.randn(size, generator=torch.Generator().manual_seed(0))
    left, lengths, right = torch.linalg.svd(matrix, full_matrices=False)
    levelled = left.T @ orthogonal(100 * matrix) @ right.T
    assert torch.allclose(levelled, levelled.diag().diag(), atol=1e-3)
    kept = lengths > lengths.max() / 50  # what is nearly absent stays small
    assert ((levelled.diag() > 0.6) & (levelled.diag() < 1.3))[kept].all()


@pytest.mark.parametrize("size", [(40, 200), (200, 40), (32, 96)])
def test_a_wide_matrix_is_levelled_by_its_square_as_by_itself(size):
    matrix = torch.randn(size, generator=torch.Generator().manual_seed(0))
    by_itself = muon._iterated(matrix / matrix.norm())
    assert torch.allclose(orthogonal(matrix), by_itself, atol=1e-5)


def test_the_matrices_of_copies_are_levelled_each_by_itself():
    copies = torch.randn((3, 40, 200), generator=torch.Generator().manual_seed(0))
    alone = torch.stack([orthogonal(matrix) for matrix in copies])
    assert torch.allclose(orthogonal(copies), alone, atol=1e-5)


def test_no_gradient_gives_no_update():
    assert torch.equal(orthogonal(torch.zeros(40, 200)), torch.zeros(40, 200))
    assert torch.equal(orthogonal(torch.zeros(3, 5)), torch.zeros(3, 5))


def test_muon_with_its_rate_in_memory_takes_the_step_it_takes_with_a_number():
    """Recorded steps on CUDA read the rate from a tensor."""
    chosen = {"arch": "cnn", "shape": (3, 4), "optimizer": "muon", "weight_decay": 0.1}
    one, other = net(**chosen), net(**chosen)
    for _ in range(3):
        one.step(IMAGES, LABELS, 0.02)
        other.step(IMAGES, LABELS, torch.tensor(0.02))
    for number, tensor in zip(one.model.parameters(), other.model.parameters(), strict=True):
        assert torch.allclose(number, tensor, atol=1e-5)


def test_every_weight_is_trained():
    trained = net(arch="cnn", shape=(3, 4), batch_norm=True)
    given = {id(p) for group in trained.optimizer.param_groups for p in group["params"]}
    assert given == {id(parameter) for parameter in trained.model.parameters()}


def test_the_average_follows_weights_and_running_statistics_by_its_decay():
    trained = net(arch="cnn", shape=(3, 4), batch_norm=True, ema=0.75)
    trained.step(IMAGES, LABELS, 0.01)
    first = {name: tensor.clone() for name, tensor in trained.model.state_dict().items()}
    trained.step(IMAGES, LABELS, 0.01)
    last = trained.model.state_dict()
    for name, average in trained.scored.state_dict().items():
        assert torch.allclose(average, 0.75 * first[name] + 0.25 * last[name], atol=1e-6), name
    assert not torch.equal(last["conv1_norm.running_mean"], first["conv1_norm.running_mean"])


def test_without_an_average_the_network_itself_is_scored():
    trained = net()
    assert trained.scored is trained.model


def test_the_loss_of_blended_images_is_that_of_both_labels_by_their_shares():
    told = net(mixup=0.5).step(IMAGES, LABELS, 0.1)
    fresh = net(mixup=0.5)
    images, others, share = mixed(IMAGES, LABELS, 0.5, fresh.generator)
    chances = forward(fresh.model, images, CPU).log_softmax(1)
    rows = torch.arange(len(LABELS))
    expected = -((1 - share) * chances[rows, LABELS] + share * chances[rows, others]).mean()
    assert told.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "muon"])
def test_a_step_without_the_compiler_is_torchs_own_to_the_last_bit(optimizer):
    spec = made_spec("cnn", (2, 3), optimizer=optimizer, lr=0.01)
    generator = torch.Generator().manual_seed(0)
    ours = trainable(build(spec, generator), spec.settings, CPU, generator)
    torchs = deepcopy(ours)
    images = torch.randint(0, 256, (20, 1, 28, 28), dtype=torch.uint8, generator=generator)
    labels = torch.arange(20) % 10
    for _ in range(3):
        for net, step in ((ours, take_step), (torchs, type(torchs.optimizer).step)):
            net.model.zero_grad()
            torch.nn.functional.cross_entropy(forward(net.model, images, CPU), labels).backward()
            step(net.optimizer)
    for one, other in zip(ours.model.parameters(), torchs.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_run_with_its_checkpoints_loads_no_compiler(tmp_path):
    code = (
        "import sys; from fashiontui.entry import run\n"
        "assert run('--batch --hidden 8 --data sample --epochs 2 --threads 1 --precision fp32 "
        "--store runs.db'.split()) == 0\n"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path).returncode == 0
