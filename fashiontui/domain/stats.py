"""What is noise and what is not: intervals, paired tests, and corrections for many of them.

Distributions are scipy.special's, imported by the function that needs them: the first paint needs
none, and scipy.stats, against which the tests hold these functions, takes three times as long.
"""

from collections.abc import Iterable, Sequence
from math import erfc, fsum, sqrt
from statistics import NormalDist, fmean, pstdev, stdev
from typing import NamedTuple

SIGNIFICANT = 0.05
"""A difference with a smaller p-value is called more than noise."""


def mean_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation; no deviation for a single value."""
    return fmean(values), stdev(values) if len(values) > 1 else None


def t_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float] | None:
    """Student's interval of the mean, as over seeds; None for a single value.

    Source: Student, Biometrika 6 (1908), 1-25.
    """
    if len(values) < 2:
        return None
    mean, error = _mean_and_error(values)
    margin = _t_quantile(len(values) - 1, confidence) * error
    return mean - margin, mean + margin


def wilson_interval(correct: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a proportion, in percent.

    In closed form rather than by scipy, whose import would delay the leaderboard's first paint.

    Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927), 209-212.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = correct / total
    centre = share + z * z / (2 * total)
    spread = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 100 / (1 + z * z / total)
    return scale * max(0.0, centre - spread), min(100.0, scale * (centre + spread))


def batch_std(correct: Sequence[bool], batch_size: int) -> float | None:
    """Standard deviation of accuracy over consecutive batches, in points.

    Population form over whole batches: a last, shorter one would vary more than its size says.
    None for fewer than two whole batches.
    """
    whole = len(correct) // batch_size
    batches = [correct[i * batch_size : (i + 1) * batch_size] for i in range(whole)]
    return pstdev(100 * fmean(batch) for batch in batches) if whole > 1 else None


def mcnemar(a_correct: Sequence[bool], b_correct: Sequence[bool]) -> float:
    """Exact two-sided McNemar p-value that two classifiers err equally often.

    Both were scored on the same images in the same order. Under the null hypothesis, an image that
    only one of them gets right is equally likely to be either's.

    Source: Q. McNemar, Psychometrika 12 (1947), 153-157, in its exact binomial form.

    Raises:
        ValueError: the two were not scored on the same number of images.
    """
    from scipy.special import bdtr

    only_a = sum(a and not b for a, b in zip(a_correct, b_correct, strict=True))
    only_b = sum(b and not a for a, b in zip(a_correct, b_correct, strict=True))
    return min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))


class Paired(NamedTuple):
    """How much one series of paired measurements exceeds another."""

    pairs: int
    difference: float
    """Mean of the first less mean of the second."""
    error: float
    """Standard error of the difference."""
    p: float
    """Two-sided p-value that the means do not differ."""

    @property
    def interval(self) -> tuple[float, float]:
        """95% t-interval of the difference."""
        margin = _t_quantile(self.pairs - 1, 0.95) * self.error
        return self.difference - margin, self.difference + margin


def paired_t(a: Sequence[float], b: Sequence[float]) -> Paired:
    """Student's paired t-test, as of two recipes' accuracies over the same seeds.

    It is about training anew with other seeds on the same images, not about other images. Pairs
    that all differ by the same have no spread: p is then 0, or 1 where they do not differ.

    Source: Student, Biometrika 6 (1908), 1-25.

    Raises:
        ValueError: there are fewer than two pairs, or not as many of one as of the other.
    """
    from scipy.special import stdtr

    differences = [x - y for x, y in zip(a, b, strict=True)]
    if len(differences) < 2:
        raise ValueError("A paired test needs two pairs or more.")
    mean, error = _mean_and_error(differences)
    if error == 0:
        p = 1.0 if mean == 0 else 0.0
    else:
        p = 2 * float(stdtr(len(differences) - 1, -abs(mean) / error))
    return Paired(len(differences), mean, error, p)


def two_proportions(a: float, b: float, images: int) -> float:
    """Two-sided p-value that two percentages, each of so many images, do not differ.

    The pooled z-test. It takes the images for two different sets: where they are the same, as for
    two networks, it is slower to see a difference than ``mcnemar``, which needs the predictions.

    Source: A. Agresti, Categorical Data Analysis, 3rd edition (2013), section 3.2.
    """
    share = (a + b) / 200
    variance = 2 * share * (1 - share) / images
    return 1.0 if a == b or variance <= 0 else erfc(abs(a - b) / 100 / sqrt(2 * variance))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number, in the same order: compare each with 0.05 as usual.

    The chance that any true null hypothesis is rejected stays below 5%, however the tests depend
    on each other. For the share of false discoveries instead, see scipy.stats'
    ``false_discovery_control``.

    Source: S. Holm, Scand. J. Statist. 6 (1979), 65-70, step-down.
    """
    corrected = [0.0] * len(p_values)
    least = 0.0
    smallest_first = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rejected, place in enumerate(smallest_first):
        least = max(least, min(1.0, (len(p_values) - rejected) * p_values[place]))
        corrected[place] = least
    return corrected


def noise_floor(groups: Iterable[Sequence[float]], seeds: int = 1) -> float | None:
    """The difference that seeds alone make: only one comparison in twenty of equals exceeds it.

    Compared are two means of ``seeds`` runs each; their standard deviation over seeds is pooled
    from the groups, which are taken to vary alike (Fisher's least significant difference).

    Args:
        groups: The same figure of several runs that differ by their seed alone, spec by spec.
        seeds: How many runs each of the two means is over.

    Returns:
        A difference in the unit of the figures; None where no group has two runs.
    """
    several = [group for group in groups if len(group) > 1]
    if not several:
        return None
    freedom = sum(len(group) - 1 for group in several)
    squares = sum(
        (value - mean) ** 2 for group in several for mean in [fmean(group)] for value in group
    )
    return _t_quantile(freedom, 0.95) * sqrt(2 * squares / freedom / seeds)


def _mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Mean and its standard error; ``statistics`` takes ten times as long."""
    mean = fsum(values) / len(values)
    variance = fsum([(value - mean) ** 2 for value in values]) / (len(values) - 1)
    return mean, sqrt(variance / len(values))


def _t_quantile(freedom: int, confidence: float) -> float:
    """How many standard errors an interval reaches to either side of a mean."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + confidence) / 2))
