"""Texts from elsewhere, made safe to show."""


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
