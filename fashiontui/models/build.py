"""From a spec to a network with its first weights drawn."""

from collections.abc import Callable

import torch
from torch import nn

from fashiontui.domain.recipe import Settings
from fashiontui.domain.shapes import Shape
from fashiontui.domain.spec import RunSpec
from fashiontui.models.cnn import build_cnn
from fashiontui.models.fcn import build_fcn

NORMAL_STD = 0.05
"""Standard deviation of the ``normal`` initialisation."""

_BUILDERS: dict[str, Callable[[Shape, Settings, torch.Generator], nn.Sequential]] = {
    "fcn": build_fcn,
    "cnn": build_cnn,
}


def build(spec: RunSpec, generator: torch.Generator) -> nn.Sequential:
    """The spec's network on the CPU, from images (n, 1, 28, 28) to logits (n, 10).

    The first weights depend on the spec's seed alone, so they are the same on every device.

    Args:
        spec: Family, shape, settings and seed.
        generator: Source of the dropout masks, on the device that will train.
    """
    with torch.random.fork_rng(devices=[]):  # torch's own first weights, drawn over just below
        model = _BUILDERS[spec.arch](spec.shape, spec.settings, generator)
    _draw_weights(model, spec.settings, torch.Generator().manual_seed(spec.seed))
    return model


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
