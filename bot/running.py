"""Carries campaigns out: a rehearsal in time lapse, or the live world until somebody says stop; it chooses nothing."""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.app import World, remember_clock
from bot.rounds import Rounds
from scheduler.clock import LapseClock
from scheduler.deliver import Deliverer
from scheduler.lapse import run_lapse
from scheduler.runner import run_forever
from scheduler.ticks import Tick
from storage import calendar, engagement, outbox
from storage.models import State


class AlreadyRunning(RuntimeError):
    """Another process carries out the outbox of this world."""


@dataclass(frozen=True)
class Lapse:
    """How far a rehearsal came, and whether it stopped because a post waits for a person."""

    began: datetime
    reached: datetime
    waiting: int | None = None
    """Id of the post it stopped at."""


def rehearse(
    world: World,
    rounds: Rounds,
    until: datetime,
    *,
    approve_all: bool = False,
    on_step: Callable[[datetime], None] | None = None,
) -> Lapse:
    """Run a dry world to a simulated moment, or to the slot of the first post that waits for a person.

    Interrupted at any point it stops in order, and the next rehearsal goes on from there.
    """
    clock = world.clock
    assert isinstance(clock, LapseClock)
    began = clock()
    with only_one(world.settings.folder / "dry"):
        deliverer = world.deliverer(patience=None)
        deliverer.take_over()

        def plan() -> None:
            rounds.carry_out()
            if approve_all:
                approve_held(world)

        ticks = [*world.ticks(deliverer, plan), Tick("clock", timedelta(hours=1), lambda: remember_clock(world))]
        try:
            world.backfill()
            plan()
            waiting = _first_waiting(world, until)
            end = until if waiting is None else max(waiting[1], began)
            run_lapse(clock, end, ticks, lambda: next_moment(world, deliverer), on_step)
        finally:
            deliverer.drain()
            remember_clock(world)
        return Lapse(began, clock(), None if waiting is None else waiting[0])


def go_live(world: World, rounds: Rounds, stop: threading.Event) -> None:
    """Run the live world on the machine's clock until `stop` is set or a signal comes, then drain."""
    with only_one(world.settings.folder / "live"):
        deliverer = world.deliverer()
        deliverer.take_over()
        world.backfill()
        run_forever(
            world.ticks(deliverer, rounds.carry_out),
            stop,
            drain=deliverer.drain,
            clock=world.clock,
            on_event=world.on_event,
        )


def next_moment(world: World, deliverer: Deliverer) -> datetime | None:
    """When something happens next by itself: a post falls due, a look, or an age at which a post is measured."""
    now = world.clock()
    with world.db.read() as session:
        measured = engagement.next_snapshot(session, now, world.ages)
    return min((moment for moment in (deliverer.next_moment(), measured) if moment is not None), default=None)


def approve_held(world: World) -> int:
    """A simulated person says yes to everything that waits; only rehearsals do this. Gives back how many."""
    assert not world.live
    with world.db.write() as session:
        waiting = [post.id for post in calendar.queue(session) if post.id is not None]
        return sum(outbox.approve(session, post_id, world.clock()) for post_id in waiting)


def _first_waiting(world: World, until: datetime) -> tuple[int, datetime] | None:
    """The first post (no reply) that waits for a person and has its slot before `until`."""
    with world.db.read() as session:
        waiting = [
            (post.id, post.slot_at)
            for post in calendar.queue(session)
            if post.kind == "post" and post.state is State.HELD and post.slot_at < until and post.id is not None
        ]
    coming = [pair for pair in waiting if pair[1] >= world.clock()]
    return min(coming, key=lambda pair: pair[1], default=None)


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the lock of a world, which ends with the process however it ends; raises AlreadyRunning."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = folder / "run.lock"
    with lock.open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            number = stream.read().strip() or "unknown"
            raise AlreadyRunning(f"another kairos run is at work here (process {number}); stop it first") from None
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield
