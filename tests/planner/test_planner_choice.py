"""Which candidate wins and how sure that was: objective, exploration, holdout, propensities, and the words for it."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from math import expm1, isclose, log1p
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.attention.baselines import HourAndKind
from bot.attention.forecast import Attended
from bot.planner.choice import Tried, bonuses, choose, fixed_coin
from bot.planner.past import past_posts
from bot.planner.plan import plan
from bot.planner.scores import known_weights

VARIANTS = [{"id": "plain", "text": "One way to say it."}, {"id": "ask", "text": "Would you?", "kind": "question"}]
TWO = [{"id": "hello", "variants": VARIANTS}]


def wants_questions(make: Any) -> Any:
    return make.taste(lambda candidate: float(candidate.kind == "question"))


def counted(make: Any, count: int, **counts: int | None) -> list[Any]:
    start = make.monday - timedelta(days=2 * count)
    return [make.measured(place, start + timedelta(days=place), 10, **counts) for place in range(count)]


def test_the_wording_the_forecast_prefers_goes_out(make: Any) -> None:
    made = plan(make.campaign(TWO), make.desk(forecaster=wants_questions(make)))
    assert [(post.variant, post.draft.kind) for post in made.posts] == [("ask", "question")]
    assert made.posts[0].options[made.posts[0].chosen].variant == "ask"


def test_all_candidates_of_an_account_are_forecast_at_once_for_each_action(make: Any) -> None:
    taste = make.taste()
    past = counted(make, 3, replies=2)
    campaign = make.campaign(make.items(3), objective={"like": 1, "reply": 5}, when={"posts_per_week": 7})
    plan(campaign, make.desk(forecaster=taste, past=past))
    assert taste.calls == [("likes", 3 * 7 * 12), ("replies", 3 * 7 * 12)]


def test_only_as_many_posts_are_forecast_as_there_is_room_for(make: Any) -> None:
    taste = make.taste()
    news = [{"id": f"feed-{place}", "text": f"Number {place} of the news."} for place in range(200)]
    made = plan(make.campaign(news, when={"posts_per_week": 2}), make.desk(forecaster=taste))
    assert taste.calls == [("likes", 2 * 7 * 12)]
    assert (len(made.posts), len(made.unplaced)) == (2, 198)


def test_the_objective_weighs_actions_outside_the_model(make: Any) -> None:
    taste = wants_questions(make)
    taste.centres = {"likes": 10, "replies": 4}
    past = counted(make, 3, replies=2)
    campaign = make.campaign(TWO, objective={"like": 1, "reply": 5})
    option = plan(campaign, make.desk(forecaster=taste, past=past)).posts[0]
    best = option.options[option.chosen]

    def count(centre: float, z: float) -> float:
        return expm1(log1p(centre) + z)

    z = 1.0
    assert best.mean == pytest.approx(count(10, z) + 5 * count(4, z), rel=1e-3)
    low, high = z - 1.2816 * 0.5, z + 1.2816 * 0.5
    assert best.low == pytest.approx(count(10, low) + 5 * count(4, low), rel=0.02)
    assert best.high == pytest.approx(count(10, high) + 5 * count(4, high), rel=0.02)
    assert best.sd == pytest.approx(0.5, rel=0.01)


def test_actions_that_were_never_measured_are_left_out(make: Any) -> None:
    history = past_posts(make.account, counted(make, 3, replies=2))
    assert known_weights({"likes": 1, "replies": 5, "clicks": 9}, history) == {"likes": 1, "replies": 5}
    assert known_weights({"clicks": 9}, history) == {"likes": 1.0}
    assert known_weights({"clicks": 9}, []) == {"likes": 1.0}


def test_new_measurements_change_the_next_plan(make: Any) -> None:
    start = datetime(2026, 9, 1, tzinfo=UTC)

    def past(good_hour: int) -> list[Any]:
        rows = []
        for place in range(60):
            hour = 8 + place % 12
            at = start + timedelta(days=place, hours=hour)
            likes = 80 if hour == good_hour else 5
            rows.append(make.measured(place, at, likes, text=f"Note {place}"))
        return rows

    campaign = make.campaign(make.items(3))
    for good in (10, 16):
        made = plan(campaign, make.desk(forecaster=HourAndKind(), past=past(good)))
        assert {post.slot.at.hour for post in made.posts} == {good}


def test_a_held_out_post_is_drawn_from_its_permitted_candidates(make: Any) -> None:
    campaign = make.campaign(TWO, when={"holdout": 0.5})
    seen: Counter[bool] = Counter()
    drawn: Counter[str] = Counter()
    hours: Counter[int] = Counter()
    for seed in range(400):
        post = plan(campaign, make.desk(seed=seed, days=1, forecaster=wants_questions(make))).posts[0]
        seen[post.holdout] += 1
        if post.holdout:
            drawn[post.variant] += 1
            hours[post.slot.at.hour] += 1
            assert post.reason.startswith("held out: drawn at random from 24 to measure the lift")
        else:
            assert post.variant == "ask"
    assert 160 <= seen[True] <= 240
    assert 0.4 <= drawn["plain"] / seen[True] <= 0.6
    assert len(hours) == 12
    expected = seen[True] / 12
    assert sum((count - expected) ** 2 / expected for count in hours.values()) < 31.3  # chi-square, 11 df, p = .001


def test_planning_again_never_tosses_again(make: Any) -> None:
    campaign = make.campaign(make.items(7), when={"holdout": 0.5})
    first = plan(campaign, make.desk())
    later = plan(campaign, make.desk(now=make.monday + timedelta(minutes=50)))
    arms = {post.item: (post.holdout, post.slot) for post in first.posts}
    assert {True, False} == {held for held, _ in arms.values()}
    assert {post.item: (post.holdout, post.slot) for post in later.posts if post.holdout} == {
        item: arm for item, arm in arms.items() if arm[0]
    }


def test_each_time_of_a_recurring_post_has_its_own_coin(make: Any) -> None:
    posts = [{"id": "tip", "variants": VARIANTS, "recurring": {"every": "7d", "times": 20}}]
    made = plan(make.campaign(posts, when={"holdout": 0.5}), make.desk(days=150))
    assert 4 <= sum(post.holdout for post in made.posts) <= 16


def test_a_post_without_a_choice_is_never_held_out(make: Any) -> None:
    posts = [{"id": f"p{n}", "text": make.texts[n], "at": f"2026-11-{23 + n}T12:00"} for n in range(7)]
    made = plan(make.campaign(posts, when={"holdout": 0.5}), make.desk())
    assert [(post.holdout, post.propensity) for post in made.posts] == [(False, 1.0)] * 7
    assert all(post.reason.startswith("the only candidate") for post in made.posts)


def test_where_times_are_fixed_wordings_are_the_choice(make: Any) -> None:
    campaign = make.campaign(TWO, when={"pick": "fixed", "at": ["12:00"], "holdout": 0.2})
    post = plan(campaign, make.desk(forecaster=wants_questions(make), seed=3)).posts[0]
    assert [(option.variant, option.propensity) for option in post.options] == [
        ("plain", pytest.approx(0.1)),
        ("ask", pytest.approx(0.9)),
    ]


def test_the_propensity_is_the_chance_the_choice_had(make: Any) -> None:
    campaign = make.campaign(TWO, when={"holdout": 0.2})
    for seed in range(20):
        taste = make.taste(lambda candidate: make.hour(candidate) / 10 + (candidate.kind == "question"))
        post = plan(campaign, make.desk(seed=seed, days=1, forecaster=taste)).posts[0]
        best = max(range(len(post.options)), key=lambda place: post.options[place].score)
        for place, option in enumerate(post.options):
            assert option.propensity == pytest.approx(0.8 * (place == best) + 0.2 / 24)
        assert post.propensity == post.options[post.chosen].propensity
        assert post.holdout or post.chosen == best


def test_equal_candidates_share_the_chance_and_are_drawn(make: Any) -> None:
    slots = Counter(
        plan(make.campaign(make.items(1)), make.desk(seed=seed, days=1)).posts[0].slot for seed in range(60)
    )
    assert len(slots) > 8
    post = plan(make.campaign(make.items(1), when={"holdout": 0.1}), make.desk(days=1, seed=5)).posts[0]
    assert {round(option.propensity, 9) for option in post.options} == {round(1 / 12, 9)}


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=40),
    st.just(0.0) | st.floats(0.001, 0.5),
    st.floats(0, 1, exclude_max=True),
    st.randoms(use_true_random=False),
)
def test_propensities_are_a_distribution_and_the_choice_was_possible(
    values: list[float], share: float, coin: float, random: Any
) -> None:
    tickets = [random.random() for _ in values]
    raised = [random.random() for _ in values]
    choice = choose(values, raised, tickets, share, coin)
    assert isclose(sum(choice.propensities), 1.0, rel_tol=1e-9)
    assert choice.propensities[choice.chosen] > 0
    assert all(chance >= (share / len(values) if len(values) > 1 else 0) for chance in choice.propensities)
    if not choice.holdout:
        assert choice.scores[choice.chosen] == pytest.approx(max(choice.scores), rel=1e-6)


def test_a_coin_is_fair_and_always_the_same() -> None:
    coins = [fixed_coin(1, "sandbox/main", "launch", place) for place in range(2000)]
    assert coins == [fixed_coin(1, "sandbox/main", "launch", place) for place in range(2000)]
    assert all(0 <= coin < 1 for coin in coins)
    assert 0.08 < sum(coin < 0.1 for coin in coins) / 2000 < 0.12
    assert fixed_coin("a", "b") != fixed_coin("ab", "")


def test_exploration_raises_hours_with_few_measured_posts(make: Any) -> None:
    monday = datetime(2026, 11, 16, tzinfo=UTC)
    past = [make.measured(place, monday + timedelta(hours=14, days=place % 5), 10) for place in range(40)]
    likes = {14: 1.0, 9: 0.97}
    taste = make.taste(lambda candidate: likes.get(candidate.at.hour, 0.0))
    campaign = make.campaign(make.items(1), when={"window": {"days": ["tue"], "from": "08:00", "to": "20:00"}})
    known = plan(campaign, make.desk(forecaster=taste, past=past)).posts[0]
    assert known.slot.at.hour == 14
    tried = plan(campaign, make.desk(forecaster=taste, past=past, explore=True)).posts[0]
    assert tried.slot.at.hour == 9
    assert tried.reason.startswith("best of 12 with a bonus for rarely tried hours")
    assert "40 measured posts, none near this hour of the week" in tried.reason
    chosen = tried.options[tried.chosen]
    assert chosen.score > chosen.mean
    assert chosen.mean < max(option.mean for option in tried.options)


def test_the_bonus_shrinks_with_the_posts_that_were_measured() -> None:
    raised = bonuses([10.0, 20.0, 40.0, 10.0], [0, 3, 8, 99])
    assert raised == sorted(raised, reverse=True)
    assert raised[0] == pytest.approx(2 * raised[1])
    assert bonuses([10.0, 10.0], [0, 5]) == [0, 0]


def test_exploration_is_off_while_nothing_is_measured(make: Any) -> None:
    taste = make.taste(lambda candidate: make.hour(candidate) / 10)
    rows = [make.measured(1, make.monday - timedelta(days=7), None)]
    post = plan(make.campaign(make.items(1)), make.desk(forecaster=taste, explore=True, past=rows)).posts[0]
    assert all(option.score == pytest.approx(option.mean) for option in post.options)


def test_hours_are_counted_in_the_local_week_and_around_its_end(make: Any) -> None:
    sunday_night = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)
    rows = past_posts(make.account, [make.measured(1, sunday_night, 5), make.measured(2, sunday_night, None)])
    tried = Tried(rows, "Europe/Berlin")
    assert tried.measured == 1
    assert tried.near(datetime(2026, 11, 29, 23, 10, tzinfo=UTC)) == 1  # Monday, past midnight in Berlin
    assert tried.near(datetime(2026, 11, 30, 0, 10, tzinfo=UTC)) == 0


def test_reasons_tell_counts_a_range_and_what_they_stand_on(make: Any) -> None:
    taste = make.taste(lambda candidate: -abs(make.hour(candidate) - 12) / 5)
    taste.centres = {"likes": 40}
    past = counted(make, 12)
    post = plan(make.campaign(make.items(1)), make.desk(days=1, forecaster=taste, past=past)).posts[0]
    assert post.reason == (
        "best of 12: about 40 likes expected (20 to 77), from 12 measured posts, none near this hour of the week"
    )
    past = counted(make, 12, replies=1)
    made = plan(make.campaign(make.items(1), objective={"like": 1, "reply": 5}), make.desk(forecaster=taste, past=past))
    assert "about 10 replies and 40 likes expected, 90 points (" in made.posts[0].reason


def test_a_baseline_is_named_and_so_is_an_empty_history(make: Any) -> None:
    baseline = make.taste(lambda candidate: candidate.at.hour, name="hour x kind")
    made = plan(make.campaign(make.items(1)), make.desk(forecaster=baseline, past=counted(make, 12)))
    assert "by the baseline hour x kind" in made.posts[0].reason
    assert made.posts[0].model == "hour x kind v1"
    new = plan(make.campaign(make.items(1)), make.desk()).posts[0]
    assert "no post of this account is measured yet" in new.reason
    held = [plan(make.campaign(TWO, when={"holdout": 0.5}), make.desk(seed=seed)).posts[0] for seed in range(9)]
    words = "held out: drawn at random from 168 to measure the lift; no post of this account is measured yet"
    assert {post.reason for post in held if post.holdout} == {words}
    guess = plan(make.campaign(make.items(1)), make.desk(forecaster=wants_hours(make), days=1)).posts[0]
    assert guess.reason.startswith("best of 12: ")
    assert "a guess from other accounts" in guess.reason


def test_where_nothing_is_measured_the_wording_decides_and_the_reason_says_by_what(make: Any) -> None:
    liking = make.taste(lambda candidate: float("?" in candidate.text), name="attention")
    variants = [{"text": "The search tool is out"}, {"text": "Have you seen the search tool?"}]
    new = plan(make.campaign([{"id": "hello", "variants": variants}]), make.desk(forecaster=liking)).posts[0]
    assert new.draft.text == variants[1]["text"]
    assert "no post of this account is measured yet, so the wording is chosen by" in new.reason
    assert "headline tests" in new.reason


def wants_hours(make: Any) -> Any:
    return make.taste(lambda candidate: candidate.at.hour / 10)


def test_each_account_has_its_own_forecaster_and_past(make: Any) -> None:
    morning = make.taste(lambda candidate: -make.hour(candidate) / 10, name="attention")
    evening = make.taste(lambda candidate: make.hour(candidate) / 10, name="hour of week")
    by_account = {"sandbox/main": morning, "other/b": evening}
    campaign = make.campaign(make.items(1), accounts=list(by_account))
    made = plan(campaign, make.desk(forecaster=lambda account: by_account[account]))
    assert {(post.account, post.slot.local[11:]) for post in made.posts} == {
        ("sandbox/main", "08:00"),
        ("other/b", "19:00"),
    }
    assert {post.model for post in made.posts} == {"attention v1", "hour of week v1"}


def test_the_past_posts_a_forecast_looked_at_are_named_by_their_row(make: Any) -> None:
    taste = make.taste()
    taste.attended = (Attended(2, 0.7), Attended(0, 0.1))
    past = [make.measured(place + 100, make.monday - timedelta(days=9 - place), 10) for place in range(3)]
    post = plan(make.campaign(make.items(1)), make.desk(forecaster=taste, past=past)).posts[0]
    assert [(looked.history_id, looked.weight) for looked in post.attended] == [(102, 0.7), (100, 0.1)]


def test_counts_become_past_posts_with_their_age(make: Any) -> None:
    at = make.monday - timedelta(days=1)
    young, old, never = past_posts(
        "sandbox/main",
        [
            make.measured(1, at, 5, age_s=3600),
            make.measured(2, at, 5, age_s=30 * 86400),
            make.measured(3, at, None),
        ],
    )
    assert (young.platform, young.ref, young.age) == ("sandbox", "1", timedelta(hours=1))
    assert young.counts == {"likes": 5, "replies": None, "shares": None, "clicks": None, "impressions": None}
    assert (old.age, never.counts, never.age) == (None, None, None)
