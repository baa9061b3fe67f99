"""Random changes to training images, drawn for each image, on the device that trains."""

import torch
from torch import Tensor
from torch.nn import functional as F

from fashiontui.domain.recipe import Augment

MAX_SHIFT = 2
"""Farthest an image is moved, in pixels, in each direction."""
ERASED = 73
"""What hidden pixels show: the mean of all pixels, rounded, nearly 0 to the network."""


def augmented(
    images: Tensor, augment: Augment, generator: torch.Generator, erase: int = 0
) -> Tensor:
    """The batch with each image flipped, moved or partly hidden at random.

    Args:
        images: uint8 (n, 1, 28, 28).
        augment: none, flip (left to right, every other image), shift or flip-shift.
        generator: Source of the draws, on the images' device.
        erase: Side of the square hidden in each image, in pixels.
    """
    if augment in ("flip", "flip-shift"):
        images = _flipped(images, generator)
    if augment in ("shift", "flip-shift"):
        images = _shifted(images, generator)
    if erase:
        images = _erased(images, erase, generator)
    return images


def mixed(
    images: Tensor, labels: Tensor, most: float, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """The batch with another of its images blended into each (Zhang et al. 2018, "mixup").

    Args:
        images: uint8 (n, 1, 28, 28).
        labels: int64 (n,), or float32 (n, 10).
        most: Largest share of the other image; each image's own share of it is drawn evenly.
        generator: Source of the draws, on the images' device.

    Returns:
        The blended images, the other images' labels, and their shares float32 (n,).
    """
    share = most * torch.rand(len(images), generator=generator, device=images.device)
    other = torch.randperm(len(images), generator=generator, device=images.device)
    blended = torch.lerp(images.float(), images[other].float(), share[:, None, None, None])
    return blended.round_().to(torch.uint8), labels[other], share


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


def _erased(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Hide a square of each image (DeVries and Taylor 2017, "Cutout"); it may stick out."""
    count, _, height, width = images.shape
    top, left = torch.randint(
        -(side // 2), height - side // 2, (2, count, 1), generator=generator, device=images.device
    )
    rows = torch.arange(height, device=images.device) - top
    columns = torch.arange(width, device=images.device) - left
    hidden = ((rows >= 0) & (rows < side))[:, None, :, None] & ((columns >= 0) & (columns < side))[
        :, None, None, :
    ]
    return images.masked_fill(hidden, ERASED)
