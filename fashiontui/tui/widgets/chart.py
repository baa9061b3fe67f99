"""A live chart of curves over epochs: plotext draws, a legend above it reads the values."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log10
from typing import Literal

from rich.text import Text
from textual import events
from textual.app import ComposeResult, RenderResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static
from textual_plotext import PlotextPlot

from fashiontui.tui.widgets.axes import epoch_ticks, labels, log_ticks, round_ticks
from fashiontui.tui.widgets.drawing import Drawing

Marker = Literal["auto", "braille", "hd", "fhd", "dot", "ascii"]
"""How curves are drawn: braille (finest), quadrant and sextant blocks, dots, or plain ASCII."""
ROWS_PER_TICK = 3
COLUMNS_PER_TICK = 9
MARGIN = 0.04
"""Room above and below the curves, as a share of their height."""
LEAST_EPOCHS = 2.0
"""Narrowest window of epochs one can zoom into."""
_ASCII = str.maketrans("│┤├└┬─┼┌┐┘●◆•┄╌━", "||++++++++oo*-~-")


@dataclass(frozen=True)
class Series:
    """One curve."""

    label: str
    look: str
    """Component class, less ``chart--``, that gives its colour."""
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
    value: float


@dataclass(frozen=True)
class View:
    """What of the epochs is shown; both charts share it."""

    window: tuple[float, float] | None = None
    """First and last epoch shown; all of them when None."""
    cursor: int | None = None
    """Epoch whose values the legend reads out."""
    log: bool = False
    """Whether losses stand on a logarithmic axis."""


def usable_marker(wanted: Marker, color_system: str | None) -> Marker:
    """The marker itself, or for ``auto`` the finest this terminal can be trusted with.

    Terminals with 16 colours are mostly text consoles, whose fonts have no braille.
    """
    encoding = (sys.__stdout__.encoding if sys.__stdout__ else "") or ""
    if "utf" not in encoding.lower():
        return "ascii"
    if wanted != "auto":
        return wanted
    plain = color_system in (None, "standard") or os.environ.get("TERM") == "linux"
    return "dot" if plain else "braille"


class Curves(PlotextPlot, can_focus=True):
    """The drawing itself."""

    auto_links = False  # there are none, and Textual would look for them in every line

    COMPONENT_CLASSES = {
        "chart--axes",
        "chart--train",
        "chart--validation",
        "chart--reference",
        "chart--pinned",
        "chart--a",
        "chart--b",
        "chart--c",
        "chart--d",
        "chart--e",
        "chart--f",
    }
    BINDINGS = [
        Binding("left", "read(-1)", "Read left", id="chart.left", tooltip="Read the epoch before"),
        Binding("right", "read(1)", "Read right", id="chart.right", tooltip="Read the next epoch"),
        Binding("escape", "unread", "No cursor", id="chart.unread", tooltip="Take the cursor away"),
    ]
    HELP = """\
Curves over epochs. `←` `→` or a click read the values at an epoch (the legend shows them), `+` and
`-` zoom in and out, `0` shows all epochs, `y` puts losses on a logarithmic axis. Marked runs
(`space` on the board) are drawn over the running one, the pinned run (`p`) always. Dots are epochs.
"""

    @dataclass
    class Read(Message):
        """The user wants the values at this epoch read out, or no longer."""

        epoch: int | None

    def __init__(self, decimals: int, logarithmic: bool) -> None:
        """Args:
        decimals: Of the values.
        logarithmic: Whether the value axis may be logarithmic.
        """
        super().__init__()
        self._logarithmic = logarithmic
        self.decimals = decimals
        self.marker: Marker = "braille"
        self.series: Sequence[Series] = ()
        self.reference: Reference | None = None
        self.epochs = 1.0
        self.view = View()
        self._offset = 0
        self._plotted = (0.0, 1.0)

    def action_read(self, by: int) -> None:
        """Move the cursor by an epoch; the first press sets it at the last one drawn."""
        last = int(max((s.points[-1][0] for s in self.series if s.points), default=0))
        cursor = self.view.cursor
        self.post_message(
            self.Read(last if cursor is None else max(1, min(int(self.epochs), cursor + by)))
        )

    def action_unread(self) -> None:
        """Take the cursor away."""
        self.post_message(self.Read(None))

    def on_click(self, event: events.Click) -> None:
        """Read the epoch under the mouse."""
        left, right = self._plotted
        columns = max(1, self.size.width - self._offset - 1)
        share = (event.x - self._offset) / columns
        self.post_message(self.Read(max(1, round(left + share * (right - left)))))

    def render(self) -> RenderResult:
        """Lay the axes out anew and let plotext draw."""
        plot = self.plt
        plot.clear_data()
        plot.theme("clear")
        if self.size.width < 12 or self.size.height < 4:
            return ""
        left, right = self.view.window or (0.0, max(1.0, self.epochs))
        log = self._logarithmic and self.view.log
        shown = [
            (series, [point for point in series.points if left - 1e-9 <= point[0] <= right + 1e-9])
            for series in self.series
        ]
        scale: Callable[[float], float] = log10 if log else float
        low, high = self._value_range([p[1] for _, points in shown for p in points], log)
        most = max(2, self.size.height // ROWS_PER_TICK)
        ticks = log_ticks(low, high) if log else round_ticks(low, high, most)
        names = labels(ticks)
        self._offset, self._plotted = max(map(len, names)) + 1, (left, right)
        plot.frame(False)
        plot.xaxes(True, False)
        plot.yaxes(True, False)
        plot.ticks_color(self._colour("axes"))
        plot.xlim(left, right)
        bottom, top = scale(low), scale(high)
        margin = MARGIN * (top - bottom)
        plot.ylim(bottom - margin, top + margin)
        plot.yticks([scale(tick) for tick in ticks], names)
        whole = epoch_ticks(left, right, (self.size.width - self._offset) // COLUMNS_PER_TICK)
        plot.xticks([float(epoch) for epoch in whole], [str(epoch) for epoch in whole])
        self._draw_reference(left, right, scale)
        for series, points in shown:
            self._draw(series, [(x, scale(y)) for x, y in points])
        if self.view.cursor is not None:
            height = 4 * self.size.height
            ys = [bottom + (top - bottom) * i / height for i in range(height + 1)]
            plot.scatter([self.view.cursor] * len(ys), ys, marker="│", color=self._colour("axes"))
        spelling = _ASCII if self.marker == "ascii" else {}
        return Drawing(plot, self.size.width, self.size.height, spelling)

    def _value_range(self, values: list[float], log: bool) -> tuple[float, float]:
        """Least and greatest value, the reference among them where there is one."""
        if self.reference:
            values = [*values, self.reference.value]
        values = [value for value in values if value > 0 or not log]
        if not values:
            return 0.1, 1.0
        low, high = min(values), max(values)
        return (low, high) if high > low else (low * 0.99, high * 1.01 + 1e-6)

    def _draw_reference(self, left: float, right: float, scale: Callable[[float], float]) -> None:
        if self.reference is None:
            return
        level = scale(self.reference.value)
        columns = 2 * self.size.width
        xs = [left + (right - left) * i / columns for i in range(columns + 1)]
        colour = self._colour("reference")
        self.plt.scatter(xs, [level] * len(xs), marker="┄", color=colour)
        self.plt.text(f" {self.reference.label} ", right, level, color=colour, alignment="right")

    def _draw(self, series: Series, points: list[tuple[float, float]]) -> None:
        if not points:
            return
        colour = self._colour(series.look)
        # Twice as many points as braille has columns show all that can be seen.
        points = points[:: 1 + len(points) // (4 * self.size.width)]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        line = {"ascii": ".", "dot": "·"}.get(self.marker, self.marker)
        self.plt.plot(xs, ys, marker=line, color=colour)
        if series.glyph != "━":
            self.plt.scatter(xs, ys, marker=series.glyph, color=colour)

    def _colour(self, look: str) -> tuple[int, int, int]:
        return self.get_component_styles(f"chart--{look}").color.rgb


class Chart(Vertical):
    """Curves with their legend, or what to do to see some."""

    view: reactive[View] = reactive(View())
    """What of the epochs is shown, and the cursor."""

    def __init__(self, title: str, empty: str, id: str, decimals: int, logarithmic: bool) -> None:  # noqa: A002
        """Args:
        title: Of the panel.
        empty: Shown while there is no curve.
        id: Of the widget.
        decimals: Of the values.
        logarithmic: Whether the value axis may be logarithmic.
        """
        super().__init__(id=id, classes="panel -empty")
        self._title = title
        self._empty = empty
        self._legend = Static(classes="legend")
        self._legend_lines = 0
        self.curves = Curves(decimals, logarithmic)

    def compose(self) -> ComposeResult:
        """The empty state, the legend and the curves."""
        yield Static(self._empty, classes="empty")
        yield self._legend
        yield self.curves

    def on_mount(self) -> None:
        """Give the panel its name."""
        self.border_title = self._title

    def show(self, series: Sequence[Series], reference: Reference | None, epochs: float) -> None:
        """Draw these curves over this many epochs."""
        curves = self.curves
        if (series, reference, epochs) == (curves.series, curves.reference, curves.epochs):
            return
        curves.series, curves.reference, curves.epochs = series, reference, epochs
        self.set_class(not any(one.points for one in series), "-empty")
        self._refresh()

    def on_resize(self) -> None:
        """Lay the legend out for the new width."""
        self._refresh()

    def watch_view(self, view: View) -> None:
        """Draw the window of epochs asked for."""
        self.curves.view = view
        scaled = " · log" if view.log and self.curves._logarithmic else ""
        zoomed = f" · epochs {view.window[0]:g}–{view.window[1]:g}" if view.window else ""
        self.border_title = f"{self._title}{scaled}{zoomed}"
        self._refresh()

    def _refresh(self) -> None:
        if self.is_mounted:
            legend = self._legend_text()
            lines = legend.plain.count("\n") + 1
            self._legend.update(legend, layout=lines != self._legend_lines)
            self._legend_lines = lines
            self.curves.refresh()

    def _legend_text(self) -> Text:
        """Glyph, name and value of each curve: at the cursor, else the newest."""
        curves = self.curves
        cursor = curves.view.cursor
        entries = [] if cursor is None else [Text(f"epoch {cursor}", style="bold")]
        for series in curves.series:
            newest = series.points[-1][1] if series.points else None
            value = newest if cursor is None else series.at(cursor)
            shown = "–" if value is None else f"{value:.{curves.decimals}f}"
            glyph = series.glyph if curves.marker != "ascii" else series.glyph.translate(_ASCII)
            colour = curves.get_component_rich_style(f"chart--{series.look}", partial=True)
            entries.append(
                Text.assemble((glyph, colour), f" {series.label} ", (shown, "bold"), no_wrap=True)
            )
        return _wrapped(entries, self.content_size.width)


def _wrapped(entries: Sequence[Text], width: int) -> Text:
    """The entries beside each other, none broken over two lines."""
    lines = [Text()]
    for entry in entries:
        if lines[-1] and lines[-1].cell_len + 2 + entry.cell_len > width:
            lines.append(Text())
        lines[-1].append("  " if lines[-1] else "").append_text(entry)
    return Text("\n", no_wrap=True, overflow="ellipsis").join(lines)
