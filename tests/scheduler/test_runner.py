"""The runner on real time: ticks at their pace, stops that lose nothing, clocks that jump."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduler.clock import system_clock
from scheduler.events import Event
from scheduler.runner import run_forever
from scheduler.ticks import Tick
from storage.database import StorageError

ROOT = Path(__file__).parent.parent.parent
PULSE = timedelta(seconds=0.1)


class Run:
    """A runner in a thread of its own."""

    def __init__(self, *ticks: Tick, clock: Callable[[], datetime] = system_clock, **options: Any) -> None:
        self.stop, self.events = threading.Event(), list[Event]()
        self.thread = threading.Thread(
            target=run_forever,
            args=(ticks, self.stop),
            kwargs={"signals": False, "on_event": self.events.append, "clock": clock} | options,
        )
        self.thread.start()

    def until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                self.end()
                pytest.fail("it did not come about")
            time.sleep(0.01)

    def end(self) -> list[str]:
        self.stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive()
        return [event.name for event in self.events]


def test_ticks_are_called_again_and_again_until_the_stop_and_never_after() -> None:
    quick, slow = [], []
    run = Run(Tick("quick", PULSE, lambda: quick.append(1)), Tick("slow", timedelta(hours=1), lambda: slow.append(1)))
    run.until(lambda: len(quick) >= 5)
    run.end()
    before = len(quick)
    time.sleep(0.3)
    assert len(quick) == before
    assert len(slow) == 1


def test_a_tick_never_runs_beside_itself() -> None:
    inside, most, calls = [0], [0], []

    def call() -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.25)
        inside[0] -= 1
        calls.append(1)

    run = Run(Tick("long", PULSE, call), *(Tick(f"idle {place}", PULSE, lambda: None) for place in range(3)))
    run.until(lambda: len(calls) >= 3)
    run.end()
    assert most == [1]


def test_a_due_post_goes_out_and_the_stop_drains(stage: Any) -> None:
    stage.clock.advance_to(system_clock() if system_clock() > stage.clock() else stage.clock())
    stage.plan(20)
    deliverer = stage.deliverer(patience=0.1)
    run = Run(Tick("deliver", PULSE, deliverer.tick), drain=lambda: deliverer.drain(10))
    run.until(lambda: len(stage.platform.timeline) == 20)
    run.end()
    assert stage.states() == {"published": 20}
    assert deliverer.tick() == 0


def test_a_failing_storage_is_told_once_in_its_own_words_and_so_is_its_return() -> None:
    calls: list[int] = []

    def call() -> None:
        calls.append(1)
        if len(calls) <= 4:
            raise StorageError("kairos.db: the disk is full")

    run = Run(Tick("deliver", PULSE, call))
    run.until(lambda: len(calls) >= 7)
    names = run.end()
    assert names == ["tick.failed", "tick.recovered"]
    assert run.events[0].words == "deliver: kairos.db: the disk is full"


def test_a_defect_is_told_once_without_its_message_and_does_not_stop_the_other_ticks() -> None:
    calls, others = [], []

    def call() -> None:
        calls.append(1)
        raise ZeroDivisionError("the secret text of a post")

    run = Run(Tick("broken", PULSE, call), Tick("other", PULSE, lambda: others.append(1)))
    run.until(lambda: len(calls) >= 4 and len(others) >= 4)
    assert run.end() == ["tick.failed"]
    assert "ZeroDivisionError" in run.events[0].words
    assert "secret" not in run.events[0].words


def test_a_clock_that_is_set_back_is_told_and_no_tick_waits_for_it_to_catch_up() -> None:
    shift, calls = [timedelta(0)], list[int]()
    tick = Tick("slow", timedelta(hours=1), lambda: calls.append(1))
    run = Run(tick, clock=lambda: system_clock() + shift[0])
    run.until(lambda: len(calls) == 1)
    time.sleep(0.2)
    shift[0] = timedelta(hours=-1)
    run.until(lambda: len(calls) == 2)
    assert run.end() == ["clock.set_back"]


CHILD = """
import sys, threading, time
from datetime import timedelta
from scheduler.runner import run_forever
from scheduler.ticks import Tick

def tell(event):
    print(event.name, flush=True)

def drain():
    print("draining", flush=True)
    time.sleep(float(sys.argv[1]))
    print("drained", flush=True)

run_forever(
    [Tick("ready", timedelta(hours=1), lambda: print("ready", flush=True))],
    threading.Event(), drain=drain, on_event=tell,
)
print("done", flush=True)
"""


def child(seconds: float) -> "subprocess.Popen[str]":
    started = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_drains_and_ends_well(number: signal.Signals) -> None:
    started = child(0.1)
    started.send_signal(number)
    words, _ = started.communicate(timeout=30)
    assert words.split() == ["run.stopping", "draining", "drained", "done"]
    assert started.returncode == 0


def test_a_second_signal_leaves_at_once_with_a_word() -> None:
    started = child(60)
    assert started.stdout is not None
    started.send_signal(signal.SIGINT)
    assert [started.stdout.readline() for _ in range(2)] == ["run.stopping\n", "draining\n"]
    started.send_signal(signal.SIGINT)
    words, _ = started.communicate(timeout=30)
    assert words.split() == ["run.left"]
    assert started.returncode == 128 + signal.SIGINT
