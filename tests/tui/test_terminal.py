"""What a terminal is trusted to show, and what stands for the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from fashiontui.domain.errors import UsageError
from fashiontui.tui.terminal import (
    Glyphs,
    Nearest,
    check_terminal,
    terminal_glyphs,
    usable_marker,
)

BLACK = Color(0, 0, 0)


def shown(text: str, glyphs: Glyphs) -> str:
    """A text as a terminal with these characters gets it."""
    return "".join(part.text for part in Nearest(glyphs).apply([Segment(text)], BLACK))


@pytest.mark.parametrize(
    ("environment", "encoding", "glyphs"),
    [
        ({"LANG": "en_GB.UTF-8"}, "utf-8", Glyphs.ALL),
        ({}, "utf-8", Glyphs.ALL),  # a container without a locale, in a modern terminal
        ({"LANG": "C.UTF-8", "LC_CTYPE": "C.UTF-8"}, "utf-8", Glyphs.ALL),
        ({"LC_CTYPE": "UTF-8"}, "utf-8", Glyphs.ALL),  # macOS
        ({"LC_ALL": "C"}, "utf-8", Glyphs.ASCII),  # Python's UTF-8 mode says utf-8 all the same
        ({"LC_ALL": "POSIX", "LANG": "en_GB.UTF-8"}, "utf-8", Glyphs.ASCII),
        ({"LC_ALL": "C.UTF-8", "LANG": "C"}, "utf-8", Glyphs.ALL),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, "utf-8", Glyphs.ASCII),  # as Python leaves it
        ({"LANG": "C", "LC_CTYPE": "de_DE.UTF-8"}, "utf-8", Glyphs.ALL),
        ({"LANG": "de_DE.ISO-8859-1"}, "iso-8859-1", Glyphs.ASCII),
        ({"LANG": "en_GB.UTF-8", "TERM": "linux"}, "utf-8", Glyphs.CONSOLE),
        ({"LC_ALL": "C", "TERM": "linux"}, "utf-8", Glyphs.ASCII),
    ],
)
def test_the_locale_and_the_kind_of_terminal_say_what_it_shows(
    environment: dict[str, str], encoding: str, glyphs: Glyphs
) -> None:
    assert terminal_glyphs(environment, encoding) is glyphs


@given(st.text())
def test_ascii_is_all_that_is_left_and_no_line_changes_its_width(text: str) -> None:
    plain = shown(text, Glyphs.ASCII)
    assert plain.isascii()
    assert cell_len(plain) == cell_len(text)


def test_what_differs_on_the_screen_still_differs_in_ascii() -> None:
    marks = "━●◆◇┄abcdefABC"
    assert len(set(shown(marks, Glyphs.ASCII))) == len(marks)
    assert shown("━━──", Glyphs.ASCII) == "==--"  # what is done of a bar, and what is not
    assert len(set(shown("▶✓■✗!┄", Glyphs.ASCII))) == 6
    assert len(set(shown(" ░▒▓█", Glyphs.ASCII))) == 5


def test_the_console_keeps_its_lines_and_blocks() -> None:
    assert shown("│─█ ╭╮ ✓ ⣿ ê", Glyphs.CONSOLE) == "│─█ ┌┐ √ . e"


def test_a_terminal_that_shows_all_gets_all() -> None:
    assert not Nearest(Glyphs.ALL).enabled


@pytest.mark.parametrize(
    ("glyphs", "colours", "marker"),
    [
        (Glyphs.ALL, "truecolor", "braille"),
        (Glyphs.ALL, "standard", "dot"),
        (Glyphs.ALL, None, "dot"),
        (Glyphs.CONSOLE, "256", "dot"),
        (Glyphs.ASCII, "truecolor", "ascii"),
    ],
)
def test_curves_are_as_fine_as_the_terminal_allows(
    glyphs: Glyphs, colours: str | None, marker: str
) -> None:
    assert usable_marker("auto", glyphs, colours) == marker


def test_a_marker_chosen_in_the_config_is_used_where_it_can_be() -> None:
    assert usable_marker("hd", Glyphs.ALL, "standard") == "hd"
    assert usable_marker("hd", Glyphs.ASCII, "truecolor") == "ascii"


@pytest.mark.parametrize("kind", ["dumb", "unknown"])
def test_a_terminal_that_cannot_move_its_cursor_is_refused_with_the_remedy(kind: str) -> None:
    with pytest.raises(UsageError, match="--batch"):
        check_terminal({"TERM": kind})


def test_other_terminals_are_taken() -> None:
    check_terminal({"TERM": "vt220"})
    check_terminal({})
