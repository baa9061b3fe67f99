"""What the first layer looks for: its kernels or hidden units as small grey pictures."""

from rich.color import Color
from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from fashiontui.domain.events import FirstLayer

SHADES = " ░▒▓█"
"""Five greys for terminals with too few colours."""
GAP = 1


class FirstLayerView(VerticalScroll):
    """Pictures of the running network's first layer, new after each epoch."""

    HELP = """\
Weights of the first layer after the last epoch: 5×5 kernels of a CNN, 28×28 maps of an FCN's hidden
units. Light is positive, dark is negative, mid-grey is zero.
"""

    def __init__(self) -> None:
        super().__init__(id="first-layer")
        self._layer: FirstLayer | None = None
        self.shaded = False

    def compose(self) -> ComposeResult:
        """The pictures, or what to do to see some."""
        yield Static(
            "The first layer's weights appear here after a run's first epoch: press t to train.",
            id="pictures",
        )

    def show(self, layer: FirstLayer | None) -> None:
        """Draw this layer."""
        self._layer = layer
        self._draw()

    def on_resize(self) -> None:
        """Lay the pictures out for the new width."""
        self._draw()

    def _draw(self) -> None:
        if self._layer is not None and self.size.width:
            self.query_one("#pictures", Static).update(
                pictures(self._layer, self.scrollable_content_region.width, self.shaded)
            )


def pictures(layer: FirstLayer, width: int, shaded: bool) -> Text:
    """All pictures in rows, each cell two pixels high.

    Args:
        layer: What to draw.
        width: Columns there are.
        shaded: Whether to draw shades of one colour instead of grey half-blocks.
    """
    side, pixels = layer.side, memoryview(layer.pixels).cast("b")
    across = max(1, (width + GAP) // (side + GAP))
    kind = "kernels" if side < 28 else "hidden units"
    text = Text(
        f"{layer.count} {kind} of {side}×{side} after epoch {layer.epoch}; "
        "light is positive, dark negative\n",
        no_wrap=True,
    )
    for first in range(0, layer.count, across):
        for y in range(0, side, 2):
            for picture in range(first, min(first + across, layer.count)):
                at = picture * side * side + y * side
                upper = pixels[at : at + side]
                lower = pixels[at + side : at + 2 * side] if y + 1 < side else None
                for x in range(side):
                    _cell(text, upper[x], lower[x] if lower else None, shaded)
                text.append(" " * GAP)
            text.append("\n")
        text.append("\n" if side % 2 == 0 else "")
    return text


def _cell(text: Text, upper: int, lower: int | None, shaded: bool) -> None:
    """Two pixels, one above the other."""
    if shaded:
        mean = upper if lower is None else (upper + lower) // 2
        text.append(SHADES[min(4, (mean + 128) * 5 // 256)])
    else:
        background = None if lower is None else _grey(lower)
        text.append("▀", Style(color=_grey(upper), bgcolor=background))


def _grey(value: int) -> Color:
    level = value + 128
    return Color.from_rgb(level, level, level)
