"""Whether the terminal draws whole pictures, asked when the first is to be shown.

textual-image (the extra ``images``) asks the terminal while it is imported. The answer arrives
where keys do, which Textual reads as long as the app runs: the app is suspended for that moment,
once. So the start costs nothing.
"""

import sys
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from textual.app import App

if TYPE_CHECKING:
    from textual_image.widget._base import Image


def picture_widget(app: App[Any], shaded: bool) -> "type[Image] | None":
    """A widget that draws pictures by the terminal's image protocol (Sixel, or Kitty's).

    Args:
        app: The app, running.
        shaded: Whether pictures are drawn without colours.

    Returns:
        Its class; None where half-blocks are all there is.
    """
    if shaded or app.console.color_system != "truecolor" or not _may_answer(app):
        return None
    if "textual_image.widget" in sys.modules:
        return _found()
    with app.suspend():
        return _found()


def _may_answer(app: App[Any]) -> bool:
    """Whether there is a terminal to ask, and somebody to ask it."""
    driver = app._driver
    terminal = sys.__stdout__ is not None and sys.__stdout__.isatty()
    suspends = driver is not None and not driver.is_headless and driver.can_suspend
    return terminal and suspends and find_spec("textual_image") is not None


@cache
def _found() -> "type[Image] | None":
    """The widget for the protocol that the terminal answered to."""
    try:
        from textual_image import renderable, widget
    except (ArithmeticError, OSError, ValueError):  # what it answered made no sense
        return None
    best = renderable.Image
    if best is renderable.SixelImage:
        return widget.SixelImage
    return widget.TGPImage if best is renderable.TGPImage else None
