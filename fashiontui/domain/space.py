"""Search spaces as data: which settings a study tries, and which shares of its budget."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from fashiontui.domain.errors import UsageError
from fashiontui.domain.files import Shown, parse_toml, read_text
from fashiontui.domain.recipe import NO_TEACHER, Settings
from fashiontui.domain.text import brief

GRID_POINTS = 4
"""How many values a grid takes from a range."""
MOST_CHOICES = 100
"""Most values of one setting, and most shares."""
BUILT_IN = "built-in"
"""What the space is called that comes with the program."""

Value = bool | int | float | Shown
"""A value of a setting."""


class Range(BaseModel):
    """Numbers between two bounds, these included."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    low: int | float
    high: int | float
    log: bool = False
    """Whether each power of ten is as likely as the next."""

    @model_validator(mode="after")
    def _not_empty(self) -> "Range":
        if not self.low < self.high:
            raise ValueError("its low must be below its high")
        if self.log and self.low <= 0:
            raise ValueError("a log range must begin above 0")
        return self

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


def _once(values: tuple[Value, ...]) -> tuple[Value, ...]:
    return tuple(dict.fromkeys(values))


Choices = Annotated[
    tuple[Value, ...],
    Field(min_length=1, max_length=MOST_CHOICES),
    AfterValidator(_once),
]
Values = Annotated[
    Annotated[Choices, Tag("choices")] | Annotated[Range, Tag("range")],
    Discriminator(lambda given: "range" if isinstance(given, dict | Range) else "choices"),
]
"""What a setting may be."""


class Space(BaseModel):
    """What a study may choose: each setting's values, and shares of the budget to spend."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: Shown
    """The file it came from."""
    description: str = ""
    shares: Annotated[
        tuple[Annotated[float, Field(gt=0, le=1)], ...],
        Field(min_length=1, max_length=MOST_CHOICES),
    ] = (1.0,)
    """Shares of the budget; the solver's shapes for each of them are tried."""
    settings: dict[str, Values] = {}
    """Lists of values and ranges of numbers, by the names of the fields of ``Settings``."""

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
            if isinstance(self.settings[name], Range) and not _is_number(base, name):
                raise UsageError(f"{self._where}: {name} takes a list of values, no range.")
            self._try(base, {name: value})
        for (one, first), (other, second) in combinations(tried, 2):
            if one != other:
                self._try(base, {one: first, other: second})

    def is_whole(self, name: str) -> bool:
        """Whether a setting takes whole numbers alone."""
        return _kinds(name) == {int}

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
        try:
            Settings.model_validate({**base.model_dump(), **changes})
        except ValidationError as error:
            complaint = error.errors()[0]
            said = complaint.get("ctx", {}).get("error") or complaint["msg"]
            told = " with ".join(f"{name} = {brief(value)}" for name, value in changes.items())
            said = str(said).removeprefix("Input ")
            raise UsageError(f"{self._where}: {told} cannot be trained: {said}.") from None


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
    _known(content, ("description", "shares", "settings"), where)
    settings = content.get("settings", {})
    if isinstance(settings, dict):
        _known(settings, tuple(Settings.model_fields), where)
    try:
        return Space.model_validate({**content, "name": name})
    except ValidationError as error:
        raise UsageError(f"{where}: {_sentence(error)}") from error


def _known(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(known)}."
            raise UsageError(f"{where}: unknown key {brief(key)}; {hint}")


def _sentence(error: ValidationError) -> str:
    """The first complaint, in one sentence."""
    complaint = error.errors()[0]
    kind, given = complaint["type"], complaint["input"]
    path = [str(part) for part in complaint["loc"]]
    key = ".".join(path[:2] + path[3:4] if path[0] == "settings" and "range" in path else path[:2])
    if kind == "value_error":
        return f"{key}: {complaint['ctx']['error']}."
    if kind == "too_short":
        return f"{key} is empty; give it at least one value."
    if kind == "missing":
        return f"{key} is missing; a range has a low and a high."
    if kind == "extra_forbidden":
        return f"unknown key {key!r}; a range has low, high and log."
    if path[0] == "settings" and kind == "tuple_type":
        return f"{key} takes a list of values, or a range like {{ low = 1e-3, high = 1e-1 }}."
    if path[0] == "settings" and "choices" in path and kind != "too_long":
        return f"{key} takes numbers, texts, true and false, not {brief(given)}."
    message = complaint["msg"][0].lower() + complaint["msg"][1:]
    return f"{key} {message.removeprefix('input ')}, not {brief(given)}."


def _kinds(name: str) -> set[object]:
    """The types a setting may have, None left out."""
    annotation = Settings.model_fields[name].annotation
    return set(get_args(annotation) or (annotation,)) - {type(None)}


def _is_number(base: Settings, name: str) -> bool:
    value = getattr(base, name)
    return _kinds(name) <= {int, float} and not isinstance(value, bool | str)
