"""What the terminal can show, and the nearest it can show of everything else.

Asked of the environment, because a terminal itself does not tell.
"""

import errno
import os
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from unicodedata import normalize

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Size

from fashiontui.domain.errors import UsageError
from fashiontui.tui.widgets.chart import Marker


def size_classes(size: Size, *breakpoints: Sequence[tuple[int, str]]) -> list[str]:
    """Classes of a screen on a terminal: Textual sets them after it has styled every widget once.

    Args:
        size: Of the terminal.
        breakpoints: Least widths and their classes, then least heights, as Textual has them.
    """
    return [
        max((least, name) for least, name in points if length >= least)[1]
        for length, points in zip(size, breakpoints, strict=True)
    ]


class Glyphs(StrEnum):
    """Which characters a terminal has."""

    ALL = "all"
    CONSOLE = "console"
    """Those of the Linux console's fonts: lines and blocks, no braille, no rounded corners."""
    ASCII = "ascii"


def check_terminal(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse a terminal no app can be drawn on.

    Raises:
        UsageError: it cannot move its cursor.
    """
    if environment.get("TERM", "") in ("dumb", "unknown"):
        raise UsageError(
            f"A terminal with TERM={environment['TERM']} cannot show the app; where it is a better "
            "one, set TERM (to xterm-256color, say), else run: fashiontui --batch"
        )


def hung_up() -> bool:
    """Whether the terminal the app was started in is gone."""
    if os.name == "nt" or sys.__stdin__ is None:
        return False
    import termios

    try:
        termios.tcgetattr(sys.__stdin__.fileno())
    except termios.error as error:
        return bool(error.args[0] == errno.EIO)
    return False


def terminal_glyphs(
    environment: Mapping[str, str] = os.environ, encoding: str | None = None
) -> Glyphs:
    """Which characters can be trusted to be shown.

    Args:
        environment: TERM and the locale's variables are looked at.
        encoding: Of stdout; asked of stdout itself when None.
    """
    if encoding is None:
        encoding = sys.__stdout__.encoding if sys.__stdout__ else ""
    if "utf" not in encoding.lower() or _is_c_locale(environment):
        return Glyphs.ASCII
    return Glyphs.CONSOLE if environment.get("TERM") == "linux" else Glyphs.ALL


def _is_c_locale(environment: Mapping[str, str]) -> bool:
    """Whether the user said C or POSIX; a locale that is not set says nothing about a terminal.

    Under LANG=C, Python itself puts LC_CTYPE=C.UTF-8 into the environment (PEP 538).
    """
    plain = ("C", "POSIX")
    if said := environment.get("LC_ALL"):
        return said in plain
    ctype = environment.get("LC_CTYPE", "")
    if environment.get("LANG") in plain:
        return ctype in ("", "C.UTF-8", *plain)
    return ctype in plain


def usable_marker(wanted: Marker, glyphs: Glyphs, color_system: str | None) -> Marker:
    """The marker itself, or for ``auto`` the finest this terminal can be trusted with.

    Terminals with 16 colours are mostly text consoles, whose fonts have no braille.
    """
    if glyphs is Glyphs.ASCII:
        return "ascii"
    if wanted != "auto":
        return wanted
    plain = color_system in (None, "standard") or glyphs is Glyphs.CONSOLE
    return "dot" if plain else "braille"


def is_shaded(marker: Marker) -> bool:
    """Whether pictures are drawn in shades: where curves are without braille, greys are few."""
    return marker in ("ascii", "dot")


class _Table(dict[int, str]):
    """Characters by code, the nearest for those that are not there."""

    def __init__(self, nearest: Mapping[str, str], kept: str = "") -> None:
        """Args:
        nearest: What stands for each of several characters.
        kept: Characters beyond ASCII that are there.
        """
        instead = {ord(char): near for chars, near in nearest.items() for char in chars}
        super().__init__(instead | {ord(char): char for char in kept})

    def __missing__(self, code: int) -> str:
        if code < 0x80:
            near = chr(code)
        elif 0x2500 <= code < 0x2580:
            near = "+"  # a corner or a crossing
        elif 0x2580 <= code < 0x25A0:
            near = "#"  # a block
        elif 0x2800 <= code < 0x2900:
            near = " " if code == 0x2800 else "."  # braille
        else:
            near = _spelt(chr(code))
        self[code] = near
        return near


def _spelt(char: str) -> str:
    """A letter without its accent; question marks as wide as any other character."""
    plain = normalize("NFKD", char).encode("ascii", "ignore").decode()
    return plain if len(plain) == cell_len(char) else "?" * cell_len(char)


_ASCII = {
    "─┄╌╴╶▁▔–−": "-",
    "━═╸╺╾╼": "=",
    "│┃║┆╎╵╷▏▕▎▍": "|",
    "▲↑": "^",
    "▼▾↓": "v",
    "▶▸→": ">",
    "◀←": "<",
    "░·…": ".",
    "▒": ":",
    "▓◆": "*",
    "◇": "%",
    "●•": "o",
    "○": "c",
    "□": "n",
    "△": "A",
    "■": "#",
    "✓": "+",
    "✗×": "x",
    "±": "~",
    "“”": '"',
    "’": "'",
}
_CONSOLE = {
    "╭": "┌",
    "╮": "┐",
    "╰": "└",
    "╯": "┘",
    "━╸╺": "═",
    "●": "•",
    "◆": "♦",
    "◇": "○",
    "✓": "√",
    "▶▸": "►",
    "▾": "▼",
    "◀": "◄",
}
_TABLES = {
    Glyphs.ASCII: _Table(_ASCII),
    Glyphs.CONSOLE: _Table(_ASCII | _CONSOLE, "─│┌┐└┘├┤┬┴┼═║█▀▄▌▐░▒▓■•·±←→↑↓▲▼"),
}


class Nearest(LineFilter):
    """Draws every line with the characters the terminal has; none changes its width."""

    def __init__(self, glyphs: Glyphs) -> None:
        """Args:
        glyphs: Which characters there are.
        """
        super().__init__(enabled=glyphs is not Glyphs.ALL)
        self._table = _TABLES.get(glyphs, _TABLES[Glyphs.ASCII])

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments in other characters."""
        return [
            Segment(text if text.isascii() else text.translate(self._table), style, control)
            for text, style, control in segments
        ]
