"""X's counting: the documented weights, links of 23, and a margin where X itself may count either way."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connectors.x.text import LINK_LENGTH, alike, has_link, length, without_names_before


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("hello", 5),
        ("Grüße", 5),
        ("cafe\u0301", 4),
        ("привет", 6),
        ("日本語", 6),
        ("한국어", 6),
        ("“quoted” – and … dots", 22),
        ("😀", 2),
        ("👍🏽", 2),
        ("🇩🇪", 2),
        ("1️⃣", 2),
        ("☀️", 2),
        ("☀", 2),
        ("\U0001fae9", 2),
        ("https://example.com", 23),
        ("http://example.com/" + "a" * 300, 23),
        ("see https://example.com/a?b=c&d=e#f.", 28),
        ("(https://example.com)", 25),
        ("https://example.com/日本", 23 + 4),
        ("user@example.com", 16),
        ("main.py and index.html and node.js", 34),
        ("e.g. this, i.e. that", 20),
    ],
)
def test_a_text_is_as_long_as_x_says(text: str, count: int) -> None:
    assert length(text) == count


@pytest.mark.parametrize(
    ("text", "least"),
    [
        ("©", 2),
        ("👨\u200d👩\u200d👧\u200d👦", 2),
        ("example.com", 23),
        ("www.example.co.uk/a", 23),
        ("t.co/abc", 23),
        ("https://例え.jp", 23),
        ("http://localhost:8000/a-path-of-no-link", 39),
    ],
)
def test_where_x_may_count_either_way_we_count_the_more(text: str, least: int) -> None:
    assert least <= length(text) <= least + 14


def test_what_may_be_a_link_is_one_for_the_price() -> None:
    assert has_link("see https://example.com")
    assert has_link("see example.com")
    assert has_link("(example.com/a)")
    assert not has_link("no link here: main.py, 3.14, e.g. this")
    assert not has_link("@example.com #example.com a@example.com")


LIGHT = some.characters(max_codepoint=0x10FF, exclude_categories=["Cs", "Cc"], exclude_characters=":/.@©®")


@given(some.text(LIGHT), some.text(LIGHT))
def test_light_texts_without_links_count_by_character(one: str, other: str) -> None:
    assert length(one) == len(unicodedata.normalize("NFC", one))


@given(some.text())
def test_any_text_has_a_length_and_a_link_adds_its_own(text: str) -> None:
    assert 0 <= length(text) <= LINK_LENGTH * (len(text) + 1)
    assert length(text + " https://example.com") == length(text) + 1 + LINK_LENGTH
    assert alike(alike(text)) == alike(text)


def test_names_before_an_answer_are_put_there_by_x() -> None:
    assert without_names_before("@ada @bob hello @carl") == "hello @carl"
    assert without_names_before("hello @ada") == "hello @ada"
    assert without_names_before("@ada") == ""
