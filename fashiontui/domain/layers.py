"""What networks are made of, as data: each part knows its weights and what it puts out.

A family declares its networks as sequences of these parts. The arithmetic is summed from them, and
``models/build.py`` makes torch modules of the very same parts, so the two cannot disagree.

Every convolution and every linear layer has one bias a channel. Where there is normalisation, its
shift *is* that bias and its scale is fixed (see ``models/parts.py``), so it adds no weights: the
count is a function of the shape alone, whatever the recipe.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

Size = tuple[int, ...]
"""What a part takes or puts out for one image: (channels, height, width) or (features,)."""


@dataclass(frozen=True)
class Layer:
    """One layer with weights, as a row of the layer table."""

    name: str
    output: Size
    """Size of the layer's own output for one image, before any pooling: (n,) or (c, h, w)."""
    weights: int

    @property
    def multiply_adds(self) -> int:
        """Multiplications for one image, each with its addition: a weight is used once a place.

        Those with the zeros around an image count too; biases multiply nothing.
        """
        return (self.weights - self.output[0]) * prod(self.output[1:])


@dataclass(frozen=True)
class Conv:
    """A convolution, then max pooling, normalisation and the nonlinearity.

    Zeros around the image keep its size where the stride is 1.
    """

    name: str
    width: int
    """Channels it puts out."""
    kernel: int
    """Side of its kernels; odd."""
    stride: int = 1
    pool: int = 1
    """Side of the max pooling's squares; sizes are rounded down, and 1 is none."""
    groups: int = 1
    """Parts the channels are split into; as many as there are channels: a depthwise convolution."""
    activation: bool = True
    """Whether the nonlinearity follows."""

    def convolved(self, size: Size) -> Size:
        """What the convolution itself puts out."""
        _, height, width = size
        return self.width, -(-height // self.stride), -(-width // self.stride)

    def output(self, size: Size) -> Size:
        """What is left after pooling."""
        channels, height, width = self.convolved(size)
        return channels, height // self.pool, width // self.pool

    def layers(self, size: Size) -> Iterator[Layer]:
        """Its row: each channel has k * k weights for every channel of its group, and a bias."""
        weights = (size[0] // self.groups * self.kernel**2 + 1) * self.width
        yield Layer(self.name, self.convolved(size), weights)


@dataclass(frozen=True)
class Linear:
    """A fully connected layer, then normalisation and the nonlinearity."""

    name: str
    width: int
    """Features it puts out."""

    def output(self, size: Size) -> Size:
        """As many features as it is wide."""
        return (self.width,)

    def layers(self, size: Size) -> Iterator[Layer]:
        """Its row: each feature has a weight for every feature before it, and a bias."""
        yield Layer(self.name, (self.width,), (size[0] + 1) * self.width)


@dataclass(frozen=True)
class Output:
    """The layer that gives the logits, behind dropout where the recipe has any."""

    classes: int

    def output(self, size: Size) -> Size:
        """A logit for each class."""
        return (self.classes,)

    def layers(self, size: Size) -> Iterator[Layer]:
        """Its row: each logit has a weight for every feature, and a bias."""
        yield Layer("output", (self.classes,), (size[0] + 1) * self.classes)


@dataclass(frozen=True)
class Flatten:
    """All values of an image in one row."""

    def output(self, size: Size) -> Size:
        """As many features as there are values."""
        return (prod(size),)

    def layers(self, size: Size) -> Iterator[Layer]:
        """It has no weights."""
        return iter(())


@dataclass(frozen=True)
class GlobalPool:
    """The mean of each channel over the whole image (Lin et al. 2014)."""

    def output(self, size: Size) -> Size:
        """A feature for each channel."""
        return size[:1]

    def layers(self, size: Size) -> Iterator[Layer]:
        """It has no weights."""
        return iter(())


@dataclass(frozen=True)
class Residual:
    """Convolutions with a shortcut around them, then the nonlinearity (He et al. 2016).

    The shortcut has no weights: where the image shrinks it takes means over squares, and channels
    it lacks are zero, those too many left out (He's option A; means as in He et al. 2019).
    """

    name: str
    body: tuple[Conv, ...]

    @property
    def stride(self) -> int:
        """By how much the shortcut must shrink the image."""
        return prod(conv.stride for conv in self.body)

    def output(self, size: Size) -> Size:
        """What the last convolution puts out."""
        return output_size(self.body, size)

    def layers(self, size: Size) -> Iterator[Layer]:
        """Those of its convolutions."""
        return layers_of(self.body, size)


Part = Conv | Linear | Output | Flatten | GlobalPool | Residual


def layers_of(parts: tuple[Part, ...], size: Size) -> Iterator[Layer]:
    """The layers with weights of a sequence of parts that takes images of a size, in order."""
    for part in parts:
        yield from part.layers(size)
        size = part.output(size)


def output_size(parts: tuple[Part, ...], size: Size) -> Size:
    """What the last of the parts puts out."""
    for part in parts:
        size = part.output(size)
    return size
