"""Convolutional networks as the report draws them: 5x5 convolutions, pooling, one output layer."""

import torch
from torch import nn

from fashiontui.domain.recipe import Settings
from fashiontui.domain.shapes import CLASSES, IMAGE_SIDE, KERNEL, Shape
from fashiontui.models.parts import hidden_tail, output_layer


def build_cnn(shape: Shape, settings: Settings, generator: torch.Generator) -> nn.Sequential:
    """A network from images (n, 1, 28, 28) to logits (n, 10).

    Pooling stands before normalisation and activation: both activations are monotone, so pooling
    first gives the same values for a quarter of the work.

    Args:
        shape: Channels of each convolution.
        settings: Activation, normalisation and dropout.
        generator: Source of the dropout masks.
    """
    modules: list[nn.Module] = []
    before, side = 1, IMAGE_SIDE
    for width in shape:
        modules += [
            nn.Conv2d(before, width, KERNEL, padding=KERNEL // 2, bias=not settings.batch_norm),
            nn.MaxPool2d(2),
            *hidden_tail(width, settings),
        ]
        before, side = width, side // 2
    features = before * side * side
    return nn.Sequential(
        *modules, nn.Flatten(), *output_layer(features, CLASSES, settings, generator)
    )
