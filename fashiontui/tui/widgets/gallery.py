"""Test images in rows, one of them chosen, with what a network made of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Horizontal
from textual.message import Message
from textual.widgets import Static

from fashiontui.domain.family import IMAGE_SIDE
from fashiontui.tui.widgets.pictures import picture_lines, side_by_side
from fashiontui.tui.widgets.sharp_pictures import SharpPictures

if TYPE_CHECKING:
    from textual_image.widget._base import Image

GAP = 2
CAPTION_LINES = 2


@dataclass(frozen=True)
class Said:
    """What is said about one image."""

    caption: tuple[str, str]
    """Two short lines above it."""
    about: Text
    """All there is to say, beside the pictures while it is chosen."""


class Gallery(Horizontal, can_focus=True):
    """Pages of images; arrows choose one."""

    BINDINGS = [
        Binding("left", "choose(-1)", "Before", id="gallery.left", show=False,
                tooltip="The image before"),
        Binding("right", "choose(1)", "Next", id="gallery.right", show=False,
                tooltip="The next image"),
        Binding("up", "line(-1)", "Up", id="gallery.up", show=False, tooltip="The row above"),
        Binding("down", "line(1)", "Down", id="gallery.down", show=False, tooltip="The row below"),
        Binding("pageup", "page(-1)", "Page up", id="gallery.pageup", show=False,
                tooltip="The page before"),
        Binding("pagedown", "page(1)", "Page down", id="gallery.pagedown", show=False,
                tooltip="The next page"),
        Binding("home", "first", "First", id="gallery.home", show=False,
                tooltip="The first image"),
    ]  # fmt: skip

    @dataclass
    class Chose(Message):
        """Another image is chosen, or none is there to be."""

    def __init__(self, sharp: "type[Image] | None" = None) -> None:
        """Args:
        sharp: Draws a picture by the terminal's image protocol; None for half-blocks.
        """
        super().__init__(id="gallery", classes="panel")
        self._sharp = SharpPictures(sharp) if sharp else None
        self._title = ""
        self._empty = ""
        self._images: Sequence[int] = ()
        self._pixels: np.ndarray | None = None
        self._said: Callable[[int], Said] | None = None
        self._at = 0
        self.shaded = False

    def compose(self) -> ComposeResult:
        """The pictures, and what is said about the chosen one."""
        with Container(id="grid"):
            yield Static(id="blocks")
            if self._sharp is not None:
                yield self._sharp
        yield Static(id="said")

    @property
    def chosen(self) -> int | None:
        """Index of the chosen image."""
        return self._images[self._at] if self._images else None

    def show(
        self, title: str, images: Sequence[int], said: Callable[[int], Said], empty: str
    ) -> None:
        """Show other images, the first chosen.

        Args:
            title: What they have in common.
            images: Their indices.
            said: What to say about one.
            empty: What to say where there are none.
        """
        self._title, self._images, self._said, self._empty = title, images, said, empty
        self._at = 0
        self._draw()
        self.post_message(self.Chose())

    def give(self, pixels: np.ndarray) -> None:
        """Take the images themselves, uint8 (n, 28, 28): until then they are told of alone."""
        self._pixels = pixels
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Lay the page out anew."""
        self._draw()

    def action_choose(self, by: int) -> None:
        """Choose another image."""
        self._move(by)

    def action_line(self, by: int) -> None:
        """Choose the image above or below."""
        self._move(by * self._across)

    def action_page(self, by: int) -> None:
        """Turn pages."""
        self._move(by * self._across * self._down)

    def action_first(self) -> None:
        """Go back to the first."""
        self._move(-self._at)

    def _move(self, by: int) -> None:
        if self._images:
            self._at = max(0, min(len(self._images) - 1, self._at + by))
            self._draw()
            self.post_message(self.Chose())

    @property
    def _across(self) -> int:
        room = self.query_one("#grid").content_size.width
        return max(1, (room + GAP) // (IMAGE_SIDE + GAP))

    @property
    def _down(self) -> int:
        room = self.query_one("#grid").content_size.height
        return max(1, room // (IMAGE_SIDE // 2 + CAPTION_LINES))

    def _draw(self) -> None:
        if not self.is_mounted or not self.size.width:
            return
        self.border_title = self._title
        blocks, said = self.query_one("#blocks", Static), self.query_one("#said", Static)
        if self._sharp is not None:
            self._sharp.display = bool(self._images)
            blocks.display = not self._images
        if not self._images or self._said is None:
            self.border_subtitle = ""
            blocks.update(Text(self._empty))
            said.update("")
            return
        across, page = self._across, self._across * self._down
        first = self._at // page * page
        shown = self._images[first : first + page]
        self.border_subtitle = f"{self._at + 1:,} of {len(self._images):,}"
        if self._sharp is not None:
            captions = [Text("\n").join(self._caption(image)) for image in shown]
            self._sharp.show(captions, shown, self._pixels, across)
        else:
            lines: list[Text] = []
            for row in range(0, len(shown), across):
                lines += side_by_side(
                    [self._picture(image) for image in shown[row : row + across]], GAP
                )
            blocks.update(Text("\n", no_wrap=True).join(lines))
        said.update(self._said(self._images[self._at]).about)

    def _caption(self, image: int) -> list[Text]:
        """Two lines, as wide as a picture."""
        assert self._said is not None
        chosen = image == self.chosen
        lines = []
        for number, line in enumerate(self._said(image).caption):
            mark = "▶ " if chosen and number == 0 else "  "
            text = f"{mark}{line}"[:IMAGE_SIDE].ljust(IMAGE_SIDE)
            lines.append(Text(text, "bold reverse" if chosen else "bold" if number == 0 else ""))
        return lines

    def _picture(self, image: int) -> list[Text]:
        """Caption and picture, each line as wide as a picture."""
        lines = self._caption(image)
        if self._pixels is None or image >= len(self._pixels):
            blank = Text(" " * IMAGE_SIDE)
            return lines + [blank] * (IMAGE_SIDE // 2)
        return lines + picture_lines(self._pixels[image], self.shaded)
