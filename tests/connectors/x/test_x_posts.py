"""Posting to X and reading it back: links, answers, threads that broke off, both sets of names, and what is told."""

import html
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors.base import Connector, Counts, Draft, Media, Ref
from connectors.errors import AuthExpired, ConnectorError, OutcomeUnknown, RateLimited, Rejected, Unavailable
from connectors.prices import PRICES
from tests.connectors.x.standin import US, US_NAME, StandIn

LINK = "https://example.com/a-long-way/to-go?from=here&to=there"


def start(clock: Any) -> Any:
    return clock() - timedelta(minutes=5)


# --- what is sent ---------------------------------------------------------------------------------------------------


def test_a_post_is_one_request_with_its_text_alone(standin: StandIn, account: Connector) -> None:
    receipt = account.publish(Draft("hello"), "k")
    (asked,) = standin.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/2/tweets", {"text": "hello"})
    assert receipt.url == f"https://x.com/i/status/{receipt.ref.id}"


def test_a_link_the_words_do_not_hold_stands_after_them(standin: StandIn, account: Connector) -> None:
    account.publish(Draft("read this", link=LINK), "k1")
    account.publish(Draft(f"see {LINK} now", link=LINK), "k2")
    assert [one.body["text"] for one in standin.asked] == [f"read this {LINK}", f"see {LINK} now"]


def test_what_x_changes_in_a_text_does_not_hide_it(account: Connector, clock: Any) -> None:
    for draft in (
        Draft(f"a < b && c > d: {LINK}"),
        Draft("read this", link="https://example.com/"),
        Draft("two  spaces\nand a line"),
        Draft("cafe\u0301"),
    ):
        receipt = account.publish(draft, draft.text)
        assert account.find(draft, start(clock)) == receipt
    texts = [post.text for post in account.own_posts(None)]
    assert texts[0] == f"a < b && c > d: {LINK}"


def test_kinds_are_told_by_what_a_post_holds(account: Connector, standin: StandIn) -> None:
    account.publish(Draft("words"), "k1")
    account.publish(Draft("read", link=LINK), "k2")
    standin.say("look", US, media=("1",))
    assert [post.kind for post in account.own_posts(None)] == ["text", "link", "photo"]
    assert [post.text for post in account.own_posts(None)][2] == "look"


def test_a_repost_is_no_post_of_ours(account: Connector, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    account.publish(Draft("words"), "k")
    shown = standin._shown
    monkeypatch.setattr(
        standin,
        "_shown",
        lambda said, query: shown(said, query) | {"referenced_posts": [{"type": "retweeted", "id": "9"}]},
    )
    assert list(account.own_posts(None)) == []


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        (Draft("x" * 281), "281"),
        (Draft("日" * 141), "282"),
        (Draft("x" * 270, link=LINK), "294"),
        (Draft("fine", parts=("x" * 281,)), "281"),
        (Draft("fine", parts=(" ",)), "text"),
        (Draft("fine", media=(Media("a.png", "a"),) * 5), "5 pictures"),
        (Draft("fine", in_reply_to=Ref("at://foreign")), "ids"),
    ],
)
def test_what_x_would_refuse_is_refused_before_any_request(
    standin: StandIn, account: Connector, draft: Draft, words: str
) -> None:
    with pytest.raises(Rejected, match=words):
        account.publish(draft, "k")
    assert standin.asked == []


def test_an_answer_stands_under_what_it_answers(standin: StandIn, account: Connector, clock: Any) -> None:
    asked = standin.say(f"@{US_NAME} is it open today?")
    draft = Draft("@ada yes, until six", in_reply_to=Ref(asked.id))
    receipt = account.publish(draft, "k")
    assert standin.posts[receipt.ref.id].answers == asked.id
    assert account.find(draft, start(clock)) == receipt
    assert account.find(Draft("@ada yes, until six"), start(clock)) is None


# --- threads --------------------------------------------------------------------------------------------------------

THREAD = Draft("one", parts=("two", "three"))


def chain(standin: StandIn) -> list[tuple[str, str | None]]:
    named = {one.id: html.unescape(one.text) for one in standin.posts.values()}
    return [(named[one.id], named.get(one.answers or "")) for one in standin.posts.values()]


def test_a_thread_is_one_request_for_each_part_each_under_the_one_before(
    standin: StandIn, account: Connector, clock: Any
) -> None:
    receipt = account.publish(THREAD, "k")
    assert chain(standin) == [("one", None), ("two", "one"), ("three", "two")]
    assert len(standin.requests("POST")) == 3
    assert account.find(THREAD, start(clock)) == receipt
    assert [post.text for post in account.own_posts(None)] == ["one"]
    account.delete(receipt.ref)
    assert standin.posts == {}


@pytest.mark.parametrize(
    ("fault", "error"),
    [("429", RateLimited), ("drop", OutcomeUnknown), ("403", Rejected), ("401", AuthExpired), ("402", AuthExpired)],
)
def test_a_thread_that_broke_off_goes_on_where_it_stopped(
    standin: StandIn, account: Connector, clock: Any, fault: str, error: type[ConnectorError]
) -> None:
    part = account.publish(Draft("one"), "k")
    clock.later(minutes=1)
    standin.fail(fault)
    with pytest.raises(error) as caught:
        account.publish(THREAD, "k")
    assert type(caught.value) is error
    if error is not RateLimited:
        assert "part 2 of 3, with 1 public" in str(caught.value)
        assert str(part.url) in str(caught.value)
    assert account.find(THREAD, start(clock)) is None
    clock.later(hours=20)
    receipt = account.publish(THREAD, "k")
    assert receipt.ref.id == part.ref.id
    assert chain(standin) == [("one", None), ("two", "one"), ("three", "two")]
    assert len(standin.requests("POST")) == 4
    assert account.publish(THREAD, "k") == receipt
    assert len(standin.requests("POST")) == 4


def test_a_part_whose_answer_was_lost_is_not_sent_again(standin: StandIn, account: Connector, clock: Any) -> None:
    account.publish(Draft("one"), "k")
    standin.fail("drop", written=True)
    with pytest.raises(OutcomeUnknown):
        account.publish(THREAD, "k")
    account.publish(THREAD, "k")
    assert chain(standin) == [("one", None), ("two", "one"), ("three", "two")]


def test_a_thread_under_a_question_is_found_there(standin: StandIn, account: Connector, clock: Any) -> None:
    asked = standin.say(f"@{US_NAME} how?")
    draft = Draft("like this", in_reply_to=Ref(asked.id), parts=("and so on",))
    receipt = account.publish(draft, "k")
    assert account.find(draft, start(clock)) == receipt
    assert account.publish(draft, "k") == receipt


def test_nothing_is_sent_of_a_thread_when_we_cannot_look(standin: StandIn, account: Connector) -> None:
    standin.fail("500", on="GET")
    with pytest.raises(Unavailable):
        account.publish(THREAD, "k")
    assert standin.requests("POST") == []


def test_the_same_thread_a_week_later_is_a_new_one(standin: StandIn, account: Connector, clock: Any) -> None:
    first = account.publish(THREAD, "k")
    clock.later(days=7)
    assert account.publish(THREAD, "k2").ref.id != first.ref.id
    assert len(standin.posts) == 6


# --- what is read ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("renamed", [True, False])
def test_both_sets_of_names_are_read_alike(standin: StandIn, account: Connector, clock: Any, renamed: bool) -> None:
    standin.renamed = renamed
    ref = account.publish(THREAD, "k").ref
    clock.later(hours=40)
    assert account.measure([ref])[ref.id] == Counts(likes=120, replies=4, shares=8 + 2, clicks=80, impressions=3600)
    assert [post.text for post in account.own_posts(None)] == ["one"]
    assert account.find(THREAD, clock() - timedelta(days=3)) is not None
    heard = standin.say(f"@{US_NAME} hello")
    (mention,) = account.mentions(None).mentions
    assert (mention.ref.id, mention.author, mention.author_id, mention.language) == (heard.id, "ada", "77", "en")
    foreign = [one for one in standin.asked if ("post.fields" in one.query) is not renamed and one.method == "GET"]
    assert len(foreign) <= 1  # X is asked once by names it refuses, then never again


def test_clicks_are_told_for_a_month_and_then_not(standin: StandIn, account: Connector, clock: Any) -> None:
    old = account.publish(Draft("old"), "k1").ref
    clock.later(days=28)
    assert account.measure([old])[old.id].clicks == 2 * 28 * 24
    clock.later(days=2)
    young = account.publish(Draft("young"), "k2").ref
    counts = account.measure([old, young])
    assert counts[old.id].clicks is None
    assert counts[old.id].likes == 3 * 30 * 24
    assert counts[young.id].clicks == 0


def test_posts_are_measured_a_hundred_at_a_time(standin: StandIn, account: Connector) -> None:
    refs = [Ref(standin.say(f"text {place}", US).id) for place in range(250)]
    assert set(account.measure([*refs, Ref("1"), *refs])) == {ref.id for ref in refs}
    asked = [len(one.query["ids"].split(",")) for one in standin.asked]
    assert asked == [100, 100, 50, 1]  # what was not found is asked for without clicks, as clicks may be the reason


def test_own_posts_come_from_all_pages(standin: StandIn, account: Connector, clock: Any) -> None:
    for place in range(75):
        standin.say(f"text {place}", US)
        clock.later(minutes=1)
    assert [post.text for post in account.own_posts(None)] == [f"text {place}" for place in range(75)]
    assert len(list(account.own_posts(clock() - timedelta(minutes=10)))) == 10


def test_what_x_does_not_count_is_none(standin: StandIn, account: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = account.publish(Draft("hello"), "k").ref
    monkeypatch.setattr(standin, "_shown", lambda said, query: {"id": said.id, "text": said.text})
    assert account.measure([ref])[ref.id] == Counts()


# --- what people say ------------------------------------------------------------------------------------------------


def test_how_people_address_us(standin: StandIn, account: Connector) -> None:
    ours = account.publish(Draft("we are open"), "k").ref.id
    foreign = standin.say("somewhere else").id
    cases = [
        (standin.say(f"@{US_NAME} hello"), "mention"),
        (standin.say(f"have you seen @{US_NAME} lately"), "mention"),
        (standin.say(f"@{US_NAME} until when?", answers=ours), "reply"),
        (standin.say(f"@{US_NAME} ask @{US_NAME} again", answers=ours), "mention"),
        (standin.say(f"@other @{US_NAME} no", answers=foreign), "reply"),
        (standin.say(f"@other what does @{US_NAME} say?", answers=foreign), "mention"),
        (standin.say(f"so says @{US_NAME}", quotes=ours), "mention"),
    ]
    heard = {mention.ref.id: mention for mention in account.mentions(None).mentions}
    assert [(heard[said.id].address) for said, _ in cases] == [address for _, address in cases]
    third = heard[cases[2][0].id]
    assert third.in_reply_to == Ref(ours)
    assert third.thread == Ref(ours)


def test_mentions_are_read_over_all_pages_and_each_once(standin: StandIn, account: Connector, clock: Any) -> None:
    for place in range(70):
        standin.say(f"@{US_NAME} number {place}")
        clock.later(seconds=1)
    page = account.mentions(None)
    assert [mention.text.split()[-1] for mention in page.mentions] == [str(place) for place in range(70)]
    assert account.mentions(page.cursor).mentions == ()
    assert account.mentions(page.cursor).cursor == page.cursor


def test_the_first_look_at_mentions_goes_back_two_days(standin: StandIn, account: Connector, clock: Any) -> None:
    standin.say(f"@{US_NAME} long ago")
    clock.later(days=3)
    assert account.mentions(None).mentions == ()
    assert account.mentions(None).cursor is None


def test_without_a_stored_id_x_is_asked_once_who_we_are(
    standin: StandIn, account: Connector, secrets: dict[str, str]
) -> None:
    del secrets["x/main/user_id"]
    account.mentions(None)
    account.mentions(None)
    assert list(account.own_posts(None)) == []
    assert len(standin.requests("GET /2/users/me")) == 1


# --- taking back, and what it costs ---------------------------------------------------------------------------------


def test_what_x_says_is_not_there_is_gone(standin: StandIn, account: Connector) -> None:
    standin.fail("404", on="DELETE")
    account.delete(Ref("12"))
    standin.fail("403", on="DELETE")
    with pytest.raises(Rejected):
        account.delete(Ref("12"))


def test_its_costs_are_those_of_the_price_table(account: Connector) -> None:
    able, price = account.capabilities, PRICES["x"]
    assert (able.cost_per_post_usd, able.cost_per_link_post_usd, able.cost_per_reply_usd) == (0.015, 0.2, 0.01)
    assert (price.own_read, price.other_read) == (0.001, 0.005)
    assert able.reply_only_when_mentioned
    assert not able.may_train
    assert not able.native_idempotency


def test_a_price_says_when_and_who_says_so() -> None:
    for price in PRICES.values():
        assert price.as_of.year >= 2026
        assert len(price.source) > 20


def test_a_renewal_of_names_is_not_forgotten_by_a_failure(standin: StandIn, opened: Callable[..., Connector]) -> None:
    account = opened()
    standin.fail("400", on="GET")
    standin.fail("400", on="GET")
    with pytest.raises(Rejected):
        account.measure([Ref("1")])
    account.measure([Ref("1")])
    assert "post.fields" in standin.asked[-1].query
