"""Ticks on real time until somebody says stop; the only file that knows APScheduler, and no post is ever its job."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, timedelta
from types import FrameType

from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from scheduler.clock import Clock, system_clock
from scheduler.events import Event, OnEvent, unheard
from scheduler.ticks import Tick
from storage.database import StorageError

WATCH_SECONDS = 0.5
"""How often the clock is compared with itself."""
JUMP = timedelta(seconds=2)
"""Smaller steps of the clock are ordinary corrections."""

Leave = Callable[[int], object]
"""Ends the process at once with this exit code."""


def run_forever(
    ticks: Sequence[Tick],
    stop: threading.Event,
    *,
    drain: Callable[[], object] | None = None,
    clock: Clock = system_clock,
    on_event: OnEvent = unheard,
    signals: bool = True,
    leave: Leave = os._exit,
) -> None:
    """Call every tick at its pace until `stop` is set, then drain and return.

    Each tick runs once at the start, never beside itself, and late rather than not at all. One that raises is reported
    once, as `tick.failed`, goes on being called, and is reported again when it succeeds (`tick.recovered`). With
    `signals` (main thread only) SIGINT and SIGTERM set `stop`; a second one leaves at once, which loses nothing:
    intents are committed before calls.
    """
    reports = _Reports(clock, on_event)
    scheduler = BackgroundScheduler(
        jobstores={"default": MemoryJobStore()},
        executors={"default": ThreadPoolExecutor(max(1, len(ticks)))},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone=UTC,
    )
    # It logs each tick that is still running at its next turn, and each failure again; `_Reports` says it once.
    for name in ("apscheduler.scheduler", "apscheduler.executors.default"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    scheduler.add_listener(reports.broke, EVENT_JOB_ERROR)
    for tick in ticks:
        every = IntervalTrigger(seconds=tick.every.total_seconds(), timezone=UTC)
        scheduler.add_job(reports.guard(tick), every, id=tick.name, next_run_time=system_clock())
    with _stop_on_signal(stop, clock, on_event, leave) if signals else nullcontext():
        scheduler.start()
        try:
            _watch(scheduler, stop, clock, on_event)
        finally:
            # Drain first: it keeps a tick in progress from claiming more. Then wait for the ticks themselves.
            scheduler.pause()
            try:
                if drain is not None:
                    drain()
            finally:
                scheduler.shutdown(wait=True)


def _watch(scheduler: BackgroundScheduler, stop: threading.Event, clock: Clock, on_event: OnEvent) -> None:
    """Wait for the stop; meanwhile, notice when the clock jumps, and bring the ticks back to it."""
    last = clock()
    while not stop.wait(WATCH_SECONDS):
        now = clock()
        if now < last - JUMP:
            on_event(Event("clock.set_back", now, words=f"the clock went back by {last - now}"))
            # Their next turns lie in what is the future again: without this they would sleep until then.
            for job in scheduler.get_jobs():
                job.modify(next_run_time=system_clock())
        elif now > last + timedelta(seconds=WATCH_SECONDS) + JUMP:
            scheduler.wakeup()  # the machine slept: timers that wait on the monotonic clock did not notice
        last = now


class _Reports:
    """Says once that a tick fails, and once that it does not any more."""

    def __init__(self, clock: Clock, on_event: OnEvent) -> None:
        self._clock, self._on_event = clock, on_event
        self._failing: dict[str, str] = {}

    def guard(self, tick: Tick) -> Callable[[], None]:
        """The tick's call, with a storage that fails now and then (a full disk, a busy file) told in its own words."""

        def call() -> None:
            try:
                tick.call()
            except StorageError as error:
                self._failed(tick.name, str(error))
            else:
                if self._failing.pop(tick.name, None) is not None:
                    self._on_event(Event("tick.recovered", self._clock(), words=f"{tick.name} works again"))

        return call

    def broke(self, event: JobExecutionEvent) -> None:
        """A tick raised something unforeseen. Its message may hold the text of a post: only type and place are told."""
        kind = type(event.exception).__name__
        if self._failed(event.job_id, f"{kind}: a defect in Kairos; the log says where"):
            logging.getLogger("kairos.ticks").error("%s raised %s\n%s", event.job_id, kind, event.traceback)

    def _failed(self, name: str, words: str) -> bool:
        if self._failing.get(name) == words:
            return False
        self._failing[name] = words
        self._on_event(Event("tick.failed", self._clock(), words=f"{name}: {words}"))
        return True


@contextmanager
def _stop_on_signal(stop: threading.Event, clock: Clock, on_event: OnEvent, leave: Leave) -> Iterator[None]:
    """SIGINT and SIGTERM set `stop`, the second one leaves; the former answers to them come back afterwards."""

    def answer(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            on_event(
                Event("run.left", clock(), words="left at once; what was on its way is looked for at the next start")
            )
            leave(128 + number)
            return
        stop.set()
        on_event(Event("run.stopping", clock(), words="finishing what is on its way; once more to leave at once"))

    former = {number: signal.signal(number, answer) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, before in former.items():
            signal.signal(number, before)
