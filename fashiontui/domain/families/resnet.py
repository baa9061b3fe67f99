"""Small residual networks (He, Zhang, Ren and Sun 2016, "Deep Residual Learning").

A 3x3 stem with max pooling, a block of two 3x3 convolutions for every number of the shape, the mean
of each channel, one output layer. Where the number changes, the block halves the image, rounding
up: 14, 7, 4, 2. Shortcuts have no weights, so that all of them are spent on 3x3 kernels.
"""

from fashiontui.domain.family import CLASSES, Family, Shape
from fashiontui.domain.layers import Conv, GlobalPool, Output, Part, Residual


def _parts(channels: Shape) -> tuple[Part, ...]:
    """Stem as wide as the first block; ``16,16,32`` are two blocks at 14x14 and one at 7x7."""
    parts: list[Part] = [Conv("stem", channels[0], 3, pool=2)]
    before = channels[0]
    for i, width in enumerate(channels, start=1):
        first = Conv(f"block{i}a", width, 3, stride=1 if width == before else 2)
        second = Conv(f"block{i}b", width, 3, activation=False)
        parts.append(Residual(f"block{i}", (first, second)))
        before = width
    return (*parts, GlobalPool(), Output(CLASSES))


FAMILY = Family(
    name="resnet",
    title="ResNet",
    about="residual 3x3 blocks",
    parts=_parts,
    inputs=1,
    repeats=(1, 1, 1),
    taper=(2.0, 4.0),
    max_depth=12,
    shape_word="channels",
    marker="▲",
    always_normalised=True,
)
