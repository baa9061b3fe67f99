"""Single training settings, each over the recipe's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, Select

from fashiontui.domain.recipe import Activation, Augment, Init, Optimizer, Schedule, Settings
from fashiontui.tui.widgets.fields import NUMBER, WHOLE, Field, TypedInput

TYPED = {
    "epochs": ("Epochs", WHOLE),
    "lr": ("Learning rate", NUMBER),
    "batch_size": ("Batch size", WHOLE),
    "dropout": ("Dropout", NUMBER),
    "weight_decay": ("Weight decay", NUMBER),
    "label_smoothing": ("Label smooth.", NUMBER),
}
"""Settings one types: name on screen, characters allowed."""
PICKED = {
    "optimizer": ("Optimiser", get_args(Optimizer)),
    "schedule": ("Schedule", get_args(Schedule)),
    "init": ("Initialisation", get_args(Init)),
    "activation": ("Activation", get_args(Activation)),
    "batch_norm": ("Batch norm", ("true", "false")),
    "augment": ("Augment", get_args(Augment)),
}
"""Settings one picks: name on screen, choices."""
ORDER = ("epochs", "lr", "batch_size", "optimizer", "schedule", "dropout", "init", "activation") + (
    "batch_norm",
    "weight_decay",
    "label_smoothing",
    "augment",
)


class TrainingSettings(Vertical):
    """A field for each setting; what is left empty is the recipe's, shown in grey."""

    @dataclass
    class Ready(Message):
        """The fields are there and want to know the recipe's settings."""

    def __init__(self, overrides: Mapping[str, str]) -> None:
        """Args:
        overrides: What the fields begin with, by name of the setting.
        """
        super().__init__(id="overrides")
        self._first = overrides

    def compose(self) -> ComposeResult:
        """A field for each setting."""
        for name in ORDER:
            yield _field(name, self._first.get(name, ""))

    def on_mount(self) -> None:
        """Ask for the recipe's settings."""
        self.post_message(self.Ready())

    @property
    def overrides(self) -> dict[str, str]:
        """What was typed or picked over the recipe's."""
        values = {name: self.query_one(f"#field-{name}", Field).value for name in ORDER}
        return {name: value for name, value in values.items() if value}

    def show_recipe(self, settings: Settings) -> None:
        """Show these where nothing is typed over them."""
        said = settings.model_dump(mode="json")
        for name in ORDER:
            control = self.query_one(f"#field-{name}", Field).control
            text = f"{said[name]:g}" if name in TYPED else str(said[name]).lower()
            if isinstance(control, Input):
                control.placeholder = text
            else:
                control.prompt = text


def _field(name: str, value: str) -> Field:
    control: Input | Select[str]
    if name in TYPED:
        label, allowed = TYPED[name]
        control = TypedInput(allowed, value)
    else:
        label, choices = PICKED[name]
        chosen = value if value in choices else Select.NULL
        control = Select([(choice, choice) for choice in choices], value=chosen, compact=True)
    help_text = Settings.model_fields[name].description or ""
    field = Field(label, control, help_text, lambda typed: Settings().replaced(**{name: typed}))
    field.id = f"field-{name}"
    return field
