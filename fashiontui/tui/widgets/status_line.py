"""The top line: what runs and how far it is; data, device and theme."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from fashiontui.domain.history import History
from fashiontui.tui.text import clock


class StatusLine(Horizontal):
    """One line above everything else."""

    device: reactive[str] = reactive("")
    """The device ``auto`` takes; empty until torch is loaded."""
    dataset: reactive[str] = reactive("")
    """The data set in use; empty until it is known."""
    preparing: reactive[str] = reactive("")
    """Network of a run that is about to begin."""

    def __init__(self) -> None:
        super().__init__()
        self._history = History()
        self._news: tuple[object, ...] = ()
        self._surroundings = ""

    def compose(self) -> ComposeResult:
        """Name, run, surroundings."""
        yield Static("fashiontui", id="name")
        yield Static("SAMPLE DATA", id="sample")
        self._surroundings = self._surroundings_text()
        yield Static(self._run_text(), id="running")
        yield Static(Content.from_markup(self._surroundings), id="surroundings")

    def on_mount(self) -> None:
        """Follow the theme."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self._draw_surroundings())

    def show(self, history: History) -> None:
        """Draw this run."""
        self._history = history
        run_id = history.started.run_id if history.started else ""
        news = (run_id, history.status, len(history.epochs), int(history.train_seconds))
        if news != self._news:  # it is asked ten times a second, and tells of whole seconds
            self._news = news
            self._draw_run()

    def watch_device(self) -> None:
        """Draw the device."""
        self._draw_surroundings()

    def watch_dataset(self) -> None:
        """Draw the data set; figures on the sample set are never shown without its name."""
        self.set_class(self.dataset == "sample", "-sample")
        self._draw_surroundings()

    def watch_preparing(self) -> None:
        """Draw what is about to begin."""
        self._draw_run()

    def _draw_run(self) -> None:
        if self.is_mounted:
            self.query_one("#running", Static).update(self._run_text(), layout=False)

    def _draw_surroundings(self) -> None:
        if not self.is_mounted:
            return
        surroundings = self._surroundings_text()
        if surroundings != self._surroundings:
            self._surroundings = surroundings
            self.query_one("#surroundings", Static).update(Content.from_markup(surroundings))

    def _surroundings_text(self) -> str:
        data = self.dataset or "looking for data"
        if self.dataset == "sample":
            data = "[$text-warning]SAMPLE DATA[/]"
        return f"{data} · {self.device or 'loading torch'} · {self.app.theme}"

    def _run_text(self) -> Content:
        history = self._history
        started = history.started
        if started is None or (self.preparing and history.finished):
            if self.preparing:
                return Content.from_markup("▶ [b]$title[/b] · getting ready", title=self.preparing)
            return Content.from_markup("[$foreground 60%]ready[/]")
        spec, last = started.spec, history.epochs[-1] if history.epochs else None
        val = f" · val {last.val_accuracy:.2f}%" if last else ""
        if history.finished:
            test = history.finished.test
            tested = f" · test {test.accuracy:.2f}%" if test else ""
            glyph = {"finished": "✓", "stopped": "■"}.get(history.status, "✗")
            return Content.from_markup(
                f"{glyph} [b]$title[/b] {history.status.value}{val}{tested}", title=spec.title
            )
        parts = f" · epoch {min(len(history.epochs) + 1, spec.settings.epochs)}"
        parts += f"/{spec.settings.epochs}{val}"
        if history.progress:
            parts += f" · {clock(history.seconds_left)} left"
        return Content.from_markup(f"▶ [b]$title[/b]{parts}", title=spec.title)
