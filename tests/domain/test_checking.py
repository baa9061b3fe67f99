"""What strangers wrote becomes a struct of ours, or one sentence that says what would be right."""

import copy
import pickle
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from fashiontui.config import Config
from fashiontui.domain.checking import checked, must_be_shown
from fashiontui.domain.errors import UsageError
from fashiontui.domain.recipe import HELP, KINDS, Recipe, Settings
from fashiontui.domain.space import Space, load_space
from fashiontui.domain.spec import RunSpec
from fashiontui.domain.study import plan_study
from fashiontui.domain.sweep import Grid, Sweep
from tests.making import made_spec


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table in a table."""

    whole: Annotated[int, Meta(ge=1)]
    word: Literal["left", "right"] | None = None

    def __post_init__(self) -> None:
        if self.whole == 13:
            raise ValueError("13 brings bad luck")


class Whole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bit of everything."""

    name: str
    share: Annotated[float, Meta(gt=0, le=0.5)] = 0.1
    few: Annotated[tuple[bool | int | float | str, ...], Meta(min_length=1, max_length=2)] = (1,)
    parts: tuple[Part, ...] = ()
    tables: dict[str, Part | tuple[int, ...]] = {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"share": "x"}, "share should be a number above 0 and at most 0.5, not 'x'."),
        ({"share": float("nan")}, "share should be a number above 0 and at most 0.5, not nan."),
        ({"few": []}, "few is empty; give it at least one value."),
        ({"few": [1, 2, 3]}, "few should be a list of 2 values at most, not [1, 2, 3]."),
        ({"few": [{}]}, "each of few should be true or false, a number or a text, not {}."),
        ({"parts": 3}, "parts should be a list, not 3."),
        ({"parts": [{"whole": 1}, {}]}, "parts 2.whole is missing."),
        ({"parts": [{"whole": 0}]}, "parts 1.whole should be a whole number of at least 1, not 0."),
        ({"parts": [{"whole": 13}]}, "parts 1: 13 brings bad luck."),
        ({"tables": {"a b": {"whole": 1, "wrd": 1}}}, "'tables.a b.wrd'; did you mean 'word'?"),
        ({"tables": {"a": {"whole": 1, "word": 1}}}, "word should be 'left' or 'right', not 1."),
        ({"tables": {"a": [1], "b": [1, "x"]}}, "each of tables.b should be a whole number, not"),
        ({"tables": {"\n": None}}, "tables.\\n should be a table or a list, not None."),
        ({"tables": {"a": None}}, "tables.a should be a table or a list, not None."),
        ({"": 1}, "unknown key ''; known keys are share, few, parts, tables."),
        ({"nam": 1}, "unknown key 'nam'; known keys are share,"),
        ({"name": "mine"}, "unknown key 'name'; known keys are share,"),
    ],
)
def test_the_first_value_that_is_wrong_is_named_with_what_would_be_right(given, said):
    with pytest.raises(UsageError) as refused:
        checked(given, Whole, "In x", name="own")
    assert str(refused.value).startswith("In x: ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_is_not_read_is_set():
    assert checked({"share": 0.5}, Whole, "In x", name="own").name == "own"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*KINDS, "name", "settings", "case", "grid", "models", "low", "shares"])
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(
    st.sampled_from([Settings, Recipe, Space, Sweep, Grid, Config, RunSpec, Whole]),
    st.dictionaries(
        st.sampled_from([*KINDS, "name", "settings", "case", "grid", "seeds", "keymap", "tables"]),
        VALUES,
        max_size=4,
    ),
    st.booleans(),
)
def test_any_table_is_a_struct_or_one_sentence(kind, given, strict):
    try:
        made = checked(given, kind, "In x", strict=strict)
    except UsageError as refused:
        assert str(refused).startswith("In x: ")
        assert "\n" not in str(refused)
    else:
        assert isinstance(made, kind)


@pytest.mark.parametrize("text", ["\x1b[31m", "a\nb", "\u202e", "\ud800"])
def test_a_text_that_a_terminal_would_obey_is_refused(text):
    must_be_shown("it", "fine", None, 3)
    with pytest.raises(ValueError, match="it has characters that cannot be shown"):
        must_be_shown("it", "fine", text)


@pytest.mark.parametrize(("typed", "lr"), [(".5", 0.5), ("5.", 5.0), ("1e-3", 0.001), (" 2 ", 2.0)])
def test_numbers_are_read_as_people_type_them(typed, lr):
    changed = Settings().replaced(lr=typed, epochs="007", batch_norm="true")
    assert (changed.lr, changed.epochs, changed.batch_norm) == (lr, 7, True)


@pytest.mark.parametrize("typed", ["", "x", "1.5", "0x10", "9" * 5000, "nan", "²", True, None, []])
def test_what_is_no_number_of_epochs_is_none(typed):
    with pytest.raises(UsageError, match="epochs should be a whole number from 1 to 10,000, not"):
        Settings().replaced(epochs=typed)


@pytest.mark.parametrize("teacher", ["none\n", "\nnone", "0123456789ab+", "0123456789AB", "", "x"])
def test_a_teacher_is_named_by_the_first_digits_of_its_weights(teacher):
    assert Settings().replaced(teacher="0123456789ab+cdef01234567").teacher
    with pytest.raises(UsageError, match="teacher should be a text like 'none'"):
        Settings().replaced(teacher=teacher)


def test_every_setting_has_a_sentence_of_help():
    assert list(HELP) == list(KINDS) == list(Settings.__struct_fields__)
    assert all(sentence.endswith(".") for sentence in HELP.values())


def test_specs_go_to_other_processes_and_back():
    study = plan_study("fcn", 10_000, load_space(None), Recipe(name="plain"))
    for spec in (made_spec(), study):
        assert pickle.loads(pickle.dumps(spec)) == spec == copy.deepcopy(spec)
    assert hash(made_spec()) == hash(pickle.loads(pickle.dumps(made_spec())))


def test_a_spec_of_an_older_version_gets_the_defaults_of_newer_settings():
    stored = {"arch": "fcn", "shape": [8], "recipe": "made", "settings": {"epochs": 1}}
    spec = msgspec.convert(stored, RunSpec)
    assert spec == RunSpec(arch="fcn", shape=(8,), recipe="made", settings=Settings(epochs=1))


def test_a_spec_is_stored_with_its_keys_in_their_order():
    assert msgspec.json.encode(made_spec(lr=1)).startswith(
        b'{"model":null,"arch":"fcn","shape":[8],"budget":null,"recipe":"made",'
        b'"settings":{"epochs":1,"batch_size":256,"lr":1.0,"optimizer":"adam",'
    )
    assert b'"teacher":"none"},"seed":0,"split_seed":0,"dataset":' in msgspec.json.encode(
        made_spec()
    )
