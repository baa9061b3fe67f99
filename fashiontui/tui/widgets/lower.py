"""Panels 4 to 7, one at a time: the leaderboard, the queue, the first layer and the log."""

from collections.abc import Sequence

from textual.widgets import RichLog, TabbedContent, TabPane

from fashiontui.domain.spec import DatasetName
from fashiontui.domain.text import printable
from fashiontui.tui import log
from fashiontui.tui.choice import Choice
from fashiontui.tui.library import Library
from fashiontui.tui.queue import Job
from fashiontui.tui.widgets.first_layer import FirstLayerView
from fashiontui.tui.widgets.leaderboard import Leaderboard
from fashiontui.tui.widgets.queue_view import QueueView

LOG_LINES = 2000
"""How many lines the log keeps."""


class Lower(TabbedContent):
    """The panels below the charts, or beside them."""

    def __init__(self, library: Library, dataset: DatasetName, choice: Choice) -> None:
        """Args:
        library: The stored runs.
        dataset: Whose runs the board shows at first.
        choice: Which run is pinned, and whether the report's rows are shown.
        """
        super().__init__(id="lower")
        board = Leaderboard(library, dataset, choice.report_rows, choice.pinned)
        lines = RichLog(id="log", max_lines=LOG_LINES, wrap=True, min_width=20)
        for pane in (
            TabPane("4 Leaderboard", board, id="board"),
            TabPane("5 Queue", QueueView(), id="queue-pane"),
            TabPane("6 First layer", FirstLayerView(), id="layer-pane"),
            TabPane("7 Log", lines, id="log-pane"),
        ):
            self.compose_add_child(pane)

    def show_queue(self, waiting: Sequence[Job], held: bool) -> None:
        """Show what waits, in the panel and on its tab."""
        self.query_one(QueueView).show(waiting, held)
        self.get_tab("queue-pane").label = f"5 Queue ({len(waiting)})" if waiting else "5 Queue"

    def note(self, line: str) -> None:
        """Add a line to the log."""
        self.query_one("#log", RichLog).write(log.stamped(printable(line)))
