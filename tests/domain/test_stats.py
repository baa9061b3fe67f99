"""Intervals, spreads and paired tests agree with published and hand-computed values."""

import random
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import made_predictions

from fashiontui.domain.stats import batch_std, mcnemar, mean_std, wilson_interval

verdicts = st.lists(st.booleans(), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("correct", "total", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3
        (81, 263, 25.53, 36.62),
        (15, 148, 6.24, 16.05),
        (0, 20, 0.00, 16.11),
        (1, 29, 0.61, 17.18),
    ],
)
def test_the_wilson_interval_is_the_published_one(correct, total, low, high):
    assert wilson_interval(correct, total) == pytest.approx((low, high), abs=0.005)


@settings(derandomize=True, deadline=None)
@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_wilson_interval_holds_the_share_and_stays_within_0_and_100(counted):
    correct, total = counted
    low, high = wilson_interval(correct, total)
    assert -1e-9 <= low <= 100 * correct / total + 1e-9
    assert 100 * correct / total - 1e-9 <= high <= 100 + 1e-9
    assert low < high


def test_more_confidence_makes_the_interval_wider():
    low, high = wilson_interval(88, 100, 0.95)
    lower, higher = wilson_interval(88, 100, 0.99)
    assert lower < low < high < higher


def test_the_batch_spread_is_the_population_deviation_of_batch_accuracies():
    # accuracies 100, 50 and 0 %: mean 50, variance (2500 + 0 + 2500) / 3
    correct = [True, True, True, False, False, False]
    assert batch_std(correct, 2) == pytest.approx((5000 / 3) ** 0.5)


def test_a_last_shorter_batch_does_not_count_for_the_spread():
    correct = [True, True, True, False, False, False]
    assert batch_std([*correct, True], 2) == batch_std(correct, 2)


@pytest.mark.parametrize("images", [1, 2, 3])
def test_fewer_than_two_whole_batches_have_no_spread(images):
    assert batch_std([True] * images, 2) is None


def test_at_88_percent_batches_of_256_vary_by_about_two_points():
    """The report's ± is what chance makes of batches that small: sqrt(.88 * .12 / 256) = 2.03."""
    coin = random.Random(1)
    correct = [coin.random() < 0.88 for _ in range(256 * 400)]
    assert batch_std(correct, 256) == pytest.approx(2.03, abs=0.15)


def exact_binomial(only_a: int, only_b: int) -> Fraction:
    """Twice the smaller tail of a fair coin, at most 1: the exact McNemar test, by hand."""
    n = only_a + only_b
    tail = sum(comb(n, k) for k in range(min(only_a, only_b) + 1))
    return min(Fraction(2 * tail, 2**n), Fraction(1))


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 5), st.integers(0, 5))
def test_mcnemar_is_twice_the_smaller_binomial_tail(only_a, only_b, both, neither):
    a = [True] * only_a + [False] * only_b + [True] * both + [False] * neither
    b = [False] * only_a + [True] * only_b + [True] * both + [False] * neither
    assert mcnemar(a, b) == pytest.approx(float(exact_binomial(only_a, only_b)))


def test_mcnemar_gives_a_worked_value():
    # 1 against 7: 2 * (1 + 8) / 2^8
    a = [True] * 7 + [False]
    b = [False] * 7 + [True]
    assert mcnemar(a, b) == pytest.approx(18 / 256)


def test_classifiers_that_never_disagree_do_not_differ():
    assert mcnemar([True, False], [True, False]) == 1.0


def test_mcnemar_refuses_different_numbers_of_images():
    with pytest.raises(ValueError, match="zip"):
        mcnemar([True], [True, False])


def test_one_value_has_no_deviation():
    assert mean_std([88.5]) == (88.5, None)


def test_the_deviation_over_seeds_is_the_samples():
    mean, std = mean_std([1.0, 2.0, 3.0, 4.0])
    assert mean == 2.5
    assert std == pytest.approx((5 / 3) ** 0.5)


@given(verdicts)
def test_accuracy_is_the_percentage_of_right_predictions(correct):
    made = made_predictions(correct)
    assert made.correct == correct
    assert made.accuracy == pytest.approx(100 * correct.count(True) / len(correct))
