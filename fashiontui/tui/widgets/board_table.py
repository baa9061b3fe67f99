"""The leaderboard's table: what keys and mouse do in it."""

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.message import Message

from fashiontui.tui.widgets.line_table import LineTable

FOLDS = ("▸", "▾")
"""A cell that ends in one of these folds its row when that end is clicked."""
NEAR = 5
"""So many rows out of sight are few: it is time for more."""


class BoardTable(LineTable):
    """The table itself."""

    BINDINGS = [
        Binding("enter", "select_cursor", "Details", id="board.details", key_display="enter",
                tooltip="Everything stored of this run"),
    ]  # fmt: skip
    HELP = """\
One row a network and recipe, and the report's seven rows (`┄ report`, `h` hides them).

**×5 ▸** are five finished runs that differ by their seed alone, in one row; `e` or a click on ▸
shows each. Figures are then means over seeds, **±sd** their standard deviation; the line below
the table has the 95% t-intervals. The **noise floor of seeds**: two single runs that differ by
their seed alone are no further apart, 19 times of 20.

Ranks go by mean validation accuracy: choosing by test accuracy would spoil the test. Rows with
**=** share their rank: each may be behind the first of them by noise alone. The test is paired
over common seeds, from three on, else of shares of the validation images; the k-th row beneath
the first opens the next rank when p < 0.05 / k.

A trial of a study has its number in place of `finished`; it has no test accuracy of its own.

**±95** is half the 95% Wilson interval for the number of test images. **±\\*** on the report's rows
is another thing: its standard deviation over test batches of 256.

`/` filters as you type, `<` `>` or a click on a header choose the column to sort by, `O` turns the
order round. `space` marks runs for the charts, `p` pins one as baseline, `enter` opens a run: of
several seeds the one nearest their mean. `r` trains the exact spec of the row's runs again, `c`
continues a stopped or interrupted run, `T` has new runs learn what the marked ones answer or all
seeds of this row, `x` deletes the marked runs or all of this row, `u` brings them back. Clicking a
row moves to it, a double click opens it, the wheel scrolls.
"""

    class FoldClicked(Message):
        """The row under the cursor shall show its seeds, or no longer."""

    class EndNear(Message):
        """Few rows are left below those in sight."""

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for more rows before the last one comes into sight."""
        super().watch_scroll_y(old_value, new_value)
        self._look_ahead()

    def on_resize(self) -> None:
        """Ask for as many rows as the new size shows."""
        self._look_ahead()

    def _look_ahead(self) -> None:
        if self.row_count < self.scroll_y + self.size.height + NEAR:
            self.post_message(self.EndNear())

    def on_click(self, event: events.Click) -> None:
        """A click on a fold shows the row's seeds, or hides them."""
        if event.style.meta.get("fold"):
            self.post_message(self.FoldClicked())  # read once the row is moved to

    def _render_cell(
        self,
        row_index: int,
        column_index: int,
        base_style: Style,
        width: int,
        cursor: bool = False,
        hover: bool = False,
    ) -> list[list[Segment]]:
        """A cell that ends in a fold has a part of its own to click."""
        lines = super()._render_cell(row_index, column_index, base_style, width, cursor, hover)
        [[(text, style, _)]] = lines
        if row_index < 0 or not (name := text.rstrip()).endswith(FOLDS):
            return lines
        assert style is not None
        at = name.rindex(" ×")
        fold = style + Style.from_meta({"fold": True})
        return [[Segment(text[:at], style), Segment(text[at:], fold)]]
