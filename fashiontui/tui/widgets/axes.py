"""Where the ticks of an axis go: whole epochs, round values, decades."""

from collections.abc import Sequence
from math import ceil, floor, log10

RANGE_PARTS = 16
"""Into how many steps, at most, the range of an axis is divided to find its ends."""
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
"""Mantissas of steps that people read easily."""


def round_step(span: float, most: int) -> float:
    """The smallest round step that divides a span into at most ``most`` parts."""
    least = span / max(1, most)
    power = 10.0 ** floor(log10(least))
    return next(m * power for m in _ROUND if m * power >= least * (1 - 1e-9))


def round_ticks(low: float, high: float, most: int) -> list[float]:
    """Evenly spaced round values within a range, at least one."""
    step = round_step(high - low, most)
    ticks = [round(i * step, 10) for i in range(ceil(low / step), floor(high / step) + 1)]
    return ticks or [low]


def log_ticks(low: float, high: float) -> list[float]:
    """Values 1, 2 and 5 times a power of ten within a range; even ones where it holds too few."""
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    ticks = [m * 10.0**power for power in powers for m in (1, 2, 5)]
    within = [round(tick, 10) for tick in ticks if low <= tick <= high]
    return within if len(within) > 2 else round_ticks(low, high, 5)


def around(low: float, high: float) -> tuple[float, float]:
    """The range widened to round values, so that it seldom changes while values come in."""
    step = round_step(high - low, RANGE_PARTS)
    return floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step


def epoch_ticks(low: float, high: float, most: int) -> list[int]:
    """Whole epochs, or other counts, in a range: evenly spaced from a multiple of their step."""
    step = max(1, ceil(round_step(max(high - low, 1e-9), most)))
    return list(range(ceil(low / step) * step, floor(high + 1e-9) + 1, step))


def labels(ticks: Sequence[float]) -> list[str]:
    """The ticks as text, all with as many decimals as the finest needs, none cut."""
    for decimals in range(8):
        texts = [f"{tick:.{decimals}f}" for tick in ticks]
        if all(abs(float(t) - tick) < 1e-9 for t, tick in zip(texts, ticks, strict=True)):
            return texts
    return [f"{tick:g}" for tick in ticks]
