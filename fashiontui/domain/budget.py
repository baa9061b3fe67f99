"""Budgets as people type them, and the solver that turns a budget into shapes."""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from fractions import Fraction

from fashiontui.domain.errors import UsageError
from fashiontui.domain.shapes import Family, Shape

MAX_BUDGET = 5_000_000
FILL = Fraction(97, 100)
"""The share of the budget a shape must use to be offered, wherever the family can reach it."""
MAX_SHAPES = 12
"""Most shapes offered for one budget."""
BENDS = (1.0, 0.8, 1.25, 0.6, 1.6, 0.4, 2.0)
"""How the widths between the first and the last grow, in the order tried; see ``Family.spread``."""

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
    """Shapes of a family that fill a budget, the one with the widest layer first.

    For every first width the last is the largest that fits the budget and the family's taper, with
    those between as ``Family.spread`` says; shapes that use at least ``FILL`` of the budget are
    offered, thinned evenly to ``MAX_SHAPES``. Where there is none, the widths between are bent.
    Budgets too coarse for that too get one shape: of those that fill them at any taper, the one
    whose taper is the least unusual; failing that, the fullest.

    Raises:
        UsageError: the budget is too small for the family's smallest shape, or too large.
    """
    if budget > MAX_BUDGET:
        raise UsageError(f"A budget of {budget:,} is more than the {MAX_BUDGET:,} weights allowed.")
    smallest = family.spread(1, 1)
    if budget < family.weights(smallest):
        raise UsageError(
            f"A budget of {budget:,} is too small for any {family.title}; the smallest is "
            f"{family.describe(smallest)} with {family.weights(smallest):,} weights."
        )
    bends = BENDS if len(family.repeats) > 2 else BENDS[:1]
    for bend in bends:
        filling = _filling(family, budget, _tapered(family, budget, bend))
        if filling:
            return _thin(sorted(filling, key=lambda shape: (max(shape), shape), reverse=True))
    largest = [
        family.spread(first, last, bend)
        for bend in bends
        for first, last in _largest(family, budget, 1, least_taper=0, bend=bend)
    ]
    least, most = family.taper
    centre = math.log(math.sqrt(least * most))
    usual = min(
        _filling(family, budget, largest) or [max(largest, key=family.weights)],
        key=lambda shape: abs(math.log(shape[-1] / shape[0]) - centre),
    )
    return [usual]


def _tapered(family: Family, budget: int, bend: float) -> Iterator[Shape]:
    """Shapes with the largest last width within the budget and the family's taper."""
    least, most = family.taper
    narrowest = 1 + bisect_left(  # below it, even the least tapered shape leaves too much unused
        range(1, budget),
        math.ceil(FILL * budget),
        key=lambda first: family.weights(family.spread(first, int(most * first), bend)),
    )
    for first, last in _largest(family, budget, narrowest, least, bend):
        yield family.spread(first, min(last, int(most * first)), bend)


def _largest(
    family: Family, budget: int, first: int, least_taper: float, bend: float
) -> Iterator[tuple[int, int]]:
    """Each first width, with the largest last width that the budget allows beside it.

    They end where the shapes taper too much. The wider the first, the narrower the last: after one
    search for the first of them, each needs a few steps down from the one before.
    """

    def weights(last: int) -> int:
        return family.weights(family.spread(first, last, bend))

    last = bisect_right(range(1, budget), budget, key=weights)
    while last >= max(1, least_taper * first):
        yield first, last
        first += 1
        while last and weights(last) > budget:
            last -= 1


def _filling(family: Family, budget: int, shapes: Iterable[Shape]) -> list[Shape]:
    """Those that use at least ``FILL`` of the budget."""
    return [shape for shape in shapes if family.weights(shape) >= FILL * budget]


def _thin(shapes: list[Shape]) -> list[Shape]:
    """At most ``MAX_SHAPES`` of them, evenly spaced, the first and the last kept."""
    if len(shapes) <= MAX_SHAPES:
        return shapes
    last = len(shapes) - 1
    return [shapes[round(i * last / (MAX_SHAPES - 1))] for i in range(MAX_SHAPES)]
