"""The frontier, exact operation counts, and where one more run tells most."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from making import made_spec
from torch.utils.flop_counter import FlopCounterMode

from fashiontui.domain.board import report_rows
from fashiontui.domain.budget import solve
from fashiontui.domain.pareto import Point, frontier, placed, points_of, suggestion
from fashiontui.domain.shapes import FAMILIES
from fashiontui.models import build

SHAPES = {
    "fcn": [(112, 106), (7,)],
    "cnn": [(40, 64), (7, 14), (3, 4, 5, 6)],
    "resnet": [(11, 18, 29), (4, 4, 8)],
    "dsconv": [(31, 31, 49), (5, 9)],
}


@pytest.mark.parametrize(
    ("arch", "shape"), [(arch, shape) for arch in FAMILIES for shape in SHAPES[arch]]
)
def test_multiply_adds_are_those_torch_counts(arch, shape):
    model = build(made_spec(arch, shape), torch.Generator()).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, 1, 28, 28))
    assert 2 * FAMILIES[arch].multiply_adds(shape) == counter.get_total_flops()


def made_point(weights, val, arch="cnn", **changes):
    name = f"{arch} {weights}"
    point = Point(name, name, arch, "fast", 1, weights, 100 * weights, 9.0, val, val, None, None)
    return replace(point, **changes)


POINTS = st.lists(
    st.builds(made_point, st.integers(2_000, 500_000), st.floats(50, 99)), max_size=40
)


@given(POINTS)
def test_no_point_is_as_good_at_no_more_cost_as_one_of_the_frontier(points):
    best = frontier(points, "weights", "val_accuracy")
    for point in best:
        beating = [
            other
            for other in points
            if other.weights <= point.weights and other.val_accuracy >= point.val_accuracy
        ]
        same = (point.weights, point.val_accuracy)
        assert {(p.weights, p.val_accuracy) for p in beating} == {same}


@given(POINTS)
def test_every_other_point_is_equalled_or_beaten_by_one_of_the_frontier(points):
    best = frontier(points, "weights", "val_accuracy")
    assert all(
        any(b.weights <= p.weights and b.val_accuracy >= p.val_accuracy for b in best)
        for p in points
    )


def test_the_reports_points_and_the_one_under_way_take_no_part():
    points = [made_point(9_000, 99.0, is_report=True), made_point(8_000, 98.0, is_live=True)]
    assert frontier([*points, made_point(50_000, 90.0)], "weights", "val_accuracy") == [
        made_point(50_000, 90.0)
    ]


def test_points_without_a_figure_are_left_out():
    untimed = made_point(9_000, 90.0, train_seconds=None)
    assert placed([untimed], "train_seconds", "val_accuracy") == []
    assert placed([untimed], "weights", "val_accuracy") == [untimed]


def test_the_reports_seven_are_points():
    points = points_of(report_rows())
    assert len(points) == 7
    assert {point.title: point.multiply_adds for point in points}["fcn-50k"] == (
        784 * 59 + 59 * 49 + 49 * 10
    )


def test_the_largest_gap_is_halved_with_a_family_that_was_not_tried_near_it():
    points = [made_point(10_000, 88.0), made_point(20_000, 88.5), made_point(200_000, 92.0)]
    found = suggestion(points)
    assert found.budget == 63_000  # the geometric mean of 20,000 and 200,000
    assert found.arch == "cnn"
    assert "climbs 3.50 points over a factor of 10.0" in found.why
    tried = [*points, made_point(60_000, 88.4)]
    assert suggestion(tried).arch not in ("cnn",)
    assert "was trained" in suggestion(tried).why


def test_a_family_that_is_worse_with_more_weights_is_not_suggested():
    points = [made_point(20_000, 90.0), made_point(100_000, 92.0)]
    points += [made_point(50_000, 89.0, arch) for arch in ("resnet", "dsconv")]
    points += [made_point(150_000, 89.5, "fcn"), made_point(44_000, 89.9)]
    found = suggestion(points)
    assert found.arch == "cnn"
    assert "CNN is ahead (89.90%)" in found.why


def test_a_gap_within_the_noise_of_its_ends_says_so():
    found = suggestion([made_point(20_000, 90.0), made_point(100_000, 90.1)])
    assert "cannot tell 0.10 points" in found.why


@settings(deadline=None, max_examples=30)  # the solver's first look at a budget takes a while
@given(POINTS)
def test_what_is_suggested_can_be_trained(points):
    found = suggestion(points)
    assert (found is None) == (not points)
    if found:
        assert solve(FAMILIES[found.arch], found.budget)
