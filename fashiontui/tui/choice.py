"""What was chosen the last time, kept between starts."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from fashiontui.domain.errors import UsageError
from fashiontui.domain.files import Shown, read_text
from fashiontui.domain.shapes import FAMILIES, Shape
from fashiontui.domain.spec import DatasetName


def _known(arch: str) -> str:
    if arch not in FAMILIES:
        raise ValueError(f"should be one of {', '.join(FAMILIES)}")
    return arch


class Choice(BaseModel):
    """The form as it was left, and what is remembered with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    arch: Annotated[str, AfterValidator(_known)] = "fcn"
    """Family."""
    budget: Shown = "50k"
    """As typed."""
    shape: Shape | None = None
    """The shape picked among those offered; None takes the first."""
    recipe: Shown = "fast"
    """Name of the recipe."""
    overrides: dict[Shown, Shown] = {}
    """Settings typed over the recipe's, by name."""
    seeds: Shown = "1"
    """Count, range or list of seeds, as typed."""
    device: Shown = "auto"
    """auto, cpu, cuda:0, mps."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Number format of the training."""
    kernels: Literal["auto", "torch", "rows"] = "auto"
    """How convolutions are computed, where there is a choice."""
    dataset: DatasetName | None = None
    """Data set chosen when Fashion-MNIST was missing."""
    data_folder: Shown | None = None
    """Folder of Fashion-MNIST that was chosen."""
    pinned: Shown | None = None
    """Id of the run every chart compares with."""
    report_rows: bool = True
    """Whether the report's rows are on the board."""
    theme: Shown | None = None
    """The theme picked last."""


def load_choice(file: Path) -> tuple[Choice, str | None]:
    """What was chosen the last time, and a sentence where that could not be read."""
    if not os.path.lexists(file):
        return Choice(), None
    try:
        return Choice.model_validate_json(read_text(file, "the last settings")), None
    except (UsageError, ValidationError):
        return Choice(), f"The last settings in {file} cannot be read; starting from the defaults."


def save_choice(choice: Choice, file: Path) -> str | None:
    """Keep it for the next start; a sentence where that is not possible."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(".tmp")
        beside.write_text(choice.model_dump_json(indent=1), encoding="utf-8")
        beside.replace(file)
    except OSError as error:
        return f"Cannot keep these settings in {file}: {error.strerror}."
    return None
