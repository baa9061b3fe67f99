"""Recipes are data: what cannot be used is named, with what could be meant."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fashiontui.domain.errors import UsageError
from fashiontui.domain.files import MOST_BYTES
from fashiontui.domain.recipe import (
    Recipe,
    Settings,
    builtin_recipes,
    load_recipe,
    parse_recipe,
)
from fashiontui.domain.report import REPORT_MODELS
from fashiontui.domain.shapes import family_named


def test_the_built_in_recipes_are_report_fast_and_best():
    assert builtin_recipes() == ["best", "fast", "report"]


@pytest.mark.parametrize("name", ["report", "fast", "best"])
@pytest.mark.parametrize("model", REPORT_MODELS.values(), ids=lambda model: model.name)
def test_a_built_in_recipe_has_settings_for_every_report_model(name, model, tmp_path):
    recipe = load_recipe(name, tmp_path)
    weights = family_named(model.arch).weights(model.shape)
    assert isinstance(recipe.settings_for(model.arch, weights), Settings)
    assert recipe.name == name
    assert recipe.description


def test_the_report_recipe_keeps_to_what_the_report_states(tmp_path):
    stated = load_recipe("report", tmp_path)
    assert not stated.case
    chosen = stated.settings
    assert (chosen.epochs, chosen.dropout, chosen.init) == (25, 0.5, "kaiming")
    assert (chosen.activation, chosen.batch_norm, chosen.augment) == ("relu", False, "none")


def test_the_first_case_that_fits_applies_over_the_recipes_own_settings():
    recipe = parse_recipe(
        """
        [settings]
        epochs = 9
        lr = 0.5
        [[case]]
        family = "cnn"
        weights_up_to = 100
        settings = { epochs = 1 }
        [[case]]
        family = "cnn"
        settings = { epochs = 2 }
        [[case]]
        weights_up_to = 100
        settings = { epochs = 3 }
        """,
        "cases",
    )
    chosen = {
        (family, weights): recipe.settings_for(family, weights).epochs
        for family in ("cnn", "fcn")
        for weights in (100, 101)
    }
    assert chosen == {("cnn", 100): 1, ("cnn", 101): 2, ("fcn", 100): 3, ("fcn", 101): 9}
    assert recipe.settings_for("cnn", 100).lr == 0.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[settings]\nepoch = 3", r"unknown key 'settings\.epoch'; did you mean 'epochs'"),
        ("[settings]\nzzz = 3", r"unknown key 'settings\.zzz'; known keys are epochs,"),
        ("[setings]\nepochs = 3", r"unknown key 'setings'; did you mean 'settings'"),
        ("[[case]]\nfamly = 'cnn'\nsettings = {}", r"famly.*did you mean 'family'"),
        ("[[case]]\nsettings = { epoch = 1 }", r"case 1.*did you mean 'epochs'"),
        ("[settings]\nepochs = 'many'", r"settings\.epochs should be a whole number.*not 'many'"),
        ("[settings]\nepochs = 1.5", r"settings\.epochs should be a whole number.*not 1\.5"),
        ("[settings]\nepochs = 0", r"settings\.epochs should be .* from 1 to 10,000, not 0\."),
        ("[settings]\nlr = -1.0", r"settings\.lr should be a number above 0 .*not -1\.0"),
        ("[settings]\nlr = nan", r"settings\.lr should be .*at most 100, not nan"),
        ("[settings]\nlr = inf", r"settings\.lr should be .*at most 100, not inf"),
        ("[settings]\ndropout = 1.0", r"settings\.dropout should be .* below 1, not 1\.0"),
        ("[settings]\noptimizer = 'adamm'", r"settings\.optimizer should be .*'adamw'"),
        ("[settings]\nnesterov = true", r"nesterov needs the optimizer sgd"),
        ("[[case]]\nsettings = { lr = 0 }", r"case 1: lr should be a number above 0.*not 0"),
        ("[[case]]\nfamily = 'fnc'\nsettings = { lr = 1 }", r"fnc"),
        ("settings = 3", "settings should be a table, not 3"),
        ("[settings\nepochs = 3", "not valid TOML"),
        ("name = 'other'", "remove the key 'name'"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_refused_with_its_key_and_reason(text, said):
    with pytest.raises(UsageError, match=said) as refused:
        parse_recipe(text, "mine")
    assert "'mine'" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", ["true", "'3'"])
def test_a_number_is_not_guessed_from_another_kind_of_value(value):
    with pytest.raises(UsageError, match="epochs"):
        parse_recipe(f"[settings]\nepochs = {value}", "mine")


@pytest.mark.parametrize(
    "text",
    ["a = " + "[" * 5000, "a = " + "{a=" * 5000, "[settings]\nepochs = " + "9" * 5000, "\x00"],
    ids=["deep lists", "deep tables", "a number of 5000 digits", "NUL"],
)
def test_a_hostile_recipe_is_refused_in_one_sentence(text):
    with pytest.raises(UsageError, match="mine"):
        parse_recipe(text, "mine")


LINES = st.sampled_from(
    ["[settings]", "[[case]]", "epochs = 3", "lr = 1e-3", "lr = nan", "settings = {}", "a.b.c = 1"]
    + ["[case]", "settings = { lr = [] }", "family = 3", "description = 1979-05-27", "x = '''"]
)


@settings(deadline=None, derandomize=True)
@given(st.text(max_size=80) | st.lists(LINES | st.text(max_size=12), max_size=6).map("\n".join))
def test_any_text_is_a_recipe_or_a_usage_error(text):
    try:
        recipe = parse_recipe(text, "fuzz")
    except UsageError:
        return
    assert isinstance(recipe, Recipe)
    assert recipe.settings_for("fcn", 1000)


def test_a_recipe_file_is_named_by_its_file(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[settings]\nepochs = 3", encoding="utf-8")
    recipe = load_recipe(str(file), tmp_path / "nowhere")
    assert (recipe.name, recipe.settings.epochs) == ("mine", 3)


def test_a_users_own_recipe_is_found_by_name(tmp_path):
    (tmp_path / "own.toml").write_text("[settings]\nepochs = 4", encoding="utf-8")
    assert load_recipe("own", tmp_path).settings.epochs == 4


def test_an_unknown_recipe_is_answered_with_built_in_and_own_ones(tmp_path):
    (tmp_path / "own.toml").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match=r"'ours'.*best, fast, report, own"):
        load_recipe("ours", tmp_path)


@pytest.mark.parametrize(
    "name",
    ["../secret", "sub/../../secret", "", ".", "..", pytest.param("x" * 400, id="400 letters")],
)
def test_a_recipe_name_never_leads_out_of_the_recipe_folder(name, tmp_path):
    (tmp_path / "secret.toml").write_text("", encoding="utf-8")
    folder = tmp_path / "recipes"
    folder.mkdir()
    with pytest.raises(UsageError, match="Unknown recipe"):
        load_recipe(name, folder)


def test_an_absolute_path_without_toml_is_no_recipe_name(tmp_path):
    (tmp_path / "secret.toml").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="Unknown recipe"):
        load_recipe(str(tmp_path / "secret"), tmp_path / "recipes")


def refused_file(path: Path) -> str:
    with pytest.raises(UsageError) as refused:
        load_recipe(str(path), path.parent)
    assert str(path) in str(refused.value)
    return str(refused.value)


def test_a_recipe_that_is_not_utf_8_is_named(tmp_path):
    file = tmp_path / "latin.toml"
    file.write_bytes(b"description = '\xe9'")
    assert "UTF-8" in refused_file(file)


def test_a_huge_recipe_is_refused_by_its_size(tmp_path):
    file = tmp_path / "huge.toml"
    file.write_text("#" * (MOST_BYTES + 1), encoding="utf-8")
    assert "larger than 100,000 bytes" in refused_file(file)


def test_a_recipe_that_is_not_there_is_named(tmp_path):
    assert "No such file" in refused_file(tmp_path / "none.toml")


def test_a_folder_is_no_recipe(tmp_path):
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    assert "directory" in refused_file(folder)


def test_replacing_settings_checks_them_again():
    with pytest.raises(UsageError, match=r"dropout should be .* below 1, not 1\.5"):
        Settings().replaced(dropout=1.5)


def test_replacing_settings_keeps_the_others():
    before = Settings(lr=0.5, epochs=3)
    assert before.replaced(epochs=4) == Settings(lr=0.5, epochs=4)
    assert before.epochs == 3


def test_replacing_a_setting_that_does_not_exist_suggests_one():
    with pytest.raises(UsageError, match="did you mean 'epochs'"):
        Settings().replaced(epoch=3)
