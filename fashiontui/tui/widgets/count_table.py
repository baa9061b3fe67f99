"""A table of counts as a heat map, with a cursor on one of its cells."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import RenderResult
from textual.binding import Binding
from textual.color import Color
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

FULL_WRONG = 0.25
"""Share of a row from which on a wrong cell has its full colour."""


@dataclass(frozen=True)
class Counts:
    """What the table shows."""

    rows: Sequence[str]
    columns: Sequence[str]
    """At most ``cell`` - 1 characters each are shown."""
    values: Sequence[Sequence[int]]
    right: frozenset[tuple[int, int]]
    """Cells that count what is right: they have another hue."""
    corner: str
    """What rows and columns are."""
    beside: Sequence[str] = ()
    """A text to the right of each row, where there is room for it."""
    beside_title: str = ""
    cell: int = 5
    """Columns of a cell."""


class CountTable(Widget, can_focus=True):
    """Counts, darker where there are more of them; arrows move, enter chooses a cell."""

    COMPONENT_CLASSES = {"counts--right", "counts--wrong", "counts--quiet"}
    BINDINGS = [
        Binding("up", "move(-1, 0)", "Up", id="counts.up", show=False, tooltip="The row above"),
        Binding("down", "move(1, 0)", "Down", id="counts.down", show=False,
                tooltip="The row below"),
        Binding("left", "move(0, -1)", "Left", id="counts.left", show=False,
                tooltip="The column to the left"),
        Binding("right", "move(0, 1)", "Right", id="counts.right", show=False,
                tooltip="The column to the right"),
        Binding("enter", "choose", "Images", id="counts.choose", key_display="enter",
                tooltip="Look at the images of this cell"),
    ]  # fmt: skip

    cursor: reactive[tuple[int, int]] = reactive((0, 0))
    """Row and column of the cell one is on."""

    @dataclass
    class Moved(Message):
        """The cursor is on another cell."""

    @dataclass
    class Chosen(Message):
        """The user wants to see what a cell counts."""

    def __init__(self) -> None:
        super().__init__(id="counts")
        self._counts: Counts | None = None

    def show(self, counts: Counts, cursor: tuple[int, int]) -> None:
        """Show other counts, with the cursor on a cell."""
        self._counts = counts
        self.set_reactive(CountTable.cursor, cursor)
        self.refresh(layout=True)

    def watch_cursor(self) -> None:
        """Tell of the cell one has come to."""
        self.post_message(self.Moved())

    def action_move(self, down: int, right: int) -> None:
        """Move the cursor by so many cells."""
        if self._counts is not None:
            row, column = self.cursor
            self.cursor = (
                max(0, min(len(self._counts.rows) - 1, row + down)),
                max(0, min(len(self._counts.columns) - 1, column + right)),
            )

    def action_choose(self) -> None:
        """Ask for what the cell counts."""
        self.post_message(self.Chosen())

    def on_click(self, event: events.Click) -> None:
        """One click moves to a cell, two choose it."""
        if self._counts is None:
            return
        row, column = (
            event.y - 1,
            (event.x - self._names(self.content_size.width) - 1) // self._counts.cell,
        )
        if 0 <= row < len(self._counts.rows) and 0 <= column < len(self._counts.columns):
            self.cursor = (row, column)
            if event.chain == 2:
                self.action_choose()

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """As wide as its cells, with what stands beside them where that fits."""
        if self._counts is None:
            return container.width
        cells = self._names(container.width) + 1 + self._counts.cell * len(self._counts.columns)
        full = cells + max(map(len, [self._counts.beside_title, *self._counts.beside]), default=0)
        return full if full <= container.width else cells

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A line a row, and the header."""
        return 1 + (len(self._counts.rows) if self._counts else 0)

    def _names(self, width: int) -> int:
        """Columns that the rows' names get of a width; they are cut where it is short."""
        assert self._counts is not None
        longest = max(map(len, [*self._counts.rows, self._counts.corner]))
        return max(4, min(longest, width - 1 - self._counts.cell * len(self._counts.columns)))

    def render(self) -> RenderResult:
        """Header and rows."""
        counts = self._counts
        if counts is None:
            return ""
        quiet = self.get_component_rich_style("counts--quiet", partial=True)
        width = self.content_size.width
        names = self._names(width)
        beside = width > names + counts.cell * (len(counts.columns) + 1)
        text = Text(no_wrap=True, overflow="crop")
        text.append(counts.corner[:names].ljust(names + 1), quiet)
        for column, name in enumerate(counts.columns):
            style = Style(bold=True) if column == self.cursor[1] else quiet
            text.append(name[: counts.cell - 1].rjust(counts.cell - 1) + " ", style)
        text.append(counts.beside_title if beside else "", quiet)
        for row, name in enumerate(counts.rows):
            style = Style(bold=True) if row == self.cursor[0] else Style()
            text.append("\n").append(name[:names].rjust(names) + " ", style)
            for column in range(len(counts.columns)):
                text.append_text(self._cell(counts, row, column))
            text.append(counts.beside[row] if beside and counts.beside else "")
        return text

    def _cell(self, counts: Counts, row: int, column: int) -> Text:
        """A count on a ground as strong as its share of the row's; brackets are the cursor."""
        right = (row, column) in counts.right
        value, total = counts.values[row][column], max(1, sum(counts.values[row]))
        share = value / total if right else value / total / FULL_WRONG
        hue = self.get_component_styles("counts--right" if right else "counts--wrong").color
        ground = self.background_colors[1].blend(hue, 0.75 * min(1.0, share))
        shown, room = str(value) if value else "·", counts.cell - 1
        here = (row, column) == self.cursor
        style = Style(color=_readable(ground).rich_color, bgcolor=ground.rich_color, bold=here)
        cell = f"[{shown:>{room - 1}}]" if here else f"{shown:>{room}} "
        return Text(cell[: counts.cell], style)


def _readable(ground: Color) -> Color:
    """White or black, whichever reads better on a ground."""
    return ground.get_contrast_text(1.0)
