"""Ranks that only a difference beyond noise sets apart.

Ranks go by mean validation accuracy over seeds. The test accuracy would be the wrong judge:
choosing by it makes it a validation accuracy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import fsum

from fashiontui.domain.stats import SIGNIFICANT, paired_t, two_proportions

LEAST_SEEDS = 3
"""Common seeds from which on a paired test over seeds is made; two would leave it blind."""


@dataclass(frozen=True)
class Contestant:
    """What is ranked: one network trained in one way, from one seed or several."""

    by_seed: Mapping[int, float]
    """Validation accuracy of each seed's run, in percent."""
    images: int
    """How many validation images that is over."""

    @cached_property
    def mean(self) -> float:
        """Mean validation accuracy over seeds, in percent."""
        return fsum(self.by_seed.values()) / len(self.by_seed)


@dataclass(frozen=True)
class Rank:
    """A place in the order of means."""

    number: int
    """1 for the best; one more than the number of rows before the rank's first."""
    shared: bool
    """Whether other rows have it too: noise alone may have put them in their order."""

    def __str__(self) -> str:
        return f"={self.number}" if self.shared else str(self.number)


def ranks(contest: Sequence[Contestant]) -> list[Rank]:
    """The rank of each, in the given order.

    Down the order of means, a row shares the rank of that rank's first row as long as ``chance``
    does not tell the two apart; the first row that it does tell apart opens the next rank. Each
    row is so held against one leader alone, and ranks never contradict the order of means. The
    k-th row beneath a leader must reach p < 0.05 / k: Hochberg's step-up correction for all
    comparisons with that leader, stopped at the first rejection.

    Source: Y. Hochberg, Biometrika 75 (1988), 800-802.
    """
    best_first = sorted(range(len(contest)), key=lambda place: -contest[place].mean)
    leaders: list[int] = []
    """For each place in that order, the place of its rank's first."""
    for place, which in enumerate(best_first):
        leader = leaders[-1] if leaders else place
        compared = place - leader
        if (
            compared
            and chance(contest[best_first[leader]], contest[which]) < SIGNIFICANT / compared
        ):
            leader = place
        leaders.append(leader)
    found = [Rank(0, False)] * len(contest)
    for place, which in enumerate(best_first):
        leader = leaders[place]
        follows = leader + 1 < len(leaders) and leaders[leader + 1] == leader
        found[which] = Rank(leader + 1, follows)
    return found


def chance(a: Contestant, b: Contestant) -> float:
    """p-value that two are equally accurate on validation images.

    From three common seeds on by the paired t-test over them; with fewer nothing is known of what
    seeds do to the two, and their accuracies are compared as shares of so many images.
    """
    common = [seed for seed in a.by_seed if seed in b.by_seed]
    if len(common) >= LEAST_SEEDS:
        return paired_t([a.by_seed[s] for s in common], [b.by_seed[s] for s in common]).p
    return two_proportions(a.mean, b.mean, min(a.images, b.images))
