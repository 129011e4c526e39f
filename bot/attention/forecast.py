"""The plain words of forecasting: a past post, a candidate, the distribution forecast for it; no torch, no learning.

`z` below is log1p(count) of one action, standardised with the mean (`centre`) and standard deviation (`spread`)
of the account's own history (see `bot.attention.outcomes`): z = (log1p(count) - centre) / spread.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

ACTIONS = ("likes", "replies", "shares", "clicks", "impressions")
BINS = 60
EDGES: NDArray[np.float64] = np.linspace(-3.75, 5.25, BINS + 1)
"""Borders of the bars over z, as in the network's output (BINS + 1,)."""


@dataclass(frozen=True)
class PastPost:
    """One of the account's own posts and how it did.

    `counts` maps action names (ACTIONS) to counts; None, or an absent action, means it was not measured.
    `age` is the post's age when counted; None means long after, when counts no longer grow.
    """

    platform: str
    text: str
    kind: str
    at: datetime
    counts: Mapping[str, int | None] | None = None
    age: timedelta | None = None
    ref: str = ""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"a past post needs a time with a zone, got the naive {self.at!r}")


@dataclass(frozen=True)
class Candidate:
    """A wording in a slot, undecided."""

    platform: str
    text: str
    kind: str
    at: datetime

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"a candidate needs a time with a zone, got the naive {self.at!r}")


@dataclass(frozen=True)
class Attended:
    """A past post that moved the forecast: its place in the history given and its share of all that posts added (0..1).

    `added` is by how much about the expected z would be lower without it; `bot.attention.influence` says it exactly.
    """

    index: int
    weight: float
    added: float = 0.0


@dataclass(frozen=True)
class Forecast:
    """A distribution over z as bars: `probabilities` (BINS,) sum to 1, uniform inside each bar of EDGES."""

    probabilities: NDArray[np.float64]
    centre: float
    spread: float
    attended: Sequence[Attended] = field(default=(), compare=False)
    """Past posts that moved it most, the most first."""

    @classmethod
    def normal(cls, mean: float, sd: float, centre: float, spread: float) -> "Forecast":
        """Bars of a normal distribution in z; what lies outside EDGES falls into the outermost bars."""
        cumulative = ndtr((EDGES - mean) / max(sd, 1e-6))
        cumulative[0], cumulative[-1] = 0.0, 1.0
        return cls(np.diff(cumulative), centre, spread)

    @cached_property
    def mean(self) -> float:
        """Expected z."""
        return float(self.probabilities @ _MIDDLES)

    @cached_property
    def sd(self) -> float:
        """Standard deviation of z."""
        width = float(EDGES[1] - EDGES[0])
        variance = float(self.probabilities @ (_MIDDLES - self.mean) ** 2) + width**2 / 12
        return float(variance**0.5)

    @cached_property
    def _cumulative(self) -> NDArray[np.float64]:
        return np.concatenate([[0.0], np.cumsum(self.probabilities)])

    def quantile(self, q: float) -> float:
        """The z below which a share q (0..1) of the outcomes falls."""
        if not 0 <= q <= 1:
            raise ValueError(f"a quantile lies between 0 and 1, got {q}")
        return float(np.interp(q * self._cumulative[-1], self._cumulative, EDGES))

    def below(self, z: float) -> float:
        """Probability of an outcome below z."""
        return float(np.interp(z, EDGES, self._cumulative))

    def to_count(self, z: float) -> float:
        """The count that stands at z, never below 0."""
        return float(max(np.expm1(self.centre + self.spread * z), 0.0))

    def count_quantile(self, q: float) -> float:
        """The count below which a share q of the outcomes falls."""
        return self.to_count(self.quantile(q))

    @cached_property
    def count_mean(self) -> float:
        """Expected count."""
        counts = np.maximum(np.expm1(self.centre + self.spread * _MIDDLES), 0.0)
        return float(self.probabilities @ counts)


_MIDDLES = (EDGES[1:] + EDGES[:-1]) / 2


@dataclass(frozen=True)
class Sheaf:
    """Many forecasts (n) read at once: a plan asks thousands of them the same few questions."""

    probabilities: NDArray[np.float64]
    """(n, BINS)"""
    centres: NDArray[np.float64]
    spreads: NDArray[np.float64]

    @classmethod
    def of(cls, forecasts: Sequence[Forecast]) -> "Sheaf":
        """These forecasts together."""
        return cls(
            np.stack([one.probabilities for one in forecasts]),
            np.array([one.centre for one in forecasts]),
            np.array([one.spread for one in forecasts]),
        )

    @cached_property
    def means(self) -> NDArray[np.float64]:
        """Expected z (n,)."""
        return np.asarray(self.probabilities @ _MIDDLES)

    def sds(self) -> NDArray[np.float64]:
        """Standard deviations of z (n,)."""
        width = float(EDGES[1] - EDGES[0])
        squares = (_MIDDLES - self.means[:, None]) ** 2
        return np.asarray(np.sqrt((self.probabilities * squares).sum(axis=1) + width**2 / 12))

    def typical_counts(self) -> NDArray[np.float64]:
        """The counts that stand at the expected z (n,)."""
        return self._counts(self.means)

    def count_quantiles(self, q: float) -> NDArray[np.float64]:
        """The counts below which a share q (0..1) of the outcomes falls (n,)."""
        cumulative = np.cumsum(self.probabilities, axis=1)
        wanted = q * cumulative[:, -1:]
        bar = np.argmax(cumulative >= wanted, axis=1)[:, None]
        mass = np.take_along_axis(self.probabilities, bar, axis=1)
        above = np.take_along_axis(cumulative, bar, axis=1) - wanted
        into = 1 - np.divide(above, mass, out=np.zeros_like(above), where=mass > 0)
        return self._counts((EDGES[bar] + into * (EDGES[1] - EDGES[0]))[:, 0])

    def _counts(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.maximum(np.expm1(self.centres + self.spreads * z), 0.0))


class Forecaster(Protocol):
    """Anything that forecasts: the attention model and every baseline."""

    name: str
    version: str
    """Tells weights apart; empty for what is fitted anew each time."""

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        """One forecast per candidate, each independent of the other candidates.

        `history` may be in any order; only rows measured for `action` carry an outcome. With no outcome at all
        the forecast is the prior: mean 0 (of the attention model, near 0, by how the wording appeals), sd 1, in counts
        of a post on an unknown account.
        """
        ...
