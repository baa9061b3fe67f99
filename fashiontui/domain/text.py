"""Foreign text on its way to a screen."""

import reprlib
import unicodedata

_OBEYED = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode categories of control characters, lone surrogates, line and paragraph separators."""
_TURNS_ROUND = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the direction in which others are read."""

_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = _BRIEF.maxlong = 60


def printable(text: str) -> str:
    """The text on one line, with everything a terminal would obey shown as an escape instead.

    Control characters, line breaks, marks of direction and lone surrogates become escapes such as
    ``\\x1b``; all other characters stay.
    """
    return "".join(map(_shown, text)) if not text.isprintable() else text


def brief(value: object) -> str:
    """A value as Python writes it, the middle left out where that is long."""
    try:
        return _BRIEF.repr(value)
    except ValueError:  # Python writes no number of thousands of digits
        return "a huge number"


def _shown(character: str) -> str:
    if unicodedata.category(character) in _OBEYED or character in _TURNS_ROUND:
        return character.encode("unicode_escape").decode("ascii")
    return character
