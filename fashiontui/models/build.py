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
from fashiontui.domain.spec import RunSpec
from fashiontui.models.parts import (
    BatchNorm,
    Convolution,
    Dropout,
    MaxPool,
    Shortcut,
    activation,
)

PAYS_FROM = 16
"""Channels a convolution must read for rows to pay; measured with two cores of an AMD EPYC: 12 are
no quicker than with torch's own kernels, 23 and 40 are (benchmarks/README.md)."""
MEASURED = "AVX2"
"""The processors on which they were measured, as torch calls them; others keep torch's kernels."""
LARGEST_KERNEL = 5
"""Largest kernel the layout by rows has the numbers for."""
NORMAL_STD = 0.05
"""Standard deviation of the ``normal`` initialisation."""


def build(spec: RunSpec, generator: torch.Generator) -> nn.Sequential:
    """The spec's network on the CPU, from images (n, 1, 28, 28) to logits (n, 10).

    The first weights depend on the spec's seed alone, so they are the same on every device.

    Args:
        spec: Family, shape, settings and seed.
        generator: Source of the dropout masks, on the device that will train.
    """
    normalised = spec.settings.batch_norm or spec.family.always_normalised
    parts = spec.family.parts(spec.shape)
    builder = _Builder(spec.settings, normalised, generator, by_rows=_pays_by_rows(parts))
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
    """Whether convolutions, pooling and normalisation go by rows on CPUs."""

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
                    plain = self.by_rows and part.pool == 2
                    yield f"{name}_pool", MaxPool() if plain else nn.MaxPool2d(part.pool)
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
                yield "output", nn.Linear(size[0], classes)
            case GlobalPool():
                yield "mean", nn.AdaptiveAvgPool2d(1)
                yield "flatten", nn.Flatten()
            case Flatten():
                yield "flatten", nn.Flatten()

    def _convolution(self, conv: Conv, channels: int) -> nn.Conv2d:
        module = Convolution if self.by_rows else nn.Conv2d
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
            yield f"{name}_norm", BatchNorm(width, self.by_rows)


def _pays_by_rows(parts: tuple[Part, ...]) -> bool:
    """Whether this CPU shall compute a network by rows: all of it can, and its kernels are deep."""
    convs = [part for part in parts if isinstance(part, Conv)]
    plain = all(isinstance(part, Conv | Flatten | Output) for part in parts) and all(
        (conv.stride, conv.groups) == (1, 1) and conv.kernel <= LARGEST_KERNEL for conv in convs
    )
    measured = torch.backends.cpu.get_cpu_capability() == MEASURED
    return measured and plain and any(conv.width >= PAYS_FROM for conv in convs[:-1])


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
