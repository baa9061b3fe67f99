"""Confusion matrices, scores of classes, and which images stand behind them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import made_predictions, made_record

from fashiontui.domain.confusion import (
    accuracy,
    class_scores,
    compared,
    confusion,
    images_of,
    mistakes,
    most_confused,
    predictions_of,
    probabilities,
)
from fashiontui.domain.errors import UsageError
from fashiontui.domain.events import Predictions, Status

CLASS = st.integers(0, 9)
PAIRS = st.lists(st.tuples(CLASS, CLASS, st.integers(0, 255)), min_size=1, max_size=300)


def made_of(triples):
    labels, predicted, sure = zip(*triples, strict=True)
    shares = bytearray(10 * len(labels))
    for at, (taken, share) in enumerate(zip(predicted, sure, strict=True)):
        shares[10 * at + taken] = share
    return Predictions(bytes(predicted), bytes(labels), bytes(shares))


@given(PAIRS)
def test_every_image_is_in_the_cell_of_its_class_and_of_what_it_was_taken_for(triples):
    made = made_of(triples)
    matrix = confusion(made)
    seen = [image for t in range(10) for p in range(10) for image in images_of(made, t, p)]
    assert sorted(seen) == list(range(len(triples)))
    assert all(len(images_of(made, t, p)) == matrix[t][p] for t in range(10) for p in range(10))
    assert accuracy(matrix) == pytest.approx(made.accuracy)


@given(PAIRS)
def test_scores_are_those_of_their_definitions(triples):
    labels, predicted, _ = (np.array(column) for column in zip(*triples, strict=True))
    for label, score in enumerate(class_scores(confusion(made_of(triples)))):
        hits = int(((labels == label) & (predicted == label)).sum())
        of_it, taken = int((labels == label).sum()), int((predicted == label).sum())
        assert score.precision == (hits / taken if taken else None)
        assert score.recall == (hits / of_it if of_it else None)
        if score.precision and score.recall:
            mean = 2 / (1 / score.precision + 1 / score.recall)
            assert score.f1 == pytest.approx(mean)


def test_scores_are_those_of_a_published_example():
    """The three classes of scikit-learn's documentation of ``classification_report``."""
    made = Predictions(bytes([0, 0, 2, 2, 1]), bytes([0, 1, 2, 2, 2]))
    first, second, third = class_scores(confusion(made))[:3]
    assert (first.precision, first.recall, round(first.f1, 2)) == (0.5, 1.0, 0.67)
    assert (second.precision, second.recall, second.f1) == (0.0, 0.0, 0.0)
    assert (third.precision, round(third.recall, 2), third.f1) == (1.0, 0.67, 0.8)


@given(PAIRS)
def test_mistakes_come_the_surest_first(triples):
    made = made_of(triples)
    found = mistakes(made)
    sure = [triples[image][2] for image in found]
    assert sure == sorted(sure, reverse=True)
    assert {*found} == {i for i, (truth, taken, _) in enumerate(triples) if truth != taken}


def test_probabilities_are_told_the_likeliest_first():
    made = made_predictions([True, False], sure=204)
    assert probabilities(made, 1)[:2] == [(2, 0.8), (3, 0.2)]
    assert probabilities(made_predictions([True]), 0) is None


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=200))
def test_two_runs_share_their_images_out_among_four_groups(pairs):
    a, b = ([pair[side] for pair in pairs] for side in (0, 1))
    found = compared(made_predictions(a), made_predictions(b))
    everything = [*found.both, *found.only_a, *found.only_b, *found.neither]
    assert sorted(everything) == list(range(len(pairs)))
    assert {*found.only_a} == {i for i, pair in enumerate(pairs) if pair == (True, False)}


def test_runs_on_different_images_are_not_compared():
    with pytest.raises(UsageError, match="different images"):
        compared(made_predictions([True]), made_predictions([True, True]))


def test_a_run_that_was_never_tested_says_so():
    with pytest.raises(UsageError, match=r"fcn-50k \(stopped\) has no predictions"):
        predictions_of(made_record(status=Status.STOPPED))


def test_the_classes_confused_most_are_no_diagonal():
    made = Predictions(bytes([0, 0, 0, 4, 4]), bytes([0, 0, 0, 2, 2]))
    assert most_confused(confusion(made)) == (2, 4)
