"""What a person asks for becomes one spec for every network and seed."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashiontui.domain.errors import UsageError
from fashiontui.domain.plan import (
    named_network,
    parse_seeds,
    parse_shape,
    plan,
    shaped_network,
    solved_network,
)
from fashiontui.domain.recipe import Settings, parse_recipe
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.shapes import FAMILIES
from fashiontui.domain.spec import RunSpec

RECIPE = parse_recipe(
    "[settings]\nepochs = 2\n[[case]]\nfamily = 'cnn'\nsettings = { lr = 0.25 }", "mine"
)


def test_naming_no_network_plans_the_reports_seven_in_its_order():
    assert [spec.model for spec in plan([], RECIPE, {}, [0])] == list(REPORT_MODELS)


def test_every_network_is_planned_with_every_seed():
    networks = [named_network("fcn-50k"), named_network("cnn-10k")]
    planned = plan(networks, RECIPE, {}, [0, 7])
    assert [(spec.model, spec.seed) for spec in planned] == [
        ("fcn-50k", 0),
        ("fcn-50k", 7),
        ("cnn-10k", 0),
        ("cnn-10k", 7),
    ]


def test_seeds_that_can_be_read_once_still_reach_every_network():
    networks = [named_network("fcn-50k"), named_network("cnn-10k")]
    assert len(plan(networks, RECIPE, {}, iter([0, 7]))) == 4


def test_a_network_gets_the_settings_of_its_case():
    fcn, cnn = plan([named_network("fcn-50k"), named_network("cnn-10k")], RECIPE, {}, [0])
    assert (fcn.settings.lr, cnn.settings.lr) == (1e-3, 0.25)
    assert (fcn.recipe, cnn.recipe) == ("mine", "mine")


def test_an_override_wins_over_recipe_and_case():
    [spec] = plan([named_network("cnn-10k")], RECIPE, {"lr": 0.5, "epochs": 9}, [0])
    assert (spec.settings.lr, spec.settings.epochs) == (0.5, 9)


def test_an_override_out_of_range_is_refused():
    with pytest.raises(UsageError, match="epochs should be a whole number from 1 to"):
        plan([], RECIPE, {"epochs": 0}, [0])


def test_where_to_train_is_written_into_every_spec():
    for spec in plan([], RECIPE, {}, [0], device="cuda:1", precision="bf16", threads=3):
        assert (spec.device, spec.precision, spec.threads) == ("cuda:1", "bf16", 3)


def test_a_budget_becomes_the_widest_shape_that_fills_it():
    network = solved_network("fcn", 37_000)
    [spec] = plan([network], RECIPE, {}, [0])
    assert 0.97 * 37_000 <= spec.weights <= 37_000
    assert (spec.model, spec.budget) == (None, 37_000)


def test_a_shape_by_hand_over_its_budget_is_refused_with_one_that_fits():
    with pytest.raises(UsageError, match=r"784-112-106-10 has 100,968 weights.*solver's shape is"):
        shaped_network("fcn", (112, 106), 100_000)


def test_a_shape_by_hand_within_its_budget_is_kept():
    assert shaped_network("fcn", (112, 106), 100_968).shape == (112, 106)


def test_a_shape_by_hand_needs_no_budget():
    assert shaped_network("cnn", (40, 64), None).budget is None


@given(st.lists(st.integers(0, 9_999_999), min_size=1, max_size=9).map(tuple))
def test_a_shape_reads_back_as_it_is_written(shape):
    assert parse_shape(",".join(map(str, shape))) == shape
    assert parse_shape(" , ".join(map(str, shape))) == shape


@pytest.mark.parametrize("text", ["", ",", "1,", "a", "1;2", "-1", "1.5", "²", "12345678", "1,,2"])
def test_what_is_no_shape_is_refused(text):
    with pytest.raises(UsageError, match="Cannot read the shape"):
        parse_shape(text)


SETTINGS = st.builds(
    Settings,
    epochs=st.integers(1, 10_000),
    batch_size=st.integers(2, 60_000),
    lr=st.floats(0, 100, exclude_min=True),
    optimizer=st.sampled_from(["sgd", "adam", "adamw", "muon"]),
    momentum=st.floats(0, 1, exclude_max=True),
    schedule=st.sampled_from(["constant", "cosine", "one-cycle"]),
    dropout=st.floats(0, 1, exclude_max=True),
    init=st.sampled_from(["kaiming", "xavier", "normal"]),
    activation=st.sampled_from(["relu", "tanh"]),
    batch_norm=st.booleans(),
    weight_decay=st.floats(0, 10),
    label_smoothing=st.floats(0, 1, exclude_max=True),
    augment=st.sampled_from(["none", "flip", "shift", "flip-shift"]),
    erase=st.integers(0, 28),
    mixup=st.floats(0, 0.5),
    ema=st.floats(0, 1, exclude_max=True),
)
SPECS = st.builds(
    RunSpec,
    model=st.none() | st.sampled_from(list(REPORT_MODELS)),
    arch=st.sampled_from(list(FAMILIES)),
    shape=st.lists(st.integers(1, 500), min_size=1, max_size=4).map(tuple),
    budget=st.none() | st.integers(1, 5_000_000),
    recipe=st.text(min_size=1, max_size=20),
    settings=SETTINGS,
    seed=st.integers(0, 2**63 - 1),
    split_seed=st.integers(0, 2**63 - 1),
    dataset=st.sampled_from(["fashion-mnist", "sample"]),
    device=st.sampled_from(["auto", "cpu", "cuda:1"]),
    precision=st.sampled_from(["auto", "fp32", "bf16"]),
    threads=st.none() | st.integers(1, 1024),
    kernels=st.sampled_from(["auto", "torch", "rows"]),
)


@given(SPECS)
def test_a_spec_comes_back_from_json_as_it_was(spec):
    assert msgspec.json.decode(msgspec.json.encode(spec).decode(), type=RunSpec) == spec


def test_a_spec_is_called_by_its_name_or_by_family_and_shape():
    [named] = plan([named_network("fcn-50k")], RECIPE, {}, [0])
    [shaped] = plan([shaped_network("fcn", (59, 49), None)], RECIPE, {}, [0])
    assert (named.title, shaped.title) == ("fcn-50k", "fcn 784-59-49-10")


@pytest.mark.parametrize(
    ("typed", "seeds"),
    [
        ("1", [0]),
        ("3", [0, 1, 2]),
        ("2-4", [2, 3, 4]),
        ("7-7", [7]),
        ("7,", [7]),
        ("3,7", [3, 7]),
        (" 9 , 0 - 2 ", [9, 0, 1, 2]),
        ("1,1-2", [1, 2]),
        (f"{2**63 - 1},", [2**63 - 1]),
    ],
)
def test_seeds_are_a_count_a_range_or_a_list(typed, seeds):
    assert list(parse_seeds(typed)) == seeds


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("0", "from 1 to 1,000, not 0"),
        ("1001", "not 1,001"),
        ("0-1000", "more than 1,000"),
        ("0-999,1000", "more than 1,000"),
        ("4-2", "backwards"),
        ("", "a count like 5"),
        (",", "a count like 5"),
        ("1,,2", "a count like 5"),
        ("3-", "a range like 0-4"),
        ("-3", "a range like 0-4"),
        ("1-2-3", "a range like 0-4"),
        ("three", "a list like 3,7"),
        ("٣", "a list like 3,7"),
        (f"{2**63},", "a list like 3,7"),
    ],
)
def test_seeds_that_cannot_be_read_are_refused_in_one_sentence(typed, said):
    with pytest.raises(UsageError, match=said):
        parse_seeds(typed)
