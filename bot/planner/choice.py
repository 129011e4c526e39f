"""Which of the permitted candidates goes out, and with what probability each was to; nothing is forecast here.

Most posts take the best score. A share of them, by a coin that is fixed for each post, takes any candidate at random:
the holdout that measures whether choosing helps. With exploration a score is raised where few posts were ever measured.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import expm1, isclose, log1p, sqrt
from statistics import pstdev

from bot.attention.forecast import PastPost
from scheduler.slots import zone_of

CURIOSITY = 0.6
"""Weight of the bonus for rarely tried hours, where a desk asks for it; `python -m benchmarks.decisions` weighs it."""
HOURS_A_WEEK = 168


@dataclass(frozen=True)
class Choice:
    """The place of the chosen candidate, whether it was drawn at random, each one's score and propensity."""

    chosen: int
    holdout: bool
    scores: tuple[float, ...]
    propensities: tuple[float, ...]
    equals: int
    """How many candidates share the best score; among them the draw decides."""


def fixed_coin(*key: object) -> float:
    """A number in [0, 1) that is always the same for the same key: planning again never tosses again."""
    told = "\0".join(str(part) for part in key)
    return int.from_bytes(hashlib.blake2b(told.encode(), digest_size=7).digest()) / 2**56


def bonuses(values: Sequence[float], tried: Sequence[int]) -> list[float]:
    """What exploration adds to the logarithm of each value: more where fewer posts were measured near that hour."""
    spread = pstdev(log1p(value) for value in values)
    return [CURIOSITY * spread / sqrt(1 + count) for count in tried]


def choose(
    values: Sequence[float], raised: Sequence[float], tickets: Sequence[float], share: float, coin: float
) -> Choice:
    """Choose among candidates of these values, raised in their logarithm; the smallest of the tickets is the draw.

    `share` is the holdout's, `coin` the post's own in [0, 1). A post without a choice is never held out.
    """
    scores = [expm1(log1p(value) + bonus) for value, bonus in zip(values, raised, strict=True)]
    top = max(scores)
    best = [place for place, score in enumerate(scores) if isclose(score, top, rel_tol=1e-9, abs_tol=1e-12)]
    count = len(scores)
    share = share if count > 1 else 0.0
    holdout = coin < share
    among = range(count) if holdout else best
    propensities = [share / count] * count
    for place in best:
        propensities[place] += (1 - share) / len(best)
    chosen = min(among, key=lambda place: tickets[place])
    return Choice(chosen, holdout, tuple(scores), tuple(propensities), len(best))


class Tried:
    """How many measured posts stand near an hour of the local week: within an hour before or after."""

    def __init__(self, history: Sequence[PastPost], zone: str) -> None:
        self._zone = zone_of(zone)
        self._hours = [0] * HOURS_A_WEEK
        for post in history:
            if any(count is not None for count in (post.counts or {}).values()):
                self._hours[self._hour(post.at)] += 1
        self.measured = sum(self._hours)
        """Measured posts in all."""

    def near(self, at: datetime) -> int:
        """Measured posts near the hour of the week of this moment."""
        hour = self._hour(at)
        return sum(self._hours[(hour + step) % HOURS_A_WEEK] for step in (-1, 0, 1))

    def _hour(self, at: datetime) -> int:
        local = at.astimezone(self._zone)
        return local.weekday() * 24 + local.hour
