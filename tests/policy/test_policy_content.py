"""Rules P: whom a text names, what it repeats, its hashtags and its length."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policy.base import Proposal, Refused, Settings, Stage
from bot.policy.content import similarity
from bot.policy.marks import handles, hashtags, wording
from bot.policy.plain import PlainFacts, Said
from bot.policy.rulebook import permit
from connectors.base import Capabilities, Draft

Propose = Callable[..., Proposal]
DAY = timedelta(days=1)
TEXT = "Our new search runs without a server, here is how we built it and what we would do differently."


def ask(
    proposal: Proposal, facts: PlainFacts | None = None, stage: Stage = "plan", **settings: frozenset[str]
) -> Refused | None:
    return permit(proposal, facts or PlainFacts(), Settings(**settings), stage)


def rule(
    proposal: Proposal, facts: PlainFacts | None = None, stage: Stage = "plan", **settings: frozenset[str]
) -> str | None:
    refused = ask(proposal, facts, stage, **settings)
    return None if refused is None else refused.rule


# --- marks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello @ann", ["ann"]),
        (".@ann said", ["ann"]),
        ("thanks @Ann, @bob!", ["ann", "bob"]),
        ("see @ann@social.example.", ["ann@social.example"]),
        ("@name.bsky.social's post", ["name.bsky.social"]),
        ("(@ann)", ["ann"]),
        ("cc:@ann", ["ann"]),
        ("＠ann is widened", ["ann"]),
        ("grüße @jürgen und @日本語", ["jürgen", "日本語"]),
        ("ask u/some_one or /u/other-one", ["some_one", "other-one"]),
        ("https://x.example/a,@ann", ["ann"]),
        ("write to ann@example.org", []),
        ("write to first.last+tag@mail.example.co.uk.", []),
        ("https://social.example/@ann/112233", []),
        ("social.example/@ann", []),
        ("the menu/u/thing", []),
        ("5 @ 3 euros", []),
        ("a@b", []),
        ("nobody here", []),
    ],
)
def test_handles_are_seen_in_many_writings_and_letter_boxes_are_none(text: str, expected: list[str]) -> None:
    assert list(handles([text])) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#one #Two, #three.", ["one", "two", "three"]),
        ("#größe ＃日本", ["größe", "日本"]),
        ("issue #42 and C#", []),
        ("https://x.example/page#part &#39;", []),
        ("#one and #One again", ["one"]),
    ],
)
def test_hashtags_are_words_after_the_sign(text: str, expected: list[str]) -> None:
    assert list(hashtags([text])) == expected


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    assert all(handle == handle.lower() for handle in handles([text]))
    assert isinstance(hashtags([text]), tuple)
    assert wording(wording(text)) == wording(text)


# --- P1 -------------------------------------------------------------------------------------------------------------


def test_posts_name_only_people_on_the_list(post: Propose) -> None:
    assert rule(post("Thanks @ann")) == "P1"
    assert rule(post("Thanks @Ann"), mentions_allowed=frozenset({"@ann"})) is None
    assert rule(post("Thanks @ann@a.example"), mentions_allowed=frozenset({"ann"})) == "P1"
    assert rule(post("Write to ann@example.org")) is None
    refused = ask(post("Thanks @bob and @cid, not @ann"), mentions_allowed=frozenset({"ann"}))
    assert refused is not None
    assert refused.words == "@bob, @cid are not in the campaign's `mentions_allowed`"


def test_titles_and_later_parts_are_read_too(post: Propose) -> None:
    assert rule(post(draft=Draft("fine", title="hey @ann"))) == "P1"
    assert rule(post(draft=Draft("fine", parts=("fine", "hey @ann")))) == "P1"


# --- P2 -------------------------------------------------------------------------------------------------------------


def world(*said: Proposal, out: bool = True) -> PlainFacts:
    return PlainFacts([Said(proposal, out) for proposal in said])


@pytest.mark.parametrize(
    "again",
    [
        TEXT,
        TEXT.upper(),
        f"{TEXT} https://short.example/x",
        TEXT.replace(",", " –").replace(".", "!"),
        TEXT.replace("server", "servers"),
        TEXT.replace("a server", "a\u00a0server"),
    ],
)
def test_two_accounts_of_a_platform_do_not_say_nearly_the_same(post: Propose, again: str) -> None:
    facts = world(post(TEXT, account="sandbox/second", at=post().at - 3 * DAY))
    refused = ask(post(again), facts)
    assert refused is not None
    assert refused.rule == "P2"
    assert "sandbox/second says nearly the same on 2026-11-21" in refused.words
    assert rule(post("A field guide to release notes that people read."), facts) is None


def test_being_recurring_is_no_licence_to_say_the_same_from_two_accounts(post: Propose) -> None:
    facts = world(post(TEXT, account="sandbox/second", at=post().at - 10 * DAY))
    assert rule(post(TEXT, recurring=True), facts) == "P2"


@pytest.mark.parametrize(("days", "expected"), [(-31, None), (-30, "P2"), (-1, "P2"), (29, "P2"), (30, None)])
def test_thirty_days_either_way_are_looked_at(post: Propose, days: int, expected: str | None) -> None:
    facts = world(post(TEXT, account="sandbox/second", at=post().at + days * DAY))
    assert rule(post(TEXT), facts) == expected


def test_another_platform_may_say_the_same(post: Propose) -> None:
    assert rule(post(TEXT), world(post(TEXT, account="elsewhere/main"))) is None


@pytest.mark.parametrize(
    ("recurring", "days", "expected"),
    [
        (False, 6, "P2"),
        (False, 29, "P2"),
        (False, 31, None),
        (True, 6, "P2"),
        (True, 6.7, "P2"),
        (True, 6.99, None),
        (True, 7, None),
        (True, -7, None),
    ],
)
def test_own_repeats_need_recurring_and_a_week(
    post: Propose, recurring: bool, days: float, expected: str | None
) -> None:
    facts = world(post(TEXT, at=post().at - days * DAY))
    assert rule(post(TEXT, recurring=recurring), facts) == expected


def test_a_series_whose_numbers_differ_is_no_repetition(post: Propose) -> None:
    facts = world(post("Episode 41 is out: what we learnt from a year of open office hours", at=post().at - DAY))
    assert rule(post("Episode 42 is out: what we learnt from a year of open office hours"), facts) is None
    assert rule(post("Episode 41 is out! What we learnt from a year of open office hours"), facts) == "P2"


def test_at_the_gate_planned_texts_do_not_block_each_other(post: Propose) -> None:
    planned = world(post(TEXT, account="sandbox/second", post_id=2), out=False)
    assert rule(post(TEXT, post_id=1), planned, "gate") is None
    assert rule(post(TEXT), planned, "plan") == "P2"
    assert rule(post(TEXT, post_id=1), world(post(TEXT, account="sandbox/second", post_id=2)), "gate") == "P2"


def test_stored_answers_may_be_the_same(reply: Propose) -> None:
    facts = world(reply("m1", person="bob", account="sandbox/second"))
    assert permit(reply("m2"), facts, Settings(), "gate") is None


def test_texts_of_nothing_but_links_are_told_apart_by_their_links() -> None:
    assert similarity("https://a.example/one", "https://b.example/quite-another") < 90
    assert similarity("https://a.example/one", "https://a.example/one") == 100


# --- P3, P9 ---------------------------------------------------------------------------------------------------------


def test_five_hashtags_pass_and_six_do_not(post: Propose) -> None:
    assert rule(post("x #a #b #c #d #e")) is None
    refused = ask(post("x #a #b #c #d #e #f"))
    assert refused is not None
    assert refused.words == "6 hashtags; the cap is 5"


def test_hashtags_come_from_the_list_where_there_is_one(post: Propose) -> None:
    listed = frozenset({"#OpenSource", "search"})
    assert rule(post("x #opensource #Search"), hashtags=listed) is None
    assert rule(post("x #trending"), hashtags=listed) == "P3"
    assert rule(post("x #trending"), hashtags=frozenset()) == "P3"


def test_a_text_as_long_as_allowed_passes_and_one_longer_does_not(post: Propose) -> None:
    assert rule(post(length=500, max_length=500)) is None
    assert rule(post(length=None, max_length=500)) is None
    refused = ask(post(length=501, max_length=500, capabilities=Capabilities(length_unit="graphemes")))
    assert refused is not None
    assert refused.words == "501 graphemes; sandbox takes at most 500"
