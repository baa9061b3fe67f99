"""A race is fair at every position, and says how sure a lead is and by which method."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import made_epoch, made_predictions, made_record, made_spec, right_on
from scipy.stats import ttest_rel

from fashiontui.domain.race import contestants, lead, missing_seeds, standings
from fashiontui.domain.stats import mcnemar, two_proportions


def made_run(shape, seed, accuracies, seconds=2.0, validation=None):
    run_id = f"{shape:06x}{seed:06x}"
    epochs = tuple(
        made_epoch(n, run_id=run_id, val_accuracy=accuracy, train_seconds=seconds * n)
        for n, accuracy in enumerate(accuracies, start=1)
    )
    record = made_record(spec=made_spec("fcn", (shape,), seed=seed, epochs=9), run_id=run_id)
    return replace(record, epochs=epochs, validation=validation)


def test_runs_that_differ_by_their_seed_race_as_one():
    field = contestants([made_run(8, 1, [80]), made_run(9, 0, [70]), made_run(8, 0, [82])])
    assert [(one.letter, one.seeds) for one in field] == [("a", (0, 1)), ("b", (0,))]
    assert missing_seeds(field) == {"b": [1]}
    [first, second] = standings(field, 1, "epochs")
    assert (first.accuracy, second.accuracy) == (81, 70)


def test_by_seconds_a_quick_model_is_further_on():
    quick, slow = made_run(8, 0, [60, 70, 80], 1.0), made_run(9, 0, [75, 85, 90], 3.0)
    field = contestants([quick, slow])
    assert [s.contestant.letter for s in standings(field, 1, "epochs")] == ["b", "a"]
    at_two = standings(field, 2.0, "seconds")
    assert [(s.contestant.letter, s.accuracy) for s in at_two] == [("a", 70), ("b", None)]
    assert lead(field[0], field[1], 2.0, "seconds") is None


VALUES = st.lists(st.tuples(st.floats(80, 95), st.floats(80, 95)), min_size=2, max_size=6)


@settings(deadline=None, max_examples=50)  # the first example loads scipy
@given(VALUES)
def test_over_shared_seeds_the_chance_is_that_of_scipys_paired_test(pairs):
    runs = [made_run(8, seed, [a]) for seed, (a, _) in enumerate(pairs)]
    runs += [made_run(9, seed, [b]) for seed, (_, b) in enumerate(pairs)]
    first, second = contestants(runs)
    found = lead(first, second, 1, "epochs")
    differences = [a - b for a, b in pairs]
    if max(differences) - min(differences) > 1e-6:
        expected = ttest_rel(*zip(*pairs, strict=True), alternative="greater")
        assert found.chance == pytest.approx(1 - expected.pvalue, abs=1e-6)
    assert "paired t-test" in found.method


def test_with_one_seed_the_images_decide_at_the_end():
    a, b = made_predictions(right_on(0, 900)), made_predictions(right_on(50, 900))
    runs = [made_run(8, 0, [80, 90], validation=a), made_run(9, 0, [80, 85], validation=b)]
    first, second = contestants(runs)
    found = lead(first, second, 2, "epochs")
    assert "McNemar" in found.method
    assert found.chance == 1 - mcnemar(a.correct, b.correct) / 2


def test_before_the_end_two_proportions_decide():
    first, second = contestants([made_run(8, 0, [81, 90]), made_run(9, 0, [80, 85])])
    found = lead(first, second, 1, "epochs")
    assert "unpaired" in found.method
    assert found.chance == 1 - two_proportions(81, 80, 6_000) / 2


@settings(deadline=None, max_examples=50)  # the first example loads scipy
@given(VALUES)
def test_two_leads_over_each_other_are_one_chance(pairs):
    runs = [made_run(8, seed, [a]) for seed, (a, _) in enumerate(pairs)]
    runs += [made_run(9, seed, [b]) for seed, (_, b) in enumerate(pairs)]
    first, second = contestants(runs)
    there, back = lead(first, second, 1, "epochs"), lead(second, first, 1, "epochs")
    if there.points:
        assert there.chance + back.chance == pytest.approx(1)
        assert (there.chance > 0.5) == (there.points > 0) or there.chance == 0.5
