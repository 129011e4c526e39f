"""The two clocks: the machine's own and one that is set by hand; only this file reads the time."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The machine's time as an aware datetime in UTC."""
    return datetime.now(UTC)


def aware(moment: datetime) -> datetime:
    """The same moment in UTC; raises ValueError for a naive datetime."""
    if moment.tzinfo is None:
        raise ValueError(f"naive datetime {moment!r}: Kairos knows only times with a zone")
    return moment.astimezone(UTC)


class LapseClock:
    """A clock that stands still until it is advanced; safe to read from any thread."""

    def __init__(self, start: datetime) -> None:
        self._now = aware(start)
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """The moment it shows, in UTC."""
        with self._lock:
            return self._now

    def advance_to(self, moment: datetime) -> None:
        """Show this moment from now on; raises ValueError when it lies in the past."""
        later = aware(moment)
        with self._lock:
            if later < self._now:
                raise ValueError(
                    f"a clock does not go back: from {self._now:%Y-%m-%dT%H:%M:%SZ} to {later:%Y-%m-%dT%H:%M:%SZ}"
                )
            self._now = later
