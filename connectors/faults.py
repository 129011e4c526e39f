"""What goes wrong on the sandbox network, on request or by a seeded share; not what a connector makes of it."""

import zlib
from collections import deque
from collections.abc import Mapping
from typing import Literal

import numpy as np

Fault = Literal["rate_limit", "auth", "reject", "unavailable", "lost_answer", "slow"]


class Faults:
    """Lets writes fail: the next ones in order, or a share of all; safe to ask from any thread."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._next: deque[Fault] = deque()
        self._rates: Mapping[Fault, float] = {}
        self.delay = 0.05
        """Seconds a slow answer takes."""

    def fail_next(self, fault: Fault, times: int = 1) -> None:
        """Let the next writes fail this way."""
        self._next.extend([fault] * times)

    def rates(self, rates: Mapping[Fault, float]) -> None:
        """Let this share of all writes fail in each way."""
        self._rates = rates

    def draw(self, key: str, tries: int) -> Fault | None:
        """What happens to this try of the write with this key; the shares fall alike in whatever order threads ask."""
        try:
            return self._next.popleft()
        except IndexError:
            pass
        chance = np.random.default_rng([self._seed, 9, zlib.crc32(key.encode()), tries]).random()
        for fault, rate in self._rates.items():
            if chance < rate:
                return fault
            chance -= rate
        return None
