"""Foreign text on its way to a screen."""

import reprlib

_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = _BRIEF.maxlong = 60


def printable(text: str) -> str:
    r"""The text with everything a terminal would obey written out, such as ``\x1b`` or ``\u202e``.

    Names and causes come from recipe files, drivers, libraries and other people's stores. Escape
    sequences, control characters, line breaks, marks that turn the writing direction and half
    surrogates are shown; what can be seen anyway stays as it is.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def brief(value: object) -> str:
    """A value as Python writes it, the middle left out where that is long."""
    try:
        return _BRIEF.repr(value)
    except ValueError:  # Python writes no number of thousands of digits
        return "a huge number"
