"""Single training settings, each over the recipe's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from msgspec import to_builtins
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Collapsible, Input

from fashiontui.domain.recipe import (
    HELP,
    NO_TEACHER,
    Activation,
    Augment,
    Init,
    Optimizer,
    Schedule,
    Settings,
)
from fashiontui.tui.widgets.fields import NUMBER, WHOLE, Field, TypedInput
from fashiontui.tui.widgets.picker import Picker

TYPED = {
    "epochs": ("Epochs", WHOLE),
    "lr": ("Learning rate", NUMBER),
    "batch_size": ("Batch size", WHOLE),
    "dropout": ("Dropout", NUMBER),
    "momentum": ("Momentum", NUMBER),
    "weight_decay": ("Weight decay", NUMBER),
    "label_smoothing": ("Label smooth.", NUMBER),
    "erase": ("Erase", WHOLE),
    "mixup": ("Mixup", NUMBER),
    "ema": ("Average", NUMBER),
}
"""Settings one types: name on screen, characters allowed."""
PICKED = {
    "optimizer": ("Optimiser", get_args(Optimizer)),
    "schedule": ("Schedule", get_args(Schedule)),
    "init": ("Initialisation", get_args(Init)),
    "activation": ("Activation", get_args(Activation)),
    "nesterov": ("Nesterov", ("true", "false")),
    "batch_norm": ("Batch norm", ("true", "false")),
    "augment": ("Augment", get_args(Augment)),
}
"""Settings one picks: name on screen, choices."""
KERNELS = "kernels"
"""Name of what stands among the finer settings, but says how to compute, not what."""
TEACHER = "teacher"
MAIN = ("epochs", "lr", "batch_size", "optimizer", "schedule", "dropout", "init", "activation",
        TEACHER)  # fmt: skip
FINER = (
    "momentum",
    "nesterov",
    "weight_decay",
    "label_smoothing",
    "batch_norm",
    "augment",
    "erase",
    "mixup",
    "ema",
    KERNELS,
)
KERNELS_HELP = (
    "How convolutions are computed: by torch's kernels, or by rows, which is for CNNs in fp32 on "
    "CPUs; auto measures which is faster"
)
TEACHER_HELP = (
    "Runs whose answers, averaged, are learnt in place of the labels: the best are listed, T on "
    "the board takes the marked ones"
)
RECIPES = ("recipe", "")
"""The choice of what the recipe has."""
_SAID = {"true": "on", "false": "off"}


class TrainingSettings(Vertical):
    """A field for each setting; what is left empty is the recipe's, shown in grey."""

    @dataclass
    class Ready(Message):
        """The fields are there and want to know the recipe's settings."""

    def __init__(self, names: Sequence[str], overrides: Mapping[str, str]) -> None:
        """Args:
        names: Which settings.
        overrides: What the fields begin with, by name of the setting.
        """
        super().__init__(classes="overrides")
        self._names = names
        self._first = overrides

    def compose(self) -> ComposeResult:
        """A field for each setting."""
        for name in self._names:
            yield _field(name, self._first.get(name, ""))

    def on_mount(self) -> None:
        """Ask for the recipe's settings."""
        self.post_message(self.Ready())

    @property
    def overrides(self) -> dict[str, str]:
        """What was typed or picked over the recipe's."""
        values = {name: self.query_one(f"#field-{name}", Field).value for name in self._names}
        return {name: value for name, value in values.items() if value}

    def show_recipe(self, settings: Settings) -> None:
        """Show these where nothing is typed over them."""
        said = to_builtins(settings) | {KERNELS: "auto (measured)"}
        for name in self._names:
            control = self.query_one(f"#field-{name}", Field).control
            if isinstance(control, Input):
                control.placeholder = f"{said[name]:g}"
            else:
                text = str(said[name]).lower()
                control.prompt = _SAID.get(text, text)

    def picker(self, name: str) -> Picker | None:
        """The picker of that name, if it is one of these."""
        if name not in self._names:
            return None
        control = self.query_one(f"#field-{name}", Field).control
        assert isinstance(control, Picker)
        return control


class SettingsGroup(Collapsible):
    """Settings that can be folded away; the title says how many of them are set in there."""

    def __init__(
        self,
        title: str,
        names: Sequence[str],
        overrides: Mapping[str, str],
        id: str,  # noqa: A002
    ) -> None:
        """Args:
        title: Of the group.
        names: Which settings.
        overrides: What the fields begin with, by name of the setting.
        id: Of the widget.
        """
        self._plain_title = title
        self._names = names
        self._first = {name: overrides[name] for name in names if name in overrides}
        fields = [TrainingSettings(names, self._first)] if self._first else []
        super().__init__(*fields, title=title, collapsed=not self._first, id=id)

    @property
    def overrides(self) -> dict[str, str]:
        """What was typed or picked over the recipe's."""
        mounted = self.query(TrainingSettings)
        return mounted.first().overrides if mounted else self._first

    def put(self, name: str, value: str) -> None:
        """Set a setting, empty for the recipe's, and unfold the group so that it is seen."""
        if mounted := self.query(TrainingSettings):
            mounted.first().query_one(f"#field-{name}", Field).value = value
        else:
            self._first[name] = value
        self.collapsed = False

    @on(Collapsible.Expanded)
    def _mount_fields(self) -> None:
        """Add the fields when they are first wanted: they are most of the widgets at the start."""
        if not self.query(TrainingSettings):
            contents = self.query_one(Collapsible.Contents)
            contents.mount(TrainingSettings(self._names, self._first))

    @on(TrainingSettings.Ready)
    @on(Input.Changed)
    @on(Picker.Changed)
    def _count(self) -> None:
        """Say how many are set, which could not be seen with the group folded."""
        count = len(self.overrides)
        self.title = f"{self._plain_title} · {count} set" if count else self._plain_title


def teacher_options(titles: Mapping[str, str]) -> list[tuple[str, str]]:
    """What the field of teachers offers: the recipe's, none, and these.

    Args:
        titles: Of teachers, by what settings call them.
    """
    given = [(title, name) for name, title in titles.items() if name not in ("", NO_TEACHER)]
    return [RECIPES, ("none", NO_TEACHER), *given]


def _field(name: str, value: str) -> Field:
    if name == KERNELS:
        picker = Picker([("", ""), ("torch", "torch"), ("rows", "rows")], value)
        field = Field("Kernels", picker, KERNELS_HELP)
    elif name == TEACHER:
        field = Field("Teacher", Picker(teacher_options({value: value}), value), TEACHER_HELP)
    elif name in TYPED:
        label, allowed = TYPED[name]
        control = TypedInput(allowed, value)
        field = Field(
            label, control, HELP[name], lambda typed: Settings().replaced(**{name: typed})
        )
    else:
        label, choices = PICKED[name]
        options = [RECIPES, *((_SAID.get(choice, choice), choice) for choice in choices)]
        field = Field(label, Picker(options, value), HELP[name])
    field.id = f"field-{name}"
    return field
