"""Rules R: only those who address us, once, never those who asked for silence, never in circles."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.policy.base import Proposal, Refused, Settings
from bot.policy.plain import PlainFacts, Said
from bot.policy.rulebook import permit
from connectors.base import Capabilities, Draft, Ref

Propose = Callable[..., Proposal]
STRICT = Capabilities(simulated=True, reply_only_when_mentioned=True)


def ask(proposal: Proposal, facts: PlainFacts | None = None) -> Refused | None:
    at_gate = permit(proposal, facts or PlainFacts(), Settings(), "gate")
    assert at_gate == permit(proposal, facts or PlainFacts(), Settings(), "reply")
    return at_gate


def rule(proposal: Proposal, facts: PlainFacts | None = None) -> str | None:
    refused = ask(proposal, facts)
    assert refused is None or refused.then == "cancel"
    return None if refused is None else refused.rule


@pytest.mark.parametrize(
    ("address", "anywhere", "strictly"),
    [
        ("mention", None, None),
        ("quote", None, None),
        ("reply", None, "R1"),
        ("comment", None, "R1"),
        ("none", "R1", "R1"),
    ],
)
def test_who_may_be_answered_depends_on_how_they_address_us(
    reply: Propose, address: str, anywhere: str | None, strictly: str | None
) -> None:
    assert rule(reply(address=address)) == anywhere
    assert rule(reply(address=address, capabilities=STRICT)) == strictly


def test_a_reply_to_a_text_that_never_reached_us_is_refused_at_every_stage(post: Propose) -> None:
    stray = post(draft=Draft("Hello!", in_reply_to=Ref("stranger")))
    for stage in ("validate", "plan", "reply", "gate"):
        refused = permit(stray, PlainFacts(), Settings(), stage)
        assert refused is not None
        assert refused.rule == "R1"


def test_a_reply_must_stand_under_the_text_it_answers(reply: Propose) -> None:
    assert rule(replace(reply("m1"), draft=Draft("Hello!", in_reply_to=Ref("m2")))) == "R1"
    assert rule(replace(reply("m1"), draft=Draft("Hello!"))) == "R1"


def test_a_text_is_answered_once_whatever_the_account_or_campaign(reply: Propose) -> None:
    before = PlainFacts([Said(reply("m1", account="sandbox/second", campaign="other", post_id=4))])
    assert rule(reply("m1"), before) == "R2"
    assert rule(reply("m2"), before) is None
    assert rule(reply("m1", account="elsewhere/main"), before) is None


def test_a_reply_does_not_count_as_its_own_predecessor(reply: Propose) -> None:
    assert rule(reply("m1", post_id=4), PlainFacts([Said(reply("m1", post_id=4), out=False)])) is None


def test_who_asked_for_silence_is_never_answered_again(reply: Propose) -> None:
    facts = PlainFacts(silent={"ann"})
    assert rule(reply(person="ann", campaign="quite-another"), facts) == "R3"
    assert rule(reply(person="bob"), facts) is None


def test_neither_ourselves_nor_bots_are_answered(reply: Propose) -> None:
    assert rule(reply(author_is_us=True)) == "R4"
    assert rule(reply(author_is_bot=True)) == "R4"


@pytest.mark.parametrize(("depth", "expected"), [(0, None), (1, None), (2, "R4"), (3, "R4")])
def test_a_chain_holds_two_replies_of_ours(reply: Propose, depth: int, expected: str | None) -> None:
    assert rule(reply(depth=depth)) == expected


@pytest.mark.parametrize(("before", "expected"), [(4, None), (5, "R4")])
def test_a_thread_holds_five_replies_of_ours(reply: Propose, before: int, expected: str | None) -> None:
    facts = PlainFacts([Said(reply(f"m{n}", person=f"p{n}", thread="t")) for n in range(before)])
    assert rule(reply("new", thread="t"), facts) == expected
    assert rule(reply("new", thread="u"), facts) is None
    assert rule(reply("new", thread=None), facts) is None
    assert rule(reply("new", thread="t", account="sandbox/second"), facts) is None


def test_a_post_is_none_of_these_rules_business(post: Propose) -> None:
    assert rule(post(), PlainFacts(silent={"ann"})) is None
