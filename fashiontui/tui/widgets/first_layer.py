"""What the first layer looks for: its kernels or hidden units as small grey pictures."""

from rich.color import Color
from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from fashiontui.domain.events import FirstLayer

EMPTY = (
    "Pictures of the first layer's weights, drawn after each epoch of the run that trains.\n\n"
    "[b]t[/b] trains the network of panel 1, [b]w[/b] on the board shows those of a stored run."
)
SHADES = " ░▒▓█"
"""Five greys for terminals with too few colours."""
GAP = 1
FEWEST = 6
"""Where fewer large pictures than this can be seen at once, they are drawn half as large."""
LARGE = 12
"""Pictures with longer sides are large: an FCN's, but not kernels."""


class FirstLayerView(VerticalScroll):
    """Pictures of the running network's first layer, new after each epoch."""

    HELP = """\
Weights of the first layer after the last epoch: a convolution's kernels (5×5 of a CNN, 3×3 of the
compact families), 28×28 maps of an FCN's hidden units. Light is positive, dark is negative,
mid-grey is zero. Where there is little room, maps are drawn half as large: each point is then the
mean of four weights.
"""

    def __init__(self) -> None:
        super().__init__(id="first-layer")
        self._layer: FirstLayer | None = None
        self._title = ""
        self.shaded = False

    def compose(self) -> ComposeResult:
        """The pictures, or what to do to see some."""
        yield Static(EMPTY, id="pictures")

    def show(self, title: str, layer: FirstLayer) -> None:
        """Draw the first layer of the network of that title."""
        self._title, self._layer = title, layer
        self._draw()

    def clear(self, sentence: str) -> None:
        """Draw nothing, and say why."""
        self._layer = None
        self.query_one("#pictures", Static).update(Text(sentence))

    def say_empty(self, sentence: str) -> None:
        """Say why there is nothing to draw, until there is."""
        if self._layer is None:
            self.query_one("#pictures", Static).update(Text(sentence))

    def on_resize(self) -> None:
        """Lay the pictures out for the new width."""
        self._draw()

    def _draw(self) -> None:
        if self._layer is not None and self.size.width:
            region = self.scrollable_content_region
            text = pictures(self._title, self._layer, region.width, region.height, self.shaded)
            self.query_one("#pictures", Static).update(text)


def pictures(title: str, layer: FirstLayer, width: int, height: int, shaded: bool) -> Text:
    """All pictures in rows, each cell two pixels high, under a line or two that say what they are.

    Args:
        title: Of the network.
        layer: What to draw.
        width: Columns there are.
        height: Lines there are.
        shaded: Whether to draw shades of one colour instead of grey half-blocks.
    """
    side, pixels, drawn = layer.side, memoryview(layer.pixels).cast("b").tolist(), ""
    kind = "kernels" if side <= LARGE else "hidden units"
    fitting = ((width + GAP) // (side + GAP)) * ((height - 1) // ((side + 1) // 2 + 1))
    if side > LARGE and fitting < min(FEWEST, layer.count):
        pixels, drawn = _halved(pixels, layer.count, side), " at half size"
        side //= 2
    text = Text(
        f"{title}, epoch {layer.epoch}: {layer.count} {kind}, {layer.side}×{layer.side}{drawn}; "
        "light +, dark −\n",
    )
    across = max(1, (width + GAP) // (side + GAP))
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


def _halved(pixels: list[int], count: int, side: int) -> list[int]:
    """Pictures with half the side, each pixel the mean of four."""
    return [
        (pixels[at] + pixels[at + 1] + pixels[at + side] + pixels[at + side + 1]) // 4
        for picture in range(count)
        for y in range(0, side - 1, 2)
        for x in range(0, side - 1, 2)
        for at in [picture * side * side + y * side + x]
    ]


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
