import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from benchmarks.timing import AHEAD, Pair, effect_of, pairs_of, same_clock
from benchmarks.timing_figures import ALL, UNSEEN, Slope, as_json, markdown, slope_of
from bot.attention.evaluation import GAP
from bot.attention.forecast import Candidate, Forecast, PastPost
from bot.attention.outcomes import Scale, finished

START = datetime(2016, 2, 1, tzinfo=UTC)
BUSY = 19


def daily(at: datetime) -> float:
    return float(np.cos(2 * np.pi * (at.hour + at.minute / 60 - BUSY) / 24))


def page(seed: int, links: int = 12) -> tuple[list[PastPost], list[list[str]]]:
    """200 posts whose audience comes in the evening, then links that are each posted three times, worse each time."""
    rng = np.random.default_rng(seed)
    posts, at = [], START
    for number in range(200 + 3 * links):
        at += timedelta(hours=float(rng.uniform(3, 9)))
        worth = 0.0 if number < 200 else -0.4 * ((number - 200) // links)
        log = 5 + 0.8 * daily(at) + worth + 0.2 * rng.normal()
        posts.append(PastPost("facebook", f"{number}", "link", at, {"likes": round(np.expm1(log))}, ref=f"{number}"))
    return posts, [[f"{200 + link + turn * links}" for turn in range(3)] for link in range(links)]


class Clock:
    """Knows the hour's effect, and makes `much` of it; where `drifts`, it also thinks that later is worse."""

    name, version = "attention", ""

    def __init__(self, much: float, drifts: float = 0.0) -> None:
        self._much, self._drifts = much, drifts

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        scale = Scale.of(finished(history, action))
        last = max(post.at for post in history)
        return [
            Forecast.normal(
                self._much * 0.8 * daily(one.at) / scale.spread
                - self._drifts * float(np.log1p((one.at - last) / timedelta(days=1))),
                1,
                scale.centre,
                scale.spread,
            )
            for one in candidates
        ]


def slope(model: Clock) -> Slope:
    effects = []
    for seed in range(4):
        posts, groups = page(seed)
        effects += [effect_of(pair, model) for pair in pairs_of(f"page {seed}", posts, groups, 100, seed % 2 == 0)]
    return slope_of(effects, 100, False, ALL, False, 0)


@pytest.mark.parametrize(("much", "expected"), [(1.0, 1.0), (2.0, 0.5), (0.5, 2.0)])
def test_who_claims_twice_the_effect_of_time_has_half_the_slope(much: float, expected: float) -> None:
    found = slope(Clock(much))
    assert found.slope.mean == pytest.approx(expected, rel=0.15)
    assert found.slope.low < found.slope.mean < found.slope.high
    assert found.within_pages.mean == pytest.approx(expected, rel=0.15)
    assert (found.pages, found.pairs) == (4, 4 * 24)


def test_what_a_model_thinks_of_waiting_is_no_effect_of_the_clock() -> None:
    posts, groups = page(0)
    for pair in pairs_of("page", posts, groups, 100, False):
        plain, waiting = (effect_of(pair, Clock(1.0, drifts)) for drifts in (0.0, 0.5))
        assert waiting.clock == pytest.approx(plain.clock, abs=0.06)


def test_a_model_that_claims_nothing_has_no_slope() -> None:
    with pytest.raises(ValueError, match="no claimed difference"):
        slope(Clock(0.0))


def test_a_pair_is_read_with_what_was_known_two_days_before_its_first_post() -> None:
    posts, groups = page(1)
    found: list[Pair] = list(pairs_of("page", posts[::-1], groups, 150, False))
    assert [pair.order for pair in found] == [1, 2] * 12
    for pair in found:
        assert pair.first.at < pair.again.at
        assert len(pair.history) == 150
        assert max(post.at for post in pair.history) < pair.first.at - GAP
    assert not any(pair.unseen for pair in found)
    assert all(pair.unseen for pair in pairs_of("page", posts, groups, 150, True))
    assert list(pairs_of("page", posts, groups, 2000, False)) == []


@pytest.mark.parametrize("hours", [0.0, 1.5, 100.0, 168.0, 2000.25])
def test_moments_asked_for_have_the_hour_and_weekday_and_lie_around_the_same_distance(hours: float) -> None:
    last, when = START, START + timedelta(hours=hours)
    early, late, share = same_clock(when, last)
    assert early <= last + AHEAD < late
    assert early - last > GAP
    assert (early - when) % timedelta(days=7) == (late - when) % timedelta(days=7) == timedelta(0)
    assert 0 <= share < 1


def test_tables_and_json_hold_every_slope() -> None:
    one = slope(Clock(1.0))
    text = markdown([one])
    assert "## All pages" in text
    assert UNSEEN not in text
    assert f"{one.slope.mean / 1.2:.2f} to {one.slope.mean / 0.8:.2f}" in text
    assert json.loads(as_json([one], 0, "abc"))["slopes"][0]["pairs"] == one.pairs
