"""Loss and accuracy beside each other: one window of epochs, one reading, an axis each."""

from collections.abc import Sequence
from dataclasses import replace

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal

from fashiontui.tui.widgets.chart import Chart, Curves
from fashiontui.tui.widgets.series import ACCURACY, LOSS, Reference, Series, View

LEAST_EPOCHS = 2.0
"""Narrowest window of epochs one can zoom into."""


class Charts(Horizontal):
    """Both charts, and what keys and mouse do to them."""

    def __init__(self, numbers: tuple[str, str], empty: tuple[str, str]) -> None:
        """Args:
        numbers: Keys that go to the panels, if there are some.
        empty: What each says while there is no curve.
        """
        super().__init__(id="charts")
        self.loss = Chart(LOSS, empty[0], "loss", numbers[0])
        self.accuracy = Chart(ACCURACY, empty[1], "accuracy", numbers[1])

    def compose(self) -> ComposeResult:
        """Loss, then accuracy."""
        yield self.loss
        yield self.accuracy

    def on_mount(self) -> None:
        """Begin with the loss: its axis is the one changed most."""
        self.select(self.loss)

    @property
    def view(self) -> View:
        """What of the epochs both show."""
        return self.loss.view

    def show(
        self,
        losses: Sequence[Series],
        accuracies: Sequence[Series],
        reference: Reference | None,
        epochs: float,
    ) -> None:
        """Draw these curves over this many epochs; the reference is an accuracy."""
        self.loss.show(losses, None, epochs)
        self.accuracy.show(accuracies, reference, epochs)

    def select(self, chart: Chart) -> None:
        """Let ``toggle_log`` act on this chart."""
        self.loss.selected, self.accuracy.selected = chart is self.loss, chart is self.accuracy

    def toggle_log(self) -> None:
        """Change between a logarithmic and a linear axis for the selected chart."""
        chart = self.loss if self.loss.selected else self.accuracy
        chart.logarithmic = not chart.logarithmic

    def zoom(self, factor: float, around: float | None = None) -> None:
        """Show fewer or more epochs, around one, else the cursor, else up to the newest."""
        epochs = self.loss.curves.epochs
        left, right = self.view.window or (0.0, epochs)
        width = min(epochs, max(LEAST_EPOCHS, (right - left) * factor))
        around = self.view.cursor if around is None else around
        middle = self._newest() - width / 2 if around is None else around
        left = float(round(min(max(0.0, middle - width / 2), epochs - width)))
        self._look(window=None if width >= epochs else (left, left + round(width)))

    def zoom_all(self) -> None:
        """Show every epoch."""
        self._look(window=None)

    def _newest(self) -> float:
        """The last whole epoch of the first curve that has one."""
        ends = (series.points[-1][0] for series in self.loss.curves.series if series.points)
        return float(int(next(ends, self.loss.curves.epochs)))

    @on(Curves.Read)
    def _read(self, message: Curves.Read) -> None:
        """Move the cursor, and the window with it."""
        window, cursor = self.view.window, message.epoch
        if window and cursor is not None:
            by = min(0.0, cursor - window[0]) + max(0.0, cursor - window[1])
            window = (window[0] + by, window[1] + by)
        self._look(window=window, cursor=cursor)

    @on(Curves.Hovered)
    def _hovered(self, message: Curves.Hovered) -> None:
        self._look(hover=message.epoch)

    @on(Curves.Wheeled)
    def _wheeled(self, message: Curves.Wheeled) -> None:
        self.zoom(message.factor, message.around)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The chart one goes to is the one ``y`` acts on."""
        for chart in (self.loss, self.accuracy):
            if chart.curves is event.widget:
                self.select(chart)

    def _look(self, **changes: object) -> None:
        self.loss.view = self.accuracy.view = replace(self.view, **changes)  # type: ignore[arg-type]
