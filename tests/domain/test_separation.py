"""Looking after every seed separates equals no more often than once in twenty."""

import random

import pytest
from making import made_record, made_spec
from msgspec import structs

from fashiontui.domain.results import results
from fashiontui.domain.separation import Verdict, verdict
from fashiontui.domain.stats import SIGNIFICANT, paired_t

MOST = 20


def judged(better, worse, most=MOST):
    """The verdict on two networks with these validation accuracies from seed 0 on."""
    runs = [
        made_record(spec=made_spec(model=name, seed=seed), val_accuracy=value)
        for name, values in (("cnn-20k", better), ("fcn-50k", worse))
        for seed, value in enumerate(values)
    ]
    return verdict(results(runs), most)


def test_a_clear_lead_separates_and_says_by_how_much():
    found = judged([91.0, 91.2, 91.1, 91.05], [89.0, 89.1, 89.15, 89.0])
    assert found.separated
    assert (found.better, found.worse, found.seeds, found.looks) == ("cnn-20k", "fcn-50k", 4, 18)
    assert found.points == pytest.approx(2.025)
    assert found.interval[0] < 2.025 < found.interval[1]
    assert str(found).startswith("cnn-20k and fcn-50k are separated after 4 seeds: +2.02 points")
    assert "18 looks" in str(found)


def test_the_worse_network_comes_second_whichever_is_named_first():
    assert judged([88.0, 88.1, 88.05], [90.0, 90.1, 89.9]).better == "fcn-50k"


def test_each_look_is_paid_for():
    better, worse = [90.0, 90.3, 90.5, 90.2], [89.6, 90.0, 89.9, 89.9]
    once = paired_t(better, worse).p
    assert once < SIGNIFICANT
    assert judged(better, worse, most=4).p == pytest.approx(2 * once)
    assert not judged(better, worse, most=20).separated
    assert "are not separated" in str(judged(better, worse, most=20))


@pytest.mark.parametrize("seeds", [0, 1, 2])
def test_fewer_than_three_common_seeds_say_nothing(seeds):
    assert judged([91.0] * 5, [89.0] * seeds) is None


def test_one_network_under_two_recipes_is_called_by_them():
    runs = [
        made_record(
            spec=structs.replace(made_spec(model="fcn-50k", seed=seed), recipe=recipe),
            val_accuracy=value + 0.1 * seed * seed,
        )
        for recipe, value in (("fast", 89.0), ("best", 91.0))
        for seed in range(3)
    ]
    found = verdict(results(runs), MOST)
    assert (found.better, found.worse) == ("fcn-50k best", "fcn-50k fast")


def test_of_equal_networks_fewer_than_one_in_twenty_are_ever_separated():
    """1,000 pairs of equals, looked at after each seed from the third to the twentieth."""
    chance = random.Random(1)
    separated = uncorrected = 0
    for _ in range(1000):
        a = [chance.gauss(90, 0.2) for _ in range(MOST)]
        b = [chance.gauss(90, 0.2) for _ in range(MOST)]
        looks = [paired_t(a[:seeds], b[:seeds]).p for seeds in range(3, MOST + 1)]
        separated += min(looks) * len(looks) < SIGNIFICANT
        uncorrected += min(looks) < SIGNIFICANT
    assert separated <= 50
    assert uncorrected > 150  # what the correction is for


def test_the_verdict_tells_a_p_value_of_nearly_nothing_apart_from_nothing():
    assert "p < 0.0001" in str(Verdict("a", "b", 5, 2.0, (1.9, 2.1), 1e-9, 18))
