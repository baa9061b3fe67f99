"""What a stored network makes of a picture of one's own."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image as Pillow
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from fashiontui.domain.classes import CLASS_NAMES
from fashiontui.domain.errors import FashiontuiError
from fashiontui.domain.events import Status
from fashiontui.domain.family import IMAGE_SIDE
from fashiontui.domain.record import RunRecord
from fashiontui.domain.text import printable
from fashiontui.export.pictures import bars, picture
from fashiontui.tui.library import Library
from fashiontui.tui.protocol import picture_widget

if TYPE_CHECKING:
    from textual_image.widget._base import Image
    from torch import nn

    from fashiontui.predict import Answer, Likeness

EMPTY = "Nothing yet: name a picture above. Most terminals type the name of a file dropped on them."


class Predict(Screen[None]):
    """A picture as the network sees it, beside its answer and whether to believe it."""

    CSS_PATH = "predict.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-normal")]
    BINDINGS = [
        Binding("escape", "app.pop_screen", "Back", id="predict.back", key_display="esc",
                tooltip="Back to the lab"),
    ]  # fmt: skip
    HELP = """\
Type the path of a PNG, JPEG, WebP, GIF or BMP file and press enter. The picture is brought to 28×28
as Fashion-MNIST was made (Xiao et al. 2017): trimmed, its longest edge resized to 28, centred, and
negated where the garment is darker than its background; that is all the network sees.

A network gives *every* picture one of ten classes. **Not to be believed** stands below its answer
where the picture is of one colour, where it is less like the training images than 99 of 100
validation images are (by what 64 principal components leave over), or where no class gets half of
the probability. Simple shapes and smooth shades may pass for garments.
"""

    def __init__(
        self, record: RunRecord, library: Library, folders: Sequence[Path], shaded: bool
    ) -> None:
        """Args:
        record: A finished run.
        library: The stored runs, beside which the weights lie.
        folders: Where Fashion-MNIST may lie.
        shaded: Whether to draw shades of one colour instead of grey half-blocks.
        """
        super().__init__()
        self._record = record
        self._library = library
        self._folders = list(folders)
        self._shaded = shaded
        self._asked: tuple[nn.Module, Likeness] | None = None

    def compose(self) -> ComposeResult:
        """The name, what becomes of the picture, the answer."""
        with VerticalScroll(id="predict", can_focus=False):
            yield Input(placeholder="path of a picture, then enter", id="path", compact=True)
            yield Static(id="told", markup=False)
            with Horizontal(id="seen-and-said"):
                kind = picture_widget(self.app, self._shaded) or Static
                self._seen: Image | Static = kind(id="seen", classes="panel")
                yield self._seen
                with Vertical(id="said", classes="panel"):
                    yield Static(EMPTY, id="classes", markup=False)
                    yield Static(id="verdict", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Say which network is asked."""
        spec = self._record.spec
        self.query_one("#path").border_title = "Picture"
        self.query_one("#seen").border_title = "What it sees"
        title = printable(f"What {spec.title}, seed {spec.seed}, makes of it")
        self.query_one("#said").border_title = title
        if self._record.status is Status.FINISHED:
            self.query_one("#path").focus()
        else:
            self.query_one("#path").disabled = True
            self.query_one("#classes", Static).update(
                f"This run is {self._record.status.value}; only a finished one has its final "
                "weights."
            )

    @on(Input.Submitted, "#path")
    def _named(self, event: Input.Submitted) -> None:
        if event.value.strip():
            event.input.disabled = True
            self._tell("Asking the network…" if self._asked else "Loading the network…")
            self._ask(event.value)

    @work(thread=True, group="predict")
    def _ask(self, text: str) -> None:
        """Read the picture and ask; the first time, network and data are loaded."""
        try:
            from fashiontui.data.photo import as_seen, read_photo
            from fashiontui.predict import answer

            seen = as_seen(read_photo(_path(text)))
            network, likeness = self._prepared()
            self.call_later(self._show, answer(seen, network, likeness))
        except FashiontuiError as error:
            self.call_later(self._refuse, str(error))

    def _prepared(self) -> "tuple[nn.Module, Likeness]":
        if self._asked is None:
            from fashiontui.data import load
            from fashiontui.export.weights import stored_network
            from fashiontui.predict import Likeness

            network = stored_network(self._library.store(), self._record)
            spec = self._record.spec
            data = load(spec.dataset, self._folders, lambda sentence: None)
            self._asked = network, Likeness(data, spec.split_seed)
        return self._asked

    def _show(self, made: "Answer") -> None:
        """Draw an answer."""
        self._tell("")
        pixels = made.seen.pixels
        if isinstance(self._seen, Static):
            self._seen.update(picture(pixels, self._shaded))
        else:
            self._seen.image = Pillow.frombytes("L", (IMAGE_SIDE, IMAGE_SIDE), pixels)
        doubtful = made.doubt is not None
        self.query_one("#classes", Static).update(bars(made.probabilities, 10, doubtful))
        verdict = self.query_one("#verdict", Static)
        verdict.set_class(doubtful, "-doubtful")
        verdict.update(
            Text(f"Not to be believed. {made.doubt}" if doubtful else CLASS_NAMES[made.label])
        )

    def _refuse(self, sentence: str) -> None:
        self._tell(f"✗ {sentence}")

    def _tell(self, sentence: str) -> None:
        self.query_one("#told", Static).update(printable(sentence))
        if not sentence.endswith("…"):
            path = self.query_one("#path", Input)
            path.disabled = False
            path.focus()


def _path(text: str) -> Path:
    """A path as typed, or as a terminal types that of a file dropped on it: quoted or escaped."""
    text = text.strip()
    try:
        parts = shlex.split(text)
    except ValueError:  # a lone quote
        parts = []
    return Path(os.path.expanduser(parts[0] if len(parts) == 1 else text))
