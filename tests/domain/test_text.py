"""Foreign text is shown, never obeyed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashiontui.domain.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x9b2J\x7f\0", r"\x9b2J\x7f\x00"),
        ("cod\u202egnp.exe\u2066", r"cod\u202egnp.exe\u2066"),
        ("lone \udcff", r"lone \udcff"),
        ("two\u2028lines\u2029", r"two\u2028lines\u2029"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_as_an_escape(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text", ["", "37k ± 2 µs", "Größe 日本語 👩‍🔬", "[b]not bold[/]", "C:\\new"]
)
def test_ordinary_text_stays_as_it_is(text):
    assert printable(text) == text


@given(st.text(alphabet=st.characters()))
def test_nothing_unprintable_is_left_of_any_text(text):
    shown = printable(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert printable(shown) == shown
    shown.encode("utf-8")
