"""Networks have exactly the weights the arithmetic says, drawn as the settings say."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from making import made_spec
from torch import nn

from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.shapes import CLASSES
from fashiontui.models import build
from fashiontui.models.build import NORMAL_STD

quick = settings(deadline=None, derandomize=True, max_examples=40)
SHAPES = st.tuples(st.just("fcn"), st.lists(st.integers(1, 60), min_size=1, max_size=8)) | (
    st.tuples(st.just("cnn"), st.lists(st.integers(1, 24), min_size=1, max_size=4))
)


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
