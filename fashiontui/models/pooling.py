"""Max pooling over squares of 2 x 2 for training on CPUs.

Torch's own takes one square after another, each over its channels, of which a small network has
too few to fill a processor's lanes. Here each operation runs over all squares at once, in whatever
layout the images lie, and the gradient is written once instead of filled with zeros first.
"""

from typing import Any

import torch
from torch import Tensor, nn


class MaxPool(nn.MaxPool2d):
    """The greatest of every square of 2 x 2, sizes rounded down; the very values of torch's own."""

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, h // 2, w // 2) of (n, c, h, w)."""
        if not (self.training and images.is_cpu):
            whole: Tensor = super().forward(images)
            return whole
        result: Tensor = _MaxPool.apply(images)
        return result


class _MaxPool(torch.autograd.Function):
    """Of equal values the first counts, row by row, as in torch's own pooling.

    What is kept for the gradient are zeros and ones in floats: torch compares into booleans, and
    multiplies by them, four times as slowly.
    """

    @staticmethod
    def forward(ctx: Any, images: Tensor) -> Tensor:
        ctx.shape = images.shape
        left, right = _pairs(images, -1)
        greater = torch.maximum(left, right)
        above, below = _pairs(greater, -2)
        if ctx.needs_input_grad[0]:
            ctx.save_for_backward(_at_least(left, right), _at_least(above, below))
            ctx.like = images.stride()
        return torch.maximum(above, below)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        is_left, is_above = ctx.saved_tensors
        of_greater = _shared_out(grad, is_above, torch.empty_like(is_left), -2)
        result = grad.new_empty_strided(ctx.shape, ctx.like)
        return _shared_out(of_greater, is_left, result, -1)


def _pairs(images: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Neighbours along a dimension; of an odd number the last is left out."""
    size = images.shape[dim] // 2 * 2
    if dim == -1:
        return images[..., 0:size:2], images[..., 1:size:2]
    return images[..., 0:size:2, :], images[..., 1:size:2, :]


def _at_least(one: Tensor, other: Tensor) -> Tensor:
    """1 where the one is as large as the other or larger, 0 elsewhere, as floats."""
    return torch.ge(one, other, out=torch.empty_like(one))


def _shared_out(grad: Tensor, is_first: Tensor, result: Tensor, dim: int) -> Tensor:
    """The result, filled with the gradients of pairs: each goes to the greater of the two."""
    first, second = _pairs(result, dim)
    torch.sub(grad, torch.mul(grad, is_first, out=first), out=second)
    if result.shape[dim] % 2:
        result.select(dim, -1).zero_()
    return result
