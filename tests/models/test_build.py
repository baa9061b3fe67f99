"""Networks have exactly the weights the arithmetic says, drawn as the settings say."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from making import made_spec
from torch import nn

from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.shapes import CLASSES, FAMILIES
from fashiontui.models import build
from fashiontui.models.build import NORMAL_STD
from fashiontui.models.parts import Shortcut

quick = settings(deadline=None, derandomize=True, max_examples=40)
SHAPES = st.sampled_from(list(FAMILIES.values())).flatmap(
    lambda family: st.tuples(
        st.just(family.name), st.lists(st.integers(1, 24), min_size=1, max_size=family.max_depth)
    )
)
"""Legal shapes of every family there is."""


def built(spec, seed=0):
    return build(spec, torch.Generator().manual_seed(seed))


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


@quick
@given(SHAPES, st.booleans(), st.sampled_from([0.0, 0.5]))
def test_a_built_network_has_the_weights_that_were_counted(network, batch_norm, dropout):
    arch, shape = network
    spec = made_spec(arch, tuple(shape), batch_norm=batch_norm, dropout=dropout)
    assert parameters(built(spec)) == spec.weights


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("name", REPORT_MODELS)
def test_a_report_model_is_built_with_its_counted_weights(name, batch_norm):
    spec = made_spec(model=name, batch_norm=batch_norm, dropout=0.5)
    assert parameters(built(spec)) == spec.weights


@quick
@given(SHAPES, st.booleans())
def test_every_layer_puts_out_what_the_layer_table_says(network, batch_norm):
    arch, shape = network
    spec = made_spec(arch, tuple(shape), batch_norm=batch_norm)
    model = built(spec).eval()
    sizes = []
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            module.register_forward_hook(lambda _m, _i, out: sizes.append(tuple(out.shape[1:])))
    logits = model(torch.zeros(3, 1, 28, 28))
    assert sizes == [layer.output for layer in spec.family.layers(spec.shape)]
    assert logits.shape == (3, CLASSES)


@quick
@given(SHAPES, st.booleans())
def test_every_layer_of_the_table_has_that_layers_weights(network, batch_norm):
    """Normalisation's shift stands in for the bias of the layer in front of it."""
    arch, shape = network
    spec = made_spec(arch, tuple(shape), batch_norm=batch_norm)
    counts = []
    for parameter in built(spec).parameters():
        if parameter.ndim > 1:
            counts.append(parameter.numel())
        else:
            counts[-1] += parameter.numel()
    assert counts == [layer.weights for layer in spec.family.layers(spec.shape)]


def drawn_in_turn(network, seed):
    """Kaiming's first weights for the layers of a network, one after the other."""
    generator = torch.Generator().manual_seed(seed)
    for module in network:
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(module.bias)
    return network


@pytest.mark.parametrize(
    ("arch", "shape", "modules"),
    [
        (
            "fcn",
            (9, 7),
            lambda: (
                *(nn.Flatten(), nn.Linear(784, 9), nn.ReLU(), nn.Linear(9, 7), nn.ReLU()),
                nn.Linear(7, 10),
            ),
        ),
        (
            "cnn",
            (3, 4),
            lambda: (
                *(nn.Conv2d(1, 3, 5, padding=2), nn.MaxPool2d(2), nn.ReLU()),
                *(nn.Conv2d(3, 4, 5, padding=2), nn.MaxPool2d(2), nn.ReLU()),
                *(nn.Flatten(), nn.Linear(4 * 7 * 7, 10)),
            ),
        ),
    ],
    ids=["fcn", "cnn"],
)
def test_the_reports_networks_are_to_the_bit_what_one_would_write_by_hand(arch, shape, modules):
    by_hand = drawn_in_turn(nn.Sequential(*modules()), seed=3)
    model = built(made_spec(arch, shape, seed=3))
    images = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    for parameter, same in zip(model.parameters(), by_hand.parameters(), strict=True):
        assert torch.equal(parameter, same)
    assert torch.equal(model(images), by_hand(images))


@pytest.mark.parametrize("arch", [f.name for f in FAMILIES.values() if f.always_normalised])
def test_families_that_always_normalise_do_so_under_every_recipe(arch):
    one, other = (built(made_spec(arch, (4, 6), batch_norm=norm)) for norm in (False, True))
    assert str(one) == str(other)
    convolutions = [module for module in one.modules() if isinstance(module, nn.Conv2d)]
    assert len(convolutions) == sum(type(m).__name__ == "BatchNorm" for m in one.modules())
    assert all(convolution.bias is None for convolution in convolutions)


def test_a_depthwise_convolution_looks_at_each_channel_alone():
    model = built(made_spec("dsconv", (4, 6)))
    kernels = {name: p.shape for name, p in model.named_parameters() if p.ndim > 1}
    assert kernels["block1.body.depth1.weight"] == (4, 1, 3, 3)
    assert kernels["depth2.weight"] == (4, 1, 3, 3)
    assert kernels["point2.weight"] == (6, 4, 1, 1)


class Nothing(nn.Module):
    """Puts out zeros of a size."""

    def __init__(self, *size):
        super().__init__()
        self.size = size

    def forward(self, images):
        return torch.zeros(len(images), *self.size)


def test_a_shortcut_hands_on_what_came_in():
    images = torch.rand(2, 3, 7, 7)
    assert torch.equal(Shortcut(nn.Sequential(Nothing(3, 7, 7)), 3, 3, 1)(images), images)


def test_a_shortcut_shrinks_by_means_and_lacks_nothing_at_the_edge():
    images = torch.rand(2, 3, 7, 7)
    shrunk = Shortcut(nn.Sequential(Nothing(3, 4, 4)), 3, 3, 2)(images)
    assert torch.allclose(shrunk[:, :, 0, 0], images[:, :, :2, :2].mean((2, 3)))
    assert torch.allclose(shrunk[:, :, 3, 3], images[:, :, 6, 6])


@pytest.mark.parametrize("width", [2, 5])
def test_a_shortcut_fills_channels_with_zeros_or_leaves_them_out(width):
    images = torch.rand(2, 3, 7, 7)
    changed = Shortcut(nn.Sequential(Nothing(width, 7, 7)), 3, width, 1)(images)
    assert torch.equal(changed[:, :3], images[:, :width])
    assert not changed[:, 3:].any()


@pytest.mark.parametrize(
    ("init", "activation", "deviation"),
    [
        # He et al. 2015: gain / sqrt(fan in), the gain of ReLU sqrt(2), of tanh 5/3
        ("kaiming", "relu", (2 / 784) ** 0.5),
        ("kaiming", "tanh", 5 / 3 / 784**0.5),
        # Glorot and Bengio 2010: sqrt(2 / (fan in + fan out))
        ("xavier", "relu", (2 / (784 + 300)) ** 0.5),
        ("normal", "relu", NORMAL_STD),
    ],
)
def test_the_first_weights_have_the_spread_of_their_initialisation(init, activation, deviation):
    model = built(made_spec("fcn", (300,), init=init, activation=activation))
    drawn = next(model.parameters())
    assert drawn.std().item() == pytest.approx(deviation, rel=0.01)
    assert drawn.mean().item() == pytest.approx(0, abs=deviation / 50)


def test_the_fan_in_of_a_convolution_is_its_kernel_times_its_channels():
    model = built(made_spec("cnn", (30, 60)))
    second = [module for module in model if isinstance(module, nn.Conv2d)][1]
    assert second.weight.std().item() == pytest.approx((2 / (30 * 25)) ** 0.5, rel=0.02)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_biases_and_shifts_start_at_zero(batch_norm):
    model = built(made_spec("cnn", (4, 5), batch_norm=batch_norm))
    flat = [parameter for parameter in model.parameters() if parameter.ndim == 1]
    assert len(flat) == 3
    assert not any(parameter.any() for parameter in flat)


@pytest.mark.parametrize(("activation", "kind"), [("relu", nn.ReLU), ("tanh", nn.Tanh)])
def test_every_hidden_layer_has_the_named_nonlinearity(activation, kind):
    model = built(made_spec("fcn", (5, 4, 3), activation=activation))
    assert sum(isinstance(module, kind) for module in model) == 3


def test_the_same_seed_gives_the_same_weights():
    one, other = (built(made_spec("cnn", (4, 5), seed=3)).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_another_seed_gives_other_weights():
    one, other = (next(built(made_spec("cnn", (4, 5), seed=seed)).parameters()) for seed in (3, 4))
    assert not torch.equal(one, other)


def test_the_first_weights_do_not_depend_on_the_masks_generator():
    spec = made_spec("fcn", (5,), dropout=0.5)
    assert torch.equal(next(built(spec, 1).parameters()), next(built(spec, 2).parameters()))


def test_building_and_running_leave_the_process_wide_generator_alone():
    before = torch.get_rng_state()
    built(made_spec("fcn", (5,), dropout=0.5, batch_norm=True))(torch.ones(4, 1, 28, 28))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_process_wide_generator_does_not_decide_the_weights():
    spec = made_spec("fcn", (5,))
    torch.manual_seed(1)
    one = next(built(spec).parameters())
    torch.manual_seed(2)
    assert torch.equal(one, next(built(spec).parameters()))


def test_dropout_masks_come_from_the_runs_generator():
    images = torch.rand(64, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    spec = made_spec("fcn", (50,), dropout=0.5)
    one, same, other = (built(spec, seed)(images) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_dropout_drops_its_share_and_keeps_the_mean():
    spec = made_spec("fcn", (50,), dropout=0.25)
    [dropout] = [m for m in built(spec) if type(m).__name__ == "Dropout"]
    ones = torch.ones(1000, 50)
    dropped = dropout(ones)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert dropped[dropped != 0].unique().tolist() == pytest.approx([1 / 0.75])
    dropout.eval()
    assert torch.equal(dropout(ones), ones)


def test_batch_normalisation_whitens_every_channel_and_learns_running_statistics():
    model = built(made_spec("cnn", (4,), batch_norm=True))
    [norm] = [m for m in model if type(m).__name__ == "BatchNorm"]
    features = 5 + 3 * torch.randn(200, 4, 7, 7, generator=torch.Generator().manual_seed(0))
    normal = norm(features)
    assert normal.mean((0, 2, 3)).abs().max() < 1e-4
    assert (normal.std((0, 2, 3)) - 1).abs().max() < 1e-3
    # torch's running mean moves by a tenth towards the batch's
    assert norm.running_mean.tolist() == pytest.approx([0.5] * 4, rel=0.05)
