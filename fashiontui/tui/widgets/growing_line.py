"""The line that grows while a run trains, drawn where it has grown.

plotext rasterises every stretch of a line again for every drawing, and holds the interpreter for
longer than all else that a tenth of a second brings; only the newest columns differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, takewhile
from math import floor
from typing import TYPE_CHECKING

from fashiontui.tui.widgets.drawing import Cell, Colour, cells

if TYPE_CHECKING:
    from textual_plotext import Plot

Points = Sequence[tuple[float, float]]
"""(x, y), x ascending."""
DOTS = {"braille": 2, "hd": 2, "fhd": 2}
"""Columns of dots a cell has, where it has more than one."""
MOST_SEEN = 4
"""Most points of a line that matter in one column of dots."""


@dataclass(frozen=True)
class Area:
    """Which values lie where on a canvas."""

    left: float
    right: float
    bottom: float
    top: float
    columns: int
    lines: int


class GrowingLine:
    """A line that gets its points one by one: plotext draws only the columns that are new."""

    def __init__(self, area: Area, marker: str, colour: Colour) -> None:
        """Args:
        area: What it is drawn on.
        marker: plotext's name of a marker, or a character.
        colour: Of the line.
        """
        self._area = area
        self._marker = marker
        self._colour = colour
        self._dots = DOTS.get(marker, 1)
        self._unit = (area.right - area.left) / (self._dots * area.columns - 1)
        self._points: Points = []
        self._end = (0, 0.0, 0.0)
        self.rows: list[list[Cell | None]] = [[None] * area.columns for _ in range(area.lines)]
        """From the top line down, None where the line is not."""

    def is_as(self, area: Area, marker: str, colour: Colour) -> bool:
        """Whether it is drawn so."""
        return (self._area, self._marker, self._colour) == (area, marker, colour)

    @cached_property
    def _plot(self) -> "Plot":
        """Where plotext draws; imported with the first curve, not before the first paint."""
        from textual_plotext import Plot

        return Plot()

    def grow(self, points: Points) -> set[int]:
        """Draw what differs from the last time.

        Args:
            points: All of them, (x, y), x ascending.

        Returns:
            The rows that look different.
        """
        before, self._points = self._points, points
        kept = _alike(before, points)
        if before and kept == len(before) and self._is_drawn(points[kept:]):
            return set()
        ends = [self._column(some[-1][0]) for some in (before, points) if len(some) > kept]
        if not ends:
            return set()
        last = max(1, *ends)
        first = min(last - 1, self._column(points[kept - 1][0])) if kept else 0
        begin = max(0, kept - 1)
        while begin and self._column(points[begin][0]) >= first:
            begin -= 1
        start = first  # or further left: plotext rounds towards its first column
        if points:
            start = min(first, self._column(points[begin][0]))
            self._end = self._end_of(points)
        changed = set()
        for y, row in enumerate(self._stretch(points[begin:], start, last)):
            new = [cell if cell[0] != " " else None for cell in row[first - start :]]
            if self.rows[y][first : last + 1] != new:
                self.rows[y][first : last + 1] = new
                changed.add(y)
        return changed

    def _is_drawn(self, further: Points) -> bool:
        """Whether the line goes on up and down a stretch of its last column of dots."""
        dot, low, high = self._end
        return all(self._dot(x) == dot and low <= y <= high for x, y in further)

    def _end_of(self, points: Points) -> tuple[int, float, float]:
        """The column of dots a line ends in, and from where to where it goes there."""
        dot = self._dot(points[-1][0])
        within = takewhile(lambda point: self._dot(point[0]) == dot, reversed(points))
        values = [y for _, y in within]
        return dot, min(values), max(values)

    def _dot(self, x: float) -> int:
        """The column of dots an x falls into, as plotext rounds."""
        return floor(round((x - self._area.left) / self._unit + 0.5, 8))

    def _column(self, x: float) -> int:
        """The column of cells an x falls into."""
        return min(self._area.columns - 1, max(0, self._dot(x) // self._dots))

    def _seen(self, points: Points) -> Points:
        """The first, lowest, highest and last point of each column of dots.

        A line through them looks as one through all (Jugel et al. 2014, "M4"), and plotext takes
        its time for every point.
        """
        kept: list[tuple[float, float]] = []
        for _, within in groupby(points, key=lambda point: self._dot(point[0])):
            alike = [*within]
            if len(alike) > MOST_SEEN:
                values = [y for _, y in alike]
                ends = {0, values.index(min(values)), values.index(max(values)), len(alike) - 1}
                alike = [alike[at] for at in sorted(ends)]
            kept += alike
        return kept

    def _stretch(self, points: Points, first: int, last: int) -> list[list[Cell]]:
        """The line's cells from one column to another, which plotext draws as a plot by itself."""
        plot, area, dots = self._plot, self._area, self._dots
        plot.clear_data()
        plot.theme("clear")
        plot.frame(False)
        plot.xaxes(False, False)
        plot.yaxes(False, False)
        plot.xticks([], [])
        plot.yticks([], [])
        left = area.left + dots * first * self._unit
        plot.xlim(left, left + (dots * (last + 1 - first) - 1) * self._unit)
        plot.ylim(area.bottom, area.top)
        if points:
            xs, ys = zip(*self._seen(points), strict=True)
            plot.plot([*xs], [*ys], marker=self._marker, color=self._colour)
        return cells(plot, last + 1 - first, area.lines)


def _alike(some: Points, others: Points) -> int:
    """How many points both begin with."""
    shorter = min(len(some), len(others))
    if some[:shorter] == others[:shorter]:  # much quicker than one by one
        return shorter
    pairs = enumerate(zip(some, others, strict=False))
    return next(at for at, (one, other) in pairs if one != other)
