"""The rulebook as a whole: each rule is needed, the first refusal wins, and the page says what the code does."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import bot.policy.base as words
from bot.policy.ahead import Ahead
from bot.policy.base import Facts, Proposal, Rule, Settings, Stage
from bot.policy.page import page
from bot.policy.plain import PlainFacts, Said
from bot.policy.rulebook import RULES, permit, split
from connectors.base import Capabilities, Connector

ROOT = Path(__file__).parent.parent.parent
Propose = Callable[..., Proposal]


@dataclass(frozen=True)
class Case:
    """A proposal that one rule alone refuses."""

    proposal: Proposal
    stage: Stage
    facts: PlainFacts = field(default_factory=PlainFacts)
    settings: Settings = field(default_factory=Settings)


def _cases(post: Propose, reply: Propose, nine: datetime) -> dict[str, Case]:
    before = [Said(post(f"text number {n}", at=nine - timedelta(minutes=20 * n))) for n in (1, 2)]
    real = Capabilities(simulated=False)
    other = Said(post(account="sandbox/second", at=nine - timedelta(days=3)))
    return {
        "S1": Case(post(), "gate", PlainFacts(stop="enough")),
        "S2": Case(post(capabilities=real), "gate"),
        "S3": Case(post(needs_approval=True), "gate"),
        "S4": Case(post(post_id=9), "gate", PlainFacts(before)),
        "S5": Case(post(), "gate", PlainFacts(pauses={"sandbox/main": "three failures"})),
        "R1": Case(reply(address="none"), "reply"),
        "R2": Case(reply(), "reply", PlainFacts([Said(reply())])),
        "R3": Case(reply(), "reply", PlainFacts(silent={"ann"})),
        "R4": Case(reply(author_is_bot=True), "reply"),
        "P1": Case(post("Thanks @stranger"), "gate"),
        "P2": Case(post(), "gate", PlainFacts([other])),
        "P3": Case(post("Look #trending"), "gate", settings=Settings(hashtags=frozenset({"opensource"}))),
        "P9": Case(post(length=501, max_length=500), "gate"),
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_without_this_rule_something_slips_through(rule: Rule, post: Propose, reply: Propose, nine: datetime) -> None:
    case = _cases(post, reply, nine)[rule.id]
    others = [kept for kept in RULES if kept is not rule]

    refused = permit(case.proposal, case.facts, case.settings, case.stage)
    assert refused is not None
    assert (refused.rule, refused.source) == (rule.id, rule.source)
    assert permit(case.proposal, case.facts, case.settings, case.stage, others) is None


def test_the_rulebook_holds_exactly_these_rules_in_this_order() -> None:
    ids = ["S1", "S2", "R1", "R2", "R3", "R4", "P1", "P2", "P3", "P9", "S5", "S3", "S4"]
    assert [rule.id for rule in RULES] == ids


def test_each_rule_is_asked_at_the_gate() -> None:
    assert all("gate" in rule.stages for rule in RULES)


def test_a_rule_is_not_asked_at_a_stage_it_does_not_name(post: Propose) -> None:
    stopped = PlainFacts(stop="enough")
    assert permit(post(), stopped, Settings(), "plan") is None
    assert permit(post(), stopped, Settings(), "validate") is None


def test_harmless_drafts_pass_every_stage(post: Propose, reply: Propose) -> None:
    stages: tuple[Stage, ...] = ("validate", "plan", "reply", "gate")
    assert [permit(post(), PlainFacts(), Settings(), stage) for stage in stages] == [None] * 4
    assert [permit(reply(), PlainFacts(), Settings(), stage) for stage in stages] == [None] * 4


def test_the_first_rule_that_refuses_decides(post: Propose) -> None:
    bad = post("Thanks @stranger #1 #a #b #c #d #e #f", length=9, max_length=1)
    assert [
        refused.rule
        for place in range(len(RULES))
        if (refused := permit(bad, PlainFacts(), Settings(), "plan", RULES[place:])) is not None
    ] == ["P1"] * 7 + ["P3"] * 2 + ["P9"]


def test_split_gives_back_both_halves_with_reasons(post: Propose) -> None:
    good, bad = post(), post("Thanks @stranger")
    halves = split([good, bad], PlainFacts(), Settings(), "plan")
    assert halves.kept == (good,)
    assert [(proposal, refused.rule) for proposal, refused in halves.removed] == [(bad, "P1")]


def test_split_takes_the_settings_of_each_proposals_own_campaign(post: Propose) -> None:
    one, two = post("Thanks @ann", campaign="one"), post("Thanks @ann", campaign="two")
    halves = split([one, two], PlainFacts(), {"one": Settings(mentions_allowed=frozenset({"ann"}))}, "plan")
    assert halves.kept == (one,)
    assert [proposal for proposal, _ in halves.removed] == [two]


def test_a_proposal_without_a_zone_is_a_mistake(post: Propose) -> None:
    with pytest.raises(ValueError, match="naive"):
        permit(post(at=datetime(2026, 11, 24, 9)), PlainFacts(), Settings(), "plan")  # noqa: DTZ001


def test_policy_knows_no_word_for_a_score() -> None:
    types = [kind for _, kind in inspect.getmembers(words, inspect.isclass) if kind.__module__ == words.__name__]
    names = {name for kind in types for name in getattr(kind, "__annotations__", {})}
    assert not names & {"score", "mean", "sd", "propensity", "forecast", "prediction"}


def test_connectors_have_only_these_verbs() -> None:
    verbs = {name for name in vars(Connector) if not name.startswith("_")}
    assert verbs == {
        "capabilities",
        "check",
        "limits",
        "length",
        "publish",
        "find",
        "measure",
        "own_posts",
        "mentions",
        "delete",
    }


def test_the_page_of_rules_is_printed_from_the_rules() -> None:
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == page()
    assert all(f"| {rule.id} |" in page() for rule in RULES)


def test_words_for_a_person_are_one_line_with_numbers(post: Propose, reply: Propose, nine: datetime) -> None:
    for case in _cases(post, reply, nine).values():
        refused = permit(case.proposal, case.facts, case.settings, case.stage)
        assert refused is not None
        assert "\n" not in refused.words
        assert len(refused.words) > 20
    hour = _cases(post, reply, nine)["S4"]
    assert permit(hour.proposal, hour.facts, hour.settings, "gate") == words.Refused(
        "S4",
        "Kairos safety design",
        "2 posts already go out between 08:20 and 09:20 UTC on 2026-11-24 on sandbox/main; the cap is 2 an hour",
        "later",
        datetime(2026, 11, 24, 9, 20, tzinfo=UTC),
    )


def test_chosen_proposals_count_as_planned(post: Propose, reply: Propose, nine: datetime) -> None:
    facts = PlainFacts([Said(post("one thing", at=nine + timedelta(minutes=5)))])
    ahead = Ahead(facts)
    another = post("another matter entirely", at=nine + timedelta(minutes=10))
    assert permit(another, ahead, Settings(), "plan") is None
    ahead.choose(post("a second", at=nine))
    assert permit(another, ahead, Settings(), "plan") is not None
    assert permit(replace(another, post_id=1), ahead, Settings(), "gate") is None

    twice = Ahead(PlainFacts(), [post(account="sandbox/second")])
    assert _rule(post(), twice) == "P2"
    assert _rule(reply(), Ahead(PlainFacts(), [reply()]), "reply") == "R2"
    crowd = [reply(f"m{n}", person="ann", thread="t") for n in range(2, 7)]
    assert _rule(reply(person="bob", thread="t"), Ahead(PlainFacts(), crowd), "reply") == "R4"
    assert _rule(reply(), Ahead(PlainFacts(), crowd[:3]), "reply") == "S4"


def test_what_lies_below_the_chosen_is_still_asked(post: Propose, reply: Propose) -> None:
    below = PlainFacts(stop="enough", pauses={"sandbox/main": "why"}, silent={"ann"})
    ahead = Ahead(below)
    assert (ahead.stopped(), ahead.paused("sandbox/main"), ahead.do_not_contact("ann")) == ("enough", "why", True)
    assert ahead.replies_above("sandbox/main", "x") == 0
    assert list(ahead.texts("sandbox", post().at, post().at, planned=False)) == []


def _rule(proposal: Proposal, facts: Facts, stage: Stage = "plan", **settings: Any) -> str | None:
    refused = permit(proposal, facts, Settings(**settings), stage)
    return None if refused is None else refused.rule
