"""A family: one kind of architecture, from the numbers of a shape to the parts of a network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fashiontui.domain.errors import UsageError
from fashiontui.domain.layers import Layer, Part, Size, layers_of

IMAGE_SIDE = 28
"""Height and width of a Fashion-MNIST image, in pixels."""
IMAGE_SIZE: Size = (1, IMAGE_SIDE, IMAGE_SIDE)
"""One grey image."""
CLASSES = 10
MOST_WEIGHTS = 100_000_000
"""Of a shape given by hand: 1.6 GB with its gradients and an optimiser's two moments."""

Shape = tuple[int, ...]
"""Hidden widths of an FCN, or channels of the others, from input to output."""


@dataclass(frozen=True)
class ReportRule:
    """How the report tells of a family."""

    table: int
    """Number of the report's table with its models."""
    counts_output: bool
    """Whether the report's own count includes the output layer."""


@dataclass(frozen=True)
class Family:
    """One kind of architecture: what its networks are made of, and which shapes are legal."""

    name: str
    """As ``--arch`` takes it."""
    title: str
    """As people read it."""
    about: str
    """What it is, in a line."""
    parts: Callable[[Shape], tuple[Part, ...]]
    """The network of a legal shape, from image to logits."""
    inputs: int
    """What enters the first layer: pixels for an FCN, grey channels for the others."""
    repeats: tuple[int, ...]
    """How often the solver repeats each width: ``(1, 2, 2)`` makes shapes a-b-b-c-c."""
    taper: tuple[float, float]
    """Least and greatest last-to-first width ratio the solver prefers."""
    max_depth: int
    """Most entries a shape may have."""
    shape_word: Literal["hidden widths", "channels"]
    """What the numbers of a shape are called; their option is ``--hidden`` or ``--channels``."""
    marker: str
    """Its points on the terminal's chart."""
    always_normalised: bool = False
    """Whether batch normalisation is part of the architecture, or up to the recipe."""
    report: ReportRule | None = None
    """Set if the report has models of this family."""

    def layers(self, shape: Shape) -> tuple[Layer, ...]:
        """Layers with weights of a legal shape, in order."""
        return tuple(layers_of(self.parts(shape), IMAGE_SIZE))

    def weights(self, shape: Shape) -> int:
        """Number of trainable parameters of the network."""
        return sum(layer.weights for layer in layers_of(self.parts(shape), IMAGE_SIZE))

    def multiply_adds(self, shape: Shape) -> int:
        """Multiply-adds of the network for one image; twice as many floating-point operations."""
        return sum(layer.multiply_adds for layer in self.layers(shape))

    def report_weights(self, shape: Shape) -> int | None:
        """Number of weights by the report's rule for this family; None if it has none.

        The report sums its formula (1) without the output layer for FCNs, but counts the output
        layer of CNNs.
        """
        if self.report is None:
            return None
        layers = self.layers(shape)
        return sum(
            layer.weights for layer in (layers if self.report.counts_output else layers[:-1])
        )

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

    def spread(self, first: int, last: int, bend: float = 1.0) -> Shape:
        """The solver's shape between two widths, each as often as ``repeats`` says.

        Args:
            first: Width of its first layer.
            last: Width of its last.
            bend: At 1 those between grow by one ratio; above, they stay nearer to the first.
        """
        steps = len(self.repeats) - 1
        widths = [round(first * (last / first) ** ((i / steps) ** bend)) for i in range(steps)]
        return tuple(
            width
            for width, times in zip((*widths, last), self.repeats, strict=True)
            for _ in range(times)
        )
