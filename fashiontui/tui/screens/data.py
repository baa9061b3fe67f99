"""Where the images come from: download them, say where they lie, or use the sample set."""

import os
from pathlib import Path

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, ProgressBar, Static
from textual.worker import Worker, get_current_worker

from fashiontui.domain.errors import DataError
from fashiontui.domain.text import printable
from fashiontui.tui.messages import DataFound

POLL_SECONDS = 0.2
DOWNLOAD = "Download Fashion-MNIST (31 MB)"
CANCEL = "Cancel the download"


class ChooseData(ModalScreen[DataFound | None]):
    """Dismissed with the data that was found, or None when the user puts it off."""

    CSS_PATH = "data.tcss"
    BINDINGS = [
        Binding("escape", "back", "Back", id="data.later",
                tooltip="Cancel the download under way; without one, decide later"),
        Binding("down", "app.focus_next", "Next", id="data.next", show=False,
                tooltip="The next way out"),
        Binding("up", "app.focus_previous", "Before", id="data.previous", show=False,
                tooltip="The way out before"),
    ]  # fmt: skip
    HELP = """\
Fashion-MNIST is 70,000 pictures of garments, 31 MB, MIT licence. The sample set is drawn by the
program: small, easy, good to try things out; its figures say nothing about Fashion-MNIST and never
share a rank with it.
"""

    def __init__(self, reason: str, download_to: Path) -> None:
        """Args:
        reason: Why Fashion-MNIST cannot be used now.
        download_to: Where a download goes.
        """
        super().__init__()
        self._reason = reason
        self._download_to = download_to
        self._download: Worker[None] | None = None
        self._arrived = (0, 0)

    def compose(self) -> ComposeResult:
        """The reason and three ways out."""
        with Vertical(id="choose-data") as box:
            box.border_title = "Images to learn from"
            box.border_subtitle = "esc decides later"
            yield Static(printable(self._reason), id="reason", markup=False)
            yield Button(DOWNLOAD, id="download", variant="primary", compact=True)
            yield Static(f"to {printable(str(self._download_to))}", classes="hint", markup=False)
            with Horizontal(id="arrived"):
                yield ProgressBar(show_eta=True)
                yield Static(id="bytes")
            yield Label("Or a folder that holds its four .gz archives:")
            yield Input(placeholder="folder, then enter", id="folder", compact=True)
            yield Static(id="complaint", markup=False)
            yield Button("Use the sample set", id="sample", compact=True)
            yield Static(
                "Drawn by the program, no network needed; its figures say nothing about "
                "Fashion-MNIST.",
                classes="hint",
            )

    @on(Button.Pressed, "#download")
    def _begin_download(self) -> None:
        if self._download is not None:
            self.action_back()
            return
        self._complain("")
        self._arrived = (0, 0)
        self._show_whether_downloading(True)
        self._download = self._fetch()
        self._poll = self.set_interval(POLL_SECONDS, self._look)

    @work(thread=True, group="download", exit_on_error=False)
    def _fetch(self) -> None:
        """Download; closing the screen or leaving the app cancels it too."""
        worker = get_current_worker()
        try:
            from fashiontui.data import fashion_mnist

            place = fashion_mnist.download(
                self._download_to, self._note, self._note_arrived, lambda: worker.is_cancelled
            )
            self.call_later(self._found, place)
        except DataError as error:
            self.call_later(self._download_failed, str(error))

    def _note(self, sentence: str) -> None:
        self.call_later(self._complain, sentence, "")

    def _note_arrived(self, done: int, total: int) -> None:
        """Called by the thread for every piece; drawn when the screen looks the next time."""
        self._arrived = (done, total)

    def _look(self) -> None:
        done, total = self._arrived
        if total:
            self.query_one(ProgressBar).update(total=total, progress=done)
            bytes_ = f"{done / 1e6:.1f} of {total / 1e6:.1f} MB"
            self.query_one("#bytes", Static).update(bytes_)

    def _download_failed(self, sentence: str) -> None:
        self._poll.stop()
        self._download = None
        self._show_whether_downloading(False)
        self._complain(sentence)

    def _show_whether_downloading(self, downloading: bool) -> None:
        self.set_class(downloading, "-downloading")
        self.query_one("#download", Button).label = CANCEL if downloading else DOWNLOAD
        self.query_one("#choose-data").border_subtitle = (
            "esc cancels the download" if downloading else "esc decides later"
        )

    @on(Input.Submitted, "#folder")
    def _folder_named(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self._search(Path(os.path.expanduser(event.value.strip())))

    @work(thread=True, group="search", exclusive=True)
    def _search(self, folder: Path) -> None:
        """Look for the archives; a network folder may be slow."""
        try:
            from fashiontui.data import fashion_mnist

            place = fashion_mnist.find([folder]) if folder.is_dir() else None
        except (DataError, OSError) as error:
            self.call_later(self._complain, str(error))
            return
        if place is None:
            self.call_later(self._complain, f"{folder} does not hold the four .gz archives.")
        else:
            self.call_later(self._found, place)

    def _found(self, place: Path) -> None:
        self.dismiss(DataFound("fashion-mnist", place))

    @on(Button.Pressed, "#sample")
    def _sample(self) -> None:
        self.dismiss(DataFound("sample", None))

    def action_back(self) -> None:
        """Cancel the download under way; without one, close without a decision."""
        if self._download is not None and self._download.is_running:
            self._download.cancel()
        else:
            self.dismiss(None)

    def _complain(self, sentence: str, mark: str = "✗ ") -> None:
        said = f"{mark}{printable(sentence)}" if sentence else ""
        self.query_one("#complaint", Static).update(said)
