"""A person's own answer goes the way of every reply: the rules, the outbox, once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.policy.base import Settings
from bot.replies.answering import CannotAnswer, answer
from storage import outbox
from storage.models import Post, State

ODD = "my cat just walked over the keyboard"


def say(desk: Any, mention_id: int, text: str, **changes: Any) -> Post:
    with desk.db.write() as session:
        return answer(
            session, mention_id, text, desk.clock(), stop_file=desk.stop_file, **({"campaign": "launch"} | changes)
        )


def test_a_held_text_is_answered_in_a_persons_words(desk: Any) -> None:
    said = desk.hear(ODD)
    made = say(desk, said.id, "Cats do that.")
    assert (made.state, made.campaign, made.variant, made.not_before) == (State.PLANNED, "launch", "", desk.clock())
    assert made.approved_digest == made.digest == outbox.digest_of(made.draft)
    assert desk.mention(said.id).outcome == "answered"
    desk.deliver()
    ((draft, _),) = desk.platform.public
    assert (draft.text, draft.in_reply_to.id, draft.in_reply_to.extras) == ("Cats do that.", "m1", "opaque")


def test_a_held_answer_goes_out_in_a_persons_words(desk: Any, campaign: Callable[..., Any], pricing: Any) -> None:
    desk.campaigns = [campaign(pricing, mode="approve")]
    said = desk.hear("how much does it cost?")
    made = say(desk, said.id, "Nothing at all.")
    assert made.id == desk.reply(said).id
    desk.deliver()
    assert [draft.text for draft, _ in desk.platform.public] == ["Nothing at all."]


def test_an_answer_that_is_still_to_go_out_may_be_reworded(desk: Any) -> None:
    said = desk.hear("how much does it cost?")
    made = say(desk, said.id, "Nothing, not even a cent.")
    assert (made.id, made.state) == (desk.reply(said).id, State.PLANNED)
    desk.deliver()
    assert [draft.text for draft, _ in desk.platform.public] == ["Nothing, not even a cent."]


def test_without_a_name_a_campaign_that_answers_on_the_account_does(desk: Any, campaign: Callable[..., Any]) -> None:
    desk.campaigns = [campaign(name="elsewhere", accounts=["fake/other"]), campaign(name="here")]
    said = desk.hear(ODD)
    assert say(desk, said.id, "Cats do that.", campaign=None).campaign == "here"
    nobody = desk.hear(ODD, account="fake/third")
    with pytest.raises(CannotAnswer, match="no campaign answers on fake/third"):
        say(desk, nobody.id, "Cats do that.", campaign=None)


def test_a_text_is_answered_once_whoever_answers(desk: Any) -> None:
    said = desk.hear("how much does it cost?")
    desk.deliver()
    with pytest.raises(CannotAnswer, match=r"has its one reply already \(published\)"):
        say(desk, said.id, "And it is free.")
    assert len(desk.platform.public) == 1


@pytest.mark.parametrize(
    ("said", "rule"), [({"address": "none"}, "R1"), ({"author_is_bot": True}, "R4"), ({"person": "silent"}, "R3")]
)
def test_a_person_too_keeps_the_rules(desk: Any, said: dict[str, Any], rule: str) -> None:
    desk.hear("stop", person="silent")
    row = desk.hear(ODD, **said)
    with pytest.raises(CannotAnswer) as caught:
        say(desk, row.id, "Cats do that.")
    assert caught.value.refused is not None
    assert caught.value.refused.rule == rule
    assert f"(rule {rule})" in str(caught.value)
    assert desk.rows() == []


def test_names_of_third_persons_need_the_campaigns_word(desk: Any) -> None:
    said = desk.hear(ODD)
    with pytest.raises(CannotAnswer, match="P1"):
        say(desk, said.id, "@bob has one too")
    assert say(desk, said.id, "@bob has one too", settings=Settings(mentions_allowed=frozenset({"bob"})))


def test_a_text_too_long_for_the_platform_is_told_where_it_is_known(desk: Any) -> None:
    said = desk.hear(ODD)
    with pytest.raises(CannotAnswer, match="P9"):
        say(desk, said.id, "Cats! " * 100, able=desk.abilities("fake/main"))


def test_while_everything_is_stopped_a_persons_answer_waits(desk: Any) -> None:
    said = desk.hear(ODD)
    desk.stop_file.touch()
    made = say(desk, said.id, "Cats do that.")
    assert (made.state, made.not_before) == (State.PLANNED, desk.clock() + timedelta(minutes=1))
    desk.later(minutes=2)
    desk.deliver()
    assert desk.platform.public == []
    desk.stop_file.unlink()
    desk.later(minutes=2)
    desk.deliver()
    assert len(desk.platform.public) == 1


@pytest.mark.parametrize(("mention_id", "text", "words"), [(99, "hello", "no mention 99"), (1, "  ", "needs words")])
def test_what_cannot_be_answered_is_told(desk: Any, mention_id: int, text: str, words: str) -> None:
    desk.hear(ODD)
    with pytest.raises(CannotAnswer, match=words):
        say(desk, mention_id, text)
