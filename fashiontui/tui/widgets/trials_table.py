"""The table of a study's trials."""

from rich.text import Text
from textual.binding import Binding

from fashiontui.domain.study import StudyView, Trial
from fashiontui.tui import text
from fashiontui.tui.studies import TRIAL_GLYPHS, by_importance, shown_value
from fashiontui.tui.widgets.line_table import LineTable

TITLES = ("  #", "state", "val %", "epochs", "  weights", " time")


class TrialsTable(LineTable):
    """Trials with their parameters: those that are not over, then the best first."""

    BINDINGS = [
        Binding("enter", "select_cursor", "Run", id="tune.run", key_display="enter",
                tooltip="Everything stored of this trial's run"),
    ]  # fmt: skip
    HELP = """\
One row a trial: first those under way or stopped, which the next `t` continues, then the most
accurate on validation. `*` marks the best, of a study with two objectives its Pareto set.
Parameters come with the most important one first. `enter` or a double click opens a trial's run,
`r` queues its network with five seeds.
"""

    def __init__(self) -> None:
        super().__init__(id="trials", classes="panel", cursor_type="row", zebra_stripes=True)
        self.border_title = "4 Trials"
        self.trials: list[Trial] = []
        """Those in the rows."""
        self._study: str | None = None

    @property
    def current(self) -> Trial | None:
        """The trial under the cursor."""
        at = self.cursor_row
        return self.trials[at] if 0 <= at < len(self.trials) else None

    def fill(self, view: StudyView | None) -> None:
        """Show a study's trials; of the same study, what one looks at stays where it is."""
        kept = self.current.number if self.current else None
        scrolled = self.scroll_x, self.scroll_y
        self.clear(columns=True)
        self.trials = sorted(view.trials, key=_best_first) if view else []
        if view is None or not self.trials:
            return
        names = by_importance(view)
        for title in (*TITLES, *names):
            self.add_column(Text(title.replace("_", " ")), width=len(title))
        front = {trial.number for trial in view.pareto}
        for trial in self.trials:
            cells = _cells(trial, names, trial.number in front)
            self.widen(cells)
            self.add_row(*cells, key=str(trial.number))
        if view.name == self._study:
            self.scroll_x, self.scroll_y = self.scroll_target_x, self.scroll_target_y = scrolled
        self._study = view.name
        numbers = [trial.number for trial in self.trials]
        self.move_cursor(row=numbers.index(kept) if kept in numbers else 0)


def _cells(trial: Trial, names: list[str], is_best: bool) -> list[str]:
    facts = (
        f"{trial.number:>3}{'*' if is_best else ' '}",
        TRIAL_GLYPHS[trial.state],
        f"{text.percent(trial.val_accuracy):>5}",
        f"{trial.epochs:>6}",
        f"{trial.weights:>9,}",
        f"{text.clock(trial.train_seconds):>5}",
    )
    return [*facts, *(shown_value(trial.params.get(name)) for name in names)]


def _best_first(trial: Trial) -> tuple[bool, float, int]:
    return (trial.state.is_over, -(trial.val_accuracy or 0.0), trial.number)
