"""A stored run on the live screen, at any speed."""

from dataclasses import replace

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.widgets import Footer, Static

from fashiontui.domain.replay import FASTEST, SLOWEST, Replay
from fashiontui.tui.curves import accuracy_curves, loss_curves, reference
from fashiontui.tui.keys import CHART_KEYS
from fashiontui.tui.screens.over_runs import (
    OverRuns,
    Stopwatch,
    empty_state,
    way_back,
)
from fashiontui.tui.terminal import is_shaded
from fashiontui.tui.text import clock
from fashiontui.tui.widgets.chart import Curves, Marker
from fashiontui.tui.widgets.charts import Charts
from fashiontui.tui.widgets.first_layer import FirstLayerView
from fashiontui.tui.widgets.run_line import RunLine
from fashiontui.tui.widgets.status_line import StatusLine

TICK_SECONDS = 0.1
EMPTY = "A stored run is played again here: go to the board (4), move to a run and press l."
PANELS = {"2": "loss", "3": "accuracy", "6": "first-layer"}


class ReplayScreen(OverRuns):
    """Charts, bar and first layer, moved by a clock instead of a training thread."""

    CSS_PATH = "replay.tcss"
    AUTO_FOCUS = ""  # a chart with the focus would take the arrows for its cursor
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal")]
    BINDINGS = [
        way_back("replay", "Back to where you came from"),
        Binding("space", "pause", "Pause", id="replay.pause",
                tooltip="Hold the replay, or let it go on"),
        Binding("plus,equals_sign,up", "speed(2)", "Faster", id="replay.faster", key_display="+",
                tooltip="Twice as fast"),
        Binding("minus,down", "speed(0.5)", "Slower", id="replay.slower", key_display="-",
                tooltip="Half as fast"),
        Binding("left", "epoch(-1)", "Epoch back", id="replay.before", key_display="←",
                tooltip="To the end of the epoch before"),
        Binding("right", "epoch(1)", "Epoch on", id="replay.next", key_display="→",
                tooltip="To the end of the next epoch"),
        Binding("home", "restart", "Restart", id="replay.restart", show=False,
                tooltip="From the beginning"),
        Binding("end", "to_end", "To the end", id="replay.end", show=False,
                tooltip="To the end of the run"),
        *(
            Binding(digit, f"panel('{digit}')", panel, id=f"replay.panel_{digit}", show=False,
                    tooltip=f"Show the panel {panel.replace('-', ' ')} where one fits")
            for digit, panel in PANELS.items()
        ),
        next(key for key in CHART_KEYS if key.id == "lab.log_axis"),
    ]  # fmt: skip
    HELP = """\
A stored run as it was lived through: its clock is that of the training, times the speed. Curves
have a point for each epoch, which is what is kept of a run; the bar moves between them. No network
is trained and no torch is loaded.
"""

    def __init__(self, replay: Replay | None, marker: Marker, speed: float | None = None) -> None:
        """Args:
        replay: What is played; None says what to press.
        marker: How curves are drawn.
        speed: Times as fast as it was; such that it lasts some 20 s when None.
        """
        super().__init__(classes="-show-3")
        self._replay = replay
        self._marker = marker
        self.speed = speed or (replay.speed if replay else 1.0)
        self.seconds = 0.0
        self.paused = False
        self._watch = Stopwatch()

    def compose(self) -> ComposeResult:
        """What the lab shows of a run under way."""
        yield StatusLine()
        yield Static(id="replay-line", markup=False)
        with Container(id="replay-body"):
            yield Charts(("2", "3"), ("No epoch has ended yet.", "No epoch has ended yet."))
            yield FirstLayerView()
        yield empty_state(EMPTY)
        yield RunLine()
        yield Footer()

    def on_mount(self) -> None:
        """Begin at once."""
        for curves in self.query(Curves):
            curves.marker = self._marker
        view = self.query_one(FirstLayerView)
        view.border_title = "6 First layer"
        view.shaded = is_shaded(self._marker)
        view.say_empty("This run was stored without pictures of its first layer.")
        self.set_class(self._replay is None, "-empty")
        if self._replay is not None:
            status = self.query_one(StatusLine)
            status.device, status.dataset = (
                self._replay.record.device,
                self._replay.record.spec.dataset,
            )
            self._watch.lap()
            self._draw()
            self.set_interval(TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        passed = self._watch.lap()
        if not self.paused:
            self.advance(passed * self.speed)

    def advance(self, seconds: float) -> None:
        """Let so many seconds of the training pass."""
        if self._replay is not None and self.seconds < self._replay.seconds:
            self.seconds = min(self._replay.seconds, self.seconds + seconds)
            self._draw()

    def _draw(self) -> None:
        if self._replay is None:
            return
        record = self._replay.record
        history = self._replay.at(self.seconds)
        told = replace(history, progress=[])  # the loss within epochs is not kept: none is drawn
        self.query_one(Charts).show(
            loss_curves(told, (), None),
            accuracy_curves(told, (), None),
            reference(record.spec),
            float(record.spec.settings.epochs),
        )
        self.query_one(RunLine).show(history, stopping=False)
        self.query_one(StatusLine).show(history)
        if history.first_layer is not None:
            self.query_one(FirstLayerView).show(record.spec.title, history.first_layer)
        over = self.seconds >= self._replay.seconds
        state = "the end" if over else "paused" if self.paused else "playing"
        glyph = "■" if over else "‖" if self.paused else "▶"
        self.query_one("#replay-line", Static).update(
            f"{glyph} REPLAY {state} at {self.speed:g}× · {clock(self.seconds)} of "
            f"{clock(self._replay.seconds)} · run {record.id}, seed {record.spec.seed}"
        )

    # Keys

    def action_pause(self) -> None:
        """Hold, or go on; at the end begin anew."""
        over = self._replay is not None and self.seconds >= self._replay.seconds
        if over:
            self.seconds = 0.0
        self.paused = not over and not self.paused
        self._draw()

    def action_speed(self, factor: float) -> None:
        """Play faster or slower."""
        self.speed = max(SLOWEST, min(FASTEST, self.speed * factor))
        self._draw()

    def action_epoch(self, by: int) -> None:
        """Jump to the end of another epoch."""
        if self._replay is not None:
            self.seconds = self._replay.end_of_epoch(self.seconds, by)
            self._draw()

    def action_restart(self) -> None:
        """Go back to the beginning."""
        self.seconds = 0.0
        self._draw()

    def action_to_end(self) -> None:
        """Show the run as it ended."""
        if self._replay is not None:
            self.seconds = self._replay.seconds
            self._draw()

    def action_panel(self, digit: str) -> None:
        """Show a panel where only one fits."""
        for other in PANELS:
            self.set_class(other == digit, f"-show-{other}")

    def action_log_axis(self) -> None:
        """Logarithmic or linear axis for the selected chart."""
        self.query_one(Charts).toggle_log()

    def action_back(self) -> None:
        """Leave the replay: to the screen below, or the program where there is none."""
        if len(self.app.screen_stack) > 1:
            super().action_back()
        else:
            self.app.exit()
