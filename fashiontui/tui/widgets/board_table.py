"""The leaderboard's table: what keys and mouse do in it."""

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.coordinate import Coordinate
from textual.message import Message
from textual.widgets import DataTable
from textual.widgets.data_table import ColumnKey, RowKey

FOLDS = ("▸", "▾")
"""A cell that ends in one of these folds its row when that end is clicked."""
NEAR = 5
"""So many rows out of sight are few: it is time for more."""


class BoardTable(DataTable[Text]):
    """The table itself.

    Textual draws the whole table whenever one cell changes, as some do each epoch of a run, and
    draws a cell as it would any renderable. All cells here are one line in one style.
    """

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
continues a stopped or interrupted run, `x` deletes the marked runs or all of this row, `u` brings
them back. Clicking a row moves to it, a double click opens it, the wheel scrolls.
"""

    class FoldClicked(Message):
        """The row under the cursor shall show its seeds, or no longer."""

    class EndNear(Message):
        """Few rows are left below those in sight."""

    _drawn_widths: tuple[int, ...] = ()

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
        """One click moves to a row, two open it: Textual opens the row one is on at one click."""
        row, column = event.style.meta.get("row", -1), event.style.meta.get("column", 0)
        if row >= 0:
            event.prevent_default()
            self.move_cursor(row=row, column=column)
            if event.style.meta.get("fold"):
                self.post_message(self.FoldClicked())
            elif event.chain == 2:
                self.action_select_cursor()

    def widen(self, cells: Sequence[Text]) -> None:
        """Make each column as wide as its cell: Textual may measure before it is shown."""
        for column, cell in zip(self.ordered_columns, cells, strict=True):
            column.width = max(column.width, cell.cell_len)

    def _update_dimensions(self, new_rows: Iterable[RowKey]) -> None:
        """Textual would measure every new cell: ``widen`` has, and each is one line."""
        super()._update_dimensions(())

    def update_cell(
        self,
        row_key: RowKey | str,
        column_key: ColumnKey | str,
        value: Text,
        *,
        update_width: bool = False,
    ) -> None:
        """Change a cell and draw its row; all of them only where columns have become wider."""
        widths = tuple(column.width for column in self.ordered_columns)
        if widths != self._drawn_widths or update_width:
            self._drawn_widths = widths
            super().update_cell(row_key, column_key, value, update_width=update_width)
            return
        row = self.get_row_index(row_key)
        key = self.coordinate_to_cell_key(Coordinate(row, self.get_column_index(column_key)))
        self._data[key.row_key][key.column_key] = value
        self._update_count += 1  # what was drawn of it is no longer valid
        self.refresh_row(row)

    def _render_cell(
        self,
        row_index: int,
        column_index: int,
        base_style: Style,
        width: int,
        cursor: bool = False,
        hover: bool = False,
    ) -> list[list[Segment]]:
        """One line in one style; row -1 is the header."""
        column = self.ordered_columns[column_index]
        if row_index < 0:
            cell = column.label
        else:
            cell = self.get_cell_at(Coordinate(row_index, column_index))
        inside = width - 2 * self.cell_padding
        text = cell.plain if cell.cell_len <= inside else cell.plain[: inside - 1] + "…"
        text = text.rjust(inside) if cell.justify == "right" else text.ljust(inside)
        padding = " " * self.cell_padding
        component, forced = self._get_styles_to_render_cell(
            row_index < 0, False, False, hover, cursor, self.show_cursor, self._show_hover_cursor,
            self.cursor_foreground_priority == "css", self.cursor_background_priority == "css",
        )  # fmt: skip
        place = Style.from_meta({"row": row_index, "column": column_index})  # for the mouse
        style = base_style + place + component + _parsed(cell.style) + forced
        if row_index >= 0 and (name := text.rstrip()).endswith(FOLDS):
            at = name.rindex(" ×")
            fold = style + Style.from_meta({"fold": True})
            return [
                [Segment(f"{padding}{text[:at]}", style), Segment(f"{text[at:]}{padding}", fold)]
            ]
        return [[Segment(f"{padding}{text}{padding}", style)]]


def _parsed(style: str | Style) -> Style:
    return style if isinstance(style, Style) else Style.parse(style)
