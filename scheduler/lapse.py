"""The same ticks on simulated time, jumping from event to event; for dry runs and the demo, never the real clock."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from scheduler.clock import LapseClock, aware
from scheduler.ticks import Tick

STRIDE = timedelta(minutes=1)
"""Ticks that come more often than this make no steps of their own: they run at every step."""

LONGEST_WAIT = timedelta(hours=1)


class TimeStandsStill(RuntimeError):
    """The lapse made more steps than any sensible run of that length."""


def run_lapse(
    clock: LapseClock,
    until: datetime,
    ticks: Sequence[Tick],
    next_event: Callable[[], datetime | None],
    on_step: Callable[[datetime], None] | None = None,
    *,
    bound: int = 1_000_000,
) -> int:
    """Run the ticks until the clock shows `until`; gives back the number of steps.

    Each step runs, in order, every tick whose `every` has passed, then jumps to the next event, the next turn of a
    slow tick, or the end, whichever is first. An event that stays in the past after its step is tried again a minute
    later, then less and less often.
    """
    end = aware(until)
    due = [clock()] * len(ticks)
    wait = STRIDE
    for step in range(1, bound + 1):
        now = clock()
        for place, tick in enumerate(ticks):
            if due[place] <= now:
                tick.call()
                due[place] = now + tick.every
        if on_step is not None:
            on_step(now)
        if now >= end:
            return step
        turns = [turn for turn, tick in zip(due, ticks, strict=True) if tick.every >= STRIDE]
        event = next_event()
        if event is not None and event > now:
            turns.append(event)
            wait = STRIDE
        elif event is not None:
            turns.append(now + wait)
            wait = min(2 * wait, LONGEST_WAIT)
        clock.advance_to(min([*turns, end]))
    raise TimeStandsStill(f"{bound} steps and it is only {clock():%Y-%m-%dT%H:%M}: an event comes up again and again")
