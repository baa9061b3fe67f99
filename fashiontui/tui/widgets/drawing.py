"""A drawn plot as lines of the screen.

plotext spells its canvas with escape codes, and Rich and Textual would each read and rewrite the
whole text; taking the cells as plotext holds them spares the interpreter two thirds of that time,
which the training thread needs for itself.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.color import Color
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual

if TYPE_CHECKING:
    from textual_plotext import Plot

Colour = tuple[int, int, int] | str
"""Red, green and blue; a word where plotext names none."""
Cell = tuple[str, Colour]
Line = list[tuple[str, Colour]]
"""Stretches of one colour each."""


class Drawing(Visual):
    """What plotext drew: one colour a cell, on whatever background the widget has."""

    def __init__(self, plot: "Plot", width: int, height: int) -> None:
        """Draw a plot.

        Args:
            plot: With its data, axes and ticks set.
            width: In cells.
            height: In lines.
        """
        self._lines = [stretches(row) for row in cells(plot, width, height)]

    def render_strips(
        self, width: int, height: int | None, style: Style, options: RenderOptions
    ) -> list[Strip]:
        """The lines, each a strip of segments of one colour."""
        return [strip(line, style.rich_style) for line in self._lines]

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        """As wide as the container."""
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:
        """As many lines as were drawn."""
        return len(self._lines)


def cells(plot: "Plot", width: int, height: int) -> list[list[Cell]]:
    """What plotext makes of a plot, from the top line down.

    Args:
        plot: With its data, axes and ticks set.
        width: In cells.
        height: In lines.
    """
    plot.plotsize(width, height)
    plot._set_size(width, height)  # plotsize alone is not enough
    figure: Any = plot  # plotext has no types, nor a public name for its cells
    figure._set_sizes()
    figure._build_matrix()
    matrix = figure.monitor.matrix
    return [
        list(zip(characters, colours, strict=True))
        for characters, colours in zip(
            reversed(matrix.marker), reversed(matrix.fullground), strict=True
        )
    ]


def stretches(row: Sequence[Cell]) -> Line:
    """Neighbouring cells of one colour together."""
    return [
        ("".join(cell for cell, _ in alike), colour)
        for colour, alike in groupby(row, key=lambda cell: cell[1])
    ]


def strip(line: Line, base: RichStyle) -> Strip:
    """A drawn line, a segment for each stretch of one colour."""
    return Strip([Segment(text, coloured(base, colour)) for text, colour in line])


@lru_cache(256)
def coloured(base: RichStyle, colour: Colour) -> RichStyle:
    """The base style in a colour; unchanged where plotext names none."""
    return base if isinstance(colour, str) else base + RichStyle(color=Color.from_rgb(*colour))
