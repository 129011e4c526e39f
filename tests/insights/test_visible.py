"""Strangers' text made safe to look at."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.insights.visible import one_line, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words", "plain words"),
        ("right\u202eto left", "right⟨U+202E⟩to left"),
        ("isolate\u2066d\u2069", "isolate⟨U+2066⟩d⟨U+2069⟩"),
        ("red\x1b[31m", "red⟨U+001B⟩[31m"),
        ("zero\u200bwidth", "zero⟨U+200B⟩width"),
        ("half \ud83d", "half ⟨U+D83D⟩"),
        ("tab\there", "tab here"),
        ("two\nlines\u2028three", "two\nlines\nthree"),
        ("family 👩‍👩‍👧, flag 🇩🇪, ✌🏽, ❤️", "family 👩‍👩‍👧, flag 🇩🇪, ✌🏽, ❤️"),
        ("مرحبا שלום 你好", "مرحبا שלום 你好"),
    ],
)
def test_what_hides_or_steers_is_spelled_out_and_writing_stays(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_long_text_is_cut_with_a_sign() -> None:
    assert visible("x" * 50, 10) == "x" * 9 + "…"
    assert visible("x" * 10, 10) == "x" * 10


def test_one_line_is_one_line() -> None:
    assert one_line(" two\n\n lines\t") == "two lines"


@given(st.text(st.characters(), max_size=60))
def test_nothing_shown_can_steer_a_page_or_a_terminal(text: str) -> None:
    shown = visible(text)
    steering = {sign for sign in shown if unicodedata.category(sign) in {"Cc", "Cf", "Cs"}} - set("\n\u200c\u200d")
    assert steering == set()
    shown.encode("utf-8")
