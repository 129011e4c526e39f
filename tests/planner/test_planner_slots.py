"""Where posts may stand: open slots, exact times, pace, spacing, order, recurring posts; not which is best."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from bot.planner.plan import plan
from storage.models import State


def placed(made: Any) -> list[tuple[str, str]]:
    return [(post.item, post.slot.local) for post in made.posts]


def reasons(made: Any) -> dict[str, str]:
    return {each.item: each.reason for each in made.unplaced}


def by_item(made: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for post in made.posts:
        found.setdefault(post.item, []).append(post.slot.local)
    return found


def early(make: Any) -> Any:
    """Likes the earliest slot."""
    return make.taste(lambda candidate: -(candidate.at - make.monday).total_seconds() / 1e6)


def test_the_best_permitted_hour_of_the_window_is_taken(make: Any) -> None:
    taste = make.taste(lambda candidate: -abs(make.hour(candidate) - 15))
    made = plan(make.campaign(make.items(1)), make.desk(forecaster=taste))
    assert [post.slot.local[11:] for post in made.posts] == ["15:00"]
    hours = {option.slot.local[11:] for option in made.posts[0].options}
    assert hours == {f"{hour:02}:00" for hour in range(8, 20)}


def test_fixed_times_are_filled_in_the_order_of_the_file(make: Any) -> None:
    when = {"pick": "fixed", "at": ["tue 09:30", "18:00"]}
    made = plan(make.campaign(make.items(3), when=when), make.desk())
    assert placed(made) == [("p0", "2026-11-23T18:00"), ("p1", "2026-11-24T09:30"), ("p2", "2026-11-24T18:00")]


def test_even_slots_are_filled_in_the_order_of_the_file(make: Any) -> None:
    window = {"days": ["mon", "wed"], "from": "10:00", "to": "14:00"}
    made = plan(make.campaign(make.items(2), when={"pick": "even", "posts_per_week": 2, "window": window}), make.desk())
    assert placed(made) == [("p0", "2026-11-23T12:00"), ("p1", "2026-11-25T12:00")]


def test_nothing_is_placed_within_five_minutes_or_after_the_end(make: Any) -> None:
    when = {"pick": "fixed", "at": ["10:00", "11:00", "12:00"], "spacing": "30m", "posts_per_week": 20}
    ten = datetime(2026, 11, 23, 9, tzinfo=UTC)
    campaign = make.campaign(make.items(3), when=when)
    near = make.desk(now=ten - timedelta(minutes=5), until=ten + timedelta(hours=2))
    assert placed(plan(campaign, near)) == [("p0", "2026-11-23T11:00"), ("p1", "2026-11-23T12:00")]
    far = make.desk(now=ten - timedelta(minutes=5, seconds=1), until=ten + timedelta(hours=2, seconds=-1))
    assert placed(plan(campaign, far)) == [("p0", "2026-11-23T10:00"), ("p1", "2026-11-23T11:00")]


def test_a_last_day_cut_short_waits_for_the_next_plan(make: Any) -> None:
    noon = datetime(2026, 11, 25, 11, tzinfo=UTC)
    campaign = make.campaign(make.items(3))
    assert {local[:10] for _, local in placed(plan(campaign, make.desk(until=noon)))} == {"2026-11-23", "2026-11-24"}
    only = make.desk(now=noon - timedelta(hours=4), until=noon)
    assert {local[:10] for _, local in placed(plan(campaign, only))} == {"2026-11-25"}


def test_the_campaign_goes_out_in_the_order_of_its_file(make: Any) -> None:
    late = make.taste(lambda candidate: (candidate.at - make.monday).total_seconds() / 1e6)
    for pace in (3, 5, 7, 14):
        campaign = make.campaign(make.items(8), when={"posts_per_week": pace, "spacing": "3h"})
        made = plan(campaign, make.desk(forecaster=late, days=28))
        assert [post.item for post in made.posts] == [f"p{place}" for place in range(8)], pace


def test_choosing_late_leaves_room_for_the_posts_that_follow(make: Any) -> None:
    late = make.taste(lambda candidate: (candidate.at - make.monday).total_seconds() / 1e6)
    made = plan(make.campaign(make.items(3), when={"posts_per_week": 3}), make.desk(forecaster=late))
    assert placed(made) == [("p0", "2026-11-27T19:00"), ("p1", "2026-11-28T19:00"), ("p2", "2026-11-29T19:00")]


def test_room_is_left_on_the_same_day_too(make: Any) -> None:
    late = make.taste(lambda candidate: (candidate.at - make.monday).total_seconds() / 1e6)
    window = {"days": ["mon"], "from": "08:00", "to": "20:00"}
    campaign = make.campaign(make.items(2), when={"posts_per_week": 2, "spacing": "5h", "window": window})
    made = plan(campaign, make.desk(forecaster=late))
    assert placed(made) == [("p0", "2026-11-23T14:00"), ("p1", "2026-11-23T19:00")]


def test_weeks_fill_up_one_after_the_other(make: Any) -> None:
    late = make.taste(lambda candidate: (candidate.at - make.monday).total_seconds() / 1e6)
    made = plan(make.campaign(make.items(5), when={"posts_per_week": 3}), make.desk(forecaster=late, days=28))
    weeks = [datetime.fromisoformat(local).isocalendar().week for _, local in placed(made)]
    assert weeks == [48, 48, 48, 49, 49]


def test_a_week_that_begins_on_saturday_is_not_crammed(make: Any) -> None:
    saturday = datetime(2026, 11, 28, 5, tzinfo=UTC)
    made = plan(make.campaign(make.items(7)), make.desk(now=saturday, until=saturday + timedelta(days=3)))
    assert [local[:10] for _, local in placed(made)] == ["2026-11-28", "2026-11-29", "2026-11-30"]


def test_posts_that_stand_count_in_the_pace_of_their_local_week(make: Any) -> None:
    standing = [make.stand("a", "2026-11-23T00:30"), make.stand("b", "2026-11-29T23:30")]
    campaign = make.campaign(make.items(3), when={"posts_per_week": 3})
    made = plan(campaign, make.desk(standing=standing, forecaster=early(make)))
    assert len(made.posts) == 1
    assert "no slot is free before this plan ends" in reasons(made)["p1"]
    assert "a week that has its 3 posts" in reasons(made)["p2"]


def test_another_campaign_takes_no_pace_but_keeps_its_distance(make: Any) -> None:
    other = [make.stand(f"x{day}", f"2026-11-{day}T12:00", campaign="other") for day in range(23, 30)]
    campaign = make.campaign(make.items(7), when={"spacing": "3h"})
    made = plan(campaign, make.desk(standing=other))
    assert len(made.posts) == 7
    for post in made.posts:
        assert not "09:00" < post.slot.local[11:] < "15:00"


def test_what_was_published_by_hand_keeps_its_distance_too(make: Any) -> None:
    nine = datetime(2026, 11, 23, 8, tzinfo=UTC)
    past = [make.measured(1, nine - timedelta(minutes=30), 5)]
    campaign = make.campaign(make.items(1), when={"spacing": "4h"})
    made = plan(campaign, make.desk(now=nine, past=past, forecaster=early(make)))
    assert placed(made) == [("p0", "2026-11-23T13:00")]


def test_a_post_with_a_time_has_exactly_that_slot_and_goes_first(make: Any) -> None:
    posts = [*make.items(2), {"id": "then", "text": make.texts[5], "at": "2026-11-23T22:10"}]
    campaign = make.campaign(posts, when={"posts_per_week": 2, "spacing": "4h"})
    made = plan(campaign, make.desk())
    assert ("then", "2026-11-23T22:10") in placed(made)
    assert "p1" in reasons(made)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-11-23T06:34", "is past or too near"),
        ("2026-12-24T18:00", "comes after this plan"),
    ],
)
def test_a_time_that_is_past_or_far_is_told(make: Any, at: str, words: str) -> None:
    made = plan(make.campaign([{"id": "then", "text": "Now.", "at": at}]), make.desk())
    assert made.posts == ()
    assert words in reasons(made)["then"]
    assert at.replace("T", " ") in reasons(made)["then"]


def test_two_exact_times_too_near_to_each_other_are_not_both_kept(make: Any) -> None:
    posts = [
        {"id": "one", "text": make.texts[0], "at": "2026-11-24T12:00"},
        {"id": "two", "text": make.texts[1], "at": "2026-11-24T13:00"},
    ]
    made = plan(make.campaign(posts), make.desk())
    assert placed(made) == [("one", "2026-11-24T12:00")]
    assert reasons(made) == {"two": "its time 2026-11-24 13:00 is within 2h of another post"}


def test_posts_of_sources_follow_the_campaigns_own(make: Any) -> None:
    campaign = make.campaign(make.items(2))
    news = make.campaign([{"id": "feed-1", "text": make.texts[7]}]).posts
    made = plan(campaign, make.desk(items=news))
    assert [post.item for post in made.posts] == ["p0", "p1", "feed-1"]


def test_a_post_goes_only_to_its_accounts_in_their_wordings(make: Any) -> None:
    posts = [
        {"id": "all", "text": make.texts[0], "on": {"other/b": {"text": make.texts[1]}}},
        {"id": "one", "text": make.texts[2], "accounts": ["sandbox/main"]},
        {"id": "none", "on": {"sandbox": {"text": make.texts[3]}}},
    ]
    made = plan(make.campaign(posts, accounts=["sandbox/main", "other/b"]), make.desk())
    assert {(post.account, post.item, post.variant, post.draft.text) for post in made.posts} == {
        ("sandbox/main", "all", "1", make.texts[0]),
        ("other/b", "all", "other-b-1", make.texts[1]),
        ("sandbox/main", "one", "1", make.texts[2]),
        ("sandbox/main", "none", "sandbox-1", make.texts[3]),
    }
    assert [(each.account, each.item, each.reason) for each in made.unplaced] == [
        ("other/b", "none", "it has no wording for this account")
    ]


def test_a_recurring_post_comes_again_a_step_later_until_its_times_are_used(make: Any) -> None:
    posts = [{"id": "tip", "text": make.texts[9], "recurring": {"every": "7d", "times": 3}}]
    made = plan(make.campaign(posts), make.desk(days=60, forecaster=early(make)))
    assert by_item(made) == {"tip": ["2026-11-23T08:00", "2026-11-30T08:00", "2026-12-07T08:00"]}
    assert all(post.recurring for post in made.posts)


def test_a_recurring_post_keeps_near_its_step_even_where_later_is_better(make: Any) -> None:
    late = make.taste(lambda candidate: (candidate.at - make.monday).total_seconds() / 1e6)
    posts = [{"id": "tip", "text": make.texts[9], "recurring": {"every": "7d", "times": 5}}]
    first = make.stand("tip", "2026-11-16T12:00")
    made = plan(make.campaign(posts), make.desk(days=60, forecaster=late, standing=[first]))
    times = [first.slot_at, *(post.slot.at for post in made.posts)]
    steps = [later - at for at, later in pairwise(times)]
    assert len(times) == 5
    assert all(timedelta(days=7) <= step < timedelta(days=8) for step in steps)


def test_a_recurring_post_ends_on_its_last_local_date(make: Any) -> None:
    posts = [{"id": "tip", "text": make.texts[9], "recurring": {"every": "7d", "until": "2026-12-07"}}]
    made = plan(make.campaign(posts), make.desk(days=60, forecaster=early(make)))
    assert by_item(made)["tip"][-1] == "2026-12-07T08:00"


def test_times_that_stand_count_and_the_step_begins_at_the_last(make: Any) -> None:
    posts = [{"id": "tip", "text": make.texts[9], "recurring": {"every": "7d", "times": 3}}]
    standing = [make.stand("tip", "2026-11-11T12:00"), make.stand("tip", "2026-11-18T15:00")]
    made = plan(make.campaign(posts), make.desk(standing=standing, days=60, forecaster=early(make)))
    assert by_item(made) == {"tip": ["2026-11-25T15:00"]}
    three = [*standing, make.stand("tip", "2026-11-25T15:00", State.PLANNED)]
    done = plan(make.campaign(posts), make.desk(standing=three, days=60))
    assert (done.posts, done.unplaced) == ((), ())


def test_a_recurring_post_whose_turn_comes_later_says_when(make: Any) -> None:
    posts = [{"id": "tip", "text": make.texts[9], "recurring": {"every": "4w", "times": 3}}]
    made = plan(make.campaign(posts), make.desk(standing=[make.stand("tip", "2026-11-18T15:00")]))
    assert reasons(made) == {"tip": "it comes again from 2026-12-16 on, after this plan"}


def test_a_recurring_post_whose_turn_has_come_goes_before_the_file(make: Any) -> None:
    posts = [*make.items(7), {"id": "tip", "text": make.texts[9], "recurring": {"every": "7d", "times": 9}}]
    made = plan(make.campaign(posts), make.desk(standing=[make.stand("tip", "2026-11-17T15:00")]))
    assert by_item(made)["tip"] == ["2026-11-24T15:00"]


def test_a_recurring_post_with_a_time_keeps_that_time_of_day(make: Any) -> None:
    posts = [
        {
            "id": "tip",
            "variants": [{"text": text} for text in make.texts[:2]],
            "at": "2026-10-12T09:15",
            "recurring": {"every": "7d", "times": 4},
        }
    ]
    now = datetime(2026, 10, 13, 5, tzinfo=UTC)
    standing = [make.stand("tip", "2026-10-12T09:15")]
    made = plan(make.campaign(posts), make.desk(now=now, days=60, standing=standing))
    # The clocks go back on the 25th: the time of day stays.
    assert by_item(made) == {"tip": ["2026-10-19T09:15", "2026-10-26T09:15", "2026-11-02T09:15"]}


def test_a_new_time_of_day_begins_a_step_after_the_last_time(make: Any) -> None:
    tip = {"id": "tip", "text": make.texts[9], "at": "2026-11-23T12:00", "recurring": {"every": "7d", "times": 9}}
    standing = [make.stand("tip", "2026-11-20T12:00")]
    made = plan(make.campaign([tip]), make.desk(days=14, standing=standing))
    assert by_item(made) == {"tip": ["2026-11-30T12:00"]}


def test_the_wordings_of_a_recurring_post_take_turns(make: Any) -> None:
    posts = [
        {
            "id": "tip",
            "variants": [{"text": text} for text in make.texts[:3]],
            "recurring": {"every": "7d", "times": 6},
        }
    ]
    favourite = make.taste(lambda candidate: 2.0 * (candidate.text == make.texts[1]))
    standing = [make.stand("tip", "2026-11-17T15:00", variant="2")]
    made = plan(make.campaign(posts), make.desk(days=60, forecaster=favourite, standing=standing))
    said = ["2", *(post.variant for post in made.posts)]
    assert sorted(said[:3]) == sorted(said[3:]) == ["1", "2", "3"]
    assert said[3] == "2"
