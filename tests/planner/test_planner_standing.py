"""What stands in the outbox, what policy refuses, and what a person or a platform said no to is respected."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.planner.plan import plan
from bot.policy.base import Proposal
from bot.policy.plain import PlainFacts, Said
from connectors.base import Capabilities, Draft
from scheduler.drafts import to_json
from storage.models import State
from storage.outbox import digest_of

FIRM = [State.PUBLISHED, State.SENDING, State.UNKNOWN, State.CLAIMED, State.PLANNED, State.HELD]


def reasons(made: Any) -> dict[str, str]:
    return {each.item: each.reason for each in made.unplaced}


def said(
    text: str, at: Any, *, account: str = "sandbox/main", campaign: str = "launch", item: str = "x", **out: bool
) -> Said:
    platform = account.partition("/")[0]
    return Said(Proposal(account, platform, campaign, item, Draft(text), at, Capabilities(simulated=True)), **out)


@pytest.mark.parametrize("state", FIRM)
def test_a_post_that_stands_is_not_planned_again(make: Any, state: State) -> None:
    standing = [make.stand("p0", "2026-11-25T12:00", state)]
    made = plan(make.campaign(make.items(2)), make.desk(standing=standing))
    assert [post.item for post in made.posts] == ["p1"]
    assert made.unplaced == ()


@pytest.mark.parametrize("state", [State.PLANNED, State.HELD])
def test_what_nobody_has_touched_is_planned_again_as_if_it_were_not_there(make: Any, state: State) -> None:
    campaign = make.campaign(make.items(1), when={"posts_per_week": 1})
    fresh = plan(campaign, make.desk())
    old = make.stand("p0", "2026-11-25T12:00", state, untouched=True)
    facts = PlainFacts([said(make.texts[0], old.at, item="p0", out=False)] if state is State.PLANNED else [])
    again = plan(campaign, make.desk(standing=[old], facts=facts))
    assert again.posts == fresh.posts
    assert again.posts[0].removed == ()


def test_what_is_taken_back_does_not_count_for_the_caps(make: Any) -> None:
    old = make.stand("p0", "2026-11-23T12:00", State.PLANNED, untouched=True)
    other = said("Something else.", old.at + timedelta(minutes=10), campaign="other", out=False)
    facts = PlainFacts([said("The former wording.", old.at, item="p0", out=False), other])
    campaign = make.campaign(make.items(1), when={"pick": "fixed", "at": ["12:00"], "spacing": "5m"})
    made = plan(campaign, make.desk(standing=[old], facts=facts))
    assert made.posts[0].slot.local == "2026-11-23T12:00"
    assert made.posts[0].removed == ()


def test_what_is_about_to_go_out_is_left_alone(make: Any) -> None:
    near = make.monday + timedelta(minutes=5)
    standing = [make.stand("p0", "2026-11-23T06:35", State.PLANNED, untouched=True)]
    assert standing[0].slot_at == near
    assert plan(make.campaign(make.items(1)), make.desk(standing=standing)).posts == ()


def test_rows_of_another_campaign_are_never_taken_back(make: Any) -> None:
    other = make.stand("p0", "2026-11-25T12:00", State.PLANNED, untouched=True, campaign="other")
    facts = PlainFacts([said(make.texts[0], other.at, item="p0", campaign="other", out=False)])
    made = plan(make.campaign(make.items(1)), make.desk(standing=[other], facts=facts))
    assert made.posts == ()
    assert reasons(made)["p0"].startswith("all 81 candidates refused by P2: sandbox/main says the same on 2026-11-25")


def test_a_held_post_whose_slot_is_past_waits_for_its_person(make: Any) -> None:
    standing = [make.stand("p0", "2026-11-20T12:00", State.HELD, untouched=True)]
    made = plan(make.campaign(make.items(1)), make.desk(standing=standing))
    assert made.posts == ()
    assert reasons(made) == {
        "p0": "it waits for a person, and its slot 2026-11-20 12:00 is past: approve or reject it",
    }


def test_a_persons_no_lasts_until_the_wording_changes(make: Any) -> None:
    no = make.stand("p0", "2026-11-25T12:00", State.CANCELLED, digest=digest_of(to_json(Draft(make.texts[0]))))
    made = plan(make.campaign(make.items(1)), make.desk(standing=[no]))
    assert made.posts == ()
    assert reasons(made) == {"p0": "a person said no to it; change its wordings and it is planned again"}
    changed = make.campaign([{"id": "p0", "text": make.texts[5]}])
    assert [post.item for post in plan(changed, make.desk(standing=[no])).posts] == ["p0"]


def test_a_rejected_time_of_a_recurring_post_is_skipped(make: Any) -> None:
    posts = [{"id": "tip", "text": make.texts[9], "recurring": {"every": "7d", "times": 2}}]
    digest = digest_of(to_json(Draft(make.texts[9])))
    no = make.stand("tip", "2026-11-24T12:00", State.CANCELLED, digest=digest)
    made = plan(make.campaign(posts), make.desk(standing=[no], days=40))
    assert [post.slot.at >= no.slot_at + timedelta(days=7) for post in made.posts] == [True, True]


def test_what_a_rule_dropped_gets_another_slot(make: Any) -> None:
    late = make.stand("p0", "2026-11-23T12:00", State.CANCELLED, rule="late", reason="too late")
    campaign = make.campaign(make.items(1), when={"pick": "fixed", "at": ["12:00", "18:00"]})
    made = plan(campaign, make.desk(standing=[late]))
    assert [post.slot.local for post in made.posts] == ["2026-11-23T18:00"]
    exact = make.campaign([{"id": "p0", "text": make.texts[0], "at": "2026-11-23T12:00"}])
    assert "was given up before" in reasons(plan(exact, make.desk(standing=[late])))["p0"]


def test_a_wording_that_the_platform_refused_is_not_said_again(make: Any) -> None:
    variants = [{"id": "a", "text": make.texts[0]}, {"id": "b", "text": make.texts[1]}]
    failed = [
        make.stand("p0", f"2026-11-2{n}T12:00", State.FAILED, digest=digest_of(to_json(Draft(text))), reason="no good")
        for n, text in enumerate(make.texts[:2])
    ]
    campaign = make.campaign([{"id": "p0", "variants": variants}])
    one = plan(campaign, make.desk(standing=failed[:1])).posts[0]
    assert {option.variant for option in one.options} == {"b"}
    none = plan(campaign, make.desk(standing=failed))
    assert reasons(none)["p0"] == "the platform refused it (no good); change its wordings and it is planned again"


def test_a_settled_post_goes_before_those_that_follow_in_the_file(make: Any) -> None:
    standing = [make.stand("p1", "2026-11-25T12:00", State.PLANNED)]
    early = make.taste(lambda candidate: -(candidate.at - make.monday).total_seconds() / 1e6)
    made = plan(make.campaign(make.items(4)), make.desk(standing=standing, forecaster=early))
    days = {post.item: post.slot.local[:10] for post in made.posts}
    assert days == {"p0": "2026-11-23", "p2": "2026-11-26", "p3": "2026-11-27"}


def test_a_post_that_a_rule_keeps_back_does_not_keep_back_the_others(make: Any) -> None:
    facts = PlainFacts([said(make.texts[0], make.monday - timedelta(days=27), campaign="", item="")])
    early = make.taste(lambda candidate: -(candidate.at - make.monday).total_seconds() / 1e6)
    made = plan(make.campaign(make.items(4)), make.desk(facts=facts, forecaster=early))
    days = {post.item: post.slot.local[:10] for post in made.posts}
    assert days == {"p0": "2026-11-26", "p1": "2026-11-23", "p2": "2026-11-24", "p3": "2026-11-25"}


def test_a_post_that_cannot_come_after_its_forerunner_says_so(make: Any) -> None:
    standing = [make.stand("p0", "2026-11-29T19:00", State.PLANNED)]
    made = plan(make.campaign(make.items(2)), make.desk(standing=standing))
    assert made.posts == ()
    assert "before a post that goes first in the file" in reasons(made)["p1"]


def test_refused_candidates_are_kept_with_rule_and_reason(make: Any) -> None:
    variants = [
        {"id": "long", "text": "much " * 120},
        {"id": "rude", "text": "Hello @stranger"},
        {"id": "fine", "text": "Hi."},
    ]
    campaign = make.campaign([{"id": "p0", "variants": variants}])
    post = plan(campaign, make.desk(days=1)).posts[0]
    assert {option.variant for option in post.options} == {"fine"}
    assert {(one.variant, one.rule) for one in post.removed} == {("long", "P9"), ("rude", "P1")}
    assert len(post.removed) == 24
    assert any("599 characters; sandbox takes at most 500" in one.reason for one in post.removed)


def test_a_post_that_no_slot_may_take_says_which_rule_and_why(make: Any) -> None:
    both = [{"text": "much " * 120}, {"text": "Hello @stranger"}]
    made = plan(make.campaign([{"id": "p0", "variants": both}, {"id": "p1", "text": "Hi."}]), make.desk(days=1))
    assert reasons(made)["p0"] == (
        "all 24 candidates refused, 12 by P9: 599 characters; sandbox takes at most 500; "
        "12 by P1: @stranger is not in the campaign's `mentions_allowed`"
    )
    assert [post.item for post in made.posts] == ["p1"]


def test_posts_chosen_before_count_for_policy(make: Any) -> None:
    same = [{"id": "one", "text": make.texts[0]}, {"id": "two", "text": make.texts[0]}]
    made = plan(make.campaign(same), make.desk())
    assert [post.item for post in made.posts] == ["one"]
    assert "P2: sandbox/main says the same" in reasons(made)["two"]
    accounts = ["sandbox/main", "sandbox/b", "other/c"]
    three = plan(make.campaign(make.items(1), accounts=accounts), make.desk())
    assert {post.account for post in three.posts} == {"sandbox/main", "other/c"}
    assert [(each.account, each.item) for each in three.unplaced] == [("sandbox/b", "p0")]


def test_the_hourly_cap_holds_against_other_campaigns(make: Any) -> None:
    when = {"pick": "fixed", "at": ["12:00", "13:00", "15:00"], "spacing": "10m", "posts_per_week": 1}
    noon = make.monday + timedelta(hours=5, minutes=30)
    facts = PlainFacts(
        [
            said("Something else entirely.", noon + timedelta(minutes=15), campaign="other"),
            said("And yet another matter.", noon + timedelta(minutes=30), campaign="other"),
        ]
    )
    post = plan(make.campaign(make.items(1), when=when), make.desk(facts=facts)).posts[0]
    assert [(one.slot.local[11:], one.rule) for one in post.removed] == [("12:00", "S4"), ("13:00", "S4")]
    assert post.slot.local[11:] == "15:00"


def test_facts_are_asked_once_for_the_whole_plan(make: Any) -> None:
    class Counting(PlainFacts):
        asked = 0

        def sent(self, *args: Any, **keys: Any) -> Any:
            Counting.asked += 1
            return super().sent(*args, **keys)

        def texts(self, *args: Any, **keys: Any) -> Any:
            Counting.asked += 1
            return super().texts(*args, **keys)

    made = plan(make.campaign(make.items(7)), make.desk(facts=Counting()))
    assert len(made.posts) == 7
    assert Counting.asked <= 4


def test_pictures_are_named_by_their_whole_path_and_placeholders_are_filled(make: Any, tmp_path: Any) -> None:
    item = {
        "id": "p0",
        "title": "A title",
        "link": "https://a.example/1",
        "text": "Look: {title} {link}",
        "media": [{"file": "shot.png", "alt": "A shot"}],
        "target": "place",
    }
    campaign = make.campaign([item]).in_folder(tmp_path)
    draft = plan(campaign, make.desk()).posts[0].draft
    assert (draft.text, draft.title, draft.link) == (
        "Look: A title https://a.example/1",
        "A title",
        "https://a.example/1",
    )
    assert (draft.kind, draft.target) == ("photo", "place")
    assert [(picture.file, picture.alt) for picture in draft.media] == [(str(tmp_path / "shot.png"), "A shot")]


def test_the_digest_is_of_what_becomes_public(make: Any) -> None:
    campaign = make.campaign(make.items(2))
    made = plan(campaign, make.desk())
    assert plan(campaign, make.desk()).digest == made.digest
    assert plan(make.campaign(make.items(2), mode="approve"), make.desk()).digest != made.digest
    post = made.posts[0]
    for change in (
        {"variant": "other"},
        {"slot": made.posts[1].slot},
        {"draft": Draft("Another text.")},
        {"account": "sandbox/b"},
    ):
        assert replace(made, posts=(replace(post, **change), made.posts[1])).digest != made.digest
    assert replace(made, posts=(replace(post, reason="because"), made.posts[1])).digest == made.digest
