"""A control that picks one of a few values: a line, and a list that is made when it is opened.

Textual's own Select makes its list at once, hidden, of six widgets: with three of them in the form
the first paint took noticeably longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events, on
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

ARROW_COLUMNS = 2
"""The arrow at the end of the line, and the blank before it."""


class Choices(OptionList):
    """The list under a picker: typing a letter goes to the next choice that begins with it."""

    BINDINGS = [Binding("escape", "dismiss", "Close", show=False, id="picker.close",
                        tooltip="Close the list and pick nothing")]  # fmt: skip

    class Dismissed(Message):
        """Nothing was picked."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Letters are typed here; the footer hides the shortcuts they would shadow."""
        return character is not None and character.isprintable() and character != " "

    async def _on_key(self, event: events.Key) -> None:
        if event.character is None or not self.check_consume_key(event.key, event.character):
            return
        event.stop()
        event.prevent_default()
        letter, here, count = event.character.lower(), self.highlighted or 0, self.option_count
        for place in ((here + step) % count for step in range(1, count + 1)):
            if str(self.get_option_at_index(place).prompt).lower().startswith(letter):
                self.highlighted = place
                return

    def on_blur(self) -> None:
        """Close where the focus goes elsewhere."""
        self.post_message(self.Dismissed())

    def action_dismiss(self) -> None:
        """Close, picking nothing."""
        self.post_message(self.Dismissed())


class Picker(Widget, can_focus=True):
    """Shows the value that is picked."""

    BINDINGS = [Binding("enter,down,space,up", "open", "Choices", show=False, id="picker.open",
                        tooltip="Show what there is to pick from")]  # fmt: skip

    value: reactive[str] = reactive("", init=False)
    """What is picked; empty for nothing."""
    prompt: reactive[str] = reactive("")
    """Shown while nothing is picked."""

    @dataclass
    class Changed(Message):
        """Another value is picked."""

        picker: "Picker"
        value: str

        @property
        def control(self) -> "Picker":
            """The picker, for handlers that name one."""
            return self.picker

    instead: reactive[str] = reactive("")
    """Shown in place of what is picked, which is kept, where there is no choice; else empty."""

    def __init__(self, options: Sequence[tuple[str, str]], value: str = "") -> None:
        """Args:
        options: What is shown of each value, and the value. An empty value stands for the prompt;
            in the list what is shown of it comes behind the prompt.
        value: Picked at first; of an unknown one, or of none, the first.
        """
        super().__init__()
        self.options = [*options]
        self._was_open = False
        self._listed: list[str] = []
        self.set_reactive(Picker.value, self._known(value))

    def _known(self, value: str) -> str:
        """The value, or the first where it is not offered."""
        offered = [one for _, one in self.options]
        return value if value in offered else offered[0]

    def set_options(self, options: Sequence[tuple[str, str]], value: str) -> None:
        """Offer other values and pick one of them, of an unknown one the first."""
        self.options = [*options]
        self.value = self._known(value)
        self.refresh()

    def validate_value(self, value: str) -> str:
        """Keep what is picked where the new value is not offered."""
        return value if value in [one for _, one in self.options] else self.value

    def watch_value(self, value: str) -> None:
        """Tell the form."""
        self.post_message(self.Changed(self, value))

    def watch_instead(self, instead: str) -> None:
        """Let nothing be picked where there is no choice."""
        self.disabled = bool(instead)

    @property
    def _label(self) -> str:
        return next(label for label, value in self.options if value == self.value)

    def render(self) -> Content:
        """The value that is picked, and an arrow at the end of the line."""
        shown = Content(self._label) if self.value else Content.styled(self.prompt, "dim")
        if self.instead:
            shown = Content.styled(self.instead, "dim")
        columns = max(0, self.content_size.width - ARROW_COLUMNS)
        arrow = "▲" if self.query(Choices) else "▼"
        return Content.assemble(
            shown.truncate(columns, ellipsis=True, pad=True), (f" {arrow}", "$foreground 50%")
        )

    def on_mouse_down(self) -> None:
        """Remember whether the list is open: it closes as soon as it loses the focus."""
        self._was_open = bool(self.query(Choices))

    def on_click(self, event: events.Click) -> None:
        """Open the list; where it was open the click has closed it."""
        event.stop()
        if event.widget is self and not self._was_open:
            self.action_open()

    def action_open(self) -> None:
        """Show what there is to pick from."""
        if not self.query(Choices):
            choices = Choices(
                *(
                    Option(Content(label) if value else self._unpicked(label))
                    for label, value in self.options
                )
            )
            self._listed = [value for _, value in self.options]
            choices.highlighted = self._listed.index(self.value)
            self.mount(choices)
            choices.focus(scroll_visible=False)
            self.refresh()

    def _unpicked(self, label: str) -> Content:
        """The choice of nothing."""
        return Content.styled(f"{self.prompt} · {label}" if label else self.prompt, "dim")

    @on(OptionList.OptionHighlighted)
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._close()
        self.value = self._listed[event.option_index]

    @on(Choices.Dismissed)
    def _dismissed(self, event: Choices.Dismissed) -> None:
        event.stop()
        self._close()

    def _close(self) -> None:
        for choices in self.query(Choices):
            if choices.has_focus:
                self.focus()
            choices.remove()
        self.refresh()
