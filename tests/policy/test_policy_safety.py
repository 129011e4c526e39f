"""Rules S: one less than the cap passes, the cap refuses, and no history of permitted drafts ever breaks one."""

from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.policy.base import Addressed, Proposal, Refused, Settings, Stage
from bot.policy.plain import PlainFacts, Said
from bot.policy.rulebook import permit
from bot.policy.safety import free_from, fullest_window
from connectors.base import Capabilities, Draft, Ref

Propose = Callable[..., Proposal]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def ask(proposal: Proposal, facts: PlainFacts, stage: Stage = "gate", **lower: Any) -> Refused | None:
    return permit(proposal, facts, Settings(**lower), stage)


# --- S1, S2, S3, S5 -------------------------------------------------------------------------------------------------


def test_nothing_passes_the_gate_while_stopped_and_it_is_asked_again_a_minute_later(post: Propose) -> None:
    refused = ask(post(), PlainFacts(stop="the owner said so"))
    assert refused == Refused(
        "S1",
        "Kairos safety design",
        "everything is stopped (the owner said so); `kairos resume` starts it again",
        "later",
        post().at + MINUTE,
    )


def test_a_reply_is_not_prepared_to_go_out_while_stopped(reply: Propose) -> None:
    refused = ask(reply(), PlainFacts(stop="enough"), "reply")
    assert refused is not None
    assert refused.rule == "S1"


@pytest.mark.parametrize(
    ("simulated", "live", "passes"),
    [(True, False, True), (True, True, True), (False, True, True), (False, False, False)],
)
def test_a_real_account_is_written_to_only_live(post: Propose, simulated: bool, live: bool, passes: bool) -> None:
    refused = ask(post(capabilities=Capabilities(simulated=simulated), live=live), PlainFacts())
    assert (refused is None) is passes
    assert refused is None or (refused.rule, refused.then) == ("S2", "hold")


def test_what_goes_out_is_what_was_approved(post: Propose) -> None:
    assert ask(post(needs_approval=True, approved_digest="a", digest="a"), PlainFacts()) is None
    assert ask(post(needs_approval=False, approved_digest=None, digest="a"), PlainFacts()) is None
    changed = ask(post(needs_approval=False, approved_digest="a", digest="b"), PlainFacts())
    missing = ask(post(needs_approval=True, approved_digest=None, digest="a"), PlainFacts())
    assert changed is not None
    assert missing is not None
    assert (changed.rule, changed.then, missing.rule, missing.then) == ("S3", "hold", "S3", "hold")
    assert changed.words != missing.words


def test_a_paused_account_waits_and_the_others_go_on(post: Propose) -> None:
    facts = PlainFacts(pauses={"sandbox/main": "three failures"})
    refused = ask(post(), facts)
    assert refused is not None
    assert (refused.rule, refused.then, refused.retry_at) == ("S5", "later", post().at + 15 * MINUTE)
    assert ask(post(account="sandbox/second"), facts) is None


# --- S4: N passes, N + 1 does not -----------------------------------------------------------------------------------


def spread(make: Propose, count: int, step: timedelta) -> PlainFacts:
    """A world with so many posts, `step` apart, the last one `step` before nine; all texts differ."""
    said = []
    for n in range(count):
        at = make().at - step * (count - n)
        said.append(Said(make(text=f"{n} {chr(97 + n) * 20}", at=at)))
    return PlainFacts(said)


def test_the_second_post_of_an_hour_passes_and_the_third_does_not(post: Propose) -> None:
    assert ask(post(), spread(post, 1, 20 * MINUTE)) is None
    refused = ask(post(), spread(post, 2, 20 * MINUTE))
    assert refused is not None
    assert "the cap is 2 an hour" in refused.words


def test_the_twelfth_post_of_a_day_passes_and_the_thirteenth_does_not(post: Propose) -> None:
    assert ask(post(), spread(post, 11, 100 * MINUTE)) is None
    refused = ask(post(post_id=99), spread(post, 12, 100 * MINUTE))
    assert refused is not None
    assert (refused.rule, refused.then) == ("S4", "hold")
    assert refused.words == (
        "12 posts already go out between 2026-11-23 13:00 and 2026-11-24 13:00 UTC on sandbox/main; the cap is 12 a day"
    )


def test_the_tenth_reply_of_a_day_passes_and_the_eleventh_waits_for_a_person(reply: Propose) -> None:
    crowd = [Said(reply(f"m{n}", person=f"p{n}", at=reply().at - n * HOUR)) for n in range(1, 11)]
    assert ask(reply("new"), PlainFacts(crowd[:9]), "reply") is None
    refused = ask(reply("new"), PlainFacts(crowd), "reply")
    assert refused is not None
    assert (refused.rule, refused.then) == ("S4", "hold")
    assert "10 replies already go out" in refused.words


def test_the_third_reply_to_a_person_passes_and_the_fourth_does_not(reply: Propose) -> None:
    same = [Said(reply(f"m{n}", at=reply().at - n * HOUR)) for n in range(1, 4)]
    assert ask(reply("new"), PlainFacts(same[:2])) is None
    refused = ask(reply("new"), PlainFacts(same))
    assert refused is not None
    assert "this person has 3 replies of ours within a day" in refused.words
    assert ask(reply("new", person="bob"), PlainFacts(same)) is None
    assert ask(reply("new", at=reply().at + 25 * HOUR), PlainFacts(same)) is None


def test_the_sixtieth_draft_of_a_day_passes_and_the_sixty_first_does_not(post: Propose, reply: Propose) -> None:
    crowd = [
        Said(make(account=f"sandbox/a{n % 10}", at=post().at - n * 20 * MINUTE, **extra))
        for n in range(1, 31)
        for make, extra in ((post, {"text": f"{chr(96 + n) * 9}"}), (reply, {"ref": f"m{n}", "person": f"p{n}"}))
    ]
    assert ask(post(), PlainFacts(crowd[:59])) is None
    refused = ask(post(), PlainFacts(crowd))
    assert refused is not None
    assert "60 drafts already go out" in refused.words
    assert "on all accounts together" in refused.words


def test_posts_and_replies_have_caps_of_their_own_and_so_has_each_account(post: Propose, reply: Propose) -> None:
    full = spread(post, 2, 20 * MINUTE)
    assert ask(reply(), full, "reply") is None
    assert ask(post(account="sandbox/second"), full) is None


def test_a_campaign_lowers_the_caps_on_posts_but_never_raises_them(post: Propose) -> None:
    hourly, daily = spread(post, 1, 20 * MINUTE), spread(post, 3, 2 * HOUR)
    assert ask(post(), hourly, posts_per_hour=1) is not None
    assert ask(post(), daily, posts_per_day=3) is not None
    assert ask(post(), daily, posts_per_day=4) is None
    assert ask(post(), spread(post, 2, 20 * MINUTE), posts_per_hour=1000) is not None
    assert ask(post(), spread(post, 12, 100 * MINUTE), posts_per_day=1000) is not None


def test_a_campaign_lowers_the_cap_on_replies_but_never_raises_it(reply: Propose) -> None:
    crowd = [Said(reply(f"m{n}", person=f"p{n}", at=reply().at - n * HOUR)) for n in range(1, 11)]
    assert ask(reply("new"), PlainFacts(crowd[:3]), replies_per_day=3) is not None
    assert ask(reply("new"), PlainFacts(crowd[:3]), replies_per_day=4) is None
    assert ask(reply("new"), PlainFacts(crowd), replies_per_day=1000) is not None


# --- S4: windows ----------------------------------------------------------------------------------------------------


def test_hours_slide_and_end_after_sixty_minutes(post: Propose) -> None:
    both = [Said(post("one thing", at=post().at - HOUR)), Said(post("quite another", at=post().at - 10 * MINUTE))]
    assert ask(post(), PlainFacts(both)) is None
    both[0] = Said(post("one thing", at=post().at - HOUR + timedelta(seconds=1)))
    assert ask(post(), PlainFacts(both)) is not None


def test_a_plan_looks_ahead_as_well(post: Propose) -> None:
    around = [Said(post("one thing", at=post().at - 25 * MINUTE)), Said(post("another", at=post().at + 25 * MINUTE))]
    refused = ask(post(), PlainFacts(around), "plan")
    assert refused is not None
    assert refused.then == "cancel"
    apart = [Said(post("one thing", at=post().at - 35 * MINUTE)), Said(post("another", at=post().at + 35 * MINUTE))]
    assert ask(post(), PlainFacts(apart), "plan") is None


def test_at_the_gate_only_what_is_out_counts_and_never_the_post_itself(post: Propose) -> None:
    others = [Said(post(f"{n} {chr(97 + n) * 20}", post_id=n), out=False) for n in range(1, 6)]
    assert ask(post(post_id=3), PlainFacts(others)) is None
    assert ask(post(), PlainFacts(others), "plan") is not None
    out = [Said(post(f"{chr(97 + n) * 20}", post_id=n)) for n in range(1, 3)]
    assert ask(post(post_id=1), PlainFacts(out)) is None
    assert ask(post(post_id=7), PlainFacts(out)) is not None


def test_over_the_hour_a_due_post_waits_exactly_until_there_is_room(post: Propose) -> None:
    facts = spread(post, 2, 20 * MINUTE)
    refused = ask(post(post_id=7), facts)
    assert refused is not None
    assert (refused.then, refused.retry_at) == ("later", post().at + 20 * MINUTE)
    assert refused.retry_at is not None
    assert ask(post(post_id=7, at=refused.retry_at), facts) is None
    assert ask(post(post_id=7, at=refused.retry_at - timedelta(seconds=1)), facts) is not None


MOMENTS = st.integers(0, 3 * 24 * 60).map(lambda minutes: datetime(2026, 11, 24, tzinfo=UTC) + minutes * MINUTE)


@given(times=st.lists(MOMENTS, max_size=12), at=MOMENTS, most=st.integers(1, 3))
def test_the_fullest_window_is_the_fullest_of_all_windows_around(
    times: list[datetime], at: datetime, most: int
) -> None:
    by_minute = max(sum(at - n * MINUTE <= time < at - n * MINUTE + HOUR for time in times) for n in range(60))
    start, count = fullest_window(times, at, HOUR)
    assert count == by_minute
    assert start <= at < start + HOUR
    free = free_from(times, at, HOUR, most)
    assert fullest_window(times, free, HOUR)[1] < most
    assert all(fullest_window(times, at + n * MINUTE, HOUR)[1] >= most for n in range(int((free - at) / MINUTE)))


WISHES = st.lists(
    st.tuples(
        st.integers(0, 2 * 24 * 60),
        st.sampled_from(["post", "reply"]),
        st.sampled_from([f"sandbox/a{n}" for n in range(7)]),
        st.sampled_from(["ann", "bob", "cid", "dee"]),
    ),
    min_size=30,
    max_size=260,
)


@settings(max_examples=40, deadline=None)
@given(wishes=WISHES, stage=st.sampled_from(["plan", "gate"]))
def test_no_random_history_of_permitted_drafts_breaks_a_cap(
    wishes: list[tuple[int, str, str, str]], stage: Stage
) -> None:
    """At the gate drafts come in the order of time; a plan is made in any order."""
    facts = PlainFacts()
    for number, (minutes, kind, account, person) in enumerate(sorted(wishes) if stage == "gate" else wishes):
        proposal = _wish(number, minutes, kind, account, person, stage)
        if permit(proposal, facts, Settings(), stage) is None:
            facts.said.append(Said(proposal, out=stage == "gate"))
    went = [said.proposal for said in facts.said]
    posts = [proposal for proposal in went if not proposal.is_reply]
    replies = [proposal for proposal in went if proposal.is_reply]
    for account in {proposal.account for proposal in went}:
        assert _most([p.at for p in posts if p.account == account], HOUR) <= 2
        assert _most([p.at for p in posts if p.account == account], DAY) <= 12
        assert _most([p.at for p in replies if p.account == account], DAY) <= 10
    for person in ("ann", "bob", "cid", "dee"):
        assert _most([p.at for p in replies if p.addressed and p.addressed.author_hash == person], DAY) <= 3
    assert _most([p.at for p in went], DAY) <= 60


def _wish(number: int, minutes: int, kind: str, account: str, person: str, stage: Stage) -> Proposal:
    ref = f"m{number}"
    addressed = Addressed(number, "sandbox", ref, person, False, False, "mention", None, 0) if kind == "reply" else None
    return Proposal(
        account=account,
        platform="sandbox",
        campaign="c",
        item=ref,
        draft=Draft(f"{number:x}" * 7, in_reply_to=Ref(ref) if addressed else None),
        at=datetime(2026, 11, 24, tzinfo=UTC) + minutes * MINUTE,
        capabilities=Capabilities(simulated=True),
        post_id=number if stage == "gate" else None,
        addressed=addressed,
    )


def _most(times: list[datetime], width: timedelta) -> int:
    ordered = sorted(times)
    return max((bisect_left(ordered, start + width) - place for place, start in enumerate(ordered)), default=0)
