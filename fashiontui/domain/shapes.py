"""Exact weight arithmetic, layer by layer, for every family.

``weights`` is always every trainable parameter, biases included. Normalisation costs none: it has
no scale of its own, and its shift *is* the layer's bias (see ``models/norm.py``). The count is
therefore a function of the shape alone, whatever the recipe.
"""

from collections.abc import Callable
from dataclasses import dataclass

from fashiontui.domain.errors import UsageError

IMAGE_SIDE = 28
"""Height and width of a Fashion-MNIST image, in pixels."""
CLASSES = 10
MOST_WEIGHTS = 100_000_000
"""Of a shape given by hand: 1.6 GB with its gradients and an optimiser's two moments."""
KERNEL = 5
"""Side of the report's convolution kernels; stride 1 and padding 2 keep the image's size."""

Shape = tuple[int, ...]
"""Hidden widths of an FCN, or channels of a CNN, from input to output."""


@dataclass(frozen=True)
class Layer:
    """One layer with weights, as a row of the layer table."""

    name: str
    output: tuple[int, ...]
    """Size of the layer's own output for one image, before any pooling: (n,) or (c, h, w)."""
    weights: int


@dataclass(frozen=True)
class Family:
    """One kind of architecture: how its shapes are counted and which of them are legal."""

    name: str
    title: str
    layers: Callable[[Shape], tuple[Layer, ...]]
    """Layers with weights of a legal shape, in order."""
    inputs: int
    """What enters the first layer: pixels for an FCN, grey channels for a CNN."""
    taper: tuple[float, float]
    """Least and greatest second-to-first width ratio the solver prefers."""
    max_depth: int
    """Most entries a shape may have."""
    shape_word: str
    """What the numbers of a shape are called."""
    counts_output: bool
    """Whether the report's own count of this family includes the output layer."""

    def weights(self, shape: Shape) -> int:
        """Number of trainable parameters of the network."""
        return sum(layer.weights for layer in self.layers(shape))

    def report_weights(self, shape: Shape) -> int:
        """Number of weights by the report's rule for this family.

        The report sums its formula (1) without the output layer for FCNs, but counts the output
        layer of CNNs.
        """
        layers = self.layers(shape)
        return sum(layer.weights for layer in (layers if self.counts_output else layers[:-1]))

    def check(self, shape: Shape) -> Shape:
        """Return the shape if it is legal.

        Raises:
            UsageError: it is empty, too deep, too large, or has a width below 1.
        """
        if not 1 <= len(shape) <= self.max_depth:
            raise UsageError(
                f"{self.title} takes 1 to {self.max_depth} {self.shape_word}, not {len(shape)}."
            )
        if min(shape) < 1:
            raise UsageError(f"{self.title} {self.shape_word} must be 1 or more, not {min(shape)}.")
        if self.weights(shape) > MOST_WEIGHTS:
            raise UsageError(
                f"{self.describe(shape)} has {self.weights(shape):,} weights, more than the "
                f"{MOST_WEIGHTS:,} allowed."
            )
        return shape

    def describe(self, shape: Shape) -> str:
        """The shape as the report writes it, input and output included: ``784-112-106-10``."""
        return "-".join(str(width) for width in (self.inputs, *shape, CLASSES))


def _fcn_layers(hidden: Shape) -> tuple[Layer, ...]:
    """Formula (1) of the report, a layer at a time: (n_i + 1) * n_(i+1)."""
    widths = (IMAGE_SIDE**2, *hidden, CLASSES)
    names = [f"hidden{i}" for i in range(1, len(hidden) + 1)] + ["output"]
    return tuple(
        Layer(name, (after,), (before + 1) * after)
        for name, before, after in zip(names, widths, widths[1:], strict=False)
    )


def _cnn_layers(channels: Shape) -> tuple[Layer, ...]:
    """Formula (3) of the report, (c_in * k * k + 1) * c_out, then the output layer.

    Every convolution keeps the image's size and is followed by max pooling that halves it,
    rounding down: 28, 14, 7, 3, 1.
    """
    layers = []
    before, side = 1, IMAGE_SIDE
    for i, after in enumerate(channels, start=1):
        layers.append(
            Layer(f"conv{i}", (after, side, side), (before * KERNEL * KERNEL + 1) * after)
        )
        before, side = after, side // 2
    layers.append(Layer("output", (CLASSES,), (before * side * side + 1) * CLASSES))
    return tuple(layers)


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            "fcn",
            "FCN",
            _fcn_layers,
            inputs=IMAGE_SIDE**2,
            taper=(0.5, 1.0),
            max_depth=8,
            shape_word="hidden widths",
            counts_output=False,
        ),
        Family(
            "cnn",
            "CNN",
            _cnn_layers,
            inputs=1,
            taper=(1.0, 2.0),
            max_depth=4,
            shape_word="channels",
            counts_output=True,
        ),
    )
}


def family_named(name: str) -> Family:
    """The family of that name.

    Raises:
        UsageError: there is none.
    """
    try:
        return FAMILIES[name]
    except KeyError:
        known = ", ".join(FAMILIES)
        raise UsageError(f"Unknown architecture {name!r}; choose one of {known}.") from None
