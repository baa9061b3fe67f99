"""Our own themes, and the colours of curves that every theme has.

Curves also differ by glyph and label, so no theme is needed to tell them apart.
"""

from textual.theme import Theme

SERIES = {
    "series-train": "#e69f00",
    "series-validation": "#56b4e9",
    "series-reference": "#9a9a9a",
    "series-pinned": "#cc79a7",
    "series-a": "#4fbf8f",
    "series-b": "#e8dc4f",
    "series-c": "#d1703c",
    "series-d": "#8f9be8",
    "series-e": "#e07a7a",
    "series-f": "#6fc7c7",
}
"""On dark backgrounds; the first two are the ones seen most."""

_ON_LIGHT = {
    "series-train": "#b45f00",
    "series-validation": "#0063a5",
    "series-reference": "#707070",
    "series-pinned": "#a0337a",
    "series-a": "#00795a",
    "series-b": "#857600",
    "series-c": "#a63c00",
    "series-d": "#4a50b8",
    "series-e": "#b03040",
    "series-f": "#00767c",
}

DARK = Theme(
    name="atelier-dark",
    primary="#7aa2f7",
    secondary="#9d8cff",
    accent="#f2b25c",
    foreground="#d5d9e3",
    background="#12141a",
    surface="#171a21",
    panel="#20242d",
    success="#7fd29a",
    warning="#f2c25c",
    error="#ff7b7b",
    variables={"border": "#39404e", "border-blurred": "#39404e"},
)

LIGHT = Theme(
    name="atelier-light",
    primary="#2f5fb3",
    secondary="#6a4fb3",
    accent="#a85a00",
    foreground="#23262e",
    background="#f7f6f2",
    surface="#fdfcf9",
    panel="#ebe9e2",
    success="#1f7a45",
    warning="#8a6100",
    error="#b3261e",
    dark=False,
    variables={"border": "#c4c0b4", "border-blurred": "#c4c0b4", **_ON_LIGHT},
)

# Source: M. Okabe and K. Ito, Color Universal Design (2008): eight colours that people with any
# common form of colour blindness tell apart.
OKABE_ITO = Theme(
    name="okabe-ito",
    primary="#56b4e9",
    secondary="#cc79a7",
    accent="#f0e442",
    foreground="#e6e6e6",
    background="#101214",
    surface="#15181b",
    panel="#1f2327",
    success="#009e73",
    warning="#e69f00",
    error="#d55e00",
    variables={
        "border": "#4a5056",
        "border-blurred": "#4a5056",
        "series-train": "#e69f00",
        "series-validation": "#56b4e9",
        "series-reference": "#bbbbbb",
        "series-pinned": "#cc79a7",
        "series-a": "#009e73",
        "series-b": "#f0e442",
        "series-c": "#d55e00",
        "series-d": "#0072b2",
        "series-e": "#ffffff",
        "series-f": "#999999",
    },
)

OURS = (DARK, LIGHT, OKABE_ITO)
