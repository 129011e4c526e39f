"""From end to end: a network speaks, we listen, the outbox answers, each text at most once, and never for ever."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from bot.attention.encoder import StaticEncoder
from bot.campaign.loading import load_campaign
from bot.policy.addressing import MOST_ABOVE
from connectors.audience import EPOCH, AudienceSettings
from connectors.base import Connector, Draft, MentionPage, Receipt, Ref
from connectors.sandbox import SandboxNetwork
from scheduler.listen import listen
from storage.mentions import author_hash
from storage.models import Inbound

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
ACCOUNT = "sandbox/main"
KEY = b"k" * 32


class InPages:
    """A connector whose mentions come two at a time, and which remembers under which texts we replied."""

    def __init__(self, whole: Connector) -> None:
        self.whole = whole
        self.replied: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)

    def publish(self, draft: Draft, key: str) -> Receipt:
        receipt = self.whole.publish(draft, key)
        assert draft.in_reply_to is not None
        self.replied.append(draft.in_reply_to.id)
        return receipt

    def mentions(self, cursor: str | None) -> MentionPage:
        page = self.whole.mentions(cursor)
        if len(page.mentions) <= 2:
            return page
        first = page.mentions[:2]
        return MentionPage(first, str((first[-1].created_at - EPOCH) // timedelta(microseconds=1)))


class Simulation:
    """The sandbox network and one installation that answers on it."""

    def __init__(self, desk: Any, *files: str, per_day: float = 15.0) -> None:
        self.desk = desk
        settings = AudienceSettings(mentions_per_day=per_day)
        self.network = SandboxNetwork(desk.clock, StaticEncoder.load().encode, seed=7, settings=settings)
        self.connector = InPages(self.network.connector(ACCOUNT))
        desk.campaigns = [load_campaign(EXAMPLES / file, {}) for file in files]
        desk.ours = {ACCOUNT: frozenset({author_hash(KEY, "sandbox", self.connector.check().account_id)})}
        self.triage = desk.triage()

    def listen(self, triage: Callable[[Session, Inbound], None] | None = None) -> int:
        return listen(
            self.desk.db, lambda account: self.connector, [ACCOUNT], self.desk.clock, KEY, triage or self.triage
        )

    def deliver(self) -> None:
        self.desk.deliver(lambda account: self.connector)

    def replies(self) -> list[str]:
        """The texts our public replies stand under."""
        return self.connector.replied

    def answers(self) -> list[tuple[str, str]]:
        """What the outbox holds, by the text it answers, with its state."""
        return sorted((row.draft["in_reply_to"]["id"], row.state.value) for row in self.desk.rows())

    def said(self) -> list[Inbound]:
        with self.desk.db.read() as session:
            return list(session.exec(select(Inbound)).all())


@pytest.fixture
def simulation(desk: Any) -> Simulation:
    return Simulation(desk, "launch-week.yaml", "community-replies.yaml")


def test_in_a_week_on_the_network_questions_are_answered_and_each_text_once(simulation: Simulation) -> None:
    for _ in range(7 * 4):
        simulation.listen()
        simulation.listen()
        simulation.deliver()
        simulation.desk.later(hours=6)
    replies = simulation.replies()
    assert len(replies) >= 10
    assert set(Counter(replies).values()) == {1}
    outcomes = Counter(row.outcome for row in simulation.said())
    assert set(outcomes) == {"answered", "held", "refused", "ignored"}
    answered = {row.ref for row in simulation.said() if row.outcome == "answered"}
    assert set(replies) <= answered
    assert {row.rule for row in simulation.desk.refusals()} >= {"R3", "R4"}


def test_nobody_who_asked_for_silence_is_ever_answered_again(simulation: Simulation) -> None:
    silent: set[str] = set()
    for _ in range(10):
        simulation.listen()
        before = len(simulation.replies())
        simulation.deliver()
        authors = {row.ref: row.author_hash for row in simulation.said()}
        assert not {authors[ref] for ref in simulation.replies()[before:]} & silent
        silent |= {row.author_hash for row in simulation.said() if row.rule == "R3"}
        simulation.desk.later(hours=12)
    assert silent


def test_bots_and_bystanders_are_never_answered(simulation: Simulation) -> None:
    for _ in range(10):
        simulation.listen()
        simulation.deliver()
        simulation.desk.later(hours=12)
    said = {row.ref: row for row in simulation.said()}
    assert all(not said[ref].author_is_bot and said[ref].address != "none" for ref in simulation.replies())
    assert any(row.author_is_bot for row in said.values())


@pytest.mark.parametrize("dies_at", [1, 3, 6])
def test_a_crash_while_listening_costs_no_answer_and_doubles_none(new_desk: Callable[[], Any], dies_at: int) -> None:
    whole, broken = (Simulation(new_desk(), "launch-week.yaml") for _ in range(2))
    whole.listen()
    met = 0

    def dies(session: Session, inbound: Inbound) -> None:
        nonlocal met
        broken.triage(session, inbound)
        met += 1
        if met == dies_at:
            raise RuntimeError("the process dies")

    with pytest.raises(RuntimeError, match="dies"):
        broken.listen(dies)
    broken.listen()
    assert broken.answers() == whole.answers() != []
    outcomes = [Counter(row.outcome for row in simulation.said()) for simulation in (whole, broken)]
    assert outcomes[0] == outcomes[1]


class Duet:
    """Two installations whose accounts see each other's replies; neither says that it is a bot."""

    def __init__(self, new_desk: Callable[[], Any], campaign: Callable[..., Any], rule: Any) -> None:
        self.desks = {"ann": new_desk(), "bob": new_desk()}
        for name, desk in self.desks.items():
            # Each one's answer is the very question the other answers.
            desk.campaigns = [campaign(rule | {"answer": "how much does it cost?", "link": None})]
            desk.platform.name = name
        self.told = {"ann": 0, "bob": 0}

    def pass_on(self, name: str, other: str, thread: str | None) -> int:
        """Let `other` hear what `name` has said since; gives back how much that was."""
        news = self.desks[name].platform.public[self.told[name] :]
        self.told[name] += len(news)
        for draft, ref in news:
            self.desks[other].hear(
                draft.text, person=name, ref=ref.id, address="reply", in_reply_to=draft.in_reply_to.id, thread=thread
            )
            self.desks[other].deliver()
        return len(news)


@pytest.mark.parametrize("thread", ["t", None])
def test_two_installations_that_answer_each_other_fall_silent(
    new_desk: Callable[[], Any], campaign: Callable[..., Any], pricing: Any, thread: str | None
) -> None:
    duet = Duet(new_desk, campaign, pricing)
    duet.desks["ann"].hear("how much does it cost?", person="bob", ref="by-hand", thread=thread)
    duet.desks["ann"].deliver()
    assert len(duet.desks["ann"].platform.public) == 1
    for _ in range(30):
        duet.pass_on("ann", "bob", thread)
        duet.pass_on("bob", "ann", thread)
        for desk in duet.desks.values():
            desk.deliver()
        duet.desks["ann"].later(days=1)
    sent = {name: len(desk.platform.public) for name, desk in duet.desks.items()}
    assert sent == {"ann": MOST_ABOVE, "bob": MOST_ABOVE}
    assert {row.rule for desk in duet.desks.values() for row in desk.refusals()} == {"R4"}


def test_a_person_in_a_long_talk_is_left_to_people_after_two_answers(desk: Any) -> None:
    above = None
    for turn in range(4):
        said = desk.hear("how much does it cost?", ref=f"q{turn}", in_reply_to=above, address="reply", thread="t")
        desk.deliver()
        desk.later(days=1)
        if desk.reply(said) is None:
            assert said.rule == "R4"
            break
        above = desk.platform.public[-1][1].id
    assert len(desk.platform.public) == MOST_ABOVE


def test_the_network_in_pages_says_what_it_says_at_once(desk: Any) -> None:
    simulation = Simulation(desk, "community-replies.yaml")
    whole = simulation.connector.whole.mentions(None).mentions
    cursor, found = None, []
    while page := simulation.connector.mentions(cursor):
        found += page.mentions
        if page.cursor == cursor:
            break
        cursor = page.cursor
    assert found == list(whole)
    assert found[0].ref != Ref("")
