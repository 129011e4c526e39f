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
    return 1.0 if age is None else float(growth(np.array(age.total_seconds()), platform))


def growth(ages_s: NDArray[np.float64], platform: str) -> NDArray[np.float64]:
    """`grown` of many ages in seconds, of any shape."""
    half_life_s = HALF_LIFE_H.get(platform, 7.0) * 3600
    share = 1 - 0.5 ** (ages_s.clip(min=0) / half_life_s)
    return np.asarray(np.where(ages_s >= GROWN.total_seconds(), 1.0, share), dtype=np.float64)


def unfinished(posts: Sequence[PastPost]) -> NDArray[np.float64]:
    """The share of its growth each post still had before it when it was counted (n,), 0 .. 1; 0 where nothing was."""
    return np.array([0.0 if _unknown(post) else 1 - grown(post.age, post.platform) for post in posts], dtype=np.float64)


def finished(posts: Sequence[PastPost], action: str) -> NDArray[np.float64]:
    """log1p of the count each post will have reached when it has finished (n,), nan where that is not known."""
    return np.array([_finished(post, action) for post in posts], dtype=np.float64)


def _finished(post: PastPost, action: str) -> float:
    count = None if _unknown(post) else (post.counts or {}).get(action)
    if count is None:
        return float("nan")
    return float(np.log1p(max(count, 0) / grown(post.age, post.platform)))


def _unknown(post: PastPost) -> bool:
    return not post.counts or (post.age is not None and post.age < YOUNGEST)


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


def standard(values: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """z of the first column of log1p counts (n, A), and the mean z of the others: both (n,), nan where unknown.

    Each column is standardised by its own scale.
    """
    first, *others = (Scale.of(column).z(column) for column in values.T)
    counts = np.sum([np.isfinite(z) for z in others], axis=0) if others else np.zeros(len(first))
    total = np.sum([np.nan_to_num(z) for z in others], axis=0) if others else np.zeros(len(first))
    return first, np.divide(total, counts, out=np.full(len(first), np.nan), where=counts > 0)
