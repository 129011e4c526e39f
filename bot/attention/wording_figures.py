"""How often appeal picks the better wording of a randomised test: a split in time, pairs, intervals; no fitting."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

EARLIER = 0.7
"""Of the tests are fitted on where the rest is to judge by."""
CLEAR = 1.96
"""From this z of the two-proportion test on a pair is told apart by more than luck."""
RESAMPLES = 2000


@dataclass(frozen=True)
class Arm:
    """A wording of a test, and how many of those who saw it clicked."""

    text: str
    clicks: int
    seen: int


class Appealing(Protocol):
    """Whatever scores wordings."""

    def appeal(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """One score per text; only differences matter."""
        ...


@dataclass(frozen=True)
class Share:
    """A share of pairs with its 95 % interval over tests."""

    mean: float
    low: float
    high: float
    pairs: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Figures:
    """Pairs of which the better arm was picked: of all, and of those told apart by more than luck."""

    all: Share
    clear: Share


def split(tests: Sequence[Sequence[Arm]], share: float = EARLIER) -> tuple[list[Sequence[Arm]], list[Sequence[Arm]]]:
    """Earlier and later tests of those in order of time; an earlier one that shares a text with a later one goes."""
    cut = int(share * len(tests))
    later = list(tests[cut:])
    known = {arm.text for test in later for arm in test}
    return [test for test in tests[:cut] if not any(arm.text in known for arm in test)], later


def z_of(one: Arm, other: Arm) -> float:
    """z of the two-proportion test, above 0 where `one` did better; 0 for a tie."""
    pooled = (one.clicks + other.clicks) / (one.seen + other.seen)
    error = np.sqrt(pooled * (1 - pooled) * (1 / one.seen + 1 / other.seen))
    return float((one.clicks / one.seen - other.clicks / other.seen) / error) if error > 0 else 0.0


def figures(tests: Sequence[Sequence[Arm]], model: Appealing, seed: int = 0) -> Figures:
    """How often the model picks the better arm; a tie of the model counts half, a tie of the arms not at all."""
    scores = iter(model.appeal([arm.text for test in tests for arm in test]).tolist())
    counts = np.array([_counts([(arm, next(scores)) for arm in test]) for test in tests], dtype=np.float64)
    drawn = np.random.default_rng(seed).integers(0, len(tests), (RESAMPLES, len(tests)))
    sums = counts[drawn].sum(axis=1)

    def share(hits: int, pairs: int) -> Share:
        total = counts.sum(axis=0)
        if not total[pairs]:
            return Share(float("nan"), float("nan"), float("nan"), 0)
        low, high = np.nanpercentile(sums[:, hits] / np.where(sums[:, pairs] > 0, sums[:, pairs], np.nan), [2.5, 97.5])
        return Share(float(total[hits] / total[pairs]), float(low), float(high), int(total[pairs]))

    return Figures(share(0, 1), share(2, 3))


def _counts(scored: Sequence[tuple[Arm, float]]) -> list[float]:
    """Hits and pairs of a test, of all pairs and of the clear ones."""
    found = [0.0] * 4
    for (one, score), (other, rival) in combinations(scored, 2):
        z = z_of(one, other)
        if z == 0:
            continue
        hit = 0.5 + 0.5 * float(np.sign(score - rival) * np.sign(z))
        for place in (0, 2) if abs(z) > CLEAR else (0,):
            found[place] += hit
            found[place + 1] += 1
    return found
