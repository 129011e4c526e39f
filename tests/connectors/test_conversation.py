"""What simulated people say: the same whenever it is asked for, complete, each once, and found again by its name."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import chatter
from connectors.audience import AudienceSettings
from connectors.base import Connector, Draft, Mention, Ref
from connectors.sandbox import FIRST_LOOK, SandboxNetwork, hashed

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)
TALKATIVE = AudienceSettings(level=5, mentions_per_day=6)

MINUTES = st.one_of(st.integers(0, 3), st.integers(0, 300), st.integers(1000, 20000))
STEPS = st.lists(st.tuples(MINUTES, st.sampled_from(["post", "answer", "poll", "poll", "reconnect"])), max_size=25)


def talk(clock: Any, path: Path | None = None) -> SandboxNetwork:
    return SandboxNetwork(clock, hashed, seed=5, path=path, settings=TALKATIVE)


def heard(connector: Connector, cursor: str | None) -> tuple[list[Mention], str]:
    page = connector.mentions(cursor)
    assert page.cursor is not None
    return list(page.mentions), page.cursor


def cursor_at(moment: datetime) -> str:
    """The cursor of somebody who has heard everything until then."""
    network = SandboxNetwork(lambda: moment + FIRST_LOOK, hashed, settings=AudienceSettings(mentions_per_day=0))
    return heard(network.connector("nobody"), None)[1]


@settings(deadline=None, max_examples=60)
@given(steps=STEPS)
def test_any_way_of_polling_hears_everything_once_in_order(steps: list[tuple[int, str]]) -> None:
    """Beside somebody who polls as the steps say, somebody who asks for everything once, at the end."""
    clock = _Clock(NOON)
    network = talk(clock)
    connector = network.connector("main")
    cursor = start = cursor_at(NOON)
    found: list[Mention] = []
    for place, (minutes, what) in enumerate(steps):
        clock.now += timedelta(minutes=minutes)
        if what == "post":
            connector.publish(Draft(f"what do you think of number {place}?"), f"k{place}")
        elif what == "answer" and found:
            connector.publish(Draft(f"thank you {place}", in_reply_to=found[-1].ref), f"k{place}")
        elif what == "poll":
            new, cursor = heard(connector, cursor)
            found += new
        else:
            connector = network.connector("main")
    clock.now += 3 * chatter.LATEST
    new, cursor = heard(connector, cursor)
    found += new
    everything, _ = heard(network.connector("main"), start)
    assert found == everything
    assert len({mention.ref.id for mention in found}) == len(found)
    assert heard(connector, cursor) == ([], cursor)


class _Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def spoken(network: SandboxNetwork, clock: Any, days: int = 20) -> list[Mention]:
    """Everything said in some days with two posts a day."""
    start = cursor_at(clock())
    connector = network.connector("main")
    for place in range(2 * days):
        connector.publish(Draft(f"what do you think of number {place}?"), f"k{place}")
        clock.later(hours=12)
    return heard(connector, start)[0]


def test_people_speak_of_their_own_accord_and_under_our_posts(clock: Any) -> None:
    said = spoken(talk(clock), clock)
    addressed = Counter(mention.address for mention in said)
    assert addressed["mention"] > 60
    assert addressed["reply"] > 30
    assert addressed["none"] > 0
    for mention in said:
        assert (mention.in_reply_to is not None) == mention.ref.id.startswith("p")
        assert mention.author == f"@{mention.author_id}"
        assert mention.thread == Ref(f"t-{mention.ref.id}")


def test_every_kind_of_thing_is_said_in_time_and_bots_are_marked(clock: Any) -> None:
    said = spoken(talk(clock), clock, days=60)
    kinds = {kind for kind, texts in chatter.TEXTS.items() for mention in said if mention.text in texts}
    assert kinds == set(chatter.TEXTS)
    assert {mention.author_is_bot for mention in said if mention.text in chatter.TEXTS["bot"]} == {True}
    assert {mention.author_is_bot for mention in said if mention.text not in chatter.TEXTS["bot"]} == {False}


def test_without_a_cursor_the_last_two_days_are_told(clock: Any) -> None:
    network = talk(clock)
    spoken(network, clock)
    recent, _ = heard(network.connector("main"), None)
    assert recent
    assert all(clock() - FIRST_LOOK < mention.created_at <= clock() for mention in recent)


def test_a_restart_changes_nothing_of_what_was_said(clock: Any, file: Path) -> None:
    network = talk(clock, file)
    start = cursor_at(clock())
    said = spoken(network, clock)
    chatter.background.cache_clear()
    chatter.under_post.cache_clear()
    assert heard(talk(clock, file).connector("main"), start)[0] == said


def test_polling_often_rolls_no_dice_again(clock: Any) -> None:
    network = talk(clock)
    spoken(network, clock)
    connector = network.connector("main")
    _, cursor = heard(connector, None)
    rolled = (chatter.background.cache_info().misses, chatter.under_post.cache_info().misses)
    for _ in range(50):
        heard(connector, cursor)
    assert (chatter.background.cache_info().misses, chatter.under_post.cache_info().misses) == rolled


def test_two_accounts_hear_different_things(clock: Any) -> None:
    network = talk(clock)
    clock.later(days=2)
    one, other = (heard(network.connector(name), None)[0] for name in ("one", "other"))
    assert {mention.created_at for mention in one}.isdisjoint(mention.created_at for mention in other)


def answered(network: SandboxNetwork, clock: Any, mentions: list[Mention]) -> list[Mention]:
    """What comes back when we answer each of these."""
    connector = network.connector("main")
    cursor = cursor_at(clock())
    for mention in mentions:
        connector.publish(Draft("thank you for asking", in_reply_to=mention.ref), f"to {mention.ref.id}")
        clock.now += MOMENT
    clock.now += 2 * chatter.LATEST
    return [back for back in heard(connector, cursor)[0] if back.ref.id.startswith("a")]


def test_now_and_then_a_person_thanks_for_an_answer_in_the_same_thread_and_a_bot_always_does(clock: Any) -> None:
    network = talk(clock)
    said = spoken(network, clock)
    back = answered(network, clock, said)
    by_thread = {mention.thread: mention for mention in said}
    answers = {entry.name: entry for entry in network.ledger.posts("main", None, clock()) if entry.in_reply_to}
    for mention in back:
        assert mention.in_reply_to is not None
        ours = answers[mention.in_reply_to.id]
        first = by_thread[mention.thread]
        assert (first.ref.id, first.author_id) == (ours.in_reply_to, mention.author_id)
        assert mention.created_at > ours.at
    bots = [mention for mention in said if mention.author_is_bot]
    people = len(said) - len(bots)
    assert sum(mention.author_is_bot for mention in back) == len(bots) > 0
    assert 0.15 * people < len(back) - len(bots) < 0.45 * people


def test_a_talk_comes_to_an_end(clock: Any) -> None:
    network = talk(clock)
    back = answered(network, clock, spoken(network, clock, days=5))
    assert back
    assert answered(network, clock, back) == []


def test_an_answer_to_what_nobody_said_is_heard_by_nobody(clock: Any) -> None:
    network = talk(clock)
    names = [
        "m1",
        "m1-99",
        "m999999-0",
        "mx-1",
        "p1-0",
        "p99-0",
        "p1-x",
        "pure nonsense",
        "a7",
        "m-1-2",
        "",
        "p" + "9" * 30,
    ]
    strangers = [Mention(Ref(name), "x", "@x", "?", clock(), "mention") for name in names]
    assert answered(network, clock, strangers) == []


def test_what_is_said_under_a_deleted_post_goes_with_it(clock: Any) -> None:
    network = talk(clock)
    start = cursor_at(clock())
    said = spoken(network, clock, days=5)
    under = next(mention for mention in said if mention.in_reply_to is not None)
    assert under.in_reply_to is not None
    connector = network.connector("main")
    connector.delete(under.in_reply_to)
    left = heard(connector, start)[0]
    assert left == [mention for mention in said if mention.in_reply_to != under.in_reply_to]


def test_nobody_answers_at_once_nor_after_a_week() -> None:
    for luck in range(3000):
        for said in chatter.under_post(1, luck, NOON, 40.0):
            assert chatter.SOONEST <= said.at - NOON <= chatter.LATEST
        back = chatter.after_reply(1, luck, "person-1", NOON)
        assert back is None or chatter.SOONEST <= back.at - NOON <= chatter.LATEST
