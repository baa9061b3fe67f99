"""Budgets are read as people type them, and filled but never exceeded."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fashiontui.domain.budget import MAX_BUDGET, MAX_SHAPES, parse_budget, solve
from fashiontui.domain.errors import UsageError
from fashiontui.domain.shapes import FAMILIES

families = st.sampled_from(list(FAMILIES.values()))
budgets = st.integers(2_000, 5_000_000) | st.integers(2_000, 20_000)
quick = settings(deadline=None, derandomize=True, max_examples=60)


@pytest.mark.parametrize(
    ("typed", "weights"),
    [
        ("50000", 50_000),
        ("50,000", 50_000),
        ("50_000", 50_000),
        ("50k", 50_000),
        ("50K", 50_000),
        ("0.05M", 50_000),
        (".05m", 50_000),
        (" 37 k ", 37_000),
        ("12.5k", 12_500),
        ("5M", 5_000_000),
        ("50.", 50),
    ],
)
def test_a_budget_is_read_as_a_person_types_it(typed, weights):
    assert parse_budget(typed) == weights


@pytest.mark.parametrize(
    "typed",
    ["", "k", "fifty", "-50k", "50kk", "1e5", "0x10", "50 000", "nan", "inf", "٥٠", "9" * 5000]
    + ["0", "0.0", "5000001", "5.1M", "1.5", "0.0001k", ".", ",5", "1/3"],
)
def test_what_is_no_budget_is_refused(typed):
    with pytest.raises(UsageError):
        parse_budget(typed)


@given(st.integers(1, MAX_BUDGET))
def test_every_way_of_writing_a_budget_means_the_same(budget):
    thousands = f"{budget // 1000}.{budget % 1000:03d}k"
    millions = f"{budget // 1_000_000}.{budget % 1_000_000:06d}M"
    written = (str(budget), f"{budget:,}", thousands, millions)
    assert {parse_budget(text) for text in written} == {budget}


@given(st.text(max_size=50) | st.from_regex(r"[0-9_,.]{0,20}[kKmM]?", fullmatch=True))
def test_any_text_is_a_budget_in_range_or_a_usage_error(text):
    try:
        budget = parse_budget(text)
    except UsageError:
        return
    assert isinstance(budget, int)
    assert 1 <= budget <= MAX_BUDGET


report_families = st.sampled_from([family for family in FAMILIES.values() if family.report])
compact_families = st.sampled_from([family for family in FAMILIES.values() if not family.report])


def best_fill(family, budget):
    """The most weights any two-layer shape spends within the budget, by trying every first one."""
    best, first = 0, 1
    while (base := family.weights((first, 1))) <= budget:
        step = family.weights((first, 2)) - base
        best = max(best, base + (budget - base) // step * step)
        first += 1
    return best


@quick
@given(families, budgets)
@example(FAMILIES["fcn"], 2_000)
@example(FAMILIES["cnn"], 2_000)
@example(FAMILIES["fcn"], 5_000_000)
@example(FAMILIES["cnn"], 5_000_000)
def test_a_solved_shape_never_exceeds_its_budget(family, budget):
    shapes = solve(family, budget)
    assert shapes
    assert all(family.weights(family.check(shape)) <= budget for shape in shapes)


@quick
@given(report_families, budgets)
def test_a_solved_shape_fills_97_percent_wherever_its_family_can(family, budget):
    least = min(family.weights(shape) for shape in solve(family, budget))
    if best_fill(family, budget) >= 0.97 * budget:
        assert least >= 0.97 * budget
    else:
        assert least == best_fill(family, budget)


@quick
@given(compact_families, budgets)
@example(FAMILIES["resnet"], 2_000)
@example(FAMILIES["resnet"], 5_000_000)
@example(FAMILIES["dsconv"], 2_000)
@example(FAMILIES["dsconv"], 5_000_000)
def test_compact_families_fill_every_budget_with_shapes_that_grow(family, budget):
    for shape in solve(family, budget):
        assert family.weights(family.check(shape)) >= 0.97 * budget
        assert list(shape) == sorted(shape)
        assert shape[0] < shape[-1] <= 8 * shape[0]


@quick
@given(families, st.integers(30_000, 5_000_000))
def test_budgets_from_30k_on_are_always_filled(family, budget):
    assert all(family.weights(shape) >= 0.97 * budget for shape in solve(family, budget))


@quick
@given(families, budgets)
def test_solved_shapes_come_widest_first_and_each_once(family, budget):
    shapes = solve(family, budget)
    widths = [max(shape) for shape in shapes]
    assert widths == sorted(widths, reverse=True)
    assert len(set(shapes)) == len(shapes) <= MAX_SHAPES


@quick
@given(families, st.integers(30_000, 5_000_000))
def test_a_budget_people_would_name_offers_a_choice_of_shapes(family, budget):
    assert len(solve(family, budget)) > 1


@quick
@given(families, budgets)
@example(FAMILIES["resnet"], 100_000)
def test_the_last_layer_of_a_solved_shape_cannot_grow_within_budget_and_taper(family, budget):
    """Stated for the usual case, where the family's taper is kept and nothing is bent."""
    least, most = family.taper
    for shape in solve(family, budget):
        first, last = shape[0], shape[-1]
        usual = family.spread(first, last) == shape and least <= last / first
        if usual and (last + 1) / first <= most:
            assert family.weights(family.spread(first, last + 1)) > budget


@given(families, st.integers(1, 500), st.integers(1, 500), st.floats(0.2, 4))
def test_the_widths_between_two_lie_between_them_each_as_often_as_the_family_repeats_it(
    family, first, last, bend
):
    shape = family.spread(first, last, bend)
    assert len(shape) == sum(family.repeats)
    assert (shape[0], shape[-1]) == (first, last)
    assert list(shape) == sorted(shape, reverse=last < first)


@pytest.mark.parametrize(
    ("name", "smallest", "weights"),
    [
        ("fcn", "784-1-1-10", 807),
        ("cnn", "1-1-1-10", 552),
        ("resnet", "1-1-1-1-10", 90),
        ("dsconv", "1-1-1-1-1-1-1-10", 102),
    ],
)
def test_a_budget_too_small_is_answered_with_the_smallest_possible_shape(name, smallest, weights):
    with pytest.raises(UsageError, match=f"{smallest} with {weights} weights"):
        solve(FAMILIES[name], weights - 1)
    family = FAMILIES[name]
    assert solve(family, weights) == [family.spread(1, 1)]


@pytest.mark.parametrize("budget", [0, -5])
def test_no_budget_at_all_is_too_small(budget):
    with pytest.raises(UsageError, match="too small"):
        solve(FAMILIES["fcn"], budget)


def test_a_budget_above_the_largest_is_refused():
    with pytest.raises(UsageError, match="5,000,000"):
        solve(FAMILIES["fcn"], MAX_BUDGET + 1)
