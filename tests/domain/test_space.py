"""Search spaces are data; what no run could be trained with is refused before the first trial."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from fashiontui.domain.errors import UsageError
from fashiontui.domain.recipe import Settings, load_recipe
from fashiontui.domain.space import GRID_POINTS, Range, Space, load_space, parse_space
from fashiontui.domain.study import SHAPE, StudySpec, plan_study


def test_the_built_in_space_suits_every_recipe():
    for name in ("fast", "best", "report"):
        load_space(None).check(load_recipe(name, "/nonexistent").settings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("settings.lr = [", "is not valid TOML"),
        ("foo = 1", "unknown key 'foo'; known keys are description, shares, settings."),
        ("settings.lrr = [1]", "unknown key 'settings.lrr'; did you mean 'lr'?"),
        ("settings.lr = 3", "settings.lr takes a list of values, or a range like"),
        ("settings.lr = []", "settings.lr is empty; give it at least one value."),
        (
            "settings.lr = [[1]]",
            "each of settings.lr should be true or false, a number or",
        ),
        ("settings.lr = { low = 1 }", "settings.lr.high is missing"),
        ("settings.lr = { low = 2, high = 1 }", "its low must be below its high."),
        ("settings.lr = { low = 0, high = 1, log = true }", "a log range must begin above 0."),
        (
            "settings.lr = { low = 1, high = 2, step = 3 }",
            "settings.lr.step'; known keys are low, high, log.",
        ),
        ("shares = []", "shares is empty"),
        ("shares = [1.5]", "each of shares should be a number above 0 and at most 1, not 1.5."),
        (
            'settings.optimizer = ["foo"]',
            "'foo' cannot be trained: optimizer should be 'adam', 'adamw'",
        ),
        ("settings.optimizer = { low = 1, high = 2 }", "optimizer takes a list of values, no"),
        (
            "settings.batch_size = { low = 2.5, high = 8 }",
            "a whole number from 2 to 60,000, not 2.5.",
        ),
        ("settings.lr = { low = 1, high = 1e9 }", "lr = 1000000000.0 cannot be trained"),
        (
            'settings = { nesterov = [true, false], optimizer = ["adam", "sgd"] }',
            "nesterov = True cannot be trained: nesterov needs the optimizer sgd",
        ),
    ],
)
def test_a_space_that_cannot_be_used_is_refused_in_one_sentence(text, said):
    with pytest.raises(UsageError) as refused:
        parse_space(text, "x.toml").check(Settings())
    assert said in str(refused.value)
    assert "x.toml" in str(refused.value)
    assert "\n" not in str(refused.value).strip()


@given(st.text(max_size=60))
def test_any_text_is_a_space_or_is_refused(text):
    with suppress(UsageError):
        assert isinstance(parse_space(text, "x"), Space)


@given(st.floats(1e-6, 1e3), st.floats(1.001, 1e3), st.booleans())
def test_a_grid_takes_both_bounds_of_a_range_and_nothing_outside(low, factor, log):
    points = Range(low=low, high=low * factor, log=log).points(whole=False)
    assert (points[0], points[-1]) == (low, low * factor)
    assert len(points) == GRID_POINTS
    assert all(low * (1 - 1e-5) <= point <= low * factor * (1 + 1e-5) for point in points)


def test_a_setting_that_is_new_can_be_searched_without_another_line():
    for name, default in structs.asdict(Settings()).items():
        value = f'"{default}"' if isinstance(default, str) else str(default).lower()
        parse_space(f"settings.{name} = [{value}]", "x").check(Settings())


def test_a_study_is_written_down_fully():
    spec = plan_study("cnn", 20_000, load_space(None), load_recipe("fast", "/nonexistent"))
    assert msgspec.json.decode(msgspec.json.encode(spec).decode(), type=StudySpec) == spec
    assert next(iter(spec.choices())) == SHAPE
    assert spec.most_epochs == 2  # of the recipe's case for such a network


def test_a_grid_too_large_says_what_to_do():
    with pytest.raises(UsageError, match="points, more than 10,000; give it shorter lists"):
        plan_study(
            "fcn",
            100_000,
            load_space(None),
            load_recipe("fast", "/nonexistent"),
            sampler="grid",
        )
