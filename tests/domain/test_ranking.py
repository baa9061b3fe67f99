"""Rows that noise alone may have ordered share a rank, and ranks never contradict the order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import made_record, made_spec

from fashiontui.domain.ranking import Contestant, chance, ranks
from fashiontui.domain.results import ranked, results
from fashiontui.domain.stats import paired_t, two_proportions

IMAGES = 6_000
accuracies = st.integers(8_500, 9_500).map(lambda hundredths: hundredths / 100)
contestants = st.builds(
    Contestant,
    st.dictionaries(st.integers(0, 5), accuracies, min_size=1, max_size=6),
    st.just(IMAGES),
)


def over_seeds(*values: float) -> Contestant:
    """One accuracy a seed, from seed 0 on."""
    return Contestant(dict(enumerate(values)), IMAGES)


def told(*contest: Contestant) -> list[str]:
    return [str(rank) for rank in ranks(contest)]


def test_what_seeds_tell_apart_has_ranks_of_its_own():
    assert told(over_seeds(90.0, 90.1, 89.9), over_seeds(92.0, 92.2, 92.1)) == ["2", "1"]


def test_what_seeds_do_not_tell_apart_shares_a_rank():
    assert told(over_seeds(91.0, 92.0, 91.4), over_seeds(91.2, 91.6, 91.9)) == ["=1", "=1"]


def test_the_next_rank_counts_all_rows_before_it():
    close = over_seeds(92.0, 92.1, 92.2), over_seeds(92.1, 91.9, 92.2)
    assert told(*close, over_seeds(85.0, 85.1, 85.2)) == ["=1", "=1", "3"]


def test_each_row_is_held_against_the_first_of_its_rank_alone():
    """Three single runs, each within noise of its neighbour, the first and the last beyond it."""
    first, middle, last = (over_seeds(value) for value in (92.0, 91.2, 90.4))
    assert chance(first, middle) > 0.05 and chance(middle, last) > 0.05
    assert chance(first, last) < 0.05 / 2
    assert told(first, middle, last) == ["=1", "=1", "3"]


def test_the_more_rows_share_a_rank_the_more_it_takes_to_leave_it():
    leader, apart = over_seeds(92.0), over_seeds(90.8)
    assert told(leader, apart) == ["1", "2"]  # p = 0.02
    between = [over_seeds(91.5)] * 4
    assert told(leader, *between, apart)[-1] == "=1"


def test_common_seeds_are_paired_from_three_on():
    a, b = over_seeds(90.0, 91.0, 92.0, 90.5), over_seeds(89.8, 90.9, 91.7)
    assert chance(a, b) == paired_t([90.0, 91.0, 92.0], [89.8, 90.9, 91.7]).p
    few = over_seeds(89.8, 90.9)
    assert chance(a, few) == two_proportions(a.mean, few.mean, IMAGES)


@settings(deadline=None)
@given(st.lists(contestants, max_size=12))
def test_ranks_never_contradict_the_order_of_means(contest):
    found = ranks(contest)
    best_first = sorted(zip(contest, found, strict=True), key=lambda one: -one[0].mean)
    numbers = [rank.number for _, rank in best_first]
    assert numbers == sorted(numbers)
    for place, number in enumerate(numbers):
        assert number == place + 1 or number == numbers[place - 1]
        assert best_first[place][1].shared == (numbers.count(number) > 1)


def test_equal_rows_share_the_first_rank():
    assert told(*[over_seeds(91.0)] * 4) == ["=1"] * 4


def test_results_are_ranked_on_validation_whatever_the_test_says():
    specs = [
        made_spec(model=name, seed=seed) for name in ("cnn-20k", "fcn-50k") for seed in (0, 1, 2)
    ]
    runs = [
        made_record(
            spec=spec,
            val_accuracy=(91 if spec.arch == "cnn" else 89) + 0.1 * spec.seed**2,
            correct=[spec.arch == "fcn"] * 100,
        )
        for spec in specs
    ]
    found = results(runs)
    assert [result.title for result in found] == ["cnn-20k", "fcn-50k"]
    assert found[0].test_accuracy < found[1].test_accuracy
    assert [str(rank) for rank in ranked(found)] == ["1", "2"]


@pytest.mark.parametrize("values", [[90.0, 91.0, 92.0], [90.0]])
def test_a_contestant_is_as_good_as_its_mean(values):
    assert over_seeds(*values).mean == pytest.approx(sum(values) / len(values))
