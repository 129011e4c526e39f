"""How posts did, as models see it: finished counts on a log scale, standardised by account; no features, no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from bot.attention.forecast import PastPost

YOUNGEST = timedelta(hours=1)
"""Counts younger than this say too little: the post counts as not measured."""
GROWN = timedelta(hours=48)
HALF_LIFE_H = {"reddit": 5.0, "hackernews": 4.0, "x": 3.0}
"""Hours after which half of the final engagement is there; others 7. On Reddit 35 % is there at 4 h, 95 % at 12 h."""
PRIOR = 3
"""Posts' worth of belief in the spread of an unknown account."""
LOWEST, HIGHEST = -5.0, 6.0
"""Borders of z: one runaway post must not drown the rest."""


def grown(age: timedelta | None, platform: str) -> float:
    """The share of its final counts a post has reached at an age, 0 .. 1; None means finished."""
    if age is None or age >= GROWN:
        return 1.0
    hours = max(age.total_seconds() / 3600, 0.0)
    return float(1 - 0.5 ** (hours / HALF_LIFE_H.get(platform, 7.0)))


def finished(posts: Sequence[PastPost], action: str) -> NDArray[np.float64]:
    """log1p of the count each post will have reached when it has finished (n,), nan where that is not known."""
    return np.array([_finished(post, action) for post in posts], dtype=np.float64)


def _finished(post: PastPost, action: str) -> float:
    count = None if post.counts is None else post.counts.get(action)
    if count is None or (post.age is not None and post.age < YOUNGEST):
        return float("nan")
    return float(np.log1p(max(count, 0) / grown(post.age, post.platform)))


@dataclass(frozen=True)
class Scale:
    """How to go from log1p(count) to z and back: z = (log1p(count) - centre) / spread."""

    centre: float
    spread: float

    @classmethod
    def of(cls, values: NDArray[np.floating]) -> "Scale":
        """The mean and standard deviation of the finite values; UNKNOWN where there are none.

        The deviation is taken as if PRIOR posts with that of an unknown account were among them: two posts with like
        counts must not claim certainty.
        """
        known = values[np.isfinite(values)]
        if not len(known):
            return UNKNOWN
        variance = (len(known) * float(known.var()) + PRIOR * UNKNOWN.spread**2) / (len(known) + PRIOR)
        return cls(float(known.mean()), float(np.sqrt(variance)))

    def z(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Standardised values between LOWEST and HIGHEST, nan where they are."""
        return np.asarray(((values - self.centre) / self.spread).clip(LOWEST, HIGHEST), dtype=np.float64)


UNKNOWN = Scale(float(np.log1p(10.0)), 1.2)
"""Of counts on an account without one measured post."""
