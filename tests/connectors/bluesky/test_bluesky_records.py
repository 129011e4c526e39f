"""Bluesky without a server: what is counted, what is a link and where it stands, how a post's name is worked out."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Draft, Media, Ref
from connectors.bluesky.records import (
    LETTERS,
    cid_of,
    extras_of,
    facets,
    handles,
    length,
    place_of,
    ref_of,
    refuse_unfit,
    rkey_of,
    thread,
)
from connectors.errors import Rejected

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
FAMILY = "👨‍👩‍👧‍👦"
TID = re.compile(r"[234567abcdefghij][234567a-z]{12}")


def slices(text: str, people: dict[str, str] | None = None) -> list[tuple[str, str]]:
    """(the piece of the text a facet covers, what it leads to)."""
    found = []
    for facet in facets(text, people or {}):
        index, feature = facet["index"], facet["features"][0]
        piece = text.encode()[index["byteStart"] : index["byteEnd"]].decode()
        found.append((piece, feature.get("uri") or feature.get("tag") or feature["did"]))
    return found


@pytest.mark.parametrize(
    ("text", "size"), [("hello", 5), (FAMILY, 1), ("e\u0301", 1), ("🇩🇪🇫🇷", 2), ("\r\n", 1), ("한국", 2)]
)
def test_length_is_what_a_reader_would_count(text: str, size: int) -> None:
    assert length(text) == size


def test_a_text_of_300_families_is_too_many_bytes() -> None:
    refuse_unfit(Draft(FAMILY * 120))
    with pytest.raises(Rejected, match="3000 bytes, this one 7500"):
        refuse_unfit(Draft(FAMILY * 300))
    with pytest.raises(Rejected, match="300 graphemes, this one 301"):
        refuse_unfit(Draft("x" * 301))


@pytest.mark.parametrize(
    "draft",
    [
        Draft(" "),
        Draft("hello", parts=("x" * 301,)),
        Draft("hello", parts=("",)),
        Draft("hello", parts=("x",) * 200),
        Draft("hello", media=(Media("a.png", "a"),) * 5),
        Draft("hello", link="https://example.com", media=(Media("a.png", "a"),)),
    ],
)
def test_what_the_server_would_refuse_is_refused(draft: Draft) -> None:
    with pytest.raises(Rejected) as caught:
        refuse_unfit(draft)
    assert "\n" not in str(caught.value)


def test_links_tags_and_people_are_found_where_they_stand() -> None:
    text = f"{FAMILY} grüße @name.test und @other.test: https://example.com/ä?b=1. #größe"
    assert slices(text, {"name.test": "did:plc:name"}) == [
        ("@name.test", "did:plc:name"),
        ("https://example.com/ä?b=1", "https://example.com/ä?b=1"),
        ("#größe", "größe"),
    ]
    assert handles([text, "@Name.test again"]) == ["name.test", "other.test"]


@given(st.text(max_size=60), st.text(max_size=60))
def test_offsets_are_in_bytes_whatever_stands_around(before: str, after: str) -> None:
    text = f"{before} https://example.com/x {after}"
    assert ("https://example.com/x", "https://example.com/x") in slices(text)


@given(st.text(), st.integers(0, 199))
def test_a_name_is_a_moment_that_has_passed_and_always_the_same(key: str, place: int) -> None:
    name = rkey_of(key, place)
    assert TID.fullmatch(name)
    assert name == rkey_of(key, place)
    assert name != rkey_of(key, place + 1)
    number = 0
    for letter in name:
        number = number << 5 | LETTERS.index(letter)
    micros = number >> 10
    assert 2023 <= datetime.fromtimestamp(micros / 1e6, UTC).year <= 2025


def test_many_keys_have_as_many_names() -> None:
    assert len({rkey_of(f"key {place}") for place in range(100_000)}) == 100_000


def test_a_fingerprint_is_the_one_the_network_gives() -> None:
    # An empty map's CID in DAG-CBOR, as the IPLD project's own examples name it.
    assert cid_of({}) == "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua"


def test_a_thread_hangs_together_and_keeps_its_order() -> None:
    records = thread(Draft("one", parts=("two", "three")), "did:plc:me", "key", AT, {}, None, None)
    first, second, third = (record for _, record in records)
    uris = [f"at://did:plc:me/app.bsky.feed.post/{rkey}" for rkey, _ in records]
    root = {"uri": uris[0], "cid": cid_of(first)}
    assert "reply" not in first
    assert (
        second["reply"]["root"] | root == second["reply"]["root"] == second["reply"]["parent"] == third["reply"]["root"]
    )
    assert {"uri": uris[1], "cid": cid_of(second)}.items() <= third["reply"]["parent"].items()
    assert first["createdAt"] < second["createdAt"] < third["createdAt"]


def test_extras_say_what_was_put_in_and_nothing_for_what_is_none_of_ours() -> None:
    ref = ref_of("at://a", "c", {"uri": "r", "cid": "d", "more": "x"}, ["p"])
    assert extras_of(ref) == {"cid": "c", "root": {"uri": "r", "cid": "d"}, "parts": ["p"]}
    assert [extras_of(Ref("a", extras)) for extras in ("", "{", "[1]", "null")] == [{}] * 4


@pytest.mark.parametrize(
    "uri", ["", "m1", "at://did:plc:x", "at://did:plc:x/app.bsky.feed.like/3k", "https://bsky.app"]
)
def test_an_address_of_something_else_is_no_post(uri: str) -> None:
    assert place_of(uri) is None
