"""Where the images come from: download them, say where they lie, or use the sample set."""

from pathlib import Path

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, ProgressBar, Static

from fashiontui.domain.errors import DataError
from fashiontui.tui.messages import DataFound, Downloaded
from fashiontui.tui.text import plain

POLL_SECONDS = 0.2


class ChooseData(ModalScreen[DataFound | None]):
    """Dismissed with the data that was found, or None when the user puts it off."""

    CSS_PATH = "data.tcss"
    BINDINGS = [
        Binding("escape", "put_off", "Later", id="data.later", tooltip="Decide later"),
    ]
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

    def compose(self) -> ComposeResult:
        """The reason and three ways out."""
        with Vertical(id="choose-data") as box:
            box.border_title = "Images to learn from"
            box.border_subtitle = "esc decides later"
            yield Static(plain(self._reason), id="reason")
            yield Button(
                "Download Fashion-MNIST (31 MB)", id="download", variant="primary", compact=True
            )
            yield Static(plain(f"to {self._download_to}"), classes="hint")
            yield ProgressBar(id="arrived", show_eta=True)
            yield Label("Or a folder that holds its four .gz archives:")
            yield Input(placeholder="folder, then enter", id="folder", compact=True)
            yield Static(id="complaint")
            yield Button("Use the sample set", id="sample", compact=True)
            yield Static(
                "Drawn by the program, no network needed; its figures say nothing about "
                "Fashion-MNIST.",
                classes="hint",
            )

    @on(Button.Pressed, "#download")
    def _begin_download(self) -> None:
        self.query_one("#download", Button).disabled = True
        self._complain("")
        self.add_class("-downloading")
        self._download()
        self._poll = self.set_interval(POLL_SECONDS, self._look)

    @work(thread=True, group="download", exit_on_error=False)
    def _download(self) -> None:
        try:
            from fashiontui.data import fashion_mnist

            place = fashion_mnist.download(self._download_to, lambda _: None)
            self.app.call_later(self.dismiss, DataFound("fashion-mnist", place))
        except DataError as error:
            self.app.call_later(self._download_failed, str(error))

    def _look(self) -> None:
        """Ask how much has arrived: torchvision does not tell."""
        from fashiontui.data import fashion_mnist

        self.post_message(
            Downloaded(
                fashion_mnist.downloaded_bytes(self._download_to), fashion_mnist.DOWNLOAD_BYTES
            )
        )

    @on(Downloaded)
    def _arrived(self, message: Downloaded) -> None:
        self.query_one(ProgressBar).update(total=message.total, progress=message.done)

    def _download_failed(self, sentence: str) -> None:
        self._poll.stop()
        self.remove_class("-downloading")
        self.query_one("#download", Button).disabled = False
        self._complain(sentence)

    @on(Input.Submitted, "#folder")
    def _folder_named(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self._search(Path(event.value.strip()).expanduser())

    @work(thread=True, group="search", exclusive=True)
    def _search(self, folder: Path) -> None:
        """Look for the archives; a network folder may be slow."""
        try:
            from fashiontui.data import fashion_mnist

            place = fashion_mnist.find([folder]) if folder.is_dir() else None
        except (DataError, OSError) as error:
            self.app.call_later(self._complain, str(error))
            return
        if place is None:
            self.app.call_later(self._complain, f"{folder} does not hold the four .gz archives.")
        else:
            self.app.call_later(self.dismiss, DataFound("fashion-mnist", place))

    @on(Button.Pressed, "#sample")
    def _sample(self) -> None:
        self.dismiss(DataFound("sample", None))

    def action_put_off(self) -> None:
        """Close without a decision."""
        self.dismiss(None)

    def _complain(self, sentence: str) -> None:
        self.query_one("#complaint", Static).update(plain(f"✗ {sentence}" if sentence else ""))
