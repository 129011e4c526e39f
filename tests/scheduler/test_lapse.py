"""Simulated time: the same ticks, jumping from event to event."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import Counts
from scheduler.clock import LapseClock
from scheduler.collect import collect_due
from scheduler.lapse import TimeStandsStill, run_lapse
from scheduler.ticks import Tick
from storage import engagement
from storage.models import State

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


def test_slow_ticks_come_in_their_turn_and_quick_ones_at_every_step() -> None:
    clock = LapseClock(NOON)
    seen: list[tuple[str, datetime]] = []
    quick = Tick("quick", SECOND, lambda: seen.append(("quick", clock())))
    slow = Tick("slow", HOUR, lambda: seen.append(("slow", clock())))
    event = NOON + timedelta(minutes=25)
    steps = run_lapse(clock, NOON + 2 * HOUR, [quick, slow], lambda: event if clock() < event else None)
    assert [at - NOON for name, at in seen if name == "slow"] == [0 * HOUR, HOUR, 2 * HOUR]
    assert [at - NOON for name, at in seen if name == "quick"] == [0 * HOUR, timedelta(minutes=25), HOUR, 2 * HOUR]
    assert steps == 4
    assert clock() == NOON + 2 * HOUR


def test_each_step_is_told() -> None:
    clock = LapseClock(NOON)
    told: list[datetime] = []
    run_lapse(clock, NOON + 3 * DAY, [Tick("plan", DAY, lambda: None)], lambda: None, told.append)
    assert told == [NOON + place * DAY for place in range(4)]


def test_an_event_that_stays_in_the_past_does_not_stop_time_nor_fill_it() -> None:
    clock = LapseClock(NOON)
    assert run_lapse(clock, NOON + 28 * DAY, [], lambda: NOON - DAY) < 28 * 24 + 20


def test_a_lapse_that_gets_nowhere_ends_in_words() -> None:
    clock = LapseClock(NOON)
    with pytest.raises(TimeStandsStill, match="again and again"):
        run_lapse(clock, NOON + DAY, [], lambda: clock() + SECOND, bound=1000)


def test_the_clock_of_a_lapse_does_not_go_back() -> None:
    clock = LapseClock(NOON)
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance_to(NOON - SECOND)
    with pytest.raises(ValueError, match="naive"):
        LapseClock(datetime(2026, 1, 1))  # noqa: DTZ001


def test_four_weeks_of_posts_go_out_in_their_slots_and_are_measured(stage: Any) -> None:
    ids = [stage.plan(after=timedelta(hours=9 * place))[0] for place in range(1, 60)]
    stage.platform.counts = {str(place): Counts(likes=place) for place in range(100)}
    stage.platform.script.append("lost")
    deliverer = stage.deliverer()
    measured: list[int] = []
    ages = [HOUR, DAY]

    def collect() -> None:
        measured.append(collect_due(stage.db, stage.connectors, stage.clock, ages))

    def next_event() -> datetime | None:
        with stage.db.read() as session:
            moments = [engagement.next_snapshot(session, stage.clock(), ages), deliverer.next_moment()]
        return min((moment for moment in moments if moment is not None), default=None)

    ticks = [Tick("deliver", SECOND, deliverer.tick), Tick("collect", SECOND, collect)]
    steps = run_lapse(stage.clock, NOON + 28 * DAY, ticks, next_event)
    assert steps < 4 * 59
    posts = [stage.post(post_id) for post_id in ids]
    assert all(post.state == State.PUBLISHED for post in posts)
    assert all(post.intent_at == post.slot_at for post in posts)
    assert len(stage.platform.calls) == 59
    assert sum(measured) == 2 * 59
