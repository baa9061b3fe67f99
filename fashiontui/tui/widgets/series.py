"""What a chart shows: curves, levels to compare with, and which part of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Quantity:
    """What a chart shows over the epochs."""

    title: str
    decimals: int
    log_title: str
    """What the chart is called while its axis is logarithmic."""
    on_log: Callable[[float], float]
    """What stands on the logarithmic axis for a value."""


LOSS = Quantity("Loss", 3, "Loss · log", lambda loss: loss)
ACCURACY = Quantity(
    "Validation accuracy %", 2, "Validation error % · log", lambda accuracy: 100 - accuracy
)
"""The last points of accuracy are the hard ones; the error's logarithm spreads them out."""


@dataclass(frozen=True)
class Series:
    """One curve."""

    label: str
    look: str
    """The theme variable, less ``series-``, that gives its colour."""
    glyph: str
    """Stands at each of its epochs and in the legend; a line alone where it is ``━``."""
    points: Sequence[tuple[float, float]]
    """(epoch, value), ascending."""

    def at(self, epoch: float) -> float | None:
        """The value at the point nearest to an epoch; None when none is within half an epoch."""
        near = min(self.points, key=lambda point: abs(point[0] - epoch), default=None)
        return near[1] if near and abs(near[0] - epoch) <= 0.5 else None


@dataclass(frozen=True)
class Reference:
    """A level to compare with, drawn across the whole chart."""

    label: str
    """Whose level it is; the value follows it."""
    value: float


@dataclass(frozen=True)
class View:
    """What of the epochs is shown; both charts share it."""

    window: tuple[float, float] | None = None
    """First and last epoch shown; all of them when None."""
    cursor: int | None = None
    """Epoch chosen by key or click; it stays."""
    hover: int | None = None
    """Epoch under the mouse; it goes with it."""

    @property
    def read(self) -> int | None:
        """Epoch whose values the legend reads out; the newest values when None."""
        return self.cursor if self.hover is None else self.hover
