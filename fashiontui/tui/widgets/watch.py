"""Panels 2 and 3 and the line below them: how the run under way is doing, beside other runs."""

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import Vertical

from fashiontui.domain.history import History
from fashiontui.domain.record import RunRecord
from fashiontui.tui.curves import accuracy_curves, epochs_shown, loss_curves, reference
from fashiontui.tui.widgets.charts import Charts
from fashiontui.tui.widgets.run_line import RunLine

EMPTY_LOSS = (
    "Training and validation loss appear here.\n"
    "[b]t[/b] trains, [b]space[/b] on the board draws a stored run."
)
EMPTY_ACCURACY = "Validation accuracy appears here after the first epoch."


class Watch(Vertical):
    """Both charts and the run's line."""

    def __init__(self) -> None:
        super().__init__(id="watch")
        self._charts = Charts(("2", "3"), (EMPTY_LOSS, EMPTY_ACCURACY))
        self._run_line = RunLine()
        self.marked: dict[str, RunRecord] = {}
        """Stored runs to draw beside the one under way, by id."""
        self.pinned: RunRecord | None = None
        """The stored run to compare every other with."""

    def compose(self) -> ComposeResult:
        """Charts above the line."""
        yield self._charts
        yield self._run_line

    def show(self, history: History, marks: Mapping[str, str], stopping: bool) -> None:
        """Draw what a run has told, with the runs it is compared with.

        Args:
            history: Of the run.
            marks: The letters of the runs that are marked, by id.
            stopping: Whether it has been asked to stop.
        """
        marked = [(marks[run], record) for run, record in self.marked.items() if run in marks]
        beside = [record for _, record in marked] + ([self.pinned] if self.pinned else [])
        self._charts.show(
            loss_curves(history, marked, self.pinned),
            accuracy_curves(history, marked, self.pinned),
            reference(history.started.spec if history.started else None),
            epochs_shown(history, beside),
        )
        self._run_line.show(history, stopping)
