"""How posts did by hour of the local week."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from bot.insights.hours import NEEDED, by_hour, timing

BERLIN = ZoneInfo("Europe/Berlin")
GREENWICH = ZoneInfo("UTC")
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


def account(n: int, evening: float, seed: int = 1, scale: float = 20.0) -> list[tuple[datetime, float]]:
    """n posts at every second hour; those from 17 UTC (18 in Berlin) on do better by a factor."""
    rng = np.random.default_rng(seed)
    times = [MONDAY + timedelta(days=day, hours=2 * (day % 12)) for day in range(n)]
    return [(at, scale * rng.lognormal(0, 0.5) * (evening if at.hour >= 17 else 1)) for at in times]


def test_a_post_is_in_the_hour_its_people_lived_through() -> None:
    posts = [(datetime(2026, 7, 6, 22, 30, tzinfo=UTC), 1.0), (datetime(2026, 12, 7, 22, 30, tzinfo=UTC), 5.0)]
    cells = by_hour([posts], BERLIN)
    assert [(cell.weekday, cell.hour, cell.count) for cell in cells] == [(0, 23, 1), (1, 0, 1)]


def test_few_posts_are_drawn_towards_the_usual() -> None:
    one, *_ = by_hour([[(MONDAY, 50.0), *((MONDAY + timedelta(hours=hour), 5.0) for hour in range(1, 12))]], GREENWICH)
    assert one.count == 1
    assert 0 < one.shrunk < one.outcomes[0] / 3


def test_under_the_least_number_of_posts_nothing_is_said_of_timing() -> None:
    assert timing(by_hour([account(NEEDED - 1, 8.0)], BERLIN)).words == (
        f"Not enough data yet: {NEEDED - 1} posts measured, {NEEDED} are needed"
    )


def test_posts_all_at_one_time_of_day_say_nothing_of_timing() -> None:
    posts = [(MONDAY + timedelta(days=day), float(day)) for day in range(60)]
    assert timing(by_hour([posts], BERLIN)).words.startswith("Not enough data yet: 60 posts, nearly all")


def test_a_planted_evening_is_found() -> None:
    found = timing(by_hour([account(240, 4.0)], GREENWICH))
    assert found.best == 20
    assert found.words.startswith("20–23 h did best, ")  # its last post of a day goes out at 22:00


@pytest.mark.parametrize("seed", range(3))
def test_without_an_effect_none_is_claimed(seed: int) -> None:
    assert timing(by_hour([account(240, 1.0, seed)], BERLIN)).words == "No effect of the time of day found in 240 posts"


def test_a_large_account_does_not_drown_a_small_one() -> None:
    small, large = account(60, 1.0, 1, 5.0), account(60, 1.0, 1, 5000.0)
    alone, both = by_hour([small], BERLIN), by_hour([small, large], BERLIN)
    for cell, twice in zip(alone, both, strict=True):
        assert sum(twice.outcomes) == pytest.approx(2 * sum(cell.outcomes), abs=2.0)


def test_an_account_that_always_does_the_same_shows_no_hours() -> None:
    assert by_hour([[(MONDAY, 5.0), (MONDAY + timedelta(hours=3), 5.0)], []], BERLIN) == []
