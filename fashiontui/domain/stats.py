"""What is noise and what is not: intervals and paired tests.

scipy.stats takes most of a second to load, so it is imported by the function that needs it.
"""

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist, fmean, pstdev, stdev


def mean_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation; no deviation for a single value."""
    return fmean(values), stdev(values) if len(values) > 1 else None


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
    from scipy.stats import binomtest

    only_a = sum(a and not b for a, b in zip(a_correct, b_correct, strict=True))
    only_b = sum(b and not a for a, b in zip(a_correct, b_correct, strict=True))
    if only_a + only_b == 0:
        return 1.0
    return float(binomtest(only_a, only_a + only_b).pvalue)
