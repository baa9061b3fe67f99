"""The modules that torch lacks, or has otherwise than wanted here."""

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


class Shortcut(nn.Module):
    """A sequence of modules with a shortcut around it that has no weights.

    Where the image shrinks the shortcut takes means over squares (He et al. 2019, "Bag of Tricks");
    channels it lacks are zero (He et al. 2016, option A), those too many are left out.
    """

    def __init__(self, body: nn.Sequential, before: int, after: int, stride: int) -> None:
        """Args:
        body: What the shortcut leads around.
        before: Channels that enter.
        after: Channels that the body puts out.
        stride: Side of the squares; by how much the body shrinks the image, rounding up.
        """
        super().__init__()
        self.body = body
        self.added = after - before
        self.stride = stride

    def forward(self, images: Tensor) -> Tensor:
        """The body's output for (n, before, h, w), plus what the shortcut hands on."""
        kept = images
        if self.stride > 1:
            kept = F.avg_pool2d(kept, self.stride, ceil_mode=True)
        if self.added:  # a negative number crops
            kept = F.pad(kept, (0, 0, 0, 0, 0, self.added))
        added: Tensor = self.body(images) + kept
        return added
