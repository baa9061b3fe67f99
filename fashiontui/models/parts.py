"""The pieces every family is built from."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fashiontui.domain.recipe import Settings


class BatchNorm(nn.Module):
    """Batch normalisation whose shift is the layer's bias and whose scale is fixed at 1.

    Takes the place of the bias of the layer before it, so it adds no trainable weights. A learnt
    scale would be redundant: ReLU passes positive factors on, and the next layer can absorb them.
    """

    scale: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))

    def forward(self, features: Tensor) -> Tensor:
        """Normalise (n, width, ...) over everything but the width."""
        return F.batch_norm(
            features,
            self.running_mean,
            self.running_var,
            self.scale,
            self.bias,
            training=self.training,
        )


class Dropout(nn.Module):
    """Dropout that draws from the run's own generator.

    ``nn.Dropout`` draws from the process-wide generator, which other code may move; with one
    generator a run, the same seed gives the same masks whatever else the process does.
    """

    def __init__(self, share: float, generator: torch.Generator) -> None:
        super().__init__()
        self.share = share
        self.generator = generator

    def forward(self, features: Tensor) -> Tensor:
        """Zero a share of the features and scale up the rest, while training."""
        if not self.training:
            return features
        kept = torch.empty_like(features).bernoulli_(1 - self.share, generator=self.generator)
        return features * kept.div_(1 - self.share)


def activation(settings: Settings) -> nn.Module:
    """The nonlinearity the settings name."""
    return nn.ReLU() if settings.activation == "relu" else nn.Tanh()


def hidden_tail(width: int, settings: Settings) -> list[nn.Module]:
    """What follows a hidden layer's matrix product or convolution."""
    norm = [BatchNorm(width)] if settings.batch_norm else []
    return [*norm, activation(settings)]


def output_layer(
    features: int, classes: int, settings: Settings, generator: torch.Generator
) -> list[nn.Module]:
    """Dropout, where there is any, and the layer that gives the logits."""
    dropout = [Dropout(settings.dropout, generator)] if settings.dropout else []
    return [*dropout, nn.Linear(features, classes)]
