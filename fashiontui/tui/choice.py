"""What was chosen the last time, kept between starts."""

import os
from pathlib import Path
from typing import Literal

from msgspec import Struct, json

from fashiontui.domain.checking import must_be_shown
from fashiontui.domain.errors import UsageError
from fashiontui.domain.files import read_text
from fashiontui.domain.shapes import FAMILIES, Shape
from fashiontui.domain.spec import DatasetName


class Choice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The form as it was left, and what is remembered with it."""

    arch: str = "fcn"
    """Family."""
    budget: str = "50k"
    """As typed."""
    shape: Shape | None = None
    """The shape picked among those offered; None takes the first."""
    recipe: str = "fast"
    """Name of the recipe."""
    overrides: dict[str, str] = {}
    """Settings typed over the recipe's, by name."""
    seeds: str = "1"
    """Count, range or list of seeds, as typed."""
    device: str = "auto"
    """auto, cpu, cuda:0, mps."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Number format of the training."""
    kernels: Literal["auto", "torch", "rows"] = "auto"
    """How convolutions are computed, where there is a choice."""
    dataset: DatasetName | None = None
    """Data set chosen when Fashion-MNIST was missing."""
    data_folder: str | None = None
    """Folder of Fashion-MNIST that was chosen."""
    pinned: str | None = None
    """Id of the run every chart compares with."""
    report_rows: bool = True
    """Whether the report's rows are on the board."""
    theme: str | None = None
    """The theme picked last."""


def load_choice(file: Path) -> tuple[Choice, str | None]:
    """What was chosen the last time, and a sentence where that could not be read."""
    if not os.path.lexists(file):
        return Choice(), None
    try:
        choice = json.decode(read_text(file, "the last settings"), type=Choice)
        _check(choice)
        return choice, None
    except (UsageError, ValueError, RecursionError):
        return Choice(), f"The last settings in {file} cannot be read; starting from the defaults."


def _check(choice: Choice) -> None:
    """What types alone do not say.

    Raises:
        ValueError: the family is unknown, or a text cannot be shown.
    """
    if choice.arch not in FAMILIES:
        raise ValueError(f"arch should be one of {', '.join(FAMILIES)}")
    overrides = [*choice.overrides, *choice.overrides.values()]
    must_be_shown("it", *overrides, *(getattr(choice, name) for name in choice.__struct_fields__))


def save_choice(choice: Choice, file: Path) -> str | None:
    """Keep it for the next start; a sentence where that is not possible."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(".tmp")
        beside.write_bytes(json.format(json.encode(choice), indent=1))
        beside.replace(file)
    except OSError as error:
        return f"Cannot keep these settings in {file}: {error.strerror}."
    except UnicodeEncodeError:  # of a folder whose name is none
        return f"Cannot keep these settings in {file}: a text in them is no Unicode."
    return None
