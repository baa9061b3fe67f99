"""Form fields that check themselves as one types and say below what is wrong."""

from collections.abc import Callable

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.reactive import reactive
from textual.widgets import Input, Label

from fashiontui.domain.errors import UsageError
from fashiontui.domain.text import printable
from fashiontui.tui.widgets.picker import Picker

Check = Callable[[str], object]
"""Reads what was typed; raises ``UsageError`` where that cannot be used."""
NUMBER = frozenset("0123456789.,_eE-")
BUDGET = frozenset("0123456789.,_kKmM")
WHOLE = frozenset("0123456789")
SEEDS = frozenset("0123456789,-")
COMPACT = "-textual-compact"
"""The class that Textual gives compact widgets."""


def compact() -> reactive[bool]:
    """A widget's ``compact``, on by default.

    Textual's is off at first: switched on, it styles a widget and its parts anew, before they have
    been shown once. The widget shall have the class ``COMPACT`` from its start.
    """
    return reactive(True, toggle_class=COMPACT)


class TypedInput(Input):
    """An input that takes only its own characters; all other keys stay the app's shortcuts."""

    compact = compact()

    def __init__(self, allowed: frozenset[str], value: str = "", placeholder: str = "") -> None:
        """Args:
        allowed: Characters that may be typed.
        value: What it begins with.
        placeholder: Shown while it is empty.
        """
        super().__init__(
            value, placeholder=placeholder, compact=True, classes=COMPACT, select_on_focus=True
        )
        self._allowed = allowed

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether a key is typed here; the footer hides the shortcuts it would shadow."""
        return character in self._allowed if character else False

    async def _on_key(self, event: events.Key) -> None:
        if event.is_printable and event.character not in self._allowed:
            event.prevent_default()  # let it bubble up to the bindings


class Field(Container):
    """A name, a control and, when something is wrong, a sentence."""

    error: reactive[str] = reactive("")
    """What is wrong with the value, in one sentence; empty when nothing is."""

    def __init__(
        self,
        name: str,
        control: Input | Picker,
        help_text: str,
        check: Check | None = None,
    ) -> None:
        """Args:
        name: Of the field, as people call it.
        control: Where the value is typed or picked.
        help_text: What the value means, shown as a tooltip.
        check: Raises ``UsageError`` where a typed value cannot be used; empty is always usable.
        """
        super().__init__()
        self._title = name
        self.control = control
        self._check = check
        self.tooltip = help_text
        self.set_class(bool(self.value), "-typed", update=False)

    def compose(self) -> ComposeResult:
        """The name beside the control; a complaint would stand below."""
        yield Label(self._title, classes="name")
        yield self.control

    @property
    def value(self) -> str:
        """What was typed or picked; empty for the recipe's or the automatic choice."""
        return self.control.value.strip()

    @value.setter
    def value(self, value: str) -> None:
        self.control.value = value

    @on(Input.Changed)
    @on(Picker.Changed)
    def check(self) -> None:
        """Check the value and show what is wrong with it."""
        self.set_class(bool(self.value), "-typed")
        try:
            if self._check is not None and self.value:
                self._check(self.value)
            self.error = ""
        except UsageError as error:
            self.error = str(error).partition(": ")[2] or str(error)

    def watch_error(self, error: str) -> None:
        """Show the complaint, or hide its line."""
        self.set_class(bool(error), "-wrong")
        said = f"✗ {printable(error)}" if error else ""
        if complaints := [*self.query(".complaint").results(Label)]:
            complaints[0].update(said)
        elif error and self.is_mounted:
            self.mount(Label(said, classes="complaint", markup=False))
