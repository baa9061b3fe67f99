"""What CPUs compute by rows is what torch's own operations compute."""

import pytest
import torch
from making import made_spec
from torch import nn
from torch.nn import functional as F

from fashiontui.models import build, rows

GENERATOR = torch.Generator().manual_seed(0)


def drawn(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype, generator=GENERATOR).requires_grad_()


def same(one, other, inputs, tolerance):
    """Values and gradients agree, relative to the largest."""
    onto = drawn(*other.shape, dtype=other.dtype).detach()
    pairs = [
        (one, other),
        *zip(
            torch.autograd.grad(one, inputs, onto),
            torch.autograd.grad(other, inputs, onto),
            strict=True,
        ),
    ]
    return all((a - b).abs().max() <= tolerance * b.abs().max() for a, b in pairs)


@pytest.mark.parametrize("channels", [1, 3, 4, 7])
@pytest.mark.parametrize(
    ("height", "width", "kernel"), [(28, 28, 5), (14, 14, 5), (9, 10, 3), (3, 3, 5), (1, 1, 5)]
)
def test_a_convolution_and_its_gradients_are_torchs(channels, height, width, kernel):
    images, kernels = drawn(5, channels, height, width), drawn(6, channels, kernel, kernel)
    expected = F.conv2d(images, kernels, padding=kernel // 2)
    assert same(rows.convolved(images, kernels), expected, (images, kernels), 1e-8)


def test_rounding_in_float32_stays_far_below_bfloat16s():
    images, kernels = drawn(20, 40, 14, 14).detach(), drawn(64, 40, 5, 5).detach() / 30
    expected = F.conv2d(images, kernels, padding=2)
    found = rows.convolved(images.float(), kernels.float())
    assert (found - expected).square().mean().sqrt() < 2e-5 * expected.std()


def test_normalisation_and_its_gradients_are_torchs():
    images, bias = drawn(6, 3, 9, 10), drawn(3)
    found, mean, variance = rows.normalised(images, bias, 1e-5)
    running = torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    ones = torch.ones(3, dtype=torch.float64)
    expected = F.batch_norm(images, *running, ones, bias, training=True, momentum=1)
    assert same(found, expected, (images, bias), 1e-10)
    assert torch.allclose(mean, running[0])
    assert torch.allclose(variance * 540 / 539, running[1])


def network(kernels, **chosen):
    return build(made_spec("cnn", (4, 5), **chosen), torch.Generator(), kernels)


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("count", [40, 2])
def test_a_network_scores_and_gathers_statistics_as_by_torchs_operations(batch_norm, count):
    images = drawn(count, 1, 28, 28, dtype=torch.float32).detach()
    one, other = (network(kernels, batch_norm=batch_norm) for kernels in ("rows", "torch"))
    assert torch.allclose(one(images), other(images), atol=1e-4)
    assert one.state_dict().keys() == other.state_dict().keys()
    for mine, theirs in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-5)
    one.eval(), other.eval()
    assert torch.allclose(one(images), other(images), atol=1e-4)


def test_a_network_is_torchs_unless_asked_otherwise():
    model = build(made_spec("cnn", (40, 64)), torch.Generator())
    assert {type(m) for m in model if isinstance(m, nn.Conv2d)} == {nn.Conv2d}


@pytest.mark.parametrize(
    ("arch", "shape", "fits"),
    [
        ("cnn", (7, 14), True),
        ("cnn", (4, 5, 6, 7), True),
        ("resnet", (16, 20), False),
        ("dsconv", (16, 20, 20), False),
        ("fcn", (8,), False),
    ],
)
def test_rows_are_for_networks_of_plain_convolutions(arch, shape, fits):
    assert made_spec(arch, shape).fits_rows is fits
