"""Plans of many runs: grids of networks, recipes, settings and seeds, read from TOML."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Annotated, Any

from msgspec import Meta, Struct, structs

from fashiontui.domain.budget import parse_budget
from fashiontui.domain.checking import checked, must_be_shown
from fashiontui.domain.errors import UsageError
from fashiontui.domain.events import UNFINISHED, Status
from fashiontui.domain.files import parse_toml
from fashiontui.domain.plan import (
    Network,
    named_network,
    parse_seeds,
    parse_shape,
    plan,
    shaped_network,
    solved_network,
)
from fashiontui.domain.recipe import Recipe
from fashiontui.domain.spec import RunSpec

MAX_RUNS = 100_000
"""Most runs one plan may ask for."""
AtLeastOne = Meta(min_length=1)
Names = Annotated[tuple[str, ...], AtLeastOne]


class Grid(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every combination of its lists is a run."""

    models: Names = ()
    """Models of the report, by name."""
    archs: Names = ()
    """Families, each with every budget and every shape."""
    budgets: Annotated[tuple[int | str, ...], AtLeastOne] = ()
    """Weight budgets, such as 37_000 or "37k"; the solver's widest shape is trained."""
    shapes: Names = ()
    """Shapes by hand, such as "112,106"."""
    recipes: Names = ("fast",)
    """Names of recipes, or their files."""
    seeds: str | Annotated[tuple[int, ...], AtLeastOne] = (0,)
    """A list, or as --seeds takes them: "5", "0-4" or "3,7"."""
    settings: dict[str, Any] = {}
    """Settings over the recipes', each a value or a list of values."""

    def __post_init__(self) -> None:
        """Refuse names that cannot be shown."""
        must_be_shown("recipes", *self.recipes)

    def networks(self) -> list[Network]:
        """What it trains.

        Raises:
            UsageError: a name, budget or shape cannot be used, or nothing is named.
        """
        if bool(self.archs) != bool(self.budgets or self.shapes):
            raise UsageError("archs needs budgets or shapes, and these need archs.")
        if not self.models and not self.archs:
            raise UsageError("it names no network; give models, or archs and budgets.")
        named = [named_network(name) for name in self.models]
        named += [
            solved_network(arch, parse_budget(str(budget)))
            for arch, budget in product(self.archs, self.budgets)
        ]
        return named + [
            shaped_network(arch, parse_shape(shape), None)
            for arch, shape in product(self.archs, self.shapes)
        ]

    def chosen_seeds(self) -> tuple[int, ...]:
        """The seeds of each network.

        Raises:
            UsageError: they cannot be read.
        """
        if isinstance(self.seeds, str):
            return parse_seeds(self.seeds)
        if not all(0 <= seed < 2**63 for seed in self.seeds):
            raise UsageError("seeds go from 0 to 2^63-1.")
        return tuple(dict.fromkeys(self.seeds))

    def choices(self) -> dict[str, list[Any]]:
        """The values of each setting.

        Raises:
            UsageError: a list is empty.
        """
        choices = {
            name: value if isinstance(value, list) else [value]
            for name, value in self.settings.items()
        }
        if empty := [name for name, values in choices.items() if not values]:
            raise UsageError(f"settings.{empty[0]} is an empty list; give it a value.")
        return choices


class Sweep(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plan: some grids."""

    description: str = ""
    grid: Annotated[tuple[Grid, ...], AtLeastOne]

    def __post_init__(self) -> None:
        """Refuse a text that cannot be shown."""
        must_be_shown("description", self.description)

    def recipe_names(self) -> list[str]:
        """Every recipe that is named, once."""
        return list(dict.fromkeys(name for grid in self.grid for name in grid.recipes))

    def specs(self, recipes: Mapping[str, Recipe], **where: Any) -> list[RunSpec]:
        """Every run of the plan, once.

        Args:
            recipes: By the names that the plan has for them.
            where: The specs' ``device``, ``precision``, ``threads`` and ``kernels``.

        Raises:
            UsageError: a network, a setting or a seed cannot be used, or there are too many runs.
        """
        specs: dict[RunSpec, None] = {}
        for number, grid in enumerate(self.grid, start=1):
            try:
                specs.update(dict.fromkeys(_runs(grid, recipes, where)))
                if len(specs) > MAX_RUNS:
                    raise UsageError(f"a plan has {MAX_RUNS:,} runs at most.")
            except UsageError as error:
                raise UsageError(f"In grid {number} of the plan: {error}") from error
        return list(specs)


def parse_sweep(text: str, name: str) -> Sweep:
    """Read a plan from TOML.

    Args:
        text: The text.
        name: What to call the plan in an error.

    Raises:
        UsageError: the text is not TOML, or a key or value in it cannot be used.
    """
    content = parse_toml(text, f"The plan {name!r}")
    if not content.keys() - {"description"}:
        raise UsageError(
            f"In the plan {name!r}: it has no [[grid]]; each is a table of networks, recipes, "
            "settings and seeds."
        )
    return checked(content, Sweep, f"In the plan {name!r}")


@dataclass(frozen=True)
class Standing:
    """What of a plan the store has already."""

    finished: dict[int, str] = field(default_factory=dict)
    """Ids of finished runs, by the number of their spec."""
    unfinished: dict[int, str] = field(default_factory=dict)
    """Ids of runs that can be continued, of specs that were never finished."""


def standing_of(
    specs: Sequence[RunSpec], stored: Iterable[tuple[str, Status, RunSpec]]
) -> Standing:
    """Which runs of a store are those of a plan.

    Where a run trains, with how many threads and which kernels, makes no other run of it.

    Args:
        specs: The plan.
        stored: Id, state and spec of runs, the newest first.
    """
    numbers = {_anywhere(spec): number for number, spec in enumerate(specs)}
    standing = Standing()
    for run_id, status, spec in stored:
        number = numbers.get(_anywhere(spec))
        if number is None:
            continue
        if status is Status.FINISHED:
            standing.finished.setdefault(number, run_id)
        elif status in UNFINISHED:
            standing.unfinished.setdefault(number, run_id)
    for number in standing.finished:
        standing.unfinished.pop(number, None)
    return standing


def _anywhere(spec: RunSpec) -> RunSpec:
    return structs.replace(spec, device="auto", threads=None, kernels="auto")


def _runs(grid: Grid, recipes: Mapping[str, Recipe], where: Mapping[str, Any]) -> Iterator[RunSpec]:
    networks, seeds, choices = grid.networks(), grid.chosen_seeds(), grid.choices()
    count = len(networks) * len(seeds) * len(grid.recipes) * math.prod(map(len, choices.values()))
    if count > MAX_RUNS:
        raise UsageError(f"it asks for {count:,} runs; {MAX_RUNS:,} are the most.")
    for name in grid.recipes:
        for values in product(*choices.values()):
            settings = dict(zip(choices, values, strict=True))
            yield from plan(networks, recipes[name], settings, seeds, **where)
