"""Whether two networks are told apart, asked again after every seed that is added."""

from collections.abc import Sequence
from dataclasses import dataclass

from fashiontui.domain.ranking import LEAST_SEEDS
from fashiontui.domain.results import Result
from fashiontui.domain.stats import SIGNIFICANT, paired_t


@dataclass(frozen=True)
class Verdict:
    """What the seeds so far say of two networks' validation accuracies."""

    better: str
    worse: str
    seeds: int
    """How many seeds both have."""
    points: float
    """Mean validation accuracy of the first less that of the second, on common seeds."""
    interval: tuple[float, float]
    """95% t-interval of that difference, as if it were looked at once."""
    p: float
    """Paired t-test over seeds, times the looks: Bonferroni's correction for looking so often."""
    looks: int
    """How often it is looked at most: after the third seed and each further one."""

    @property
    def separated(self) -> bool:
        """Whether the difference is more than noise."""
        return self.p < SIGNIFICANT

    def __str__(self) -> str:
        low, high = self.interval
        told = "are separated" if self.separated else "are not separated"
        p = "p < 0.0001" if self.p < 0.0001 else f"p = {self.p:.4f}"
        return (
            f"{self.better} and {self.worse} {told} after {self.seeds} seeds: {self.points:+.2f} "
            f"points of validation accuracy (95% {low:+.2f} to {high:+.2f}), {p} by the paired "
            f"t-test, corrected for {self.looks} looks."
        )


def verdict(found: Sequence[Result], most_seeds: int) -> Verdict | None:
    """What the seeds so far say; None while the two have fewer than three in common.

    Whoever looks after every seed and stops at the first p < 0.05 calls equals different far more
    often than once in twenty. Here each p-value is multiplied by the number of looks there are at
    most (Bonferroni), so that the chance of it over all looks stays below 5%.

    Args:
        found: The two results.
        most_seeds: At how many seeds the looking ends.
    """
    if len(found) != 2:
        return None
    better, worse = sorted(found, key=lambda result: -result.val_accuracy)
    of_better, of_worse = better.contestant.by_seed, worse.contestant.by_seed
    common = [seed for seed in of_better if seed in of_worse]
    if len(common) < LEAST_SEEDS:
        return None
    test = paired_t([of_better[seed] for seed in common], [of_worse[seed] for seed in common])
    looks = max(1, most_seeds - LEAST_SEEDS + 1)
    names = [result.title for result in (better, worse)]
    if names[0] == names[1]:
        names = [f"{result.title} {result.runs[0].spec.recipe_title}" for result in (better, worse)]
    p = min(1.0, test.p * looks)
    return Verdict(names[0], names[1], len(common), test.difference, test.interval, p, looks)
