"""What is done again and again, and how often; who calls it (real time or simulated) is in runner and lapse."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Tick:
    """A call that answers for itself: short, repeatable, and safe to be late."""

    name: str
    every: timedelta
    call: Callable[[], object]
