"""Random changes to training images, drawn for each image, on the device that trains."""

import torch
from torch import Tensor
from torch.nn import functional as F

from fashiontui.domain.recipe import Augment

MAX_SHIFT = 2
"""Farthest an image is moved, in pixels, in each direction."""


def augmented(images: Tensor, augment: Augment, generator: torch.Generator) -> Tensor:
    """The batch with each image flipped or moved at random, as ``augment`` says.

    Args:
        images: uint8 (n, 1, 28, 28).
        augment: none, flip (left to right, every other image), shift or flip-shift.
        generator: Source of the draws, on the images' device.
    """
    if augment in ("flip", "flip-shift"):
        images = _flipped(images, generator)
    if augment in ("shift", "flip-shift"):
        images = _shifted(images, generator)
    return images


def _flipped(images: Tensor, generator: torch.Generator) -> Tensor:
    draws = torch.rand(len(images), generator=generator, device=images.device)
    return torch.where((draws < 0.5)[:, None, None, None], images.flip(-1), images)


def _shifted(images: Tensor, generator: torch.Generator) -> Tensor:
    """Move each image by -2 to 2 pixels down and across; what comes in is black."""
    count, _, height, width = images.shape
    down, across = torch.randint(
        0, 2 * MAX_SHIFT + 1, (2, count), generator=generator, device=images.device
    )
    padded = F.pad(images, [MAX_SHIFT] * 4)
    image = torch.arange(count, device=images.device)[:, None, None]
    rows = down[:, None, None] + torch.arange(height, device=images.device)[None, :, None]
    columns = across[:, None, None] + torch.arange(width, device=images.device)[None, None, :]
    return padded[image, 0, rows, columns].unsqueeze(1)
