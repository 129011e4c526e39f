"""Each thing people say gets one fate: silence, a refusal, a person's turn, or the stored answer in the outbox."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import Capabilities
from storage import mentions, outbox
from storage.models import State

ASKS = "how much does it cost?"


def test_a_question_a_rule_matches_gets_the_stored_answer_under_it(desk: Any) -> None:
    said = desk.hear(ASKS)
    post = desk.reply(said)
    assert post.draft == {
        "text": "It is free: https://lanternfish.example/license",
        "kind": "text",
        "in_reply_to": {"id": "m1", "extras": "opaque"},
    }
    assert (post.kind, post.item, post.variant, post.campaign) == ("reply", f"reply:{said.id}", "pricing", "launch")
    assert (post.state, post.not_before, post.zone) == (State.PLANNED, desk.clock(), "UTC")
    assert post.local_slot == "2026-11-24T11:57"
    assert post.digest == outbox.digest_of(post.draft)
    assert post.approved_digest is None
    assert (said.outcome, said.intent, said.rule) == ("answered", "pricing", None)
    assert said.similarity is not None
    assert said.reason.startswith("matches pricing .")


def test_what_no_rule_matches_waits_for_a_person_who_is_told_the_nearest(desk: Any) -> None:
    said = desk.hear("my cat just walked over the keyboard")
    assert said.outcome == "held"
    assert said.reason.startswith("no rule matches; nearest: ")
    assert said.intent is None
    assert desk.rows() == []


def test_a_campaign_without_rules_holds_everything(desk: Any, campaign: Callable[..., Any]) -> None:
    desk.campaigns = [campaign(replies={"rules": []})]
    said = desk.hear(ASKS)
    assert (said.outcome, said.reason) == ("held", "no rule matches")


def test_what_was_not_said_to_us_is_ignored(desk: Any) -> None:
    said = desk.hear(ASKS, address="none")
    assert (said.outcome, said.rule) == ("ignored", "R1")
    assert desk.rows() == []
    assert desk.refusals() == []


def test_where_only_mentions_may_be_answered_a_mere_reply_is_refused(desk: Any) -> None:
    desk.capabilities = Capabilities(reply_only_when_mentioned=True)
    assert desk.hear(ASKS, address="reply").rule == "R1"
    assert desk.rows() == []
    assert desk.hear(ASKS, address="quote").outcome == "answered"


@pytest.mark.parametrize("who", [{"author_is_bot": True}, {"person": "us"}, {"person": "our other account"}])
def test_bots_and_ourselves_get_no_answer(desk: Any, campaign: Callable[..., Any], who: dict[str, Any]) -> None:
    desk.campaigns.append(campaign(name="other", accounts=["fake/other"]))
    desk.ours["fake/other"] = frozenset({"our other account"})
    said = desk.hear(ASKS, **who)
    assert (said.outcome, said.rule) == ("refused", "R4")
    assert desk.rows() == []
    (row,) = desk.refusals()
    assert (row.rule, row.stage, row.mention_id, row.account) == ("R4", "reply", said.id, "fake/main")
    assert row.words == said.reason


def test_who_may_not_be_answered_is_nobodys_turn(desk: Any) -> None:
    odd = "my cat just walked over the keyboard"
    assert desk.hear(odd, address="none").outcome == "ignored"
    assert desk.hear(odd, author_is_bot=True).outcome == "refused"


def test_one_text_that_reaches_two_of_our_accounts_is_answered_once(desk: Any, campaign: Callable[..., Any]) -> None:
    desk.campaigns = [campaign(accounts=["fake/main", "fake/other"])]
    first = desk.hear(ASKS, ref="same")
    second = desk.hear(ASKS, ref="same", account="fake/other")
    assert first.outcome == "answered"
    assert (second.outcome, second.rule) == ("refused", "R2")


def test_a_mode_that_asks_first_holds_the_answer(desk: Any, campaign: Callable[..., Any], pricing: Any) -> None:
    desk.campaigns = [campaign(pricing | {"mode": "approve"})]
    said = desk.hear(ASKS)
    post = desk.reply(said)
    assert (post.state, post.rule) == (State.HELD, "S3")
    assert post.reason == "campaign launch asks a person before it answers pricing"
    assert (said.outcome, said.rule) == ("answered", "S3")
    desk.deliver()
    assert desk.platform.public == []


def test_in_mode_draft_the_answer_is_only_suggested(desk: Any, campaign: Callable[..., Any], pricing: Any) -> None:
    desk.campaigns = [campaign(pricing, mode="draft")]
    said = desk.hear(ASKS)
    assert (said.outcome, said.intent) == ("held", "pricing")
    assert said.reason.endswith("the stored answer would be: It is free: https://lanternfish.example/license")
    assert desk.rows() == []


@pytest.mark.parametrize(
    ("rule", "replies", "whole", "state"),
    [
        ("auto", "approve", "draft", State.PLANNED),
        (None, "approve", "auto", State.HELD),
        (None, None, "auto", State.PLANNED),
        (None, None, "approve", State.HELD),
    ],
)
def test_the_nearest_word_on_the_mode_counts(
    desk: Any, campaign: Callable[..., Any], pricing: Any, rule: Any, replies: Any, whole: str, state: State
) -> None:
    desk.campaigns = [campaign(pricing | {"mode": rule}, mode=whole, replies={"mode": replies})]
    assert desk.reply(desk.hear(ASKS)).state == state


def test_of_several_campaigns_on_an_account_the_best_match_answers(
    desk: Any, campaign: Callable[..., Any], pricing: Any, docs: Any
) -> None:
    desk.campaigns = [campaign(docs, name="manual"), campaign(pricing, name="shop")]
    assert desk.reply(desk.hear("how much does it cost")).campaign == "shop"
    assert desk.reply(desk.hear("where is the documentation?", person="bob")).campaign == "manual"


def test_a_campaign_elsewhere_does_not_answer_here(desk: Any, campaign: Callable[..., Any]) -> None:
    desk.campaigns = [campaign(accounts=["fake/other"])]
    assert desk.hear(ASKS).outcome == "held"


def test_an_old_question_is_answered_only_after_a_person_looked(desk: Any) -> None:
    said = desk.hear(ASKS, created_at=desk.clock() - timedelta(days=3))
    post = desk.reply(said)
    assert (post.state, post.rule) == (State.HELD, None)
    assert post.reason == "the question is 3 days old; please look before it is answered"
    assert desk.reply(desk.hear(ASKS, person="bob", created_at=desk.clock() - timedelta(hours=20))).state == "planned"


def test_the_fourth_answer_to_one_person_a_day_waits_for_a_person(desk: Any) -> None:
    states = [desk.reply(desk.hear(ASKS)).state for _ in range(4)]
    assert states == [State.PLANNED] * 3 + [State.HELD]
    assert [row.rule for row in desk.refusals()] == ["S4"]
    assert desk.rows()[-1].rule == "S4"


def test_while_everything_is_stopped_answers_wait_for_a_person(desk: Any) -> None:
    desk.stop_file.touch()
    said = desk.hear(ASKS)
    assert (desk.reply(said).state, said.rule) == (State.HELD, "S1")


def test_an_answer_that_breaks_a_rule_is_refused_for_good(
    desk: Any, campaign: Callable[..., Any], pricing: Any
) -> None:
    desk.campaigns = [campaign(pricing | {"answer": "Ask @somebody, it is free"})]
    said = desk.hear(ASKS)
    assert (said.outcome, said.rule, said.intent) == ("refused", "P1", "pricing")
    desk.campaigns = [campaign(pricing | {"answer": "It is free. " * 60})]
    desk.at_work = None
    assert desk.hear(ASKS, person="bob").rule == "P9"
    assert desk.rows() == []


def test_a_campaign_may_allow_the_names_and_hashtags_of_its_answers(
    desk: Any, campaign: Callable[..., Any], pricing: Any
) -> None:
    answer = pricing | {"answer": "Ask @somebody, it is #free"}
    desk.campaigns = [campaign(answer, mentions_allowed=["somebody"], hashtags=["free"])]
    assert desk.hear(ASKS).outcome == "answered"


@pytest.mark.parametrize("text", ["stop", "bitte nicht mehr schreiben", "arrêtez de me contacter svp", "連絡しないで"])
def test_who_asks_for_silence_gets_it_for_good_and_from_every_campaign(
    desk: Any, campaign: Callable[..., Any], text: str
) -> None:
    desk.campaigns = [campaign(name="one", accounts=["fake/main"]), campaign(name="two", accounts=["fake/other"])]
    pending = [desk.hear(ASKS), desk.hear("where is the documentation", account="fake/other")]
    held = desk.hear("my cat just walked over the keyboard")
    other = desk.hear(ASKS, person="bob")
    stop = desk.hear(text)
    assert (stop.outcome, stop.rule) == ("refused", "R3")
    for before in pending:
        assert desk.reply(before).state == State.CANCELLED
        assert desk.reply(before).rule == "R3"
    assert [desk.mention(row.id).outcome for row in (*pending, held)] == ["refused"] * 3
    assert desk.reply(other).state == State.PLANNED
    desk.later(days=400)
    again = desk.hear(ASKS, account="fake/other")
    assert (again.outcome, again.rule) == ("refused", "R3")
    with desk.db.read() as session:
        assert mentions.is_do_not_contact(session, "ann")
        assert not mentions.is_do_not_contact(session, "bob")
    assert {row.rule for row in desk.refusals()} == {"R3"}


def test_a_stop_word_between_claim_and_send_still_stops_the_answer(desk: Any) -> None:
    said = desk.hear(ASKS)
    with desk.db.write() as session:
        outbox.claim_due(session, desk.clock(), "worker", 5)
    desk.hear("stop")
    assert desk.reply(said).state == State.CANCELLED


def test_the_gate_sees_the_person_behind_a_reply(desk: Any) -> None:
    said = desk.hear(ASKS)
    with desk.db.write() as session:
        mentions.do_not_contact(session, "ann", "fake", "by hand", datetime(2026, 11, 24, tzinfo=UTC))
    desk.deliver()
    assert desk.platform.public == []
    assert (desk.reply(said).state, desk.reply(said).rule) == (State.CANCELLED, "R3")


def test_a_mention_triaged_again_gets_no_second_answer(desk: Any) -> None:
    said = desk.hear(ASKS)
    for _ in range(2):
        with desk.db.write() as session:
            desk.triage()(session, session.merge(said))
        desk.deliver()
    assert len(desk.rows()) == len(desk.platform.public) == 1


def test_the_key_of_an_answer_is_the_same_at_every_try_and_its_own_elsewhere(new_desk: Callable[[], Any]) -> None:
    one, other = new_desk(), new_desk()
    keys = [desk.reply(desk.hear(ASKS)).key for desk in (one, other)]
    assert keys[0] == keys[1]
    assert desk_key(other) not in keys


def desk_key(desk: Any) -> str:
    return str(desk.reply(desk.hear(ASKS, person="bob")).key)
