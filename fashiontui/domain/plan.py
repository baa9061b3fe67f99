"""From what a person asks for to the runs that answer it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fashiontui.domain.budget import solve
from fashiontui.domain.errors import UsageError
from fashiontui.domain.recipe import Recipe
from fashiontui.domain.report import REPORT_MODELS, report_model
from fashiontui.domain.shapes import Shape, family_named
from fashiontui.domain.spec import RunSpec

MAX_SEEDS = 1000
"""Most seeds one request may name."""
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{0,9})?)\s*([smh])", re.IGNORECASE)
_UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class Network:
    """A network somebody wants trained: one of the report's, or any other shape."""

    model: str | None
    arch: str
    shape: Shape
    budget: int | None


def named_network(name: str) -> Network:
    """One of the report's models.

    Raises:
        UsageError: there is none of that name.
    """
    model = report_model(name)
    return Network(model.name, model.arch, model.shape, model.budget)


def solved_network(arch: str, budget: int) -> Network:
    """The widest shape of a family that fills a budget.

    Raises:
        UsageError: there is no such family, or the budget fits none of its shapes.
    """
    return Network(None, arch, solve(family_named(arch), budget)[0], budget)


def shaped_network(arch: str, shape: Shape, budget: int | None) -> Network:
    """A shape given by hand, held against a budget if there is one.

    Raises:
        UsageError: the family has no such shape, or it exceeds the budget.
    """
    family = family_named(arch)
    weights = family.weights(family.check(shape))
    if budget is not None and weights > budget:
        raise UsageError(
            f"{family.describe(shape)} has {weights:,} weights, more than the budget of "
            f"{budget:,}; the solver's shape is {family.describe(solve(family, budget)[0])}."
        )
    return Network(None, arch, shape, budget)


def parse_shape(text: str) -> Shape:
    """Read a shape as a person types it: ``112,106``.

    Raises:
        UsageError: it is not a list of whole numbers.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) <= 7 for part in parts):
        raise UsageError(f"Cannot read the shape {text[:60]!r}; write it like 112,106.")
    return tuple(int(part) for part in parts)


def parse_seeds(text: str) -> tuple[int, ...]:
    """Read seeds as a person types them: ``5`` is a count, ``0-4`` a range, ``3,7`` a list.

    A count of n gives seeds 0 to n - 1. Lists may hold ranges; ``7-7`` or ``7,`` is seed 7 alone.

    Raises:
        UsageError: it is none of these, or names too many seeds.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 1 and _is_seed(parts[0]):
        count = int(parts[0])
        if not 1 <= count <= MAX_SEEDS:
            raise UsageError(f"Seeds: a count goes from 1 to {MAX_SEEDS:,}, not {count:,}.")
        return tuple(range(count))
    seeds: dict[int, None] = {}
    for part in parts[:-1] if len(parts) > 1 and not parts[-1] else parts:
        first, dash, last = (end.strip() for end in part.partition("-"))
        if not (_is_seed(first) and _is_seed(last or first) and bool(dash) == bool(last)):
            raise UsageError("Seeds: give a count like 5, a range like 0-4 or a list like 3,7.")
        least, greatest = int(first), int(last or first)
        if greatest < least:
            raise UsageError(f"Seeds: the range {part} runs backwards.")
        if greatest - least >= MAX_SEEDS:
            raise UsageError(f"Seeds: {part} are more than {MAX_SEEDS:,}.")
        seeds.update(dict.fromkeys(range(least, greatest + 1)))
    if len(seeds) > MAX_SEEDS:
        raise UsageError(f"Seeds: these are more than {MAX_SEEDS:,}.")
    return tuple(seeds)


def _is_seed(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 19 and int(text) < 2**63


def parse_duration(text: str) -> float:
    """Seconds of a time as a person types it: ``90s``, ``10m``, ``1.5h``.

    Raises:
        UsageError: it is none, or longer than a year.
    """
    typed = _DURATION.fullmatch(text.strip())
    seconds = float(typed[1]) * _UNITS[typed[2].lower()] if typed else 0.0
    if not 0 < seconds <= 366 * 86_400:
        raise UsageError(f"Cannot read the time {text[:40]!r}; write it like 90s, 10m or 1.5h.")
    return seconds


def plan(
    networks: Iterable[Network],
    recipe: Recipe,
    overrides: Mapping[str, object],
    seeds: Iterable[int],
    **where: Any,
) -> list[RunSpec]:
    """One run for every network and seed; all seven of the report's models when none is named.

    A network named twice is trained once a seed.

    Args:
        networks: What to train.
        recipe: Where the settings come from.
        overrides: Settings that replace the recipe's, by name.
        seeds: One run each.
        where: The specs' ``device``, ``precision``, ``threads`` and ``kernels``.

    Raises:
        UsageError: an override is out of range, or the kernels cannot compute a network.
    """
    chosen = list(dict.fromkeys(networks)) or [named_network(name) for name in REPORT_MODELS]
    every_seed = list(seeds)
    specs = []
    for network in chosen:
        weights = family_named(network.arch).weights(network.shape)
        settings = recipe.settings_for(network.arch, weights).replaced(**overrides)
        specs += [
            RunSpec(
                model=network.model,
                arch=network.arch,
                shape=network.shape,
                budget=network.budget,
                recipe=recipe.name,
                settings=settings,
                seed=seed,
                **where,
            )
            for seed in every_seed
        ]
    for spec in specs:
        spec.check_kernels()
    return specs
