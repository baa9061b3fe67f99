"""A chart of dots over numbers or named values: trials of a study."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from textual.app import RenderResult
from textual_plotext import PlotextPlot

from fashiontui.tui.widgets.axes import epoch_ticks, labels, log_ticks, round_ticks
from fashiontui.tui.widgets.chart import Marker
from fashiontui.tui.widgets.drawing import Drawing

ROWS_PER_TICK = 3
COLUMNS_PER_TICK = 10
MARGIN = 0.06
"""Room around the dots, as a share of their range."""


@dataclass(frozen=True)
class Dot:
    """One trial."""

    x: float
    y: float
    glyph: str
    look: str
    """Component class, less ``dots--``, that gives its colour."""


@dataclass(frozen=True)
class Axis:
    """What stands along the bottom."""

    low: float
    high: float
    log: bool = False
    names: tuple[str, ...] = ()
    """Of the values 0, 1, 2, …, where they are no numbers."""
    whole: bool = False
    """Whether its values are counted, and nothing lies between them."""


class Dots(PlotextPlot):
    """Dots, and a line of the best so far where there is one."""

    auto_links = False
    COMPONENT_CLASSES = {
        "dots--axes",
        "dots--complete",
        "dots--pruned",
        "dots--best",
        "dots--here",
    }

    def __init__(self, empty: str, id: str, marker: Marker) -> None:  # noqa: A002
        """Args:
        empty: Shown while there is no dot.
        id: Of the widget.
        marker: How lines are drawn.
        """
        super().__init__(id=id, classes="panel")
        self._empty = empty
        self._dots: Sequence[Dot] = ()
        self._line: Sequence[tuple[float, float]] = ()
        self._axis = Axis(0, 1)
        self._marker = marker

    def show(
        self, dots: Sequence[Dot], axis: Axis, line: Sequence[tuple[float, float]] = ()
    ) -> None:
        """Draw these.

        Args:
            dots: The last one on top.
            axis: Along the bottom.
            line: Points of a line beneath the dots.
        """
        self._dots, self._axis, self._line = dots, axis, line
        self.refresh()

    def render(self) -> RenderResult:
        """Lay the axes out and let plotext draw."""
        width, height = self.size
        if not self._dots or width < 14 or height < 4:
            return self._empty if width >= 14 else ""
        plot = self.plt
        plot.clear_data()
        plot.theme("clear")
        plot.frame(False)
        plot.xaxes(True, False)
        plot.yaxes(True, False)
        plot.ticks_color(self._colour("axes"))
        values = [dot.y for dot in self._dots]
        low, high = min(values), max(values)
        low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
        ticks = round_ticks(low, high, max(2, height // ROWS_PER_TICK))
        plot.yticks(ticks, labels(ticks))
        plot.ylim(low - MARGIN * (high - low), high + MARGIN * (high - low))
        self._lay_bottom(width)
        if self._line:
            drawn = "." if self._marker == "ascii" else "·"  # on the same grid as the dots
            xs, ys = [self._at(x) for x, _ in self._line], [y for _, y in self._line]
            plot.plot(xs, ys, marker=drawn, color=self._colour("best"))
        alike: dict[tuple[str, str], list[Dot]] = {}
        for dot in self._dots:
            alike.setdefault((dot.glyph, dot.look), []).append(dot)
        for (glyph, look), dots in alike.items():
            xs, ys = [self._at(dot.x) for dot in dots], [dot.y for dot in dots]
            plot.scatter(xs, ys, marker=glyph, color=self._colour(look))
        return Drawing(plot, width, height)

    def _at(self, x: float) -> float:
        return log10(x) if self._axis.log else x

    def _lay_bottom(self, width: int) -> None:
        axis = self._axis
        left, right = self._at(axis.low), self._at(axis.high)
        room = MARGIN * (right - left) if right > left else 0.5
        most = max(1, width // COLUMNS_PER_TICK)
        if axis.names:
            room = 0.5
            step = -(-len(axis.names) // most)
            ticks = [float(at) for at in range(0, len(axis.names), step)]
            shown = [axis.names[int(at)] for at in ticks]
        elif axis.log:
            ticks = log_ticks(axis.low, axis.high)
            ticks = ticks[:: -(-len(ticks) // most)]
            shown = [f"{tick:g}" for tick in ticks]
        elif axis.whole:
            ticks = [*map(float, epoch_ticks(axis.low, axis.high, most))]
            shown = labels(ticks)
        else:
            ticks = round_ticks(axis.low, axis.high, most) if right > left else [left]
            shown = labels(ticks)
        self.plt.xlim(left - room, right + room)
        self.plt.xticks([self._at(tick) for tick in ticks], shown)

    def _colour(self, look: str) -> tuple[int, int, int]:
        return self.get_component_styles(f"dots--{look}").color.rgb
