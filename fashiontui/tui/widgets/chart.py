"""A live chart of curves over epochs: plotext draws, a legend above it reads the values."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.reactive import reactive
from textual.widgets import Static

from fashiontui.tui.widgets.curves import Curves, Marker
from fashiontui.tui.widgets.drawing import coloured
from fashiontui.tui.widgets.lines import BOLD, PLAIN, Lines, Piece, width_of
from fashiontui.tui.widgets.series import Quantity, Reference, Series, View

__all__ = ["Chart", "Curves", "Marker"]

OWN_LOOKS = ("train", "validation")
"""Of the run under way."""
LEGEND_LINES = 3
"""Least the legend may have; where it would need more, runs are called by their glyphs alone."""


class Chart(Vertical):
    """Curves with their legend, or what to do to see some."""

    view: reactive[View] = reactive(View())
    """What of the epochs is shown, and the epoch that is read."""
    logarithmic: reactive[bool] = reactive(False)
    """Whether the value axis is logarithmic."""
    selected: reactive[bool] = reactive(False)
    """Whether ``y`` acts on this chart; its border says so."""

    def __init__(self, quantity: Quantity, empty: str, id: str, number: str = "") -> None:  # noqa: A002
        """Args:
        quantity: What the curves are of.
        empty: Shown while there is no curve.
        id: Of the widget.
        number: Key that goes to the panel, if there is one.
        """
        super().__init__(id=id, classes="panel -empty")
        self._number = number
        self._empty = empty
        self._legend = Lines(classes="legend")
        self._titles = ("", "")
        self.curves = Curves(quantity)

    def compose(self) -> ComposeResult:
        """The empty state, the legend and the curves."""
        yield Static(self._empty, classes="empty")
        yield self._legend
        yield self.curves

    def on_mount(self) -> None:
        """Give the panel its name, and the legend the colours of whatever theme there is."""
        self._set_titles()
        self.app.theme_changed_signal.subscribe(self, lambda _: self._refresh())

    def show(self, series: Sequence[Series], reference: Reference | None, epochs: float) -> None:
        """Draw these curves over this many epochs."""
        curves = self.curves
        if (series, reference, epochs) == (curves.series, curves.reference, curves.epochs):
            return
        curves.series, curves.reference, curves.epochs = series, reference, epochs
        self.set_class(not any(one.points for one in series), "-empty")
        self._set_titles()
        self._refresh()

    def on_resize(self) -> None:
        """Lay the legend out for the new width."""
        self._refresh()

    def watch_view(self, view: View) -> None:
        """Draw the window of epochs asked for."""
        self.curves.view = view
        self._set_titles()
        self._refresh()

    def watch_logarithmic(self, logarithmic: bool) -> None:
        """Draw on the axis asked for."""
        self.curves.logarithmic = logarithmic
        self._set_titles()
        self._refresh()

    def watch_selected(self) -> None:
        """Say that ``y`` acts here, or no longer."""
        self._set_titles()

    def _set_titles(self) -> None:
        quantity, window = self.curves.quantity, self.view.window
        title = quantity.log_title if self.logarithmic else quantity.title
        zoomed = f" · epochs {window[0]:g}–{window[1]:g}" if window else ""
        offered = f"y {'linear' if self.logarithmic else 'log'} axis"
        titles = (
            f"{self._number} {title}{zoomed}".strip(),
            offered if self.selected and not self.has_class("-empty") else "",
        )
        if titles != self._titles:  # setting one draws the whole panel anew
            self._titles = self.border_title, self.border_subtitle = titles

    def _refresh(self) -> None:
        if self.is_mounted:
            self._legend.show_lines(self.legend())
            self.curves.draw()

    def legend(self) -> list[list[Piece]]:
        """Glyph, name and value of each curve: at the epoch read, else the newest."""
        width, height = self.content_size
        lines = _wrapped(self._legend_entries(named=True), width)
        if len(lines) <= max(LEGEND_LINES, height // 4):
            return lines
        return _wrapped(self._legend_entries(named=False), width)

    def _legend_entries(self, named: bool) -> list[list[Piece]]:
        """One for each curve; other runs than the first can do without their names."""
        curves = self.curves
        read = curves.view.read
        entries = [] if read is None else [[(f"epoch {read}", BOLD)]]
        for series in curves.series:
            newest = series.points[-1][1] if series.points else None
            value = newest if read is None else series.at(read)
            shown = (
                "–" if value is None else f"{curves.on_axis(value):.{curves.quantity.decimals}f}"
            )
            name = f" {series.label} " if named or series.look in OWN_LOOKS else " "
            colour = coloured(PLAIN, curves.colour(series.look))
            entries.append([(series.glyph, colour), (name, PLAIN), (shown, BOLD)])
        return entries


def _wrapped(entries: Sequence[Sequence[Piece]], width: int) -> list[list[Piece]]:
    """The entries beside each other, none broken over two lines; at least one line."""
    lines: list[list[Piece]] = [[]]
    taken = 0
    for entry in entries:
        if lines[-1] and taken + 2 + width_of(entry) > width:
            lines.append([])
        taken = taken + 2 if lines[-1] else 0
        lines[-1] += [("  ", PLAIN), *entry] if lines[-1] else entry
        taken += width_of(entry)
    return lines
