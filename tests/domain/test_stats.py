"""Intervals, spreads and paired tests agree with scipy.stats, published and worked values."""

import random
from fractions import Fraction
from math import comb
from statistics import fmean

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from making import made_predictions
from scipy import stats as scipy_stats

from fashiontui.domain.stats import (
    batch_std,
    holm,
    mcnemar,
    mean_std,
    noise_floor,
    paired_t,
    t_interval,
    two_proportions,
    wilson_interval,
)

verdicts = st.lists(st.booleans(), min_size=1, max_size=60)
accuracies = st.integers(8_000, 10_000).map(lambda hundredths: hundredths / 100)
seeds_of_one = st.lists(accuracies, min_size=2, max_size=20).filter(lambda own: len({*own}) > 1)
p_values = st.lists(st.floats(0, 1), min_size=1, max_size=30)

# Student, Biometrika 6 (1908), table p. 20: hours of sleep gained by ten patients with two drugs
DRUG_1 = (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
DRUG_2 = (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)


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
def test_the_wilson_interval_is_scipys(counted):
    correct, total = counted
    found = scipy_stats.binomtest(correct, total).proportion_ci(0.95, "wilson")
    assert wilson_interval(correct, total) == pytest.approx((100 * found.low, 100 * found.high))


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


def test_mcnemar_gives_a_published_value():
    # A. Agresti, Categorical Data Analysis (1990), p. 350: 150 against 86 of 1600 changed opinion
    a = [True] * 150 + [False] * 86
    assert mcnemar(a, [not right for right in a]) == pytest.approx(3.716e-05, rel=1e-4)


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_scipys_exact_binomial_test(only_a, only_b):
    assume(only_a + only_b)
    a = [True] * only_a + [False] * only_b
    expected = scipy_stats.binomtest(only_a, only_a + only_b).pvalue
    assert mcnemar(a, [not right for right in a]) == pytest.approx(expected)


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


def test_one_value_has_no_interval():
    assert t_interval([88.5]) is None


@settings(deadline=None, derandomize=True)
@given(seeds_of_one, st.sampled_from([0.9, 0.95, 0.99]))
def test_the_interval_over_seeds_is_scipys(values, confidence):
    expected = scipy_stats.t.interval(
        confidence, len(values) - 1, fmean(values), scipy_stats.sem(values)
    )
    assert t_interval(values, confidence) == pytest.approx(expected)


def test_the_paired_test_gives_the_published_value():
    # as R's t.test(extra ~ group, data = sleep, paired = TRUE) prints it
    found = paired_t(DRUG_1, DRUG_2)
    assert (found.pairs, found.difference) == (10, pytest.approx(-1.58))
    assert found.interval == pytest.approx((-2.4598858, -0.7001142), abs=1e-7)
    assert found.p == pytest.approx(0.002833, abs=5e-7)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(accuracies, accuracies), min_size=2, max_size=20))
def test_the_paired_test_is_scipys(pairs):
    a, b = zip(*pairs, strict=True)
    assume(len({round(x - y, 6) for x, y in pairs}) > 1)
    found, expected = paired_t(a, b), scipy_stats.ttest_rel(a, b)
    ends = expected.confidence_interval(0.95)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.interval == pytest.approx((ends.low, ends.high))


@pytest.mark.parametrize(("shift", "p"), [(0.0, 1.0), (0.5, 0.0)])
def test_pairs_that_all_differ_alike_leave_no_doubt(shift, p):
    assert paired_t([88 + shift, 89 + shift, 90 + shift], [88, 89, 90]).p == p


@pytest.mark.parametrize(("a", "b"), [([1.0], [2.0]), ([1.0, 2.0], [1.0])])
def test_the_paired_test_refuses_single_and_odd_values(a, b):
    with pytest.raises(ValueError, match=r"two pairs|zip"):
        paired_t(a, b)


@settings(deadline=None, derandomize=True)
@given(st.integers(1, 5_999), st.integers(1, 5_999))
def test_two_proportions_are_compared_by_the_chi_square_test_of_their_table(a, b):
    assume(a != b)
    table = [[a, 6_000 - a], [b, 6_000 - b]]
    expected = scipy_stats.chi2_contingency(table, correction=False).pvalue
    assert two_proportions(a / 60, b / 60, 6_000) == pytest.approx(expected)


def test_proportions_without_any_error_do_not_differ():
    assert two_proportions(100.0, 100.0, 6_000) == 1.0


def test_holm_gives_the_worked_example():
    # en.wikipedia.org/wiki/Holm-Bonferroni_method, example: H1 and H4 are rejected
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(p_values)
def test_holm_lies_between_the_false_discovery_rate_and_bonferroni(values):
    corrected = holm(values)
    discovered = scipy_stats.false_discovery_control(values)
    for value, ours, fdr in zip(values, corrected, discovered, strict=True):
        assert max(value, fdr) - 1e-12 <= ours <= min(1.0, len(values) * value) + 1e-12


@given(p_values, st.randoms(use_true_random=False))
def test_holm_keeps_the_order_of_the_tests_and_of_their_sizes(values, random_order):
    corrected = dict(zip(values, holm(values), strict=True))
    shuffled = random_order.sample(values, len(values))
    assert holm(shuffled) == [corrected[value] for value in shuffled]
    in_order = [corrected[value] for value in sorted(values)]
    assert in_order == sorted(in_order)


def test_no_tests_need_no_correction():
    assert holm([]) == []


@settings(deadline=None, derandomize=True)
@given(seeds_of_one, st.data())
def test_a_difference_as_large_as_the_noise_floor_is_significant_at_five_percent(values, data):
    other = data.draw(st.permutations(values))
    floor = noise_floor([values, other], seeds=len(values))
    assert floor is not None
    shifted = [value + floor for value in other]
    assert scipy_stats.ttest_ind(values, shifted).pvalue == pytest.approx(0.05)


def test_twice_as_many_seeds_lower_the_noise_floor_by_the_root_of_two():
    groups = [[88.0, 88.4, 88.1], [91.0, 91.3], [90.0]]
    assert noise_floor(groups, 6) == pytest.approx(noise_floor(groups, 3) / 2**0.5)


def test_single_runs_have_no_noise_floor():
    assert noise_floor([[88.0], [90.0]]) is None


@given(verdicts)
def test_accuracy_is_the_percentage_of_right_predictions(correct):
    made = made_predictions(correct)
    assert made.correct == correct
    assert made.accuracy == pytest.approx(100 * correct.count(True) / len(correct))
