"""The leaderboard's table: what keys and mouse do in it."""

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.widgets import DataTable


class BoardTable(DataTable[Text]):
    """The table itself."""

    BINDINGS = [
        Binding("enter", "select_cursor", "Details", id="board.details", key_display="enter",
                tooltip="Everything stored of this run"),
    ]  # fmt: skip
    HELP = """\
One row a run, and the report's seven rows (`┄ report`, `v` hides them). Ranks go by validation
accuracy among finished Fashion-MNIST runs: choosing by test accuracy would spoil the test.

**±95** is half the 95% Wilson interval for the number of test images. **±\\*** on the report's rows
is another thing: its standard deviation over test batches of 256.

`/` filters as you type, `<` `>` or a click on a header choose the column to sort by, `o` turns the
order round. `space` marks runs for the charts, `p` pins one as baseline, `enter` opens a run,
`r` trains its exact spec again, `x` deletes the marked runs or this one, `u` brings them back.
Clicking a row moves to it, a double click opens it, the wheel scrolls.
"""

    def on_click(self, event: events.Click) -> None:
        """One click moves to a row, two open it: Textual opens the row one is on at one click."""
        row, column = event.style.meta.get("row", -1), event.style.meta.get("column", 0)
        if row >= 0:
            event.prevent_default()
            self.move_cursor(row=row, column=column)
            if event.chain == 2:
                self.action_select_cursor()
