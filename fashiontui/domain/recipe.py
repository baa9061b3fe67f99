"""Training settings, and recipes: settings as data, with cases for families and sizes."""

import os
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from msgspec import Meta, Struct, structs

from fashiontui.domain.checking import checked
from fashiontui.domain.errors import UsageError
from fashiontui.domain.files import parse_toml, read_text
from fashiontui.domain.shapes import FAMILIES
from fashiontui.domain.text import printable

Optimizer = Literal["sgd", "adam", "adamw", "muon"]
Schedule = Literal["constant", "cosine", "one-cycle"]
Init = Literal["kaiming", "xavier", "normal"]
Activation = Literal["relu", "tanh"]
Augment = Literal["none", "flip", "shift", "flip-shift"]
NO_TEACHER = "none"
"""Of a network that learns the labels."""
TEACHER_DIGITS = 12
"""How many digits of its weights' SHA-256 name a teacher."""
MOST_TEACHERS = 10
"""Most teachers of a run."""
_TEACHER = f"[0-9a-f]{{{TEACHER_DIGITS}}}"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that decides how a network of a given shape is trained.

    Values are checked where they are read, and by ``replaced``; not by the constructor.
    """

    epochs: Annotated[
        int, Meta(ge=1, le=10_000, description="Passes over the training images.")
    ] = 25
    batch_size: Annotated[
        int,
        Meta(ge=2, le=60_000, description="Images per optimiser step."),
    ] = 256
    lr: Annotated[
        float, Meta(gt=0, le=100, description="Learning rate; with a schedule, its peak.")
    ] = 1e-3
    optimizer: Annotated[
        Optimizer,
        Meta(description="Update rule: sgd, adam, adamw or muon."),
    ] = "adam"
    momentum: Annotated[
        float,
        Meta(
            ge=0,
            lt=1,
            description="Momentum of sgd and muon; the first moment's decay of adam and adamw.",
        ),
    ] = 0.9
    nesterov: Annotated[bool, Meta(description="Nesterov's form of momentum; sgd only.")] = False
    schedule: Annotated[
        Schedule,
        Meta(
            description="Learning rate over the run: constant, cosine (down to zero) or one-cycle."
        ),
    ] = "constant"
    dropout: Annotated[
        float,
        Meta(ge=0, lt=1, description="Share of the features dropped in front of the output layer."),
    ] = 0.0
    init: Annotated[
        Init,
        Meta(
            description="Distribution of the first weights: kaiming, xavier or normal (std 0.05)."
        ),
    ] = "kaiming"
    activation: Annotated[
        Activation, Meta(description="Nonlinearity between layers: relu or tanh.")
    ] = "relu"
    batch_norm: Annotated[
        bool,
        Meta(
            description="Batch normalisation after each hidden layer; it adds no trainable weights."
        ),
    ] = False
    weight_decay: Annotated[
        float,
        Meta(
            ge=0,
            le=10,
            description="Weight decay on matrices and kernels; decoupled with adamw and muon, "
            "else L2.",
        ),
    ] = 0.0
    label_smoothing: Annotated[
        float,
        Meta(ge=0, lt=1, description="Share of each label spread evenly over all classes."),
    ] = 0.0
    augment: Annotated[
        Augment,
        Meta(
            description="Random changes to images: none, flip, shift (up to 2 pixels) or "
            "flip-shift."
        ),
    ] = "none"
    erase: Annotated[
        int,
        Meta(
            ge=0,
            le=28,
            description="Side in pixels of a square hidden at a random place of each training "
            "image.",
        ),
    ] = 0
    mixup: Annotated[
        float,
        Meta(
            ge=0,
            le=0.5,
            description="Most of another image that is blended into each, and of its label.",
        ),
    ] = 0.0
    ema: Annotated[
        float,
        Meta(
            ge=0,
            lt=1,
            description="Decay, per step, of the weights' average that is scored instead; "
            "0 is none.",
        ),
    ] = 0.0
    teacher: Annotated[
        str,
        Meta(
            pattern=rf"\A({NO_TEACHER}|{_TEACHER}(\+{_TEACHER}){{0,{MOST_TEACHERS - 1}}})\Z",
            examples=[NO_TEACHER, "0123456789ab", "0123456789ab+cdef01234567"],
            description="Stored networks whose answers, averaged, are learnt in place of the "
            "labels: first digits of the SHA-256 of their weights, joined by +; or none.",
        ),
    ] = NO_TEACHER

    def __post_init__(self) -> None:
        """Refuse settings that contradict each other."""
        if self.nesterov and (self.optimizer != "sgd" or self.momentum == 0):
            raise ValueError("nesterov needs the optimizer sgd and a momentum above 0")

    def replaced(self, **changes: object) -> "Settings":
        """A checked copy with some settings replaced; numbers may come as typed texts.

        Raises:
            UsageError: a value is out of range or of the wrong kind.
        """
        changed = {name: _read(name, value) for name, value in changes.items()}
        every = {**structs.asdict(self), **changed}
        return checked(every, Settings, "In the training settings", strict=False)


_FIELDS = {field.name: get_args(field.type) for field in structs.fields(Settings)}
KINDS: dict[str, Any] = {name: kind for name, (kind, _) in _FIELDS.items()}
"""The type of each setting, without its bounds."""
HELP: dict[str, str] = {name: meta.description for name, (_, meta) in _FIELDS.items()}
"""What each setting means, in a sentence."""


def _read(name: str, value: object) -> object:
    """A setting's number where a text says one, as people type it: ``.5`` or ``007``."""
    if isinstance(value, str) and (kind := KINDS.get(name)) in (int, float):
        try:
            return kind(value)
        except ValueError:
            return value
    return value


def recipe_title(recipe: str, teacher: str) -> str:
    """What to call a recipe on screen: ``best, taught`` where teachers took the labels' place."""
    return recipe if teacher == NO_TEACHER else f"{recipe}, taught"


class Case(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings that replace the recipe's own for networks that fit the case."""

    family: str | None = None
    """Family it is for; any when absent."""
    weights_up_to: Annotated[int, Meta(ge=1)] | None = None
    """Most trainable weights it is for; any when absent."""
    settings: dict[str, Any]
    """Names and values that replace the recipe's."""

    def __post_init__(self) -> None:
        """Refuse an unknown family."""
        if self.family is not None and self.family not in FAMILIES:
            raise ValueError(f"family should be one of {', '.join(FAMILIES)}, not {self.family!r}")

    def fits(self, family: str, weights: int) -> bool:
        """Whether a network of this family and weight count is one of the case's."""
        return (self.family in (None, family)) and (
            self.weights_up_to is None or weights <= self.weights_up_to
        )


class Recipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named set of training settings, read from a TOML file."""

    name: str
    description: str = ""
    settings: Settings = Settings()
    case: tuple[Case, ...] = ()
    """Looked at in order; the first that fits applies."""

    def settings_for(self, family: str, weights: int) -> Settings:
        """The settings for a network of this family and number of trainable weights."""
        for case in self.case:
            if case.fits(family, weights):
                return self.settings.replaced(**case.settings)
        return self.settings


def builtin_recipes() -> list[str]:
    """Names of the recipes that come with the program."""
    folder = files("fashiontui") / "recipes"
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    )


def recipe_names(user_folder: Path) -> list[str]:
    """Names of the built-in recipes, then of the user's own."""
    return [*builtin_recipes(), *_names_in(user_folder)]


def load_recipe(name: str, user_folder: Path) -> Recipe:
    """The recipe of that name, or in that ``.toml`` file.

    A name is looked for among the built-in recipes, then in the user's recipe folder.

    Raises:
        UsageError: there is none, it cannot be read, or what it says cannot be used.
    """
    if name in builtin_recipes():
        text = (files("fashiontui") / "recipes" / f"{name}.toml").read_text(encoding="utf-8")
        return parse_recipe(text, name)
    path = Path(name) if name.endswith(".toml") else user_folder / f"{name}.toml"
    by_name = not name.endswith(".toml")
    if by_name and (Path(name).name != name or not os.path.exists(path)):
        known = ", ".join(recipe_names(user_folder))
        raise UsageError(f"Unknown recipe {name!r}; choose one of {known}, or give a .toml file.")
    if not _can_be_shown(path):
        raise UsageError(f"The name of {path} cannot be shown; rename the recipe.")
    return parse_recipe(read_text(path, "the recipe"), path.stem)


def parse_recipe(text: str, name: str) -> Recipe:
    """Read a recipe from TOML.

    Raises:
        UsageError: the text is not TOML, or a key or value in it cannot be used.
    """
    where = f"recipe {name!r}"
    content = parse_toml(text, f"The {where}")
    if "name" in content:
        raise UsageError(f"In the {where}: remove the key 'name'; a recipe is named by its file.")
    recipe = checked(content, Recipe, f"In the {where}", name=name)
    for number, case in enumerate(recipe.case, start=1):
        changed = {**structs.asdict(recipe.settings), **case.settings}
        checked(changed, Settings, f"In the {where}, case {number}")
    return recipe


def _names_in(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.stem for path in folder.glob("*.toml") if _can_be_shown(path))


def _can_be_shown(recipe: Path) -> bool:
    """Whether a recipe's name, which is stored with every run, is safe on any screen."""
    return printable(recipe.stem) == recipe.stem
