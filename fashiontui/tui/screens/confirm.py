"""A question with two answers."""

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Label


class Confirm(ModalScreen[bool]):
    """Asks before something that cannot be taken back; the safe answer has the focus."""

    CSS_PATH = "confirm.tcss"
    BINDINGS = [
        Binding("y", "answer(True)", "Yes", id="confirm.yes", tooltip="Yes"),
        Binding("n,escape", "answer(False)", "No", id="confirm.no", tooltip="No"),
        Binding("left,right,tab", "app.focus_next", "Other", show=False, id="confirm.other",
                tooltip="The other answer"),
    ]  # fmt: skip

    def __init__(self, question: str, consequence: str, yes: str, no: str) -> None:
        """Args:
        question: In a few words.
        consequence: Of saying yes.
        yes: What the button that agrees says.
        no: What the other one says.
        """
        super().__init__()
        self._question = question
        self._consequence = consequence
        self._yes = yes
        self._no = no

    def compose(self) -> ComposeResult:
        """The question and its two answers."""
        with Vertical(id="confirm"):
            yield Label(self._question, classes="heading")
            yield Label(self._consequence)
            with Horizontal():
                yield Button(f"{self._no}  n", id="no", variant="primary", compact=True)
                yield Button(f"{self._yes}  y", id="yes", variant="error", compact=True)

    def on_mount(self) -> None:
        """Begin at the safe answer."""
        self.query_one("#no").focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        """Answer by key."""
        self.dismiss(yes)
