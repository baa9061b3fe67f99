"""Budgets as people type them, and the solver that turns a budget into shapes."""

import math
import re
from bisect import bisect_left
from fractions import Fraction

from fashiontui.domain.errors import UsageError
from fashiontui.domain.shapes import Family, Shape

MAX_BUDGET = 5_000_000
FILL = Fraction(97, 100)
"""The share of the budget a shape must use to be offered, wherever the family can reach it."""
MAX_SHAPES = 12
"""Most shapes offered for one budget."""

_TYPED = re.compile(r"([0-9][0-9_,]*(?:\.[0-9]*)?|\.[0-9]+)\s*([km]?)", re.IGNORECASE)
_UNIT = {"": 1, "k": 1_000, "m": 1_000_000}


def parse_budget(text: str) -> int:
    """Read a budget as a person types it: ``50000``, ``50,000``, ``50k``, ``0.05M``.

    Raises:
        UsageError: it is not a whole number of weights between 1 and ``MAX_BUDGET``.
    """
    typed = _TYPED.fullmatch(text.strip())
    if typed is None or len(text) > 40:
        raise UsageError(
            f"Cannot read the budget {text[:40]!r}; write it like 50000, 50k or 0.05M."
        )
    number, unit = typed.groups()
    budget = Fraction(re.sub("[_,]", "", number).rstrip(".")) * _UNIT[unit.lower()]
    if budget.denominator != 1:
        raise UsageError(f"The budget {text!r} is not a whole number of weights.")
    if not 1 <= budget <= MAX_BUDGET:
        raise UsageError(f"The budget {text!r} is outside 1 to {MAX_BUDGET:,} weights.")
    return int(budget)


def solve(family: Family, budget: int) -> list[Shape]:
    """Two-layer shapes of a family that fill a budget, widest layer first.

    For every first width the second is the largest that fits the budget and the family's taper;
    shapes that use at least ``FILL`` of the budget are offered, thinned evenly to ``MAX_SHAPES``.
    Budgets too coarse for that get one shape: of those that fill them at any taper, the one whose
    taper is the least unusual; failing that, the fullest.

    Raises:
        UsageError: the budget is too small for the family's smallest shape, or too large.
    """
    if budget > MAX_BUDGET:
        raise UsageError(f"A budget of {budget:,} is more than the {MAX_BUDGET:,} weights allowed.")
    smallest = (1, 1)
    if budget < family.weights(smallest):
        raise UsageError(
            f"A budget of {budget:,} is too small for any {family.title}; the smallest is "
            f"{family.describe(smallest)} with {family.weights(smallest):,} weights."
        )
    least, most = family.taper
    narrowest = 1 + bisect_left(  # below it, even the least tapered shape leaves too much unused
        range(1, budget),
        math.ceil(FILL * budget),
        key=lambda first: family.weights((first, int(most * first))),
    )
    tapered: list[Shape] = [
        (first, min(second, int(most * first)))
        for first, second in _largest_shapes(family, budget, narrowest, least)
    ]
    filling = _filling(family, budget, tapered)
    if filling:
        return _thin(sorted(filling, key=lambda shape: (max(shape), shape), reverse=True))
    largest = _largest_shapes(family, budget, first=1, least_taper=0)
    centre = math.log(math.sqrt(least * most))
    usual = min(
        _filling(family, budget, largest) or [max(largest, key=family.weights)],
        key=lambda shape: abs(math.log(shape[1] / shape[0]) - centre),
    )
    return [usual]


def _largest_shapes(family: Family, budget: int, first: int, least_taper: float) -> list[Shape]:
    """Shapes with the largest second width within the budget, for each first width from ``first``.

    They end where they taper too much. The count is affine in the second width when the first is
    fixed, so two evaluations give the largest exactly: no search.
    """
    shapes: list[Shape] = []
    while True:
        base = family.weights((first, 1))
        step = family.weights((first, 2)) - base
        second = 1 + (budget - base) // step
        if second < max(1, least_taper * first):
            return shapes
        shapes.append((first, second))
        first += 1


def _filling(family: Family, budget: int, shapes: list[Shape]) -> list[Shape]:
    """Those that use at least ``FILL`` of the budget."""
    return [shape for shape in shapes if family.weights(shape) >= FILL * budget]


def _thin(shapes: list[Shape]) -> list[Shape]:
    """At most ``MAX_SHAPES`` of them, evenly spaced, the first and the last kept."""
    if len(shapes) <= MAX_SHAPES:
        return shapes
    last = len(shapes) - 1
    return [shapes[round(i * last / (MAX_SHAPES - 1))] for i in range(MAX_SHAPES)]
