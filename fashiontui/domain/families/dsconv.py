"""Depthwise-separable networks (Howard et al. 2017, "MobileNets"), with residuals.

A 3x3 stem with max pooling, a separable block for every number of the shape, the mean of each
channel, one output layer. A block is a 3x3 convolution of each channel on its own, then a 1x1
convolution across them: about a ninth of a full convolution's weights. Where the number changes,
the block halves the image, rounding up: 14, 7, 4, 2; where it stays, a shortcut leads around it
(Sandler et al. 2018).
"""

from fashiontui.domain.family import CLASSES, Family, Shape
from fashiontui.domain.layers import Conv, GlobalPool, Output, Part, Residual


def _parts(channels: Shape) -> tuple[Part, ...]:
    """Stem as wide as the first block; ``16,32,32`` are one block at 14x14 and two at 7x7."""
    parts: list[Part] = [Conv("stem", channels[0], 3, pool=2)]
    before = channels[0]
    for i, width in enumerate(channels, start=1):
        same = width == before
        depthwise = Conv(f"depth{i}", before, 3, stride=1 if same else 2, groups=before)
        pointwise = Conv(f"point{i}", width, 1, activation=not same)
        parts += [Residual(f"block{i}", (depthwise, pointwise))] if same else [depthwise, pointwise]
        before = width
    return (*parts, GlobalPool(), Output(CLASSES))


FAMILY = Family(
    name="dsconv",
    title="DSConv",
    about="depthwise-separable blocks",
    parts=_parts,
    inputs=1,
    repeats=(2, 2, 2),
    taper=(1.5, 2.5),
    max_depth=16,
    shape_word="channels",
    marker="◆",
    always_normalised=True,
)
