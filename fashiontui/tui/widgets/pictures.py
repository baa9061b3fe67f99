"""Grey pictures as lines of text: two pixels a cell where there are colours, else shades."""

from functools import lru_cache

import numpy as np
from rich.color import Color
from rich.style import Style
from rich.text import Text

SHADES = " ░▒▓█"
"""Five greys for terminals with too few colours."""


def picture_lines(pixels: np.ndarray, shaded: bool) -> list[Text]:
    """A picture as lines, each two rows of pixels high.

    Args:
        pixels: uint8 (height, width), 255 is white; the height is even.
        shaded: Whether to draw shades of one colour instead of grey half-blocks.
    """
    pairs = zip(pixels[::2].tolist(), pixels[1::2].tolist(), strict=True)
    return [_shaded(upper, lower) if shaded else _blocks(upper, lower) for upper, lower in pairs]


def side_by_side(pictures: list[list[Text]], gap: int) -> list[Text]:
    """Blocks of as many lines each, beside each other."""
    lines = []
    for parts in zip(*pictures, strict=True):
        line = Text(no_wrap=True)
        for number, part in enumerate(parts):
            line.append(" " * gap if number else "").append_text(part)
        lines.append(line)
    return lines


def _shaded(upper: list[int], lower: list[int]) -> Text:
    means = ((a + b) // 2 for a, b in zip(upper, lower, strict=True))
    return Text("".join(SHADES[min(4, mean * 5 // 256)] for mean in means))


def _blocks(upper: list[int], lower: list[int]) -> Text:
    """One span for each stretch of equal cells: most of a garment's picture is black."""
    line, at = Text(), 0
    while at < len(upper):
        end = at + 1
        while end < len(upper) and (upper[end], lower[end]) == (upper[at], lower[at]):
            end += 1
        line.append("▀" * (end - at), _style(upper[at], lower[at]))
        at = end
    return line


@lru_cache(4096)
def _style(upper: int, lower: int) -> Style:
    return Style(color=Color.from_rgb(upper, upper, upper), bgcolor=Color.from_rgb(*[lower] * 3))
