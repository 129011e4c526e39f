"""The simulated audience: seeded, with tastes, rhythms, weariness and luck of honest sizes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.audience import ACTIONS, KINDS, Audience, AudienceSettings, Shown
from connectors.sandbox import hashed

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = [NOON + place * HOUR for place in range(168)]
TEXT = "we shipped a search that needs no server"
OTHER = "ten quiet museums for a rainy sunday"
SEEDS = range(6)


def audience(seed: int = 3, **settings: Any) -> Audience:
    return Audience(seed, hashed, AudienceSettings(**settings))


def likes(crowd: Audience, text: str = TEXT, at: datetime = NOON, recent: Sequence[Shown] = ()) -> float:
    return crowd.expected(text, "text", at, recent)["likes"]


def luck(crowd: Audience, count: int, text: str = TEXT) -> np.ndarray[Any, Any]:
    return np.array([crowd.final(place, Shown(text, "text", NOON), ())["likes"] for place in range(count)])


# --- seeds ----------------------------------------------------------------------------------------------------------


def test_the_same_seed_is_the_same_crowd_and_another_seed_another() -> None:
    assert likes(audience(3)) == likes(audience(3))
    assert audience(3).final(7, Shown(TEXT, "text", NOON), ()) == audience(3).final(7, Shown(TEXT, "text", NOON), ())
    assert len({likes(audience(seed)) for seed in SEEDS}) == len(SEEDS)


def test_many_candidates_are_worth_what_each_is_worth_alone() -> None:
    crowd = audience()
    recent = [Shown(OTHER, "text", NOON - 3 * HOUR)]
    together = crowd.expected_many([TEXT, OTHER, TEXT], ["text"] * 3, [NOON, NOON, NOON + HOUR], recent)
    alone = [
        likes(crowd, TEXT, NOON, recent),
        likes(crowd, OTHER, NOON, recent),
        likes(crowd, TEXT, NOON + HOUR, recent),
    ]
    assert together.tolist() == pytest.approx(alone)
    assert crowd.expected_many([], [], []).shape == (0,)


def test_a_text_is_embedded_once_however_often_it_is_thought_of() -> None:
    asked: list[str] = []

    def embed(texts: Sequence[str]) -> Any:
        asked.extend(texts)
        return hashed(texts)

    crowd = Audience(3, embed, AudienceSettings())
    recent = [Shown(f"text {place}", "text", NOON - place * HOUR) for place in range(1, 50)]
    for place in range(20):
        crowd.final(place, Shown(TEXT, "text", NOON), recent)
    assert len(asked) == len(set(asked)) == 51


# --- what counts ----------------------------------------------------------------------------------------------------


def test_the_best_hour_is_worth_some_tens_of_per_cent_and_not_the_same_for_every_crowd() -> None:
    best = set()
    for seed in SEEDS:
        worth = audience(seed).expected_many([TEXT] * 168, ["text"] * 168, WEEK)
        assert 1.2 < worth.max() / worth.mean() < 2.5
        best.add(int(worth[:24].argmax()))
    assert len(best) > 1


def test_a_week_later_the_hour_is_worth_the_same_where_tastes_stand_still() -> None:
    crowd = audience(drift=0)
    assert likes(crowd, at=NOON) == pytest.approx(likes(crowd, at=NOON + 7 * DAY))
    assert likes(crowd, at=NOON) != pytest.approx(likes(crowd, at=NOON + 12 * HOUR))


def test_weekends_begin_where_the_crowd_lives_and_not_at_midnight_utc() -> None:
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    hours = [monday + place * HOUR for place in range(168)]
    early = late = 0
    for seed in SEEDS:
        crowd = audience(seed, taste=0, kind=0, drift=0, fatigue=0)
        day = crowd.expected_many([TEXT] * 168, ["text"] * 168, hours).reshape(7, 24)
        assert np.allclose(day[1], day[2])
        assert not np.allclose(day[5], day[2])
        early += not np.allclose(day[4][22:], day[3][22:])  # Friday night is Saturday in the east
        late += not np.allclose(day[0][:2], day[1][:2])  # Monday's first hours are Sunday in the west
    assert early > 0
    assert late > 0


def test_tastes_turn_slowly_when_they_drift() -> None:
    still, turning = audience(drift=0), audience(drift=0.9)
    later = NOON + 6 * 7 * DAY
    assert likes(still, at=later) == pytest.approx(likes(still))
    assert likes(turning, at=later) != pytest.approx(likes(turning), rel=0.02)
    assert likes(turning, at=NOON + 7 * DAY) == pytest.approx(likes(turning), rel=0.5)


def test_wording_and_form_matter() -> None:
    for seed in SEEDS:
        crowd = audience(seed)
        assert likes(crowd, TEXT) != pytest.approx(likes(crowd, OTHER), rel=0.02)
        forms = crowd.expected_many([TEXT] * len(KINDS), KINDS, [NOON] * len(KINDS))
        assert forms.max() / forms.min() > 1.3


def test_a_crowd_that_heard_much_lately_is_tired_for_a_while() -> None:
    crowd = audience()

    def after(*ago: timedelta) -> float:
        return likes(crowd, recent=[Shown(OTHER, "text", NOON - time) for time in ago])

    assert after(HOUR) < after(10 * HOUR) < after(2 * DAY) < likes(crowd)
    assert after(HOUR, 2 * HOUR) < after(HOUR)
    assert after(2 * DAY) == pytest.approx(likes(crowd), rel=0.01)
    assert likes(audience(fatigue=0), recent=[Shown(OTHER, "text", NOON - HOUR)]) == likes(audience(fatigue=0))


def test_the_same_thing_again_tires_most_and_longest() -> None:
    crowd = audience()
    days_ago = NOON - 4 * DAY
    again, another = [Shown(TEXT, "text", days_ago)], [Shown(OTHER, "text", days_ago)]
    assert likes(crowd, recent=again) < 0.9 * likes(crowd, recent=another)


def test_what_comes_later_tires_nobody_before() -> None:
    crowd = audience()
    assert likes(crowd, recent=[Shown(TEXT, "text", NOON + HOUR), Shown(TEXT, "text", NOON)]) == likes(crowd)


def test_in_a_null_world_only_luck_matters() -> None:
    crowd = Audience(3, hashed, AudienceSettings.null())
    worth = {likes(crowd, text, at) for text in (TEXT, OTHER) for at in WEEK[:30]}
    assert len(worth) == 1
    assert len(set(luck(crowd, 50).tolist())) == 50


# --- luck and time --------------------------------------------------------------------------------------------------


def test_luck_is_the_largest_single_force_and_its_mean_is_what_is_expected() -> None:
    crowd = audience()
    final = luck(crowd, 4000)
    assert np.median(final) < likes(crowd)
    assert final.mean() == pytest.approx(likes(crowd), rel=0.1)
    assert np.log1p(final).std() == pytest.approx(0.55 * 0.9, rel=0.1)


def test_every_action_has_its_share_and_a_question_is_answered_more() -> None:
    crowd = audience()
    final = crowd.final(1, Shown(TEXT, "text", NOON), ())
    assert set(final) == set(ACTIONS)
    assert final["impressions"] > final["likes"] > final["shares"] > 0
    for shown in (Shown(TEXT, "question", NOON), Shown(f"{TEXT}?", "text", NOON)):
        flat = audience(taste=0, kind=0)
        plain = flat.final(1, Shown(TEXT, "text", NOON), ())
        assert flat.final(1, shown, ())["replies"] == pytest.approx(2 * plain["replies"])


def test_half_of_all_counts_have_come_at_the_half_life() -> None:
    crowd = audience(half_life=timedelta(hours=6))
    final = dict.fromkeys(ACTIONS, 1000.0)
    assert crowd.counts(final, timedelta(0)).likes == 0
    assert crowd.counts(final, timedelta(hours=6)).likes == 500
    assert crowd.counts(final, timedelta(hours=12)).impressions == 750
    assert crowd.counts(final, 90 * DAY).shares == 1000
    assert crowd.counts(final, -DAY).likes == 0


@given(value=st.floats(0, 1e7), ages=st.lists(st.integers(-3600, 90 * 86400), min_size=2))
def test_counts_never_fall(value: float, ages: list[int]) -> None:
    crowd = CROWD
    shown = [crowd.counts(dict.fromkeys(ACTIONS, value), timedelta(seconds=age)) for age in sorted(ages)]
    for action in ACTIONS:
        counts = [getattr(count, action) for count in shown]
        assert counts == sorted(counts)
        assert counts[-1] <= value


CROWD = audience()
