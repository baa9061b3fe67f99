"""From a spec to a network with its first weights drawn."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from fashiontui.domain.family import IMAGE_SIZE
from fashiontui.domain.layers import (
    Conv,
    Flatten,
    GlobalPool,
    Linear,
    Output,
    Part,
    Residual,
    Size,
)
from fashiontui.domain.recipe import Settings
from fashiontui.domain.spec import Kernels, RunSpec
from fashiontui.models.parts import (
    BatchNorm,
    BatchNormByRows,
    ConvolutionByRows,
    Dropout,
    FlattenByRows,
    LinearByRows,
    Shortcut,
    activation,
)
from fashiontui.models.pooling import MaxPool

NORMAL_STD = 0.05
"""Standard deviation of the ``normal`` initialisation."""


def build(spec: RunSpec, generator: torch.Generator, kernels: Kernels = "torch") -> nn.Sequential:
    """The spec's network on the CPU, from images (n, 1, 28, 28) to logits (n, 10).

    The first weights depend on the spec's seed alone, so they are the same on every device. Their
    names and shapes are those of torch's modules whatever the kernels.

    Args:
        spec: Family, shape, settings and seed.
        generator: Source of the dropout masks, on the device that will train.
        kernels: What computes convolutions; ``rows`` for specs that fit, in float32 on CPUs.
    """
    by_rows = kernels == "rows"
    assert spec.fits_rows or not by_rows, f"{spec.title} does not fit rows"
    normalised = spec.settings.batch_norm or spec.family.always_normalised
    parts = spec.family.parts(spec.shape)
    builder = _Builder(spec.settings, normalised, generator, by_rows)
    with torch.random.fork_rng(devices=[]):  # torch's own first weights, drawn over just below
        model = builder.sequence(parts, IMAGE_SIZE)
    _draw_weights(model, spec.settings, torch.Generator().manual_seed(spec.seed))
    return model


@dataclass(frozen=True)
class _Builder:
    """Makes modules of parts, whatever the family."""

    settings: Settings
    normalised: bool
    """Whether normalisation's shift takes the place of each hidden layer's bias."""
    generator: torch.Generator
    by_rows: bool
    """Whether convolutions, pooling and normalisation go by rows."""

    def sequence(self, parts: tuple[Part, ...], size: Size) -> nn.Sequential:
        """The parts one after the other, for batches of images or features of a size."""
        modules: OrderedDict[str, nn.Module] = OrderedDict()
        for part in parts:
            modules.update(self._modules(part, size))
            size = part.output(size)
        return nn.Sequential(modules)

    def _modules(self, part: Part, size: Size) -> Iterator[tuple[str, nn.Module]]:
        """The modules of one part, named after its layer, in order."""
        match part:
            case Conv(name, width):
                yield name, self._convolution(part, channels=size[0])
                if part.pool > 1:
                    halving = part.pool == 2
                    yield f"{name}_pool", MaxPool() if halving else nn.MaxPool2d(part.pool)
                yield from self._norm(name, width)
                if part.activation:
                    yield f"{name}_activation", activation(self.settings)
            case Linear(name, width):
                yield name, nn.Linear(size[0], width, bias=not self.normalised)
                yield from self._norm(name, width)
                yield f"{name}_activation", activation(self.settings)
            case Residual(name, body):
                [width, *_] = part.output(size)
                yield name, Shortcut(self.sequence(body, size), size[0], width, part.stride)
                yield f"{name}_activation", activation(self.settings)
            case Output(classes):
                if self.settings.dropout:
                    yield "dropout", Dropout(self.settings.dropout, self.generator)
                linear = LinearByRows if self.by_rows else nn.Linear
                yield "output", linear(size[0], classes)
            case GlobalPool():
                yield "mean", nn.AdaptiveAvgPool2d(1)
                yield "flatten", nn.Flatten()
            case Flatten():
                yield "flatten", FlattenByRows() if self.by_rows else nn.Flatten()

    def _convolution(self, conv: Conv, channels: int) -> nn.Conv2d:
        module = ConvolutionByRows if self.by_rows else nn.Conv2d
        return module(
            channels,
            conv.width,
            conv.kernel,
            conv.stride,
            padding=conv.kernel // 2,
            groups=conv.groups,
            bias=not self.normalised,
        )

    def _norm(self, name: str, width: int) -> Iterator[tuple[str, nn.Module]]:
        if self.normalised:
            norm = BatchNormByRows if self.by_rows else BatchNorm
            yield f"{name}_norm", norm(width)


def _draw_weights(model: nn.Module, settings: Settings, generator: torch.Generator) -> None:
    """Kaiming (He et al. 2015), Xavier (Glorot and Bengio 2010) or normal; biases start at 0."""
    for module in model.modules():
        if not isinstance(module, nn.Linear | nn.Conv2d):
            continue
        match settings.init:
            case "kaiming":
                nn.init.kaiming_normal_(
                    module.weight, nonlinearity=settings.activation, generator=generator
                )
            case "xavier":
                nn.init.xavier_normal_(module.weight, generator=generator)
            case "normal":
                nn.init.normal_(module.weight, std=NORMAL_STD, generator=generator)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
