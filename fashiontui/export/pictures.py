"""Small grey pictures and bars in text, for the terminal."""

from rich.color import Color
from rich.style import Style
from rich.text import Text

from fashiontui.domain.classes import CLASS_NAMES
from fashiontui.domain.family import IMAGE_SIDE

SHADES = " ░▒▓█"
"""Five greys, where there are too few colours."""
BAR = 20
"""Columns of the longest bar."""


def picture(pixels: bytes, shaded: bool) -> Text:
    """28×28 pixels as 14 lines, two pixels a cell.

    Args:
        pixels: 784 values, 0 for black.
        shaded: Whether to draw shades of one colour instead of grey half-blocks.
    """
    text = Text(no_wrap=True)
    for y in range(0, IMAGE_SIDE, 2):
        upper = pixels[y * IMAGE_SIDE : (y + 1) * IMAGE_SIDE]
        lower = pixels[(y + 1) * IMAGE_SIDE : (y + 2) * IMAGE_SIDE]
        for above, below in zip(upper, lower, strict=True):
            if shaded:
                text.append(SHADES[(above + below) * len(SHADES) // 511])
            else:
                text.append("▀", Style(color=_grey(above), bgcolor=_grey(below)))
        text.append("\n" if y + 2 < IMAGE_SIDE else "")
    return text


def bars(probabilities: tuple[float, ...], most: int, doubtful: bool) -> Text:
    """The most probable classes, a line each, with their probabilities.

    Args:
        probabilities: Of each class, in order.
        most: Lines at most.
        doubtful: Whether the first is no answer, and does not stand out.
    """
    text = Text(no_wrap=True)
    order = sorted(range(len(probabilities)), key=lambda label: -probabilities[label])
    width = max(map(len, CLASS_NAMES))
    for number, label in enumerate(order[:most]):
        share = probabilities[label]
        line = Text(f"{CLASS_NAMES[label]:<{width}} {100 * share:5.1f}% ")
        line.append("━" * round(BAR * share))
        if number == 0 and not doubtful:
            line.stylize("bold")
        elif doubtful:
            line.stylize("dim")
        text.append_text(line)
        text.append("\n" if number + 1 < min(most, len(order)) else "")
    return text


def _grey(level: int) -> Color:
    return Color.from_rgb(level, level, level)
