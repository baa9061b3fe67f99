"""From what a person asks for to the runs that answer it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fashiontui.domain.budget import solve
from fashiontui.domain.errors import UsageError
from fashiontui.domain.recipe import Recipe
from fashiontui.domain.report import REPORT_MODELS, report_model
from fashiontui.domain.shapes import Shape, family_named
from fashiontui.domain.spec import RunSpec


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
        where: The specs' ``device``, ``precision`` and ``threads``.

    Raises:
        UsageError: an override is out of range.
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
    return specs
