from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.attention.forecast import PastPost
from bot.attention.outcomes import UNKNOWN, Scale, finished, grown, standard, unfinished

AT = datetime(2026, 1, 1, tzinfo=UTC)


def seen(count: int | None, age_h: float | None, platform: str = "mastodon") -> PastPost:
    age = None if age_h is None else timedelta(hours=age_h)
    return PastPost(platform, "hello", "text", AT, {"likes": count}, age)


def test_a_finished_post_counts_as_it_stands() -> None:
    assert finished([seen(99, None), seen(99, 72)], "likes") == pytest.approx(np.log(100))


def test_an_unfinished_post_counts_for_what_it_will_have_reached() -> None:
    (young,) = finished([seen(50, 7)], "likes")
    assert young == pytest.approx(np.log1p(100))  # half of it is there after seven hours


def test_what_was_still_to_come_is_told_of_counted_posts_alone() -> None:
    posts = [
        seen(3, 7),
        seen(3, None),
        seen(3, 0.5),
        PastPost("mastodon", "hello", "text", AT, None, timedelta(hours=7)),
    ]
    assert unfinished(posts) == pytest.approx([0.5, 0, 0, 0])


def test_the_first_action_stands_beside_the_mean_of_the_others() -> None:
    values = np.array([[1.0, 2.0, np.nan], [2.0, np.nan, np.nan], [3.0, 4.0, 8.0], [np.nan, 6.0, 2.0]])
    first, beside = standard(values)
    assert first == pytest.approx(Scale.of(values[:, 0]).z(values[:, 0]), nan_ok=True)
    replies, shares = (Scale.of(column).z(column) for column in values[:, 1:].T)
    assert beside == pytest.approx([replies[0], np.nan, *(replies[2:] + shares[2:]) / 2], nan_ok=True)
    assert np.isnan(standard(values[:, :1])[1]).all()


def test_what_is_too_young_or_untold_is_not_measured() -> None:
    posts = [seen(3, 0.5), seen(None, None), PastPost("mastodon", "hello", "text", AT)]
    assert np.isnan(finished(posts, "likes")).all()
    assert np.isnan(finished([seen(3, None)], "shares")).all()


def test_reddit_posts_grow_up_sooner_than_others() -> None:
    assert grown(timedelta(hours=12), "reddit") > grown(timedelta(hours=12), "mastodon")


@given(st.floats(0, 100), st.floats(0, 100), st.sampled_from(["reddit", "x", "mastodon"]))
def test_a_post_never_shrinks(one: float, other: float, platform: str) -> None:
    younger, older = sorted([timedelta(hours=one), timedelta(hours=other)])
    assert 0 <= grown(younger, platform) <= grown(older, platform) <= 1


def test_the_scale_is_the_accounts_own_and_ignores_what_is_not_known() -> None:
    values = np.tile([1.0, np.nan, 3.0], 1000)
    scale = Scale.of(values)
    assert (scale.centre, scale.spread) == pytest.approx((2.0, 1.0), abs=0.01)
    assert scale.z(np.array([4.0]))[0] == pytest.approx(2.0, abs=0.01)


def test_an_account_without_outcomes_has_the_scale_of_an_unknown_one() -> None:
    assert Scale.of(np.array([np.nan])) == UNKNOWN
    assert Scale.of(np.array([])) == UNKNOWN


def test_a_few_like_counts_do_not_claim_certainty() -> None:
    spreads = [Scale.of(np.full(n, 2.0)).spread for n in (1, 2, 3, 30)]
    assert spreads == sorted(spreads, reverse=True)
    assert spreads[2] > UNKNOWN.spread / 2 > spreads[3] > 0


def test_one_runaway_post_is_bounded() -> None:
    assert Scale(0.0, 1.0).z(np.array([1e6, -1e6])).tolist() == [6.0, -5.0]
