"""Text that is replaced many times a second, beside a training thread.

A ``Static`` takes markup apart, wraps words and looks for links at every change; here each line is
given as the pieces it is drawn from, and only lines that differ are drawn.
"""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

Piece = tuple[str, Style]
"""A text and how it differs from the widget's own style."""
PLAIN = Style()
BOLD = Style(bold=True)


class Lines(Widget):
    """Lines of pieces, each cut where it is longer than the widget is wide."""

    auto_links = False  # there are none, and Textual would look for them in every line

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        """Args:
        id: Of the widget.
        classes: For its style.
        """
        super().__init__(id=id, classes=classes)
        self.lines: Sequence[Sequence[Piece]] = ()

    def show_lines(self, lines: Sequence[Sequence[Piece]]) -> None:
        """Replace the lines."""
        before, self.lines = self.lines, lines
        if len(before) != len(lines):
            self.refresh(layout=True)
        elif changed := [y for y, line in enumerate(lines) if line != before[y]]:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as there are lines."""
        return len(self.lines)

    def render_line(self, y: int) -> Strip:
        """One of the lines; a blank one below them."""
        base = self.visual_style.rich_style
        return strip(self.lines[y] if y < len(self.lines) else (), self.size.width, base)


def width_of(pieces: Sequence[Piece]) -> int:
    """How many columns pieces take beside each other."""
    return sum(cell_len(text) for text, _ in pieces)


def strip(pieces: Sequence[Piece], width: int, base: Style) -> Strip:
    """Pieces as a line of the screen, exactly so wide; what is cut off leaves an ellipsis."""
    line = Strip([Segment(text, base + style) for text, style in pieces])
    if line.cell_length > width > 0:
        line = Strip([*line.crop(0, width - 1), Segment("…", base)])
    return line.adjust_cell_length(width, base)
