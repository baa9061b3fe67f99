"""A table whose cells are one line in one style: quick to fill, to change and to draw."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.coordinate import Coordinate
from textual.widgets import DataTable
from textual.widgets.data_table import Column, ColumnKey, RowKey

Cell = Text | str
"""A string where a cell has no style of its own: it is quicker to make."""


class LineTable(DataTable[Cell]):
    """Textual's table, less what only cells of several lines and styles need.

    Textual draws the whole table whenever one cell changes, as some do each epoch of a run,
    measures and draws a cell as it would any renderable, and puts the columns in order for each.
    """

    _drawn_widths: tuple[int, ...] = ()
    _in_order: list[Column] | None = None

    @property
    def ordered_columns(self) -> list[Column]:
        """The columns, from left to right."""
        if self._in_order is None:
            self._in_order = super().ordered_columns
        return self._in_order

    def add_column(self, *label: Any, **how: Any) -> ColumnKey:
        """Add a column to the right."""
        self._in_order = None
        return super().add_column(*label, **how)

    def clear(self, columns: bool = False) -> Self:
        """Take all rows out, and the columns if so asked."""
        self._in_order = None
        return super().clear(columns)

    def on_click(self, event: events.Click) -> None:
        """One click moves to a row, two open it: Textual opens the row one is on at one click."""
        row, column = event.style.meta.get("row", -1), event.style.meta.get("column", 0)
        if row >= 0:
            event.prevent_default()
            self.move_cursor(row=row, column=column)
            if event.chain == 2:
                self.action_select_cursor()

    def widen(self, cells: Sequence[Cell]) -> None:
        """Make each column as wide as its cell: Textual may measure before it is shown."""
        for column, cell in zip(self.ordered_columns, cells, strict=True):
            column.width = max(column.width, _width(cell))

    def _update_dimensions(self, new_rows: Iterable[RowKey]) -> None:
        """Textual would measure every new cell: ``widen`` has, and each is one line."""
        super()._update_dimensions(())

    def update_cell(
        self,
        row_key: RowKey | str,
        column_key: ColumnKey | str,
        value: Cell,
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
            cell: Cell = column.label
        else:
            cell = self.get_cell_at(Coordinate(row_index, column_index))
        inside = width - 2 * self.cell_padding
        text, look, justify = (
            (cell, "", None) if isinstance(cell, str) else (cell.plain, cell.style, cell.justify)
        )
        if _width(cell) > inside:
            text = f"{text[: inside - 1]}…"
        text = text.rjust(inside) if justify == "right" else text.ljust(inside)
        padding = " " * self.cell_padding
        component, forced = self._get_styles_to_render_cell(
            row_index < 0, False, False, hover, cursor, self.show_cursor, self._show_hover_cursor,
            self.cursor_foreground_priority == "css", self.cursor_background_priority == "css",
        )  # fmt: skip
        place = Style.from_meta({"row": row_index, "column": column_index})  # for the mouse
        style = base_style + place + component + _parsed(look) + forced
        return [[Segment(f"{padding}{text}{padding}", style)]]


def _width(cell: Cell) -> int:
    return cell_len(cell) if isinstance(cell, str) else cell.cell_len


def _parsed(style: str | Style) -> Style:
    return style if isinstance(style, Style) else Style.parse(style)
