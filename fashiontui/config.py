"""The user's settings of the app: one TOML file, checked key by key."""

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from fashiontui.domain.errors import UsageError
from fashiontui.domain.files import Shown, parse_toml, read_text
from fashiontui.domain.text import brief


class Config(BaseModel):
    """What ``config.toml`` in the config folder may say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    theme: Shown | None = None
    """Name of a theme; the one picked last when absent."""
    marker: Literal["auto", "braille", "hd", "fhd", "dot", "ascii"] = "auto"
    """How curves are drawn; auto takes braille where the terminal can be trusted with it."""
    keymap: dict[Shown, Shown] = {}
    """Keys by the id of what they do, such as "lab.train" = "ctrl+t"; several with commas."""


def load_config(file: Path) -> Config:
    """The user's settings; the defaults where there is no file.

    Raises:
        UsageError: the file cannot be read, or a key or value in it cannot be used.
    """
    if not os.path.lexists(file):
        return Config()
    content = parse_toml(read_text(file, "the settings"), str(file))
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        raise UsageError(f"In {file}: {_sentence(error)}") from error


def check_keymap(config: Config, known: set[str]) -> None:
    """Refuse keys for things that do not exist.

    Raises:
        UsageError: an id in the keymap is not one of the app's.
    """
    for name in config.keymap:
        if name not in known:
            raise UsageError(f"In the keymap: unknown id {name!r}{_hint(name, known)}")


def _sentence(error: ValidationError) -> str:
    """The first complaint, in one sentence."""
    complaint = error.errors()[0]
    at = ".".join(str(part) for part in complaint["loc"])
    if complaint["type"] == "extra_forbidden":
        return f"unknown key {at!r}{_hint(at, set(Config.model_fields))}"
    message = complaint["msg"][0].lower() + complaint["msg"][1:]
    return f"{at}: {message.removeprefix('input ')}, not {brief(complaint['input'])}."


def _hint(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(known))}."
