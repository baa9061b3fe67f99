"""Convolutional networks as the report draws them: 5x5 convolutions, pooling, one output layer."""

from fashiontui.domain.family import CLASSES, Family, ReportRule, Shape
from fashiontui.domain.layers import Conv, Flatten, Output, Part

KERNEL = 5
"""Side of the report's convolution kernels."""


def _parts(channels: Shape) -> tuple[Part, ...]:
    """Formula (3) of the report counts them, (c_in * k * k + 1) * c_out, then the output layer.

    Every convolution keeps the image's size and is followed by max pooling that halves it,
    rounding down: 28, 14, 7, 3, 1. Pooling stands before normalisation and activation: both
    activations are monotone, so pooling first gives the same values for a quarter of the work.
    """
    convs = (Conv(f"conv{i}", width, KERNEL, pool=2) for i, width in enumerate(channels, start=1))
    return (*convs, Flatten(), Output(CLASSES))


FAMILY = Family(
    name="cnn",
    title="CNN",
    about="5x5 convolutions",
    parts=_parts,
    inputs=1,
    repeats=(1, 1),
    taper=(1.0, 2.0),
    max_depth=4,
    shape_word="channels",
    marker="■",
    report=ReportRule(table=2, counts_output=True),
)
