"""What a terminal would obey is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashiontui.domain.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("a\r\nb\tc\x7f", r"a\r\nb\tc\x7f"),
        ("gpj\u202eexe", r"gpj\u202eexe"),
        ("\u2066a\u2069\u200b\ufeff", r"\u2066a\u2069\u200b\ufeff"),
        ("\u2028\x85", r"\u2028\x85"),
        ("\0", r"\x00"),
        ("\ud800", r"\ud800"),
        ("\U000e0001", r"\U000e0001"),
    ],
)
def test_what_a_terminal_obeys_is_written_out(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize("text", ["", "NVIDIA H100", "été – 日本 😀", "[red]not red[/]", r"C:\x1b"])
def test_what_can_be_seen_stays(text):
    assert printable(text) == text


@given(st.text(st.characters()))
def test_every_text_can_be_printed_encoded_and_cleaned_twice(text):
    shown = printable(text)
    assert shown.isprintable()
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert printable(shown) == shown
