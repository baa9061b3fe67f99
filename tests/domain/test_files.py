"""Files of strangers are read within bounds; nothing is waited for, nothing fills the memory."""

import os
from pathlib import Path

import pytest

from fashiontui.config import load_config
from fashiontui.domain.errors import UsageError
from fashiontui.domain.files import LONGEST_LINE, MOST_BYTES, parse_toml, read_text
from fashiontui.domain.recipe import load_recipe, parse_recipe, recipe_names
from fashiontui.tui.choice import load_choice


def special(kind: str, folder: Path) -> Path:
    """Something in a folder that is no small text file."""
    path = folder / "input.toml"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case "loop":
            path.symlink_to(path)
        case "huge":
            with path.open("wb") as file:
                file.truncate(2**40)  # sparse
        case "not UTF-8":
            path.write_bytes(b"\xff\xfe")
    return path


KINDS = ["pipe", "device", "folder", "loop", "huge", "not UTF-8"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_small_text_file_is_refused_at_once(kind, tmp_path):
    path = special(kind, tmp_path)
    for read in (
        lambda: read_text(path, "it"),
        lambda: load_recipe(str(path), tmp_path),
        lambda: load_recipe("input", tmp_path),
        lambda: load_config(path),
    ):
        with pytest.raises(UsageError, match=r"Cannot read|Unknown recipe") as refused:
            read()
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_last_choice_that_is_no_small_text_file_gives_the_defaults(kind, tmp_path):
    choice, notice = load_choice(special(kind, tmp_path))
    assert choice.budget == "50k"
    assert notice is not None


def test_a_file_of_the_largest_size_is_read(tmp_path):
    (tmp_path / "x").write_text("#" * MOST_BYTES, encoding="utf-8")
    assert len(read_text(tmp_path / "x", "it")) == MOST_BYTES


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b.toml"])
def test_a_name_that_no_file_has_is_refused(name, tmp_path):
    with pytest.raises(UsageError, match="Cannot read it"):
        read_text(tmp_path / name, "it")
    with pytest.raises(UsageError):
        load_recipe(name, tmp_path)


@pytest.mark.parametrize(
    "text",
    ["a = " + "[\n" * 5000, "9" * 900 + " = x", "." * 50_000, "a." * 50_000 + "b = 1", "a=1\na=2"],
    ids=["deep", "digits", "dots", "dotted key", "twice the same key"],
)
def test_a_text_that_is_no_sensible_toml_is_refused(text, tmp_path):
    with pytest.raises(UsageError, match=r"^It "):
        parse_toml(text, "It")
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError):
        load_config(tmp_path / "config.toml")


def test_a_line_of_the_greatest_length_is_read():
    line = "a = '" + "x" * (LONGEST_LINE - 6) + "'"
    assert len(line) == LONGEST_LINE
    assert parse_toml(line, "It")["a"]


@pytest.mark.parametrize(
    "value", ["0x" + "f" * 900, "[[[[[[[[[[[[1]]]]]]]]]]]]", "'" + "x" * 900 + "'"]
)
def test_a_value_is_quoted_briefly(value):
    with pytest.raises(UsageError, match="epochs") as refused:
        parse_recipe(f"[settings]\nepochs = {value}", "mine")
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("name", ["\x1b[2Jx", "cod\u202egnp", "two\nlines", "\udcff"])
def test_a_recipe_whose_name_a_terminal_would_obey_is_refused(name, tmp_path):
    (tmp_path / f"{name}.toml").write_text("[settings]\nepochs = 3", encoding="utf-8")
    for asked in (name, str(tmp_path / f"{name}.toml")):
        with pytest.raises(UsageError, match="rename the recipe"):
            load_recipe(asked, tmp_path)
    assert recipe_names(tmp_path) == ["best", "fast", "report"]


@pytest.mark.parametrize(
    "text",
    ["theme = '\u202e'", '[keymap]\n"lab.train" = "\\u001b[2J"', '[keymap]\n"\\u0000" = "t"'],
)
def test_settings_that_a_terminal_would_obey_are_refused(text, tmp_path):
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be shown"):
        load_config(tmp_path / "config.toml")


def test_a_last_choice_that_a_terminal_would_obey_gives_the_defaults(tmp_path):
    (tmp_path / "choice.json").write_text('{"budget": "\\u001b[2J"}', encoding="utf-8")
    choice, notice = load_choice(tmp_path / "choice.json")
    assert (choice.budget, notice is None) == ("50k", False)
