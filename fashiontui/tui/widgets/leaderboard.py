"""Panel 4: every stored run and the report's rows, ranked, sorted, filtered and marked."""

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import DataTable, Input, Static
from textual.widgets.data_table import ColumnKey, RowDoesNotExist

from fashiontui.domain.board import Board, BoardRow
from fashiontui.domain.events import UNFINISHED
from fashiontui.domain.spec import DatasetName
from fashiontui.tui.library import Library
from fashiontui.tui.messages import RunsFetched
from fashiontui.tui.widgets.board_table import BoardTable
from fashiontui.tui.widgets.columns import COLUMNS, KEYS, cells, headers
from fashiontui.tui.widgets.listing import Listing
from fashiontui.tui.widgets.store_client import StoreClient

PAGE = 20
"""Least number of rows given to the table at once; more follow as the end comes near."""
OFFERED = 8
"""How many rows the form offers as teachers; any other is made one by key."""
MARKS = "abcdef"
"""Marked runs are called so, on the board and in the charts."""


class Leaderboard(StoreClient):
    """The table with its filter, its order and its marks."""

    BINDINGS = [
        Binding("space", "mark", "Mark", id="board.mark",
                tooltip="Draw this run in the charts, or no longer"),
        Binding("e", "unfold", "Seeds", id="board.unfold",
                tooltip="Show each seed's run beneath this row, or no longer"),
        Binding("p", "pin", "Pin", id="board.pin",
                tooltip="Compare every chart with this run, or no longer"),
        Binding("r", "rerun", "Re-run", id="board.rerun",
                tooltip="Train this run's exact spec again"),
        Binding("T", "teach", "Teach", id="board.teach", show=False, key_display="T",
                tooltip="Have the form's network learn what the marked runs answer, or this row's "
                        "runs; again, the labels"),
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
        super().__init__(library, id="leaderboard")
        self._listing = Listing(dataset, with_report)
        self._order: list[BoardRow] = []
        self._given = 0
        self.marks: dict[str, str] = {}
        self.pinned = pinned

    def compose(self) -> ComposeResult:
        """Table, and a line that says what is shown."""
        yield BoardTable(cursor_type="row", zebra_stripes=True)
        yield Static(id="board-seeds")
        yield Static(id="board-foot")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to take a filter away, to continue or to unfold, only where there is one for it."""
        match action:
            case "clear_filter":
                return self.has_class("-filtering")
            case "unfold":
                return self._several() is not None
            case "continue":
                return self.current is not None and self.current.status in UNFINISHED
        return True

    def on_mount(self) -> None:
        """Add the columns."""
        for key, header in zip(KEYS, self._headers(), strict=True):
            self.table.add_column(header, key=key, width=header.cell_len)

    def open_store(self) -> None:
        """Show the report's rows at once, and the store's when it has been opened and read."""
        self.rebuild()
        self.read_store()
        if self.pinned:
            self.fetch_baseline(self.pinned)

    @property
    def table(self) -> BoardTable:
        """The table itself."""
        return self.query_one(BoardTable)

    @property
    def with_report(self) -> bool:
        """Whether the report's rows are shown."""
        return self._listing.with_report

    def show_report(self, shown: bool) -> None:
        """Show the report's rows, or no longer."""
        self._listing.with_report = shown
        self.rebuild()

    @property
    def row_here(self) -> BoardRow | None:
        """The row under the cursor, which may stand for several seeds."""
        at = self.table.cursor_row
        return self._order[at] if 0 <= at < min(self._given, len(self._order)) else None

    @property
    def current(self) -> BoardRow | None:
        """The run under the cursor; of several seeds the one nearest their mean."""
        row = self.row_here
        return row and row.typical

    def load(self, board: Board) -> None:
        """Show what was read from the store instead of all there was."""
        self._listing.load(board)
        self.marks = {run: mark for run, mark in self.marks.items() if self.row(run)}
        self.rebuild()

    def show_dataset(self, dataset: DatasetName) -> None:
        """Show the runs on this data set instead of those on the other."""
        self._listing.dataset = dataset
        self.rebuild()

    def put(self, row: BoardRow) -> None:
        """Add a run, or show how far it has come, without moving any row."""
        known = self.row(row.id) is not None
        self._listing.put(row)
        if not known:
            self.rebuild()
            return
        for place, shown in enumerate(self._order):
            if shown.id == row.id:
                self._order[place] = row
        self._refresh_row(row)

    def show_begun(self, row: BoardRow) -> None:
        """Add the run that has begun and move to it, unless the user is reading another row."""
        self.put(row)
        if not self.table.has_focus and row in self._order[: self._given]:
            self.table.move_cursor(row=self._order.index(row))

    def rebuild(self) -> None:
        """Filter and sort anew; the cursor stays on its row."""
        if not self.is_mounted:
            return
        kept = self._kept_places()
        self._order = self._listing.rows()
        table = self.table
        table.clear()  # columns stay: they keep the width of the widest cell they ever had
        for key, header in zip(KEYS, self._headers(), strict=True):
            table.columns[ColumnKey(key)].label = header
        self._given = 0
        self._give_more()
        places = {row.id: place for place, row in enumerate(self._order[: self._given])}
        if (place := next((places[one] for one in kept if one in places), None)) is not None:
            table.move_cursor(row=place)
        self.set_class(not self._order, "-empty")
        self.query_one("#board-foot", Static).update(
            Text(self._listing.summary(self._order), no_wrap=True, overflow="ellipsis")
        )
        self._show_seeds()

    def _kept_places(self) -> list[str]:
        """Ids of the rows that the cursor may stay on, the best first."""
        row = self.row_here
        if row is None:
            return []
        return [
            row.id,
            *(one for run in row.runs or (row,) for one in self._listing.shown_as(run.id)),
        ]

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
        """Draw the rows that show a run again."""
        shown_as = self._listing.shown_as(run_id)
        for row in self._order[: self._given]:
            if row.id in shown_as:
                self._refresh_row(row)

    def _refresh_row(self, row: BoardRow) -> None:
        try:
            at = self.table.get_row_index(row.id)
        except RowDoesNotExist:
            return
        shown = self._cells(row)
        self.table.widen(shown)
        for number, (key, cell) in enumerate(zip(KEYS, shown, strict=True)):
            if self.table.get_row_at(at)[number] != cell:
                self.table.update_cell(row.id, key, cell)

    def row(self, run_id: str) -> BoardRow | None:
        """The row of a run; None where it is not on the board."""
        return self._listing.run(run_id)

    def targets(self) -> list[BoardRow]:
        """The marked runs, or the one under the cursor; never the report's rows."""
        marked = [row for row in map(self.row, self.marks) if row]
        here = [self.current] if self.current and not self.current.is_report else []
        return marked or here

    def _all_here(self) -> list[str]:
        """Ids of all runs of the row under the cursor; none for the report's."""
        row = self._stored_row()
        return [run.id for run in row.runs or (row,)] if row else []

    def start_filter(self) -> None:
        """Let the user type a filter."""
        self.add_class("-filtering")
        self.refresh_bindings()
        if not self.query(Input):
            hint = "filter: words of model, recipe, status, …"
            self.mount(Input(placeholder=hint, id="filter", compact=True), before=0)
        self.query_one("#filter", Input).focus()

    def action_sort(self, by: int) -> None:
        """Sort by the next column in a direction."""
        self._sort_by((self._listing.sort + by) % len(COLUMNS))

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._listing.descending = not self._listing.descending
        self.rebuild()

    def action_unfold(self) -> None:
        """Show each seed's run beneath the row of all of them, or no longer."""
        if (row := self._several()) is not None:
            self._listing.unfolded ^= {row.id}
            self.rebuild()
            self.table.move_cursor(row=next(i for i, o in enumerate(self._order) if o.id == row.id))

    def action_mark(self) -> None:
        """Mark the run under the cursor, or no longer, and step to the next."""
        row = self._stored_run()
        if row is None:
            return
        if self.toggle_mark(row.id):
            self.table.action_cursor_down()
            self.fetch([*self.marks], "marked")
        else:
            self.notify(f"{len(MARKS)} runs are marked already.", severity="warning")

    def action_pin(self) -> None:
        """Make the run under the cursor the baseline, or no longer."""
        row = self._stored_run()
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
        if (row := self._stored_run()) is not None:
            self.fetch([row.id], "details")

    def action_rerun(self) -> None:
        """Train the exact spec of the run under the cursor again, or of each of its seeds."""
        if (row := self._stored_row()) is not None:
            self.fetch([run.id for run in row.by_seed.values()], "rerun")

    def action_continue(self) -> None:
        """Train a stopped or interrupted run to its end."""
        if (row := self._stored_run()) is not None:
            self.fetch([row.id], "continue")

    def find_teachers_for(self, asked: str) -> None:
        """See which of the best rows can teach, and whether those that are asked for can."""
        best = [[run.id for run in row.by_seed.values()] for row in self._listing.best(OFFERED)]
        self.find_teachers(best, asked, self._listing.dataset)

    def action_teach(self) -> None:
        """Have the form's network learn from the marked runs, or from one of each seed here."""
        chosen = [*self.marks]
        if not chosen and (row := self._stored_row()) is not None:
            chosen = [run.id for run in row.by_seed.values()]
        if chosen:
            self.fetch_teachers(chosen, self._listing.dataset)

    def action_delete(self) -> None:
        """Delete the marked runs, or all of the row under the cursor."""
        if doomed := [*self.marks] or self._all_here():
            self.delete(doomed)

    def action_clear_filter(self) -> None:
        """Show all runs again."""
        self.clear_filter()

    def _stored_row(self) -> BoardRow | None:
        """The row under the cursor, unless it is the report's: that has no run behind it."""
        row = self.row_here
        if row is not None and row.is_report:
            self.notify(
                "This row is the report's; no run is stored for it. f2 to f8 set its models up."
            )
            return None
        return row

    def _stored_run(self) -> BoardRow | None:
        """The run under the cursor; of several seeds the one nearest their mean."""
        row = self._stored_row()
        return row and row.typical

    def _several(self) -> BoardRow | None:
        """The row of all seeds that the cursor is on or beneath."""
        here = self.row_here
        if here is None or here.runs:
            return here
        of = self._listing.shown_as(here.id)[-1]
        return next((row for row in self._order if row.id == of and row.runs), None)

    @on(DataTable.RowSelected)
    def _row_selected(self) -> None:
        self.action_details()

    @on(DataTable.RowHighlighted)
    def _near_the_end(self, event: DataTable.RowHighlighted) -> None:
        self.refresh_bindings()
        self._show_seeds()
        if event.cursor_row >= self._given - PAGE // 4:
            self._give_more()

    @on(BoardTable.EndNear)
    def _end_near(self, event: BoardTable.EndNear) -> None:
        event.stop()
        self._give_more()

    @on(DataTable.HeaderSelected)
    def _header_clicked(self, event: DataTable.HeaderSelected) -> None:
        number = event.column_index - 2
        if number == self._listing.sort:
            self.action_reverse()
        elif number >= 0:
            self._sort_by(number)

    @on(BoardTable.FoldClicked)
    def _fold_clicked(self) -> None:
        self.action_unfold()

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        self._listing.typed = event.value
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
        self._listing.sort, self._listing.descending = number, COLUMNS[number].best_first
        self.rebuild()

    def _give_more(self) -> None:
        """Hand the table its next page of rows: it measures every cell it is given."""
        count = max(PAGE, self.table.size.height + PAGE // 2)
        page = self._order[self._given : self._given + count]
        for row in page:
            shown = self._cells(row)
            self.table.widen(shown)
            self.table.add_row(*shown, key=row.id)
        self._given += len(page)

    def _headers(self) -> list[Text]:
        return headers(self._listing.sort, self._listing.descending)

    def _cells(self, row: BoardRow) -> list[Text]:
        runs = [run.id for run in row.runs or (row,)]
        pinned = "◆" if self.pinned in runs else ""
        marks = "".join(sorted(self.marks[run] for run in runs if run in self.marks))
        listing = self._listing
        return cells(row, listing.rank(row), pinned + marks, listing.title(row))

    def _show_seeds(self) -> None:
        """Say of the row under the cursor what seeds make of it."""
        said = self._listing.said_of(self.row_here)
        line = self.query_one("#board-seeds", Static)
        line.display = bool(said)
        line.update(Text(said, no_wrap=True, overflow="ellipsis"))
