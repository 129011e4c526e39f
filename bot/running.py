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
from storage.facts import StoredFacts
from storage.models import Post


class AlreadyRunning(RuntimeError):
    """Another process carries out the outbox of this world."""


@dataclass(frozen=True)
class Lapse:
    """How far a rehearsal came, and why its clock stands where it does not stand at the end."""

    began: datetime
    reached: datetime
    waiting: int | None = None
    """Id of the post that waits for a person and whose slot has come."""
    stopped: str | None = None
    """Why everything is stopped."""


class _Halt(Exception):
    """The clock stands until a person has done something."""

    def __init__(self, waiting: int | None = None, stopped: str | None = None) -> None:
        super().__init__(waiting, stopped)
        self.waiting, self.stopped = waiting, stopped


def rehearse(
    world: World,
    rounds: Rounds,
    until: datetime,
    *,
    approve_all: bool = False,
    on_step: Callable[[datetime], None] | None = None,
) -> Lapse:
    """Run a dry world to a simulated moment, to the slot of a post that waits for a person, or to `kairos stop`.

    Interrupted at any point it stops in order, and the next rehearsal goes on from there.
    """
    clock = world.clock
    assert isinstance(clock, LapseClock)
    began = clock()
    halt = _Halt()
    with only_one(world.settings.folder / "dry"):
        deliverer = world.deliverer(patience=None)
        deliverer.take_over()

        def plan() -> None:
            rounds.carry_out()
            if approve_all:
                approve_held(world)

        def step(now: datetime) -> None:
            if on_step is not None:
                on_step(now)
            waiting = None if approve_all else _first_waiting(world, began)
            if waiting is not None and waiting.slot_at <= now:
                raise _Halt(waiting=waiting.id)

        def next_step() -> datetime | None:
            waiting = None if approve_all else _first_waiting(world, began)
            slot = None if waiting is None else waiting.slot_at
            return min((moment for moment in (slot, next_moment(world, deliverer)) if moment is not None), default=None)

        ticks = [
            # First of all: whatever happens at a moment, a process that is killed then has come to it.
            Tick("clock", timedelta(seconds=1), lambda: remember_clock(world)),
            Tick("stop", timedelta(seconds=1), lambda: _halt_where_stopped(world)),
            *world.ticks(deliverer, plan),
        ]
        try:
            world.backfill()
            run_lapse(clock, until, ticks, next_step, step)
        except _Halt as stands:
            halt = stands
        finally:
            deliverer.drain()
            remember_clock(world)
        return Lapse(began, clock(), halt.waiting, halt.stopped)


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


def _halt_where_stopped(world: World) -> None:
    with world.db.read() as session:
        why = StoredFacts(session, world.settings.stop_file).stopped()
    if why is not None:
        raise _Halt(stopped=why)


def _first_waiting(world: World, since: datetime) -> Post | None:
    """The post (no reply) that waits for a person and has the first slot from `since` on."""
    with world.db.read() as session:
        return next((post for post in calendar.queue(session) if post.kind == "post" and post.slot_at >= since), None)


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
