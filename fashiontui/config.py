"""The user's settings of the app: one TOML file, checked key by key."""

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from msgspec import Struct

from fashiontui.domain.checking import checked, must_be_shown
from fashiontui.domain.errors import UsageError
from fashiontui.domain.files import parse_toml, read_text


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``config.toml`` in the config folder may say."""

    theme: str | None = None
    """Name of a theme; the one picked last when absent."""
    marker: Literal["auto", "braille", "hd", "fhd", "dot", "ascii"] = "auto"
    """How curves are drawn; auto takes braille where the terminal can be trusted with it."""
    keymap: dict[str, str] = {}
    """Keys by the id of what they do, such as "lab.train" = "ctrl+t"; several with commas."""

    def __post_init__(self) -> None:
        """Refuse texts that cannot be shown."""
        must_be_shown("theme", self.theme)
        must_be_shown("keymap", *self.keymap, *self.keymap.values())


def load_config(file: Path) -> Config:
    """The user's settings; the defaults where there is no file.

    Raises:
        UsageError: the file cannot be read, or a key or value in it cannot be used.
    """
    if not os.path.lexists(file):
        return Config()
    content = parse_toml(read_text(file, "the settings"), str(file))
    return checked(content, Config, f"In {file}")


def check_keymap(config: Config, known: set[str]) -> None:
    """Refuse keys for things that do not exist.

    Raises:
        UsageError: an id in the keymap is not one of the app's.
    """
    for name in config.keymap:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            said = (
                f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}."
            )
            raise UsageError(f"In the keymap: unknown id {name!r}; {said}")
