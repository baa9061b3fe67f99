"""Panel 4: every stored run and the report's rows, ranked, sorted, filtered and marked."""

from collections.abc import Callable, Iterable

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import DataTable, Input, Static
from textual.widgets.data_table import ColumnKey, RowDoesNotExist

from fashiontui.domain.board import BoardRow, ranked, report_rows
from fashiontui.domain.errors import FashiontuiError
from fashiontui.domain.events import UNFINISHED, Status
from fashiontui.domain.spec import DatasetName
from fashiontui.tui.library import Library
from fashiontui.tui.messages import BoardLoaded, Failed, RunsFetched
from fashiontui.tui.widgets.board_table import BoardTable
from fashiontui.tui.widgets.columns import COLUMNS

PAGE = 100
"""Rows given to the table at once; more follow as the cursor nears the end."""
MARKS = "abcdef"
"""Marked runs are called so, on the board and in the charts."""


class Leaderboard(Vertical):
    """The table with its filter, its order and its marks."""

    BINDINGS = [
        Binding("space", "mark", "Mark", id="board.mark",
                tooltip="Draw this run in the charts, or no longer"),
        Binding("p", "pin", "Pin", id="board.pin",
                tooltip="Compare every chart with this run, or no longer"),
        Binding("r", "rerun", "Re-run", id="board.rerun",
                tooltip="Train this run's exact spec again"),
        Binding("c", "continue", "Continue", id="board.continue",
                tooltip="Train this stopped or interrupted run to its end"),
        Binding("x,delete", "delete", "Delete", id="board.delete", key_display="x",
                tooltip="Delete the marked runs, or this one; u undoes it"),
        Binding("O", "reverse", "Order", id="board.reverse", show=False, key_display="O",
                tooltip="Turn the order round"),
        Binding("less_than_sign", "sort(-1)", "Sort left", id="board.sort_left", show=False,
                tooltip="Sort by the column to the left"),
        Binding("greater_than_sign", "sort(1)", "Sort right", id="board.sort_right", show=False,
                tooltip="Sort by the next column"),
        Binding("escape", "clear_filter", "All runs", id="board.clear",
                tooltip="Take the filter away"),
    ]  # fmt: skip

    def __init__(
        self, library: Library, dataset: DatasetName, with_report: bool, pinned: str | None
    ) -> None:
        """Args:
        library: The stored runs.
        dataset: Whose runs are shown; those of the other data set share no table with them.
        with_report: Whether the report's rows are shown at first.
        pinned: Id of the baseline run.
        """
        super().__init__(id="leaderboard")
        self._library = library
        self._dataset = dataset
        self._rows: dict[str, BoardRow] = {}
        self._ranks: dict[str, int] = {}
        self._order: list[BoardRow] = []
        self._given = 0
        self._sort = 1
        self._descending = True
        self.with_report = with_report
        self.marks: dict[str, str] = {}
        self.pinned = pinned

    def compose(self) -> ComposeResult:
        """Filter, table, and a line that says what is shown."""
        yield Input(
            placeholder="filter: words of model, recipe, status, …", id="filter", compact=True
        )
        yield BoardTable(cursor_type="row", zebra_stripes=True)
        yield Static(id="board-foot")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to take a filter away, or to continue a run, only where there is one for it."""
        match action:
            case "clear_filter":
                return self.has_class("-filtering")
            case "continue":
                return self.current is not None and self.current.status in UNFINISHED
        return True

    def on_mount(self) -> None:
        """Add the columns, and the report's rows at once: the store's follow when it is open."""
        for number in range(-2, len(COLUMNS)):
            header = self._header(number)
            self.table.add_column(header, key=self._column_key(number + 2), width=header.cell_len)
        self.rebuild()

    @property
    def table(self) -> BoardTable:
        """The table itself."""
        return self.query_one(BoardTable)

    @property
    def current(self) -> BoardRow | None:
        """The row under the cursor."""
        at = self.table.cursor_row
        return self._order[at] if 0 <= at < min(self._given, len(self._order)) else None

    def load(self, rows: Iterable[BoardRow]) -> None:
        """Show these runs instead of the former ones."""
        self._rows = {row.id: row for row in rows}
        self._ranks = ranked(self._comparable())
        self.marks = {run: mark for run, mark in self.marks.items() if run in self._rows}
        self.rebuild()

    def show_dataset(self, dataset: DatasetName) -> None:
        """Show the runs on this data set instead of those on the other."""
        self._dataset = dataset
        self.load(self._rows.values())

    def put(self, row: BoardRow) -> None:
        """Add a run, or show how far it has come, without moving any row."""
        known = row.id in self._rows
        self._rows[row.id] = row
        if not known:
            self.rebuild()
            return
        for place, shown in enumerate(self._order):
            if shown.id == row.id:
                self._order[place] = row
        try:
            at = self.table.get_row_index(row.id)
        except RowDoesNotExist:
            return
        cells = self._cells(row)
        self._widen(cells)
        for number, cell in enumerate(cells):
            if self.table.get_row_at(at)[number] != cell:
                self.table.update_cell(row.id, self._column_key(number), cell)

    def show_begun(self, row: BoardRow) -> None:
        """Add the run that has begun and move to it, unless the user is reading another row."""
        self.put(row)
        if not self.table.has_focus and row in self._order[: self._given]:
            self.table.move_cursor(row=self._order.index(row))

    def rebuild(self) -> None:
        """Filter and sort anew; the cursor stays on its run."""
        if not self.is_mounted:
            return
        kept = self.current.id if self.current else None
        typed = self.query_one("#filter", Input).value
        rows = self._comparable()
        if self.with_report:
            rows += [row for row in report_rows() if row.dataset == self._dataset]
        key = COLUMNS[self._sort].sort
        found = [row for row in rows if row.matches(typed)]
        found.sort(key=key, reverse=self._descending)
        found.sort(key=lambda row: row.status is not Status.RUNNING)  # what trains comes first
        self._order = found
        table = self.table
        table.clear()  # columns stay: they keep the width of the widest cell they ever had
        for number in range(-2, len(COLUMNS)):
            table.columns[ColumnKey(self._column_key(number + 2))].label = self._header(number)
        self._given = 0
        self._give_more()
        places = [row.id for row in self._order[: self._given]]
        if kept in places:
            table.move_cursor(row=places.index(kept))
        self.set_class(not self._order, "-empty")
        self._show_foot(typed)

    def _comparable(self) -> list[BoardRow]:
        """The runs on the data set that is shown."""
        return [row for row in self._rows.values() if row.dataset == self._dataset]

    def toggle_mark(self, run_id: str) -> bool:
        """Mark a run, or no longer; false where no mark is left to give."""
        if run_id in self.marks:
            del self.marks[run_id]
        else:
            free = [mark for mark in MARKS if mark not in self.marks.values()]
            if not free:
                return False
            self.marks[run_id] = free[0]
        self.refresh_row(run_id)
        return True

    def refresh_row(self, run_id: str) -> None:
        """Draw a run's row again."""
        if run_id in self._rows:
            self.put(self._rows[run_id])

    def row(self, run_id: str) -> BoardRow | None:
        """The row of a run; None where it is not on the board."""
        return self._rows.get(run_id)

    def targets(self) -> list[BoardRow]:
        """The marked runs, or the one under the cursor; never the report's rows."""
        marked = [self._rows[run] for run in self.marks]
        here = [self.current] if self.current and not self.current.is_report else []
        return marked or here

    def start_filter(self) -> None:
        """Let the user type a filter."""
        self.add_class("-filtering")
        self.refresh_bindings()
        self.query_one("#filter", Input).focus()

    def action_sort(self, by: int) -> None:
        """Sort by the next column in a direction."""
        self._sort_by((self._sort + by) % len(COLUMNS))

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._descending = not self._descending
        self.rebuild()

    def action_mark(self) -> None:
        """Mark the run under the cursor, or no longer, and step to the next."""
        row = self._stored_row()
        if row is None:
            return
        if self.toggle_mark(row.id):
            self.table.action_cursor_down()
            self.fetch([*self.marks], "marked")
        else:
            self.notify(f"{len(MARKS)} runs are marked already.", severity="warning")

    def action_pin(self) -> None:
        """Make the run under the cursor the baseline, or no longer."""
        row = self._stored_row()
        if row is None:
            return
        before, self.pinned = self.pinned, None if self.pinned == row.id else row.id
        for changed in filter(None, (before, row.id)):
            self.refresh_row(changed)
        if self.pinned:
            self.fetch([self.pinned], "pinned")
        else:
            self.post_message(RunsFetched((), "pinned"))

    def action_details(self) -> None:
        """Open the run under the cursor."""
        if (row := self._stored_row()) is not None:
            self.fetch([row.id], "details")

    def action_rerun(self) -> None:
        """Train the exact spec of the run under the cursor again."""
        if (row := self._stored_row()) is not None:
            self.fetch([row.id], "rerun")

    def action_continue(self) -> None:
        """Train a stopped or interrupted run to its end."""
        if (row := self._stored_row()) is not None:
            self.fetch([row.id], "continue")

    def action_delete(self) -> None:
        """Delete the marked runs, or the one under the cursor."""
        doomed = [row.id for row in self.targets()]
        if doomed:
            self._delete(doomed)

    def action_clear_filter(self) -> None:
        """Show all runs again."""
        self.clear_filter()

    @work(thread=True, group="store")
    def read_store(self) -> None:
        """Read the board anew; the store may be slow or locked, so a thread waits for it."""
        self._guarded(lambda: BoardLoaded(self._library.board()))

    @work(thread=True, group="store")
    def fetch(self, run_ids: list[str], purpose: str) -> None:
        """Read whole runs for a purpose of the screen's."""
        self._guarded(lambda: RunsFetched(self._library.get(run_ids), purpose))

    @work(thread=True, group="store")
    def fetch_baseline(self, run_id: str) -> None:
        """Read the run pinned at the last start; none where it was deleted since."""
        self._guarded(lambda: RunsFetched(self._library.find(run_id), "pinned"))

    @work(thread=True, group="store")
    def undo(self) -> None:
        """Bring back what was deleted last."""
        self._guarded(lambda: RunsFetched(self._library.undo(), "restored"))
        self._guarded(lambda: BoardLoaded(self._library.board()))

    @work(thread=True, group="store")
    def _delete(self, run_ids: list[str]) -> None:
        self._guarded(lambda: RunsFetched(self._library.delete(run_ids), "deleted"))
        self._guarded(lambda: BoardLoaded(self._library.board()))

    def _guarded(self, ask: Callable[[], Message]) -> None:
        """Post what the store answers, or the sentence that says why it does not."""
        try:
            self.post_message(ask())
        except FashiontuiError as error:
            self.post_message(Failed(str(error), error.exit_code))

    def _stored_row(self) -> BoardRow | None:
        """The row under the cursor, unless it is the report's: that has no run behind it."""
        row = self.current
        if row is not None and row.is_report:
            self.notify(
                "This row is the report's; no run is stored for it. f2 to f8 set its models up."
            )
            return None
        return row

    @on(DataTable.RowSelected)
    def _row_selected(self) -> None:
        self.action_details()

    @on(DataTable.RowHighlighted)
    def _near_the_end(self, event: DataTable.RowHighlighted) -> None:
        self.refresh_bindings()
        if event.cursor_row >= self._given - PAGE // 4:
            self._give_more()

    @on(DataTable.HeaderSelected)
    def _header_clicked(self, event: DataTable.HeaderSelected) -> None:
        number = event.column_index - 2
        if number == self._sort:
            self.action_reverse()
        elif number >= 0:
            self._sort_by(number)

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        self.rebuild()

    @on(Input.Submitted, "#filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.table.focus()

    def clear_filter(self) -> None:
        """Show all runs again."""
        self.query_one("#filter", Input).value = ""
        self.remove_class("-filtering")
        self.refresh_bindings()
        self.table.focus()

    def say(self, sentence: str) -> None:
        """Show a sentence in place of the summary, until the board is read again."""
        self.query_one("#board-foot", Static).update(Text(sentence))

    def _sort_by(self, number: int) -> None:
        self._sort, self._descending = number, COLUMNS[number].best_first
        self.rebuild()

    def _give_more(self) -> None:
        """Hand the table its next page of rows: it measures every cell it is given."""
        page = self._order[self._given : self._given + PAGE]
        for row in page:
            cells = self._cells(row)
            self._widen(cells)
            self.table.add_row(*cells, key=row.id)
        self._given += len(page)

    def _widen(self, cells: list[Text]) -> None:
        """Make each column as wide as its cell: the table itself may measure before it is shown."""
        for column, cell in zip(self.table.ordered_columns, cells, strict=True):
            column.width = max(column.width, cell.cell_len)

    def _column_key(self, place: int) -> str:
        return ("rank", "mark", *(column.key for column in COLUMNS))[place]

    def _header(self, number: int) -> Text:
        if number < 0:
            return Text("#" if number == -2 else " ", justify="right")
        column = COLUMNS[number]
        arrow = ("▼" if self._descending else "▲") if number == self._sort else " "
        return Text(f"{column.title}{arrow}", justify=column.justify)

    def _cells(self, row: BoardRow) -> list[Text]:
        style = "italic" if row.is_report else ""
        rank = self._ranks.get(row.id)
        mark = ("◆" if row.id == self.pinned else "") + self.marks.get(row.id, "")
        return [
            Text("" if rank is None else str(rank), justify="right"),
            Text(mark, style="bold"),
            *(Text(column.show(row), style, justify=column.justify) for column in COLUMNS),
        ]

    def _show_foot(self, typed: str) -> None:
        runs = sum(not row.is_report for row in self._order)
        column, way = COLUMNS[self._sort].title, "down" if self._descending else "up"
        comparable = len(self._comparable())
        noun = "run" if comparable == 1 else "runs"
        parts = [f"{runs:,} of {comparable:,} {noun}" if typed else f"{runs:,} {noun}"]
        if others := len(self._rows) - comparable:
            parts[0] += f", {others:,} on other data not shown (d changes data)"
        parts.append(f"by {column} {way}")
        if typed:
            parts.append(f"filter “{typed}” (esc clears)")
        if self.with_report and self._dataset == "fashion-mnist":
            parts.append("* the report's ±: over batches of 256")
        empty = "No run is stored yet: press t to train the network of panel 1"
        nothing = f"No run matches “{typed}”: esc clears the filter."
        if not comparable and not typed:
            parts = [empty, *parts[2:]]
        text = " · ".join(parts) if self._order else nothing if typed else empty
        self.query_one("#board-foot", Static).update(Text(text, no_wrap=True, overflow="ellipsis"))
