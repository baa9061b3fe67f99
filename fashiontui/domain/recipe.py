"""Training settings, and recipes: settings as data, with cases for families and sizes."""

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from fashiontui.domain.errors import UsageError
from fashiontui.domain.files import parse_toml, read_text
from fashiontui.domain.shapes import FAMILIES
from fashiontui.domain.text import brief, printable

Model = TypeVar("Model", bound=BaseModel)

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


class Settings(BaseModel):
    """Everything that decides how a network of a given shape is trained."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,  # "3" and true are no number of epochs
        extra="forbid",
        allow_inf_nan=False,
    )

    epochs: int = Field(25, ge=1, le=10_000, description="Passes over the training images.")
    batch_size: int = Field(256, ge=2, le=60_000, description="Images per optimiser step.")
    lr: float = Field(1e-3, gt=0, le=100, description="Learning rate; with a schedule, its peak.")
    optimizer: Optimizer = Field("adam", description="Update rule: sgd, adam, adamw or muon.")
    momentum: float = Field(
        0.9,
        ge=0,
        lt=1,
        description="Momentum of sgd and muon; the first moment's decay of adam and adamw.",
    )
    nesterov: bool = Field(False, description="Nesterov's form of momentum; sgd only.")
    schedule: Schedule = Field(
        "constant",
        description="Learning rate over the run: constant, cosine (down to zero) or one-cycle.",
    )
    dropout: float = Field(
        0.0, ge=0, lt=1, description="Share of the features dropped in front of the output layer."
    )
    init: Init = Field(
        "kaiming",
        description="Distribution of the first weights: kaiming, xavier or normal (std 0.05).",
    )
    activation: Activation = Field("relu", description="Nonlinearity between layers: relu or tanh.")
    batch_norm: bool = Field(
        False,
        description="Batch normalisation after each hidden layer; it adds no trainable weights.",
    )
    weight_decay: float = Field(
        0.0,
        ge=0,
        le=10,
        description="Weight decay on matrices and kernels; decoupled with adamw and muon, else L2.",
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="Share of each label spread evenly over all classes."
    )
    augment: Augment = Field(
        "none",
        description="Random changes to images: none, flip, shift (up to 2 pixels) or flip-shift.",
    )
    erase: int = Field(
        0,
        ge=0,
        le=28,
        description="Side in pixels of a square hidden at a random place of each training image.",
    )
    mixup: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="Most of another image that is blended into each, and of its label.",
    )
    ema: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Decay, per step, of the weights' average that is scored instead; 0 is none.",
    )

    teacher: str = Field(
        NO_TEACHER,
        pattern=rf"^({NO_TEACHER}|{_TEACHER}(\+{_TEACHER}){{0,{MOST_TEACHERS - 1}}})$",
        description="Stored networks whose answers, averaged, are learnt in place of the labels: "
        "first digits of the SHA-256 of their weights, joined by +; or none.",
    )

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> "Settings":
        if self.nesterov and (self.optimizer != "sgd" or self.momentum == 0):
            raise ValueError("nesterov needs the optimizer sgd and a momentum above 0")
        return self

    def replaced(self, **changes: object) -> "Settings":
        """A checked copy with some settings replaced; numbers may come as typed texts.

        Raises:
            UsageError: a value is out of range or of the wrong kind.
        """
        changed = {**self.model_dump(), **changes}
        return _checked(Settings, changed, "training settings", strict=False)


def recipe_title(recipe: str, teacher: str) -> str:
    """What to call a recipe on screen: ``best, taught`` where teachers took the labels' place."""
    return recipe if teacher == NO_TEACHER else f"{recipe}, taught"


class Case(BaseModel):
    """Settings that replace the recipe's own for networks that fit the case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str | None = None
    """Family it is for; any when absent."""
    weights_up_to: int | None = Field(None, ge=1)
    """Most trainable weights it is for; any when absent."""
    settings: dict[str, Any]
    """Names and values that replace the recipe's."""

    @field_validator("family")
    @classmethod
    def _known(cls, family: str | None) -> str | None:
        if family is not None and family not in FAMILIES:
            raise ValueError(f"family should be one of {', '.join(FAMILIES)}, not {family!r}")
        return family

    def fits(self, family: str, weights: int) -> bool:
        """Whether a network of this family and weight count is one of the case's."""
        return (self.family in (None, family)) and (
            self.weights_up_to is None or weights <= self.weights_up_to
        )


class Recipe(BaseModel):
    """A named set of training settings, read from a TOML file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
    recipe = _checked(Recipe, {**content, "name": name}, where)
    for number, case in enumerate(recipe.case, start=1):
        changes = {**recipe.settings.model_dump(), **case.settings}
        _checked(Settings, changes, f"{where}, case {number}")
    return recipe


def _names_in(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.stem for path in folder.glob("*.toml") if _can_be_shown(path))


def _can_be_shown(recipe: Path) -> bool:
    """Whether a recipe's name, which is stored with every run, is safe on any screen."""
    return printable(recipe.stem) == recipe.stem


def _checked(
    model: type[Model], values: Mapping[str, object], where: str, strict: bool | None = None
) -> Model:
    """Validate, turning the first complaint into one sentence; as strictly as the model says."""
    try:
        return model.model_validate(values, strict=strict)
    except ValidationError as error:
        complaint = error.errors()[0]
    at = ".".join(str(part) for part in complaint["loc"])
    if complaint["type"] == "extra_forbidden":
        known: Iterable[str] = (
            Settings.model_fields
            if "settings" in at or model is Settings
            else ("description", "settings", "case", "family", "weights_up_to")
        )
        near = get_close_matches(str(complaint["loc"][-1]), known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known keys are {', '.join(known)}."
        raise UsageError(f"In the {where}: unknown key {at!r}{hint}")
    if complaint["type"] == "value_error":
        raise UsageError(f"In the {where}: {complaint['ctx']['error']}.")
    message = complaint["msg"][0].lower() + complaint["msg"][1:]
    given = brief(complaint["input"])
    raise UsageError(f"In the {where}: {at} {message.removeprefix('input ')}, not {given}.")
