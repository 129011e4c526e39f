from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from benchmarks.unfinished import READINGS, counted, ranks
from bot.attention.evaluation import WINDOW
from bot.attention.forecast import Candidate, Forecast, PastPost
from bot.attention.outcomes import GROWN, finished

START = datetime(2026, 1, 5, tzinfo=UTC)


def posts(n: int) -> list[PastPost]:
    rng = np.random.default_rng(0)
    return [
        PastPost(
            "mastodon",
            f"post {place}",
            "text",
            START + timedelta(hours=4 * place),
            {"likes": int(rng.integers(1, 900))},
        )
        for place in range(n)
    ]


class Remembering:
    """Forecasts the same of everything and keeps what it was given."""

    name, version = "remembering", ""

    def __init__(self) -> None:
        self.read: list[list[PastPost]] = []

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        self.read.append(list(history))
        return [Forecast.normal(place / len(candidates), 1, 0, 1) for place in range(len(candidates))]


def test_a_post_grows_by_its_accounts_pace_and_stands_when_it_has_finished() -> None:
    post = PastPost("mastodon", "hello", "text", START, {"likes": 10_000, "shares": None})
    rng = np.random.default_rng(0)
    slow, usual = (counted(post, START + timedelta(hours=7), pace, rng) for pace in (0.5, 1.0))
    assert usual.age == slow.age == timedelta(hours=7)
    assert usual.counts is not None
    assert slow.counts is not None
    assert usual.counts["likes"] == pytest.approx(5000, rel=0.1)
    assert slow.counts["likes"] == pytest.approx(10_000 * (1 - 0.5**0.5), rel=0.1)
    assert usual.counts["shares"] is None
    assert counted(post, START + GROWN, 0.1, rng) == post


def test_the_same_history_is_read_in_four_ways() -> None:
    forecaster, known = Remembering(), posts(60 + WINDOW)
    (row,) = ranks(known, 50, forecaster, seed=1)
    as_counted, dropped, as_final, in_the_end = forecaster.read
    assert list(READINGS) == ["as counted", "dropped", "as final", "in the end"]
    assert in_the_end == known[10:60]
    young = [place for place, post in enumerate(as_counted) if post.age is not None]
    assert young == list(range(39, 50))  # eleven posts of the last 48 hours, four hours apart
    assert row["unfinished"] == pytest.approx(len(young) / 50)
    for place in young:
        assert dropped[place].counts is None
        assert as_final[place].counts == as_counted[place].counts
        assert as_final[place].age is None
    for read in (as_counted, dropped, as_final):
        assert read[:39] == in_the_end[:39]
    # Counted with their age, unfinished posts are guessed to end near where they do.
    guessed, true = (finished([read[place] for place in young], "likes") for read in (as_counted, in_the_end))
    assert np.nanmedian(np.abs(guessed - true)) < 0.8
    assert set(row) == {*READINGS, "unfinished"}


def test_an_account_without_a_young_post_tells_nothing() -> None:
    far = [
        PastPost("mastodon", f"post {place}", "text", START + timedelta(days=3 * place), {"likes": place})
        for place in range(40 + WINDOW)
    ]
    assert list(ranks(far, 20, Remembering(), seed=1)) == []
