"""What the first layer looks for: its kernels or hidden units as small grey pictures."""

from functools import lru_cache

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget
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
GREYS = 64
"""How many are drawn: more than an eye tells apart, and so few that cells are kept for later."""


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
        self._maps = Maps()
        self.shaded = False

    def compose(self) -> ComposeResult:
        """What the pictures are, or what to do to see some; and the pictures."""
        yield Static(EMPTY, id="pictures")
        yield self._maps

    def show(self, title: str, layer: FirstLayer) -> None:
        """Draw the first layer of the network of that title."""
        self._title, self._layer = title, layer
        self._draw()

    def clear(self, sentence: str) -> None:
        """Draw nothing, and say why."""
        self._layer = None
        self._maps.show([], 0, 0, self.shaded)
        self.query_one("#pictures", Static).update(Text(sentence))

    def say_empty(self, sentence: str) -> None:
        """Say why there is nothing to draw, until there is."""
        if self._layer is None:
            self.query_one("#pictures", Static).update(Text(sentence))

    def on_resize(self) -> None:
        """Lay the pictures out for the new width."""
        self._draw()

    def _draw(self) -> None:
        if self._layer is None or not self.size.width:
            return
        layer, (width, height) = self._layer, self.scrollable_content_region.size
        pixels, side, drawn = memoryview(layer.pixels).cast("b").tolist(), layer.side, ""
        fitting = ((width + GAP) // (side + GAP)) * ((height - 1) // ((side + 1) // 2 + 1))
        if side > LARGE and fitting < min(FEWEST, layer.count):
            pixels, drawn = _halved(pixels, layer.count, side), " at half size"
            side //= 2
        kind = "kernels" if layer.side <= LARGE else "hidden units"
        self.query_one("#pictures", Static).update(
            f"{self._title}, epoch {layer.epoch}: {layer.count} {kind}, "
            f"{layer.side}×{layer.side}{drawn}; light +, dark −"
        )
        self._maps.show(pixels, layer.count, side, self.shaded)


class Maps(Widget):
    """Pictures in rows, each cell two pixels high; only those in sight are drawn."""

    auto_links = False  # there are none, and Textual would look for them in every line

    def __init__(self) -> None:
        super().__init__(id="maps-of-weights")
        self._pixels: list[int] = []
        self._count = self._side = 0
        self._shaded = False

    def show(self, pixels: list[int], count: int, side: int, shaded: bool) -> None:
        """Draw other pictures.

        Args:
            pixels: From -128 to 127, (count, side, side).
            count: How many pictures.
            side: Height and width of each.
            shaded: Whether to draw shades of one colour instead of grey half-blocks.
        """
        as_large = (count, side) == (self._count, self._side)
        self._pixels, self._count, self._side, self._shaded = pixels, count, side, shaded
        self.refresh(layout=not as_large)

    def _across(self, width: int) -> int:
        return max(1, (width + GAP) // (self._side + GAP))

    @property
    def _lines_each(self) -> int:
        """Lines that a row of pictures takes; those of an odd side have half a line of gap."""
        return (self._side + 1) // 2 + (self._side % 2 == 0)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as all rows of pictures."""
        return -(-self._count // self._across(width)) * self._lines_each

    def render_line(self, y: int) -> Strip:
        """A line of a row of pictures."""
        width, base, side = self.size.width, self.visual_style.rich_style, self._side
        if not self._count:
            return Strip.blank(width, base)
        row, line = divmod(y, self._lines_each)
        first = row * self._across(width)
        cells: list[Segment] = []
        for picture in range(first, min(first + self._across(width), self._count)):
            at = picture * side * side + 2 * line * side
            upper = self._pixels[at : at + side]
            lower = self._pixels[at + side : at + 2 * side]
            if 2 * line + 1 < side:
                draw = _shade if self._shaded else _blocks
                cells += map(draw, upper, lower)
            elif 2 * line < side:
                cells += [_shade(one, one) if self._shaded else _block(one) for one in upper]
            cells.append(Segment(" " * GAP))
        return Strip(cells).apply_style(base).adjust_cell_length(width, base)


def _halved(pixels: list[int], count: int, side: int) -> list[int]:
    """Pictures with half the side, each pixel the mean of four."""
    return [
        (pixels[at] + pixels[at + 1] + pixels[at + side] + pixels[at + side + 1]) // 4
        for picture in range(count)
        for y in range(0, side - 1, 2)
        for x in range(0, side - 1, 2)
        for at in [picture * side * side + y * side + x]
    ]


def _shade(upper: int, lower: int) -> Segment:
    """Two pixels, one above the other, in one of five shades."""
    return Segment(SHADES[min(4, ((upper + lower) // 2 + 128) * 5 // 256)])


def _blocks(upper: int, lower: int) -> Segment:
    """Two pixels, one above the other, in grey."""
    return _grey_blocks((upper + 128) * GREYS // 256, (lower + 128) * GREYS // 256)


@lru_cache(GREYS * GREYS)
def _grey_blocks(upper: int, lower: int) -> Segment:
    return Segment("▀", Style(color=_grey(upper), bgcolor=_grey(lower)))


@lru_cache(256)
def _block(upper: int) -> Segment:
    """A pixel above none."""
    return Segment("▀", Style(color=_grey((upper + 128) * GREYS // 256)))


def _grey(level: int) -> Color:
    shown = level * 255 // (GREYS - 1)
    return Color.from_rgb(shown, shown, shown)
