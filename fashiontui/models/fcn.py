"""Fully connected networks: 784 pixels, hidden layers, 10 logits."""

import torch
from torch import nn

from fashiontui.domain.recipe import Settings
from fashiontui.domain.shapes import CLASSES, IMAGE_SIDE, Shape
from fashiontui.models.parts import hidden_tail, output_layer


def build_fcn(shape: Shape, settings: Settings, generator: torch.Generator) -> nn.Sequential:
    """A network from images (n, 1, 28, 28) to logits (n, 10).

    Args:
        shape: Width of each hidden layer.
        settings: Activation, normalisation and dropout.
        generator: Source of the dropout masks.
    """
    modules: list[nn.Module] = [nn.Flatten()]
    before = IMAGE_SIDE**2
    for width in shape:
        modules += [nn.Linear(before, width, bias=not settings.batch_norm)]
        modules += hidden_tail(width, settings)
        before = width
    return nn.Sequential(*modules, *output_layer(before, CLASSES, settings, generator))
