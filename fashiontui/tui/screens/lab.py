"""The main screen: configure, watch and compare."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from time import monotonic

from msgspec import structs
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer

from fashiontui.domain.board import BoardRow, live_row
from fashiontui.domain.errors import ExitCode, UsageError
from fashiontui.domain.events import EpochEnded, FirstLayer, RunFinished, RunStarted, Status
from fashiontui.domain.history import History
from fashiontui.domain.record import RunRecord
from fashiontui.domain.spec import DatasetName
from fashiontui.domain.text import printable
from fashiontui.tui import log
from fashiontui.tui.choice import Choice
from fashiontui.tui.keys import LAB_KEYS, PANELS
from fashiontui.tui.library import Library
from fashiontui.tui.messages import (
    BoardLoaded,
    DataFound,
    Failed,
    JobBegan,
    JobOver,
    Noted,
    RunEvent,
    RunsFetched,
    TeachersChosen,
    TeachersRead,
    TeachersWanted,
    TorchLoaded,
    TrainRequested,
)
from fashiontui.tui.opening import Opening, asked_for
from fashiontui.tui.patches import PatchCompositor
from fashiontui.tui.queue import RunQueue
from fashiontui.tui.terminal import is_shaded, size_classes
from fashiontui.tui.widgets.chart import Chart, Curves, Marker
from fashiontui.tui.widgets.charts import Charts
from fashiontui.tui.widgets.configure import Configure
from fashiontui.tui.widgets.first_layer import FirstLayerView
from fashiontui.tui.widgets.leaderboard import Leaderboard
from fashiontui.tui.widgets.lower import Lower
from fashiontui.tui.widgets.panel_bar import PanelBar
from fashiontui.tui.widgets.queue_view import QueueList
from fashiontui.tui.widgets.run_line import RunLine
from fashiontui.tui.widgets.status_line import StatusLine
from fashiontui.tui.widgets.watch import Watch

REDRAW_SECONDS = 0.09
"""Least time between two drawings of what a run does: news comes a little less often, and is drawn
at once."""


class LabScreen(Screen[None]):
    """Four panels around one history: what the run under way has told so far."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (170, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (40, "-high")]
    BINDINGS = [*LAB_KEYS]
    AUTO_FOCUS = ""  # it styles a whole panel anew, which can wait for the first paint

    def __init__(
        self,
        queue: RunQueue,
        library: Library,
        choice: Choice,
        dataset: DatasetName,
        marker: Marker,
        folders: Sequence[Path],
    ) -> None:
        """Args:
        queue: Where requested runs go.
        library: The stored runs.
        choice: What the form begins with.
        dataset: What runs are trained on until another is found.
        marker: How curves are drawn.
        folders: Where Fashion-MNIST may lie.
        """
        super().__init__(classes="-show-1")
        self._compositor = PatchCompositor()
        self._queue = queue
        self._library = library
        self._choice = choice
        self._dataset = dataset
        self._marker = marker
        self._opening = Opening(library, folders, marker, lambda: self.history)
        self.history = History()
        self._status_line, self._watch = StatusLine(), Watch()
        self._rows: Sequence[BoardRow] = ()
        self._stale, self._drawn_at = False, 0.0
        self._opened = False
        self._styled = False

    def compose(self) -> ComposeResult:
        """Status, panels, keys."""
        classes = size_classes(
            self.app.size, self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS
        )
        self.add_class(*classes, update=False)
        yield self._status_line
        yield PanelBar()
        with Container(id="panels"):
            yield Configure(self._choice, self._dataset)
            yield self._watch
            yield Lower(self._library, self._dataset, self._choice)
        yield Footer()

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """At the start each widget has its style already."""
        if not self._styled:
            event.refresh_styles, self._styled = False, True

    def on_mount(self) -> None:
        """Read the store behind the first paint."""
        for curves in self.query(Curves):
            curves.marker = self._marker
        self.query_one(FirstLayerView).shaded = is_shaded(self._marker)
        self.call_after_refresh(self._painted)

    def _painted(self) -> None:
        """Do what would have delayed the first paint: take the focus, open the store."""
        self.focus_next()
        self.board.open_store()

    @property
    def board(self) -> Leaderboard:
        """The leaderboard."""
        return self.query_one(Leaderboard)

    @property
    def lower(self) -> Lower:
        """Panels 4 to 7."""
        return self.query_one(Lower)

    @property
    def configure(self) -> Configure:
        """The form."""
        return self.query_one(Configure)

    @property
    def charts(self) -> Charts:
        """Loss and accuracy."""
        return self.query_one(Charts)

    def choice(self) -> Choice:
        """What to remember for the next start."""
        board = self.board
        form = self.configure.choice(self._choice)
        return structs.replace(form, pinned=board.pinned, report_rows=board.with_report)

    # Training

    @on(TrainRequested)
    def _add_runs(self, message: TrainRequested) -> None:
        begins_now = self._queue.current is None  # asked first: the thread takes it at once
        jobs = self._queue.add(message.runs)
        if not jobs:
            self.notify("This run waits in the queue already, or trains.")
            return
        first = jobs[0].spec
        more = f" and {len(jobs) - 1} more" if len(jobs) > 1 else ""
        self.note(f"Queued {first.title}, seed {first.seed}{more}.")
        self._show_queue()
        if self.has_class("-narrow") and begins_now:
            self.action_panel("loss")  # only one panel fits: show the one that is about to move

    @on(JobBegan)
    def _job_began(self, message: JobBegan) -> None:
        self.query_one(RunLine).announce(message.job.spec.title)
        self._status_line.preparing = message.job.spec.title
        self._show_queue()

    @on(RunEvent)
    def _run_event(self, message: RunEvent) -> None:
        event = message.event
        if isinstance(event, RunStarted):
            self.history = History()
        self.history.fold(event)
        match event:
            case RunStarted():
                self.board.show_begun(live_row(self.history))
            case EpochEnded():
                self.board.put(live_row(self.history))
            case FirstLayer():
                if self.history.started is not None:
                    title = self.history.started.spec.title
                    self.query_one(FirstLayerView).show(title, event)
            case RunFinished(status=Status.FAILED):
                self._complain("Run failed", f"{event.cause}")
        if line := log.line(event, self.history):
            self.note(line)
        self._redraw_soon()

    @on(JobOver)
    def _job_over(self, message: JobOver) -> None:
        started = self.history.started
        if message.stopped and started is not None and self.history.under_way:
            seconds = self.history.train_seconds
            self.history.fold(RunFinished(started.run_id, Status.STOPPED, None, seconds, seconds))
            self.note(
                f"{started.spec.title} stopped after {len(self.history.epochs)} epochs and saved; "
                "c on the board continues it."
            )
        if started is not None:
            self._read_again(started.run_id)
        self._status_line.preparing = ""
        self._redraw_soon()
        self._show_queue()
        self.board.read_store()

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        sentence = printable(message.sentence)
        self.note(sentence)
        self._complain("Cannot go on", sentence)
        if message.code is ExitCode.NO_STORE:
            self.board.say(f"{sentence} ctrl+r tries again.")
        if message.job is not None:
            self.query_one(RunLine).give_up(sentence)
        self._show_queue()

    def _complain(self, title: str, sentence: str) -> None:
        """Show what went wrong; brackets in it are what they are."""
        self.notify(sentence, title=title, severity="error", timeout=15, markup=False)

    @on(QueueList.Changed)
    def _queue_changed(self, message: QueueList.Changed) -> None:
        match message.change:
            case "remove":
                self._queue.remove(message.number)
            case "earlier":
                self._queue.move(message.number, -1)
            case "later":
                self._queue.move(message.number, 1)
        self._show_queue()

    # What the threads found

    @on(TorchLoaded)
    def _torch_loaded(self, message: TorchLoaded) -> None:
        self.configure.offer_devices(message.devices)
        best = message.devices[0]
        self._status_line.device = best.name
        for device in message.devices:
            self.note(f"Device {device.name}: {device.title}, {device.memory_gib:.0f} GiB.")

    @on(DataFound)
    def _data_found(self, message: DataFound) -> None:
        self.configure.dataset = message.dataset
        self._status_line.dataset = message.dataset
        self.board.show_dataset(message.dataset)
        self.configure.look_for_teachers()
        place = f" in {message.place}" if message.place else ", drawn by the program"
        self.note(f"Data: {message.dataset}{place}.")

    @on(BoardLoaded)
    def _board_loaded(self, message: BoardLoaded) -> None:
        self._rows = tuple(message.board.runs.values())
        self.board.load(message.board)
        self.configure.look_for_teachers()
        self._tell_of_interrupted(message.board.runs.values())
        if self._queue.current is not None and self.history.under_way:
            self.board.put(live_row(self.history))

    @on(TeachersWanted)
    def _find_teachers(self) -> None:
        self.board.find_teachers_for(self.configure.teacher)

    @on(TeachersRead)
    def _teachers_read(self, message: TeachersRead) -> None:
        self.configure.offer_teachers(message)

    @on(TeachersChosen)
    def _teachers_chosen(self, message: TeachersChosen) -> None:
        self.configure.teach(message.teachers)

    def _tell_of_interrupted(self, rows: Iterable[BoardRow]) -> None:
        """Once, at the start: what a killed process left can be continued."""
        if self._opened:
            return
        self._opened = True
        if left := [row for row in rows if row.status is Status.INTERRUPTED]:
            were = f"{left[0].title} was" if len(left) == 1 else f"{len(left)} runs were"
            self.notify(f"{were} interrupted; c on the board continues a run.", timeout=10)

    @on(RunsFetched)
    def _runs_fetched(self, message: RunsFetched) -> None:
        records = message.records
        match message.purpose:
            case "marked":
                self._watch.marked = {record.id: record for record in records}
            case "pinned":
                self._pin(records[0] if records else None)
            case "rerun":
                self.post_message(TrainRequested([record.spec for record in records]))
            case "continue":
                self.post_message(TrainRequested([*records]))
            case "deleted":
                if self.board.pinned in {record.id for record in records}:
                    self._pin(None)
                self.notify(f"Deleted {_counted(records)}; press u to undo.")
            case "restored":
                told = f"Brought back {_counted(records)}." if records else "Nothing to undo."
                self.notify(told, markup=False)
            case name:
                self._open(name, records)
        self._redraw_soon()

    def _open(self, name: str, records: Sequence[RunRecord]) -> None:
        """Open a screen over runs, or say what they lack for it."""
        try:
            screen = self._opening.screen(name, records)
        except UsageError as error:
            self._complain("Not to be shown", str(error))
        else:
            self.app.push_screen(screen)

    def _read_again(self, run_id: str) -> None:
        """Draw a run that was marked or pinned while it trained as far as it has come."""
        if run_id in self.board.marks:
            self.board.fetch([*self.board.marks], "marked")
        if run_id == self.board.pinned:
            self.board.fetch([run_id], "pinned")

    def _pin(self, record: RunRecord | None) -> None:
        """Compare every chart with this run; with none where it is no longer stored."""
        if record is None:
            self._watch.pinned = self.board.pinned = None
        elif record.id == self.board.pinned:  # unless another was pinned meanwhile
            self._watch.pinned = record

    @on(Noted)
    def _noted(self, message: Noted) -> None:
        self.note(message.line)

    def note(self, line: str) -> None:
        """Add a line to the log pane."""
        self.lower.note(line)

    # Drawing

    def _redraw_soon(self) -> None:
        """Draw at once, or a little later, for all the news there will be by then."""
        if self._stale:
            return
        self._stale = True
        if (wait := self._drawn_at + REDRAW_SECONDS - monotonic()) > 0:
            self.set_timer(wait, self.redraw)
        else:
            self.redraw()

    def redraw(self) -> None:
        """Draw what the run under way has told, with the runs it is compared with."""
        self._stale, self._drawn_at = False, monotonic()
        current = self._queue.current
        stopping = current is not None and self._queue.is_ending(current)
        self._watch.show(self.history, self.board.marks, stopping)
        self._status_line.show(self.history)

    def _show_queue(self) -> None:
        self.lower.show_queue(self._queue.waiting, self._queue.held)
        self.refresh_bindings()

    # Actions

    def action_train(self) -> None:
        """Train the network of the form."""
        self.configure.request()

    def action_all_seven(self) -> None:
        """Queue the report's seven models."""
        self.configure.request_all_seven()

    def action_model(self, name: str) -> None:
        """Set up one of the report's models."""
        self.configure.choose_model(name)

    def action_stop(self) -> None:
        """Stop the run under way and hold the queue."""
        self._queue.stop()
        self._redraw_soon()

    def action_skip(self) -> None:
        """End the run under way; the next begins."""
        self._queue.skip()
        self._redraw_soon()

    def action_resume(self) -> None:
        """Let a held queue go on."""
        self._queue.resume()
        self._show_queue()

    def action_filter(self) -> None:
        """Type a filter for the board."""
        self.action_panel("board")
        self.board.start_filter()

    def action_undo(self) -> None:
        """Bring back the runs deleted last."""
        self.board.undo()

    def action_read_store(self) -> None:
        """Read the stored runs again."""
        self.board.read_store()

    def action_open(self, name: str) -> None:
        """Open a screen over the marked runs, or the one under the cursor."""
        self.board.fetch(asked_for(name, self.board.targets(), self._rows), name)

    def action_pareto(self) -> None:
        """Open the plot of accuracy against cost over all runs of the data set."""
        rows = [row for row in self._rows if row.dataset == self.configure.dataset]
        self.app.push_screen(self._opening.pareto(rows, self._show, self.configure.specs))

    def _show(self, run_id: str) -> None:
        """Open a run's details."""
        self.board.fetch([run_id], "details")

    def action_predict(self) -> None:
        """Ask the network of the run under the board's cursor about a picture."""
        row = self.board.current
        if row is None or row.is_report:
            self.notify("Go to a stored run on the board first; i asks its network.")
        else:
            self.board.fetch([row.id], "predict")

    def action_report_rows(self) -> None:
        """Show or hide the report's rows."""
        self.board.show_report(not self.board.with_report)

    def action_log_axis(self) -> None:
        """Logarithmic or linear axis for the selected chart."""
        self.charts.toggle_log()

    def action_zoom(self, factor: float) -> None:
        """Show fewer or more epochs."""
        self.charts.zoom(factor)

    def action_zoom_all(self) -> None:
        """Show every epoch."""
        self.charts.zoom_all()

    def action_panel(self, panel: str) -> None:
        """Go to a panel: show it where only one fits, and give it the focus."""
        number = min(PANELS.index(panel) + 1, 4)
        if panel in ("loss", "accuracy"):
            self.charts.select(self.query_one(f"#{panel}", Chart))
        for other in range(1, 5):
            self.set_class(other == number, f"-show-{other}")
        if number == 4:
            self.lower.active = panel
        inside = self.query_one(f"#{panel}").query("*").results(Widget)
        target = next((widget for widget in inside if widget.focusable and widget.display), None)
        if target is not None:
            self.set_focus(target)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        match action:
            case "stop":
                return self._queue.current is not None
            case "skip":  # with nothing waiting it would be the same as stop
                return self._queue.current is not None and bool(self._queue.waiting)
            case "resume":
                return self._queue.held
        return True


def _counted(records: tuple[RunRecord, ...]) -> str:
    return f"{records[0].spec.title}" if len(records) == 1 else f"{len(records)} runs"
