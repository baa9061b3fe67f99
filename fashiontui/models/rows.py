"""Convolution and normalisation for CPUs, in a layout that any number of channels fills.

Torch's own kernels compute several channels at a time; with one grey channel, or 23, part of a
processor's lanes idle. Here tensors are (n, c, h, w) as everywhere, but lie in
memory as (h, c, w, n): neighbours are the same pixel of different images, so that every operation
runs over long stretches without gaps. In this layout the rows that a kernel covers are one matrix
for every row of the output, without a copy, and a convolution is a batch of matrix products.

Along the width, products are saved by the Toom-Cook algorithm (Winograd 1980, "Arithmetic
Complexity of Computations"; Lavin and Gray 2016): polynomials of 7 outputs and 5 taps are evaluated
at 11 points, so that 11 products do the work of 35. In float32 its rounding errors are some 4e-6
of the values' standard deviation, more than a plain sum's and far less than bfloat16's.
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

TILE = 7
"""Neighbouring outputs computed from one evaluation: divides widths 28, 14 and 7."""
POINTS = (1, -1, 0.5, -0.5, 3, -3, 1.5, -1.5, 0.25, -0.25)
"""Where polynomials are evaluated, besides infinity: of many sets tried, one of the most exact."""
FEW = 3
"""Up to so many channels the kernel's columns are copied side by side instead: with so few,
products saved would be products of tiny matrices."""
BLOCK = 4
"""Rows whose gradients are multiplied together with few channels: matrices of one are too small."""


def convolved(images: Tensor, kernels: Tensor) -> Tensor:
    """The convolution with zeros around the images, which keeps their size.

    Args:
        images: Float (n, c, h, w).
        kernels: Float (c_out, c, k, k), k odd and at most 5.
    """
    result: Tensor = _Convolution.apply(images, kernels)
    return result


def normalised(images: Tensor, bias: Tensor, epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    """Batch normalisation over everything but the channels.

    Args:
        images: Float (n, c, h, w).
        bias: Added to each channel, float (c,).
        epsilon: Added to the variance.

    Returns:
        The images, and each channel's mean and (biased) variance, which carry no gradient.
    """
    result: tuple[Tensor, Tensor, Tensor] = _BatchNorm.apply(images, bias, epsilon)
    return result


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, kernels: Tensor) -> Tensor:
        lines = _lines(images)
        spread = _spread(lines, kernels.shape[-1])
        ctx.save_for_backward(spread, kernels)
        return _images(_correlated(spread, kernels, lines.shape[2]))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        spread, kernels = ctx.saved_tensors
        lines = _lines(grad)
        of_images = of_kernels = None
        if ctx.needs_input_grad[0]:
            mirrored = kernels.flip(2, 3).transpose(0, 1)
            again = _spread(lines, kernels.shape[-1])
            of_images = _images(_correlated(again, mirrored, lines.shape[2]))
        if ctx.needs_input_grad[1]:
            of_kernels = _kernel_gradient(spread, lines, kernels)
        return of_images, of_kernels


def _lines(images: Tensor) -> Tensor:
    """Images (n, c, h, w) as (h, c, w, n), a copy unless they lie in memory like that."""
    return images.permute(2, 1, 3, 0).contiguous()


def _images(lines: Tensor) -> Tensor:
    """The reverse of ``_lines``, without a copy."""
    return lines.permute(3, 1, 0, 2)


def _spread(lines: Tensor, kernel: int) -> Tensor:
    """What is multiplied with kernels: (h + k - 1, c, points, tiles * n), zeros above and below.

    With few channels: (h + k - 1, c, k, w * n), every column of the kernel its own copy.
    """
    height, channels, width, count = lines.shape
    around = kernel // 2
    if channels <= FEW:
        spread = lines.new_zeros(height + 2 * around, channels, kernel, width, count)
        for column in range(kernel):
            left, right = max(0, around - column), min(width, width + around - column)
            moved = slice(left + column - around, right + column - around)
            spread[around : around + height, :, column, left:right] = lines[:, :, moved]
        return spread.flatten(3)
    points, tiles = TILE + kernel - 1, -(-width // TILE)
    spread = lines.new_empty(height + 2 * around, channels, points, tiles * count)
    spread[:around] = 0
    spread[around + height :] = 0
    evaluate = _evaluation(width, kernel, lines.dtype)
    torch.bmm(
        evaluate.expand(height * channels, -1, -1),
        lines.flatten(0, 1),
        out=spread[around : around + height].view(height * channels, points * tiles, count),
    )
    return spread


def _correlated(spread: Tensor, kernels: Tensor, width: int) -> Tensor:
    """Kernels (c_out, c, k, k) slid over what ``_spread`` made: (h, c_out, w, n)."""
    rows, channels, points, length = spread.shape
    wide, kernel = len(kernels), kernels.shape[-1]
    height = rows - kernel + 1
    if channels <= FEW:
        windows = _windows(spread.view(rows, channels * kernel, 1, length), kernel)[0]
        flat = kernels.transpose(1, 2).reshape(1, wide, -1)
        return torch.bmm(flat.expand(height, -1, -1), windows).view(height, wide, width, -1)
    factors = _kernel_values(kernels)
    products = spread.new_empty(points, height, wide, length)
    for factor, window, product in zip(factors, _windows(spread, kernel), products, strict=True):
        torch.bmm(factor.expand(height, -1, -1), window, out=product)
    interpolate, _ = _interpolation(kernel, spread.dtype)
    tiles = -(-width // TILE)
    by_row = products.flatten(2).transpose(0, 1)  # one product a row: threads share them out
    outputs = torch.bmm(interpolate.expand(height, -1, -1), by_row)
    in_order = outputs.view(height, TILE, wide, tiles, -1).permute(0, 2, 3, 1, 4)
    lines = in_order.reshape(height, wide, tiles * TILE, -1)
    return lines if tiles * TILE == width else lines[:, :, :width].contiguous()


def _kernel_gradient(spread: Tensor, grad: Tensor, kernels: Tensor) -> Tensor:
    """Gradient of the kernels, from what they were slid over and the output's gradient."""
    rows, channels, points, length = spread.shape
    height, wide, width, count = grad.shape
    kernel = kernels.shape[-1]
    if channels <= FEW:
        together = BLOCK if height % BLOCK == 0 else 1
        covered = kernel + together - 1
        columns = spread.view(rows, channels * kernel, 1, length)
        [windows] = _windows(columns, covered, step=together)
        flat = torch.bmm(grad.reshape(height // together, together * wide, -1), windows.mT).sum(0)
        by_row = flat.view(together, wide, covered, channels, kernel)
        own = [by_row[row, :, row : row + kernel] for row in range(together)]
        return torch.stack(own).sum(0).transpose(1, 2)
    tiles = -(-width // TILE)
    values = torch.bmm(
        _back_interpolation(width, kernel, grad.dtype).expand(height * wide, -1, -1),
        grad.flatten(0, 1),
    ).view(height, wide, points, tiles * count)
    sums = torch.stack(
        [
            torch.bmm(values[:, :, point], window.mT).sum(0)
            for point, window in enumerate(_windows(spread, kernel))
        ]
    ).view(points, wide, kernel, channels)
    _, taps = _interpolation(kernel, grad.dtype)
    return torch.einsum("pk,poyc->ocyk", taps, sums)


def _windows(spread: Tensor, kernel: int, step: int = 1) -> list[Tensor]:
    """For each point, and each row of the output, the rows a kernel covers: (h, k * c, length).

    Views: neighbouring rows overlap in memory. With a step they are those of each ``step`` rows.
    """
    rows, channels, points, length = spread.shape
    row = channels * points * length
    return [
        spread.as_strided(
            ((rows - kernel) // step + 1, kernel * channels, length),
            (step * row, points * length, 1),
            spread.storage_offset() + point * length,
        )
        for point in range(points)
    ]


def _kernel_values(kernels: Tensor) -> Tensor:
    """Each kernel's rows at every point: (points, c_out, k * c)."""
    _, taps = _interpolation(kernels.shape[-1], kernels.dtype)
    values = torch.einsum("pk,ocyk->poyc", taps, kernels)
    return values.reshape(len(taps), len(kernels), -1)


@cache
def _toom_cook(kernel: int) -> tuple[Tensor, Tensor, Tensor]:
    """Matrices A (points, tile), G (points, k) and B (points, points), of Lavin and Gray, float64.

    Outputs of a tile are A^T [(G g) * (B d)] for its kernel's row g and its inputs d. Each point is
    scaled so that the rows of G and B have length 1.
    """
    count = TILE + kernel - 1
    finite = torch.tensor(POINTS[: count - 1], dtype=torch.float64)

    def powers(degree: int) -> Tensor:
        values = finite[:, None] ** torch.arange(degree)
        at_infinity = F.one_hot(torch.tensor([degree - 1]), degree).double()
        return torch.cat([values, at_infinity])

    a, g, b = powers(TILE), powers(kernel), torch.linalg.inv(powers(count)).T
    lengths_g, lengths_b = g.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True)
    return a * lengths_g * lengths_b, g / lengths_g, b / lengths_b


@cache
def _interpolation(kernel: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """From values at the points to a tile's outputs (tile, points); from taps to values."""
    a, g, _ = _toom_cook(kernel)
    return a.T.to(dtype).contiguous(), g.to(dtype)


@cache
def _evaluation(width: int, kernel: int, dtype: torch.dtype) -> Tensor:
    """From a line of inputs to their values at each point for each tile: (points * tiles, w)."""
    _, _, b = _toom_cook(kernel)
    tiles, around, count = -(-width // TILE), kernel // 2, TILE + kernel - 1
    padded = torch.zeros(count, tiles, tiles * TILE + kernel - 1, dtype=torch.float64)
    for tile in range(tiles):
        padded[:, tile, tile * TILE : tile * TILE + count] = b
    return padded[:, :, around : around + width].flatten(0, 1).to(dtype).contiguous()


@cache
def _back_interpolation(width: int, kernel: int, dtype: torch.dtype) -> Tensor:
    """From a line of outputs' gradients to values at each point for each tile."""
    a, _, _ = _toom_cook(kernel)
    tiles, count = -(-width // TILE), TILE + kernel - 1
    padded = torch.zeros(count, tiles, tiles * TILE, dtype=torch.float64)
    for tile in range(tiles):
        padded[:, tile, tile * TILE : (tile + 1) * TILE] = a
    return padded[:, :, :width].flatten(0, 1).to(dtype).contiguous()


class _BatchNorm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, images: Tensor, bias: Tensor, epsilon: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        lines = _lines(images)
        mean = lines.mean((0, 2, 3))
        centred = lines - _to_channels(mean)
        variance = _dot(centred, centred) / _per_channel(lines)
        factor = (variance + epsilon).rsqrt()
        ctx.save_for_backward(centred, factor)
        ctx.mark_non_differentiable(mean, variance)
        return (
            _images(torch.addcmul(_to_channels(bias), centred, _to_channels(factor))),
            mean,
            variance,
        )

    @staticmethod
    def backward(
        ctx: Any, grad: Tensor, _mean: Tensor, _variance: Tensor
    ) -> tuple[Tensor, Tensor, None]:
        centred, factor = ctx.saved_tensors
        lines = _lines(grad)
        count = _per_channel(lines)
        of_bias = lines.sum((0, 2, 3))
        slope = _dot(lines, centred) * factor**2 / count
        result = lines - _to_channels(of_bias / count)
        result.addcmul_(centred, _to_channels(slope), value=-1).mul_(_to_channels(factor))
        return _images(result), of_bias, None


def _per_channel(lines: Tensor) -> int:
    return lines.numel() // lines.shape[1]


def _to_channels(values: Tensor) -> Tensor:
    """One value a channel, to meet (h, c, w, n)."""
    return values[:, None, None]


def _dot(one: Tensor, other: Tensor) -> Tensor:
    """Sum of products over each channel of (h, c, w, n): (c,)."""
    products: Tensor = torch.linalg.vecdot(one.flatten(2), other.flatten(2))
    return products.sum(0)
