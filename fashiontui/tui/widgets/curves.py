"""The drawing of a chart: axes and curves over epochs, and what keys and mouse do on it."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log10
from typing import TYPE_CHECKING, Literal

from textual import events
from textual.binding import Binding
from textual.color import Color
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from fashiontui.tui.widgets.axes import around, epoch_ticks, labels, log_ticks, round_ticks
from fashiontui.tui.widgets.drawing import Cell, Line, cells, stretches, strip
from fashiontui.tui.widgets.growing_line import Area, GrowingLine, Points
from fashiontui.tui.widgets.series import Quantity, Reference, Series, View

if TYPE_CHECKING:
    from textual_plotext import Plot

Marker = Literal["auto", "braille", "hd", "fhd", "dot", "ascii"]
"""How curves are drawn: braille (finest), quadrant and sextant blocks, dots, or plain ASCII."""
ROWS_PER_TICK = 3
COLUMNS_PER_TICK = 9
MARGIN = 0.04
"""Room above and below the curves, as a share of their height."""
AXIS_LINES = 2
"""The lower axis and its labels."""
CURSOR = "│"
Placed = tuple[Series, Points]
"""A curve and its points as they lie on the canvas."""


class Curves(Widget, can_focus=True):
    """The drawing itself."""

    auto_links = False  # there are none, and Textual would look for them in every line

    COMPONENT_CLASSES = {"chart--axes"}
    BINDINGS = [
        Binding("left", "read(-1)", "Read left", id="chart.left", tooltip="Read the epoch before"),
        Binding("right", "read(1)", "Read right", id="chart.right", tooltip="Read the next epoch"),
        Binding("escape", "unread", "No cursor", id="chart.unread", tooltip="Take the cursor away"),
    ]
    HELP = """\
Curves over epochs. `←` `→`, the mouse over a chart or a click on it read the values at an epoch
(the legend shows them); `escape` takes the reading away. `+` and `-`, or the wheel once the chart
has the focus, zoom in and out; `0` shows all epochs. `y` puts the chart whose border says so on a
logarithmic axis: the loss, or the error, 100 − accuracy.

Marked runs (`space` on the board) are drawn beside the running one, each with its letter at every
epoch, the pinned run (`p`) always, with `◆`. Beside up to two of them stands their training loss,
with a capital letter or `◇`.
"""

    @dataclass
    class Read(Message):
        """The user wants the values at this epoch read out, or no longer."""

        epoch: int | None

    @dataclass
    class Hovered(Message):
        """The mouse is over this epoch, or has left the chart."""

        epoch: int | None

    @dataclass
    class Wheeled(Message):
        """The user wants so many times as many epochs, around one of them."""

        factor: float
        around: int

    def __init__(self, quantity: Quantity) -> None:
        """Args:
        quantity: What the curves are of.
        """
        super().__init__()
        self.quantity = quantity
        self.logarithmic = False
        self.marker: Marker = "braille"
        self.series: Sequence[Series] = ()
        self.reference: Reference | None = None
        self.epochs = 1.0
        self.view = View()
        self._offset = 0
        self._plotted = (0.0, 1.0)
        self._lines: list[Line] = []
        self._drawn_at: Size | None = None
        self._under_key: object = None
        self._under: list[list[Cell]] = []
        self._grown = GrowingLine(Area(0, 1, 0, 1, 2, 1), "braille", "")

    @cached_property
    def _plot(self) -> "Plot":
        """Where plotext draws; imported with the first curve, not before the first paint."""
        from textual_plotext import Plot

        return Plot()

    def action_read(self, by: int) -> None:
        """Move the cursor by an epoch; the first press sets it at the newest of the first curve."""
        last = int(next((s.points[-1][0] for s in self.series if s.points), 0))
        cursor = self.view.cursor
        self.post_message(
            self.Read(last if cursor is None else max(1, min(int(self.epochs), cursor + by)))
        )

    def action_unread(self) -> None:
        """Take the cursor away."""
        self.post_message(self.Read(None))

    def on_click(self, event: events.Click) -> None:
        """Read the epoch under the mouse, also when the mouse has gone."""
        self.post_message(self.Read(self._epoch_at(event.x)))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Read the epoch under the mouse for as long as it is there."""
        epoch = self._epoch_at(event.x)
        if epoch != self.view.hover:
            self.post_message(self.Hovered(epoch))

    def on_leave(self) -> None:
        """Go back to the reading there was before the mouse came."""
        self.post_message(self.Hovered(None))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in, unless the wheel is meant for the page."""
        self._wheel(event, 0.5)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out, unless the wheel is meant for the page."""
        self._wheel(event, 2.0)

    def _wheel(self, event: events.MouseEvent, factor: float) -> None:
        if self.has_focus:
            event.stop()
            self.post_message(self.Wheeled(factor, self._epoch_at(event.x)))

    def _epoch_at(self, column: int) -> int:
        """The epoch that is drawn nearest to a column."""
        left, right = self._plotted
        columns = max(1, self.size.width - self._offset - 1)
        share = min(1.0, max(0.0, (column - self._offset) / columns))
        return max(1, round(left + share * (right - left)))

    def draw(self) -> None:
        """Draw anew, and repaint the lines that look different."""
        before, drawn_at, size = self._lines, self._drawn_at, self.size
        self._draw(size)
        if drawn_at != size:
            self.refresh()
        elif changed := [y for y, line in enumerate(self._lines) if line != before[y]]:
            self.refresh(*(Region(0, y, size.width, 1) for y in changed))

    def notify_style_update(self) -> None:
        """Draw in the colours of another theme."""
        self._drawn_at = None
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """A line of the drawing, which is made anew where the size is another."""
        if self._drawn_at != (size := self.size):
            self._draw(size)
        base = self.visual_style.rich_style
        if y >= len(self._lines):
            return Strip.blank(size.width, base)
        return strip(self._lines[y], base)

    def _draw(self, size: Size) -> None:
        """Lay the axes out and let plotext draw: all anew, or what the growing line adds to it."""
        self._drawn_at = size
        width, height = size
        if width < 12 or height < 4:
            self._lines, self._under_key = [], None
            return
        left, right = self.view.window or (0.0, max(1.0, self.epochs))
        shown = [(series, self._visible(series.points, width)) for series in self.series]
        scale: Callable[[float], float] = log10 if self.logarithmic else float
        low, high = self._value_range([p[1] for _, points in shown for p in points])
        bottom, top = around(scale(low), scale(high))
        margin = MARGIN * (top - bottom)
        ticks = self._ticks(low, high, height)
        names = labels(ticks)
        self._offset, self._plotted = max(map(len, names)) + 1, (left, right)
        area = Area(
            left, right, bottom - margin, top + margin, width - self._offset, height - AXIS_LINES
        )
        placed: list[Placed] = shown
        if self.logarithmic:
            placed = [(series, [(x, log10(y)) for x, y in points]) for series, points in shown]
        grows, still = _split(placed)
        colours = [
            self._axes,
            *(self.colour(look) for look in ("train", *(s.look for s, _ in still))),
        ]
        key = (area, names, still, self.reference, self.view, self.marker, colours)
        changed = set(range(height))
        if key != self._under_key:
            self._under_key = key
            self._under = self._cells_under(area, ticks, names, still, scale)
            if not self._grown.is_as(area, self._line_marker, self.colour("train")):
                self._grown = GrowingLine(area, self._line_marker, self.colour("train"))
            self._grown.grow(grows)
        else:
            changed = self._grown.grow(grows)
        lines = [*self._lines] if len(self._lines) == height else [[]] * height
        on_top = {series.glyph for series, _ in still} | {CURSOR}
        for y in changed:
            row = self._under[y]
            if y < area.lines:
                row = row[: self._offset] + [
                    under if over is None or under[0] in on_top else over
                    for under, over in zip(row[self._offset :], self._grown.rows[y], strict=True)
                ]
            lines[y] = stretches(row)
        self._lines = lines

    def _cells_under(
        self,
        area: Area,
        ticks: list[float],
        names: list[str],
        still: list[Placed],
        scale: Callable[[float], float],
    ) -> list[list[Cell]]:
        """Axes, reference, the curves that do not grow, and the cursor."""
        plot, left, right = self._plot, area.left, area.right
        plot.clear_data()
        plot.theme("clear")
        plot.frame(False)
        plot.xaxes(True, False)
        plot.yaxes(True, False)
        plot.ticks_color(self._axes)
        plot.xlim(left, right)
        plot.ylim(area.bottom, area.top)
        plot.yticks([scale(tick) for tick in ticks], names)
        whole = epoch_ticks(left, right, area.columns // COLUMNS_PER_TICK)
        plot.xticks([float(epoch) for epoch in whole], [str(epoch) for epoch in whole])
        plot.scatter([left], [area.bottom], marker=" ")  # plotext labels no axis without data
        self._draw_reference(left, right, scale)
        # The first one on top: it is the run under way. No curve hides another's dots.
        for series, points in reversed(still):
            self._draw_line(series, points)
        for series, points in reversed(still):
            self._draw_dots(series, points)
        if self.view.read is not None and left <= self.view.read <= right:
            count = 4 * self.size.height
            ys = [area.bottom + (area.top - area.bottom) * i / count for i in range(count + 1)]
            plot.scatter([self.view.read] * len(ys), ys, marker=CURSOR, color=self._axes)
        return cells(plot, *self.size)

    def _ticks(self, low: float, high: float, height: int) -> list[float]:
        if self.logarithmic:
            return log_ticks(low, high)
        return round_ticks(low, high, max(2, height // ROWS_PER_TICK))

    def on_axis(self, value: float) -> float:
        """What stands on the axis for a value."""
        return self.quantity.on_log(value) if self.logarithmic else value

    def _visible(self, points: Points, width: int) -> Points:
        """The points of a series between the epochs shown, as they stand on the axis.

        Twice as many as braille has columns show all that can be seen.
        """
        if window := self.view.window:
            first = bisect_left(points, window[0] - 1e-9, key=_epoch)
            points = points[first : bisect_right(points, window[1] + 1e-9, key=_epoch)]
        if len(points) >= 4 * width:
            points = points[:: 1 + len(points) // (4 * width)]
        if not self.logarithmic:
            return points
        placed = [(epoch, self.on_axis(value)) for epoch, value in points]
        return [point for point in placed if point[1] > 0]

    def _value_range(self, values: list[float]) -> tuple[float, float]:
        """Least and greatest value, the reference among them where there is one."""
        if self.reference:
            values = [*values, self.on_axis(self.reference.value)]
        values = [value for value in values if value > 0 or not self.logarithmic]
        if not values:
            return 0.1, 1.0
        low, high = min(values), max(values)
        return (low, high) if high > low else (low * 0.99, high * 1.01 + 1e-6)

    def _draw_reference(self, left: float, right: float, scale: Callable[[float], float]) -> None:
        if self.reference is None:
            return
        value = self.on_axis(self.reference.value)
        level, label = scale(value), f" {self.reference.label} {value:.{self.quantity.decimals}f} "
        columns = 2 * self.size.width
        xs = [left + (right - left) * i / columns for i in range(columns + 1)]
        colour = self.colour("reference")
        self._plot.scatter(xs, [level] * len(xs), marker="┄", color=colour)
        self._plot.text(label, right, level, color=colour, alignment="right")

    @property
    def _axes(self) -> tuple[int, int, int]:
        return self.get_component_styles("chart--axes").color.rgb

    @property
    def _line_marker(self) -> str:
        return {"ascii": ".", "dot": "·"}.get(self.marker, self.marker)

    def _draw_line(self, series: Series, points: Points) -> None:
        if points:
            xs, ys = zip(*points, strict=True)
            colour = self.colour(series.look)
            self._plot.plot([*xs], [*ys], marker=self._line_marker, color=colour)

    def _draw_dots(self, series: Series, points: Points) -> None:
        if points and series.glyph != "━":
            xs, ys = zip(*points, strict=True)
            colour = self.colour(series.look)
            self._plot.scatter([*xs], [*ys], marker=series.glyph, color=colour)

    def colour(self, look: str) -> tuple[int, int, int]:
        """Red, green and blue of a curve, as the theme has them."""
        return Color.parse(self.app.theme_variables[f"series-{look}"]).rgb


def _epoch(point: tuple[float, float]) -> float:
    return point[0]


def _split(placed: Sequence[Placed]) -> tuple[Points, list[Placed]]:
    """The points of the line that grows with the run, and all other curves."""
    grows: Points = next((points for series, points in placed if series.look == "train"), [])
    return grows, [(series, points) for series, points in placed if series.look != "train"]
