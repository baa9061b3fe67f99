"""Accuracy against a cost on a logarithmic axis: points, bars for seeds, the frontier."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Literal

from textual import events
from textual.app import RenderResult
from textual.message import Message
from textual_plotext import PlotextPlot

from fashiontui.domain.pareto import Cost, Point, Quality
from fashiontui.domain.shapes import family_named
from fashiontui.tui.widgets.axes import labels, round_ticks
from fashiontui.tui.widgets.chart import Marker
from fashiontui.tui.widgets.drawing import Drawing

HOLLOW = {"●": "○", "■": "□", "▲": "△", "◆": "◇"}
"""How a family's points are drawn when others beat them at no more cost."""
REPORT, LIVE = "×", "▶"
ROWS_PER_TICK = 3
LOOKS = ("train", "validation", "a", "b", "c", "d")
"""Colours of the families, in the order they are first met."""


@dataclass(frozen=True)
class Plotted:
    """What is drawn."""

    points: Sequence[Point]
    """The cheapest first."""
    frontier: Sequence[Point]
    cost: Cost
    quality: Quality
    chosen: Point | None


class ParetoPlot(PlotextPlot, can_focus=True):
    """The plot; the mouse chooses the nearest point."""

    COMPONENT_CLASSES = {
        f"chart--{look}" for look in ("axes", "reference", "dim", "pinned", *LOOKS)
    }

    @dataclass
    class Pointed(Message):
        """The mouse was clicked nearest to a point."""

        point: Point
        opened: bool
        """Whether it was clicked twice."""

    def __init__(self) -> None:
        super().__init__(id="pareto-plot")
        self.marker: Marker = "braille"
        self._plotted: Plotted | None = None
        self._places: dict[int, tuple[float, float]] = {}

    def show(self, plotted: Plotted) -> None:
        """Draw other points."""
        if plotted != self._plotted:
            self._plotted = plotted
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Choose the point nearest to the mouse."""
        if self._plotted is None or not self._places:
            return

        def away(place: tuple[float, float]) -> float:
            return (place[0] - event.x) ** 2 + (2 * (place[1] - event.y)) ** 2

        nearest = min(self._places, key=lambda number: away(self._places[number]))
        point = self._plotted.points[nearest]
        self.post_message(self.Pointed(point, event.chain == 2))

    def render(self) -> RenderResult:
        """Lay the axes out and let plotext draw."""
        plot, shown = self.plt, self._plotted
        plot.clear_data()
        plot.theme("clear")
        width, height = self.size
        if shown is None or not shown.points or width < 20 or height < 6:
            return ""
        xs = [log10(p.cost(shown.cost) or 1) for p in shown.points]
        ys = [p.quality(shown.quality) or 0.0 for p in shown.points]
        left, right = min(xs) - 0.08, max(xs) + 0.08
        margin = 0.08 * (max(ys) - min(ys)) + 0.1
        bottom, top = min(ys) - margin, max(ys) + margin
        ticks = round_ticks(bottom, top, max(2, height // ROWS_PER_TICK))
        names = labels(ticks)
        plot.frame(False)
        plot.xaxes(True, False)
        plot.yaxes(True, False)
        plot.ticks_color(self._colour("axes"))
        plot.xlim(left, right)
        plot.ylim(bottom, top)
        plot.yticks(ticks, names)
        decades = _cost_ticks(left, right, width // 10)
        plot.xticks([log10(tick) for tick in decades], [short(t, shown.cost) for t in decades])
        self._draw_frontier(shown)
        best = {id(point) for point in shown.frontier}
        looks = _looks(shown.points)
        order = sorted(range(len(xs)), key=lambda i: (id(shown.points[i]) in best, xs[i]))
        dressed = [(xs[i], ys[i], self._dress(shown.points[i], best, looks)) for i in order]
        for at, (x, y, (_, colour)) in zip(order, dressed, strict=True):
            self._draw_bar(x, y, shown.points[at].spread(shown.quality), colour)
        for x, y, (glyph, colour) in dressed:  # over all bars
            plot.scatter([x], [y], marker=glyph, color=colour)
        self._draw_chosen(shown, bottom, top)
        offset = max(map(len, names)) + 1
        self._places = {
            i: (
                offset + (x - left) / (right - left) * (width - offset - 1),
                (top - y) / (top - bottom) * (height - 3),
            )
            for i, (x, y) in enumerate(zip(xs, ys, strict=True))
        }
        return Drawing(plot, width, height)

    def _dress(
        self, point: Point, best: set[int], looks: dict[str, str]
    ) -> tuple[str, tuple[int, int, int]]:
        """Glyph and colour of a point: hollow and dim where others beat it at no more cost."""
        if point.is_report:
            return REPORT, self._colour("reference")
        if point.is_live:
            return LIVE, self._colour("pinned")
        full = family_named(point.arch).marker
        if id(point) in best:
            return full, self._colour(looks[point.arch])
        return HOLLOW.get(full, "○"), self._colour("dim")

    def _draw_bar(
        self, x: float, y: float, spread: float | None, colour: tuple[int, int, int]
    ) -> None:
        """A standard deviation to each side."""
        if spread:
            steps = 2 * self.size.height
            bar = [y - spread + 2 * spread * i / steps for i in range(steps + 1)]
            self.plt.scatter([x] * len(bar), bar, marker="│", color=colour)

    def _draw_frontier(self, shown: Plotted) -> None:
        """Steps: at each cost the best accuracy that is known to be had for it."""
        steps: list[tuple[float, float]] = []
        for point in shown.frontier:
            x, y = log10(point.cost(shown.cost) or 1), point.quality(shown.quality) or 0.0
            if steps:
                steps.append((x, steps[-1][1]))
            steps.append((x, y))
        if len(steps) > 1:
            xs, ys = zip(*steps, strict=True)
            line = {"ascii": ".", "dot": "·"}.get(self.marker, self.marker)
            self.plt.plot([*xs], [*ys], marker=line, color=self._colour("axes"))

    def _draw_chosen(self, shown: Plotted, bottom: float, top: float) -> None:
        point = shown.chosen
        if point is None or point.quality(shown.quality) is None:
            return
        x, y = log10(point.cost(shown.cost) or 1), point.quality(shown.quality) or 0.0
        name = f"[{point.title}]"
        middle = (log10(shown.points[0].cost(shown.cost) or 1)
                  + log10(shown.points[-1].cost(shown.cost) or 1)) / 2  # fmt: skip
        above = y + (top - bottom) * 1.6 / max(6, self.size.height)
        side: Literal["left", "right"] = "left" if x < middle else "right"
        self.plt.text(name, x, min(above, top), color=self._colour("axes"), alignment=side)

    def _colour(self, look: str) -> tuple[int, int, int]:
        return self.get_component_styles(f"chart--{look}").color.rgb


def _looks(points: Sequence[Point]) -> dict[str, str]:
    """A colour for each family."""
    arches = list(dict.fromkeys(point.arch for point in sorted(points, key=lambda p: p.arch)))
    return {arch: LOOKS[number % len(LOOKS)] for number, arch in enumerate(arches)}


def _cost_ticks(left: float, right: float, most: int) -> list[float]:
    """1, 2 and 5 times the powers of ten, or powers alone where those would be too many."""
    powers = range(floor(left) - 1, floor(right) + 2)
    for mantissas in ((1, 2, 5), (1,)):
        ticks = [m * 10.0**power for power in powers for m in mantissas]
        within = [tick for tick in ticks if left <= log10(tick) <= right]
        if len(within) <= most:
            break
    return within or [10 ** ((left + right) / 2)]


def short(value: float, cost: Cost) -> str:
    """A cost in a few characters."""
    if cost == "train_seconds":
        return f"{value:g} s" if value < 60 else f"{value / 60:.3g} m"
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.3g}{name}"
    return f"{value:.3g}"
