"""Figures on layers are those of the tensors they are about."""

import pytest
import torch
from making import made_spec
from torch import nn

from fashiontui.data.sample import sample_set
from fashiontui.domain.shapes import FAMILIES
from fashiontui.engine import Placement, begin
from fashiontui.engine.inspect import inspection, layer_statistics, outputs
from fashiontui.engine.step import forward

CPU = Placement(torch.device("cpu"), "fp32", 1)
IMAGES = sample_set().test_images[:50]
SHAPES = {"fcn": (12, 7), "cnn": (4, 6), "resnet": (4, 4, 8), "dsconv": (4, 4, 8)}


def built(arch, **settings):
    return begin(made_spec(arch, SHAPES[arch], **settings), CPU).net.model


@pytest.mark.parametrize("arch", sorted(FAMILIES))
@pytest.mark.parametrize("batch_norm", [False, True])
def test_every_layer_of_a_network_is_measured_under_the_name_it_is_counted_by(arch, batch_norm):
    model = built(arch, batch_norm=batch_norm)
    counted = FAMILIES[arch].layers(SHAPES[arch])
    measured = layer_statistics(model, IMAGES, CPU)
    assert [layer.name for layer in measured] == [layer.name for layer in counted]
    assert [layer.units for layer in measured] == [layer.output[0] for layer in counted]


@pytest.mark.parametrize("arch", sorted(FAMILIES))
def test_looking_into_a_network_changes_nothing(arch):
    model = built(arch, batch_norm=True, dropout=0.5)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    first, second = (inspection("a", 1, model, IMAGES, CPU) for _ in range(2))
    assert first == second
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


def test_outputs_are_what_the_layers_hand_on():
    model = built("fcn")
    kept = outputs(model, IMAGES, CPU)
    assert [*kept] == ["hidden1", "hidden2", "output"]
    assert torch.equal(kept["output"], forward(model.eval(), IMAGES, CPU))
    assert kept["hidden1"].min() == 0  # after ReLU
    assert kept["hidden2"].shape == (50, 7)


def test_figures_are_those_of_weights_and_outputs():
    model = built("cnn")
    [first, *_] = layer_statistics(model, IMAGES, CPU)
    weights, made = model.conv1.weight.detach(), outputs(model, IMAGES, CPU)["conv1"]
    assert first.weight_mean == pytest.approx(float(weights.mean()))
    assert first.weight_std == pytest.approx(float(weights.std()))
    assert first.output_mean == pytest.approx(float(made.mean()))
    assert first.output_std == pytest.approx(float(made.std()))


def test_units_that_never_put_anything_out_are_dead():
    model = built("cnn")
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.bias, 0.0)
    with torch.no_grad():
        model.conv1.bias[1:3] = -1e6
    first, *_ = layer_statistics(model, IMAGES, CPU)
    assert first.dead == 2
