"""Pictures that the terminal draws itself, with captions, as many a line as fit."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pillow
from rich.text import Text
from textual.containers import Container, Vertical
from textual.widgets import Static

if TYPE_CHECKING:
    from textual_image.widget._base import Image


class SharpPictures(Container):
    """A page of them; only pictures that have changed are sent to the terminal."""

    def __init__(self, kind: "type[Image]") -> None:
        """Args:
        kind: Draws one.
        """
        super().__init__(id="sharp")
        self._kind = kind
        self._cells: list[tuple[Vertical, Static, Image]] = []
        self._drawn: list[int] = []

    def show(
        self,
        captions: Sequence[Text],
        images: Sequence[int],
        pixels: np.ndarray | None,
        across: int,
    ) -> None:
        """Show a page.

        Args:
            captions: Two lines for each.
            images: Their numbers.
            pixels: uint8 (n, height, width), all images there are; None while they are read.
            across: How many stand beside each other.
        """
        self.styles.grid_size_columns = across
        while len(self._cells) < len(images):
            caption, picture = Static(classes="caption"), self._kind(classes="picture")
            cell = Vertical(caption, picture, classes="cell")
            self._cells.append((cell, caption, picture))
            self.mount(cell)
        for place, (cell, caption, _) in enumerate(self._cells):
            cell.display = place < len(images)
            if cell.display:
                caption.update(captions[place])
        if pixels is not None and self._drawn != [*images]:
            self._drawn = [*images]
            for (*_, picture), image in zip(self._cells, images, strict=False):
                picture.image = Pillow.fromarray(pixels[image]) if image < len(pixels) else None
