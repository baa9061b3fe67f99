"""Search spaces as data: which settings a study tries, and which shares of its budget."""

import math
from collections.abc import Iterator, Mapping
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, structs

from fashiontui.domain.checking import checked, must_be_shown, unknown
from fashiontui.domain.errors import UsageError
from fashiontui.domain.files import parse_toml, read_text
from fashiontui.domain.recipe import KINDS, NO_TEACHER, Settings
from fashiontui.domain.text import brief

GRID_POINTS = 4
"""How many values a grid takes from a range."""
MOST_CHOICES = 100
"""Most values of one setting, and most shares."""
BUILT_IN = "built-in"
"""What the space is called that comes with the program."""

Value = bool | int | float | str
"""A value of a setting."""


class Range(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Numbers between two bounds, these included."""

    low: int | float
    high: int | float
    log: bool = False
    """Whether each power of ten is as likely as the next."""

    def __post_init__(self) -> None:
        """Refuse bounds that hold nothing between them."""
        if not all(-math.inf < bound < math.inf for bound in (self.low, self.high)):
            raise ValueError("its low and its high must be finite numbers")
        if not self.low < self.high:
            raise ValueError("its low must be below its high")
        if self.log and self.low <= 0:
            raise ValueError("a log range must begin above 0")

    def points(self, whole: bool) -> tuple[float, ...]:
        """The values a grid takes: evenly spaced, both bounds among them."""
        steps = [i / (GRID_POINTS - 1) for i in range(GRID_POINTS)]
        if self.log:
            ratio = self.high / self.low
            values = [self.low * ratio**step for step in steps]
        else:
            values = [self.low + (self.high - self.low) * step for step in steps]
        if whole:
            return tuple(dict.fromkeys(round(value) for value in values))
        between = [float(f"{value:.6g}") for value in values[1:-1]]
        return (float(self.low), *between, float(self.high))


Choices = Annotated[tuple[Value, ...], Meta(min_length=1, max_length=MOST_CHOICES)]
Share = Annotated[float, Meta(gt=0, le=1)]


class Space(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a study may choose: each setting's values, and shares of the budget to spend."""

    name: str
    """The file it came from."""
    description: str = ""
    shares: Annotated[tuple[Share, ...], Meta(min_length=1, max_length=MOST_CHOICES)] = (1.0,)
    """Shares of the budget; the solver's shapes for each of them are tried."""
    settings: dict[str, Choices | Range] = {}
    """Lists of values and ranges of numbers, by the names of the fields of ``Settings``."""

    def __post_init__(self) -> None:
        """Refuse texts that cannot be shown; keep each value once."""
        must_be_shown("name", self.name)
        once: dict[str, Choices | Range] = {}
        for name, values in self.settings.items():
            must_be_shown(f"settings.{name}", *(() if isinstance(values, Range) else values))
            once[name] = values if isinstance(values, Range) else tuple(dict.fromkeys(values))
        structs.force_setattr(self, "settings", once)

    def check(self, base: Settings) -> None:
        """Refuse what no run could be trained with.

        Each value is tried alone, and with each value of any other setting.

        Args:
            base: What the settings that are not searched are set to.

        Raises:
            UsageError: a value is out of range, two of them contradict each other, or there is a
                teacher.
        """
        teachers = {base.teacher, *(self._ends("teacher") if "teacher" in self.settings else ())}
        if teachers != {NO_TEACHER}:
            raise UsageError(
                f"{self._where}: trials have no teacher; train what the study finds with --teacher."
            )
        tried = [(name, value) for name in self.settings for value in self._ends(name)]
        for name, value in tried:
            if isinstance(self.settings[name], Range) and KINDS[name] not in (int, float):
                raise UsageError(f"{self._where}: {name} takes a list of values, no range.")
            self._try(base, {name: value})
        for (one, first), (other, second) in combinations(tried, 2):
            if one != other:
                self._try(base, {one: first, other: second})

    def is_whole(self, name: str) -> bool:
        """Whether a setting takes whole numbers alone."""
        return KINDS[name] is int

    def grid(self) -> dict[str, tuple[Value, ...]]:
        """The values of each setting that a grid tries."""
        return {
            name: values.points(self.is_whole(name)) if isinstance(values, Range) else values
            for name, values in self.settings.items()
        }

    @property
    def most_epochs(self) -> int | None:
        """The most epochs a trial may have; None where they are not searched."""
        epochs = self.settings.get("epochs")
        if epochs is None:
            return None
        return int(epochs.high if isinstance(epochs, Range) else max(map(float, epochs)))

    @property
    def _where(self) -> str:
        return f"In the space {self.name!r}"

    def _ends(self, name: str) -> Iterator[Value]:
        """The values of a list, the bounds of a range."""
        values = self.settings[name]
        yield from (values.low, values.high) if isinstance(values, Range) else values

    def _try(self, base: Settings, changes: Mapping[str, Value]) -> None:
        told = " with ".join(f"{name} = {brief(value)}" for name, value in changes.items())
        where = f"{self._where}: {told} cannot be trained"
        checked({**structs.asdict(base), **changes}, Settings, where)


def load_space(file: Path | None) -> Space:
    """The space in a TOML file, or the one that comes with the program.

    Raises:
        UsageError: it cannot be read, or what it says cannot be used.
    """
    if file is None:
        text = (files("fashiontui") / "spaces" / "settings.toml").read_text(encoding="utf-8")
        return parse_space(text, BUILT_IN)
    return parse_space(read_text(file, "the space"), file.name)


def parse_space(text: str, name: str) -> Space:
    """Read a search space from TOML.

    Raises:
        UsageError: the text is not TOML, or a key or value in it cannot be used.
    """
    content = parse_toml(text, f"The space {name!r}")
    where = f"In the space {name!r}"
    settings = content.get("settings")
    for setting, values in settings.items() if isinstance(settings, dict) else ():
        if setting not in KINDS:
            raise UsageError(f"{where}: {unknown(setting, KINDS, 'settings')}")
        if not isinstance(values, list | dict):
            raise UsageError(
                f"{where}: settings.{setting} takes a list of values, or a range like "
                "{ low = 1e-3, high = 1e-1 }."
            )
    return checked(content, Space, where, name=name)
