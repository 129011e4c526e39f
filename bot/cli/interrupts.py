"""Ctrl-C at a bad moment: held back between two steps where order matters, and never swallowed or shown as a trace."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SOON = 0.01
"""Seconds after which an interrupt that came to nothing comes again."""


@contextmanager
def between_steps() -> Iterator[Callable[[], None]]:
    """Hold the first Ctrl-C back until the function given back is called, which raises it; a second one is at once.

    An exception can come between a lock that was taken and the code that would give it back; work that has to clean up
    under the same lock is told of Ctrl-C only where it holds none.
    """
    pressed = threading.Event()

    def answer(number: int, frame: FrameType | None) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    def check() -> None:
        if pressed.is_set():
            raise KeyboardInterrupt

    former = signal.signal(signal.SIGINT, answer)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, former)


_raised = threading.Event()


def never_swallow() -> None:
    """From now on remember that Ctrl-C was raised: libraries may hand it on as an error of their own.

    One that Python could only print, inside a finaliser, comes again a moment later instead.
    """
    _raised.clear()
    signal.signal(signal.SIGINT, _raise)
    printed = sys.unraisablehook

    def again(unraisable: "sys.UnraisableHookArgs") -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            # A timer of the system, not a thread: nothing here waits, so nothing here can be interrupted.
            signal.signal(signal.SIGALRM, _press)
            signal.setitimer(signal.ITIMER_REAL, SOON)
        else:
            printed(unraisable)

    sys.unraisablehook = again


def was_raised() -> bool:
    """Whether Ctrl-C has been raised in this command, whatever became of it."""
    return _raised.is_set()


def all_done() -> None:
    """The command is over: what was to come again comes no more."""
    if signal.getsignal(signal.SIGALRM) is _press:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _raise(number: int, frame: FrameType | None) -> None:
    _raised.set()
    raise KeyboardInterrupt


def _press(number: int, frame: FrameType | None) -> None:
    answer = signal.getsignal(signal.SIGINT)
    if callable(answer):
        answer(signal.SIGINT, frame)
