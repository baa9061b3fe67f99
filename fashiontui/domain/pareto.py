"""Accuracy against what it costs: the frontier, and where it is known least."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import log10, sqrt
from typing import Literal

from fashiontui.domain.board import BoardRow
from fashiontui.domain.budget import solve
from fashiontui.domain.errors import UsageError
from fashiontui.domain.events import Status
from fashiontui.domain.shapes import FAMILIES, family_named
from fashiontui.domain.stats import mean_std, wilson_interval

Cost = Literal["weights", "multiply_adds", "train_seconds"]
Quality = Literal["val_accuracy", "test_accuracy"]
NEAR = 2.0
"""Budgets within this factor of each other are near."""
VALIDATION_IMAGES = 6_000
LEAST_BUDGET, MOST_BUDGET = 2_000, 1_000_000
"""The range that suggestions stay in: where small classifiers are."""


@dataclass(frozen=True)
class Point:
    """One network trained one way, over its seeds."""

    run_id: str
    """The run nearest to their mean; ``report:`` and a name for the report's."""
    title: str
    arch: str
    recipe: str
    seeds: int
    weights: int
    multiply_adds: int
    train_seconds: float | None
    val_accuracy: float | None
    """Mean over the seeds, in percent, as the next."""
    test_accuracy: float | None
    val_std: float | None
    """Standard deviation over the seeds, in points; None for one seed."""
    test_std: float | None
    is_report: bool = False
    is_live: bool = False

    def cost(self, of: Cost) -> float | None:
        """What it costs."""
        value: float | None = getattr(self, of)
        return value

    def quality(self, of: Quality) -> float | None:
        """How good it is, in percent."""
        value: float | None = getattr(self, of)
        return value

    def spread(self, of: Quality) -> float | None:
        """Standard deviation of it over the seeds."""
        return self.val_std if of == "val_accuracy" else self.test_std


@dataclass(frozen=True)
class Suggestion:
    """The run that would tell most about the frontier."""

    arch: str
    budget: int
    why: str
    """Two sentences."""


def points_of(rows: Iterable[BoardRow]) -> list[Point]:
    """The finished runs, those that differ by their seed alone as one point, and the report's."""
    groups: dict[str, list[BoardRow]] = {}
    for row in rows:
        if row.is_report or row.status is Status.FINISHED:
            groups.setdefault(row.configuration or row.id, []).append(row)
    return [_point(group) for group in groups.values()]


def live_point(row: BoardRow) -> Point | None:
    """The run under way; None before its first epoch has ended."""
    return _point([row], is_live=True) if row.val_accuracy is not None else None


def frontier(points: Iterable[Point], cost: Cost, quality: Quality) -> list[Point]:
    """Points that no other equals or beats at no higher cost, the cheapest first.

    The report's and the run under way take no part: they are another contest, and not over.
    """
    contest = [p for p in placed(points, cost, quality) if not (p.is_report or p.is_live)]
    best: list[Point] = []
    for point in sorted(contest, key=lambda p: (p.cost(cost), -(p.quality(quality) or 0))):
        if not best or (point.quality(quality) or 0) > (best[-1].quality(quality) or 0):
            best.append(point)
    return best


def placed(points: Iterable[Point], cost: Cost, quality: Quality) -> list[Point]:
    """Points of which both figures are known, the cheapest first."""
    known = [p for p in points if p.cost(cost) and p.quality(quality) is not None]
    return sorted(known, key=lambda p: (p.cost(cost) or 0, p.quality(quality) or 0))


def suggestion(points: Sequence[Point]) -> Suggestion | None:
    """Where one more run would tell most about the frontier of weights; None without any point.

    Between two neighbours of the frontier nothing is known but that a network there is no worse
    than the smaller and, if it joins the frontier, no better than the larger. The box between them,
    in decades of weights times points of accuracy, is what a run in it can decide; the largest box
    is halved at the geometric mean of its ends. The families' best near there, or the one never
    tried near there, is suggested.

    Source: the box rule of bicriteria optimisation, H. W. Hamacher, C. R. Pedersen and S. Ruzika,
    "Finding representative systems for discrete bicriterion optimization problems", Operations
    Research Letters 35 (2007), 336-344.
    """
    best = frontier(points, "weights", "val_accuracy")
    if not best:
        return None
    tried = [p for p in placed(points, "weights", "val_accuracy") if not p.is_report]
    if len(best) == 1:
        return _beyond(best[0], tried)
    boxes = [(_area(a, b), a, b) for a, b in pairwise(best)]
    _, small, large = max(boxes, key=lambda box: box[0])
    budget = _round_budget((small.weights * large.weights) ** 0.5)
    arch, reason = _family_near(budget, tried, small.val_accuracy or 0.0)
    gain = (large.val_accuracy or 0) - (small.val_accuracy or 0)
    why = (
        f"Between {small.title} ({small.weights:,}) and {large.title} ({large.weights:,}) the "
        f"frontier climbs {gain:.2f} points over a factor of {large.weights / small.weights:.1f} "
        f"in weights with nothing between: its largest gap."
    )
    noise = _noise(small, large)
    if gain < noise:
        why += f" (One run at each end cannot tell {gain:.2f} points: their noise is {noise:.2f}.)"
    return Suggestion(arch, budget, f"{why} {reason}")


def _beyond(only: Point, tried: Sequence[Point]) -> Suggestion:
    """A frontier of one point: the other side of it is open."""
    larger = _round_budget(min(MOST_BUDGET, 4 * only.weights))
    smaller = _round_budget(max(LEAST_BUDGET, only.weights / 4))
    budget = smaller if only.weights > 50_000 else larger
    arch, reason = _family_near(budget, tried, 0.0)
    side = "fewer" if budget < only.weights else "more"
    why = f"The frontier is one point, {only.title}: nothing is known of {side} weights."
    return Suggestion(arch, budget, f"{why} {reason}")


def _area(small: Point, large: Point) -> float:
    decades = log10(large.weights / small.weights)
    return decades * ((large.val_accuracy or 0) - (small.val_accuracy or 0))


def _family_near(budget: int, tried: Sequence[Point], to_beat: float) -> tuple[str, str]:
    """The family to try at a budget, and a sentence on why.

    One that does not reach the accuracy to beat with more weights is not taken to reach it there.
    """
    near: dict[str, float] = {}
    for point in tried:
        if budget / NEAR <= point.weights <= budget * NEAR:
            near[point.arch] = max(near.get(point.arch, 0.0), point.val_accuracy or 0.0)
    fitting = [family for family in FAMILIES.values() if _fits(family.name, budget)]
    best = max(near, key=lambda arch: near[arch], default=None)
    known = {point.arch for point in tried}
    for family in sorted(fitting, key=lambda one: one.name not in known):
        larger = [p for p in tried if p.arch == family.name and p.weights >= budget]
        hopeless = larger and max(p.val_accuracy or 0.0 for p in larger) < to_beat
        if family.name not in near and not hopeless:
            return family.name, f"No {family.title} of about that size was trained."
    if best is None or not _fits(best, budget):
        return fitting[0].name, f"{fitting[0].title} has shapes of that size."
    title = family_named(best).title
    return best, f"Of the families tried near it, {title} is ahead ({near[best]:.2f}%)."


@cache
def _fits(arch: str, budget: int) -> bool:
    try:
        return bool(solve(family_named(arch), budget))
    except UsageError:
        return False


def _noise(small: Point, large: Point) -> float:
    """How many points two means may differ by chance: two deviations, over seeds or images."""
    squares = 0.0
    for point in (small, large):
        share = round((point.val_accuracy or 0) / 100 * VALIDATION_IMAGES)
        low, high = wilson_interval(share, VALIDATION_IMAGES)
        one = point.val_std if point.val_std is not None else (high - low) / 4
        squares += one**2 / point.seeds
    return 2 * sqrt(squares)


def _round_budget(weights: float) -> int:
    """Two significant digits, as budgets are spoken of."""
    weights = max(LEAST_BUDGET, min(MOST_BUDGET, weights))
    return int(round(weights, 1 - int(log10(weights))))


def _point(rows: Sequence[BoardRow], is_live: bool = False) -> Point:
    first = rows[0]
    family = family_named(first.arch)
    val, val_std = _over(row.val_accuracy for row in rows)
    test, test_std = _over(row.test_accuracy for row in rows)
    seconds, _ = _over(row.train_seconds for row in rows)
    typical = min(rows, key=lambda row: abs((row.val_accuracy or 0.0) - (val or 0.0)))
    return Point(
        typical.id, first.title, first.arch, first.recipe, len({row.seed for row in rows}),
        first.weights, _multiply_adds(family.name, first.shape), seconds,
        val, test, val_std, test_std, first.is_report, is_live,
    )  # fmt: skip


@cache
def _multiply_adds(arch: str, described: str) -> int:
    """Of a shape as it is written, input and output included."""
    shape = tuple(int(width) for width in described.split("-")[1:-1])
    return family_named(arch).multiply_adds(shape)


def _over(values: Iterable[float | None]) -> tuple[float | None, float | None]:
    known = [value for value in values if value is not None]
    return mean_std(known) if known else (None, None)
