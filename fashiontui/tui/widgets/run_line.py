"""The line that says how the run under way is doing."""

from collections.abc import Callable

from rich.style import Style

from fashiontui.domain.events import Scoring, Status
from fashiontui.domain.history import History
from fashiontui.tui.text import clock
from fashiontui.tui.widgets.lines import BOLD, PLAIN, Lines, Piece

LEAST_BAR = 8


class RunLine(Lines):
    """A bar and the figures of the run under way, or what there is to say without one."""

    COMPONENT_CLASSES = {"run-line--done", "run-line--left", "run-line--hint", "run-line--error"}

    def __init__(self) -> None:
        super().__init__(id="run-line")
        self._told: Callable[[], list[Piece]] = self._hint
        self._styles: dict[str, Style] = {}

    def on_mount(self) -> None:
        """Say what to press, and follow the theme."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self._follow_theme())
        self.on_resize()

    def _follow_theme(self) -> None:
        self._styles.clear()
        self.on_resize()

    def on_resize(self) -> None:
        """Fit the bar to the line, also when its panel was hidden while the run went on."""
        self._tell(self._told)

    def announce(self, title: str) -> None:
        """A job was taken and is being prepared."""
        self._tell(lambda: [(title, BOLD), (" · measuring speed…", PLAIN)])

    def give_up(self, sentence: str) -> None:
        """A job cannot train, and why."""
        self._tell(lambda: [(f"✗ {sentence}", self._style("error"))])

    def show(self, history: History, stopping: bool) -> None:
        """Draw how far the run is."""
        if history.started is not None:
            self._tell(lambda: self._bar(history, stopping))

    def _tell(self, told: Callable[[], list[Piece]]) -> None:
        self._told = told
        self.show_lines([told()])

    def _hint(self) -> list[Piece]:
        hint = self._style("hint")
        keys: list[Piece] = [("Nothing is training: ", hint), ("t", hint + BOLD)]
        return [*keys, (" trains the network of panel 1.", hint)]

    def _bar(self, history: History, stopping: bool) -> list[Piece]:
        """A bar that fills the line up to the figures."""
        share = history.steps_done / history.steps if history.steps else 0.0
        width = self.content_size.width
        tail = _fitting(self._figures(history, stopping), width - LEAST_BAR - 1)
        bar = max(LEAST_BAR, width - len(tail) - 1)
        full = round(bar * share)
        done, left = ("━" * full, self._style("done")), ("─" * (bar - full), self._style("left"))
        return [done, left, (f" {tail}", PLAIN)]

    def _style(self, name: str) -> Style:
        if name not in self._styles:  # Textual forgets its own at every change
            colour = self.get_component_styles(f"run-line--{name}").color
            shown = self.background_colors[1] + colour  # it may be translucent
            self._styles[name] = Style(color=shown.rich_color)
        return self._styles[name]

    def _figures(self, history: History, stopping: bool) -> list[str]:
        """What to say of the run, the most important first."""
        figures = [f"{history.steps_done / max(1, history.steps):.0%}"]
        figures.append(f"epoch {self._epoch(history)}")
        if history.finished:
            figures.append(f"{_ENDS[history.status]} after {clock(history.train_seconds)}")
        elif history.progress:
            if history.scoring is not None and not stopping:
                figures.append(_scored(history, history.scoring))
            now, done = history.progress[-1], history.train_seconds
            total = done + (history.seconds_left or 0.0)
            figures.append("stopping…" if stopping else f"{clock(history.seconds_left)} left")
            figures.append(f"{now.images_per_second:,.0f} img/s")
            figures += [f"{clock(done)} / {clock(total)}", f"lr {now.lr:.1e}"]
        return figures

    @staticmethod
    def _epoch(history: History) -> str:
        assert history.started is not None
        epochs = history.started.spec.settings.epochs
        done = len(history.epochs)
        return f"{done if history.finished else min(done + 1, epochs)}/{epochs}"


_ENDS = {
    Status.FINISHED: "✓ finished",
    Status.STOPPED: "■ stopped",
    Status.FAILED: "✗ failed",
    Status.INTERRUPTED: "! interrupted",
    Status.RUNNING: "▶ training",
}


def _scored(history: History, scoring: Scoring) -> str:
    """What the network is scored on, and how far that is."""
    assert history.started is not None
    over = len(history.epochs) == history.started.spec.settings.epochs
    return f"{'test' if over else 'validation'} {scoring.done / scoring.images:.0%}"


def _fitting(figures: list[str], width: int) -> str:
    """As many of the figures as a width has room for."""
    while len(figures) > 1 and len(" · ".join(figures)) > width:
        figures = figures[:-1]
    return " · ".join(figures)
