"""The modules that torch lacks, or has otherwise than wanted here."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fashiontui.domain.recipe import Settings
from fashiontui.models import rows

NORM_MOMENTUM = 0.1
"""Share of a batch's statistics in the running ones, as in torch."""
NORM_EPSILON = 1e-5
"""Added to variances, as in torch."""


class ConvolutionByRows(nn.Conv2d):
    """A convolution of stride 1 that keeps the image's size, by rows."""

    def forward(self, images: Tensor) -> Tensor:
        """(n, c_out, h, w) of (n, c, h, w)."""
        result = rows.convolved(images, self.weight)
        return result if self.bias is None else result + self.bias[:, None, None]


class FlattenByRows(nn.Flatten):
    """All values of an image in one row; the same value of different images are neighbours."""

    def forward(self, images: Tensor) -> Tensor:
        """(n, c * h * w) of (n, c, h, w)."""
        return images.permute(1, 2, 3, 0).reshape(-1, len(images)).T


class LinearByRows(nn.Linear):
    """A linear layer that takes its features, and hands back their gradients, in that order."""

    def forward(self, features: Tensor) -> Tensor:
        """(n, out) of (n, in)."""
        return torch.addmm(self.bias[:, None], self.weight, features.T).T


class BatchNorm(nn.Module):
    """Batch normalisation whose shift is the layer's bias and whose scale is fixed at 1.

    Takes the place of the bias of the layer before it, so it adds no trainable weights. A learnt
    scale would be redundant: ReLU passes positive factors on, and the next layer can absorb them.
    """

    scale: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, width: int) -> None:
        """Args:
        width: Features or channels.
        """
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
            momentum=NORM_MOMENTUM,
            eps=NORM_EPSILON,
        )


class BatchNormByRows(BatchNorm):
    """The same for images that convolutions by rows made."""

    def forward(self, images: Tensor) -> Tensor:
        """Normalise (n, width, h, w) over everything but the width."""
        if not self.training:
            factor = (self.running_var + NORM_EPSILON).rsqrt()
            shift = self.bias - self.running_mean * factor
            return torch.addcmul(shift[:, None, None], images, factor[:, None, None])
        result, mean, variance = rows.normalised(images, self.bias, NORM_EPSILON)
        count = images.numel() // len(mean)
        with torch.no_grad():
            self.running_mean.lerp_(mean, NORM_MOMENTUM)
            self.running_var.lerp_(variance * (count / (count - 1)), NORM_MOMENTUM)
        return result


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
