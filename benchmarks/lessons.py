"""What the pooled rivals learn from: cases of training accounts and what came of them; nothing is learned here."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.experts import Case, Matrix
from bot.attention.episodes import GAP_S, WINDOW, Series, episode
from bot.attention.outcomes import Scale

SHORTEST, LONGEST = 10, 900
"""Posts of a history."""
QUERIES = 40
FOLDS = 3


@dataclass(frozen=True)
class Lesson:
    """A case of a training account and how its candidates did: z (m,). `fold` belongs to the account."""

    case: Case
    z: Matrix
    fold: int


def lessons(series: Sequence[Series], count: int, rng: np.random.Generator) -> list[Lesson]:
    """`count` cases of training accounts: platforms alike, accounts of a platform alike, lengths as on a log scale."""
    platforms = [one.platform for one in series]
    sizes = {name: platforms.count(name) for name in set(platforms)}
    chances = np.array([1 / (sizes[name] * len(sizes)) for name in platforms])
    folds = rng.permutation(len(series)) % FOLDS
    found: list[Lesson] = []
    while len(found) < count:
        place = int(rng.choice(len(series), p=chances))
        k = int(np.exp(rng.uniform(np.log(SHORTEST), np.log(LONGEST))))
        one = _lesson(series[place], k, int(folds[place]), rng)
        if one is not None:
            found.append(one)
    return found


def _lesson(series: Series, k: int, fold: int, rng: np.random.Generator) -> Lesson | None:
    last = len(series) - WINDOW
    if last <= SHORTEST:
        return None
    # Long histories exist only late in an account; short ones may start anywhere.
    start = int(rng.integers(min(k + WINDOW, last), last + 1))
    queries = np.sort(rng.choice(np.arange(start, start + WINDOW), size=QUERIES, replace=False))
    values = np.log1p(series.counts[:, :1].clip(min=0))
    made = episode(series, values, start, k, queries)
    if made is None or made.measured.sum() < SHORTEST:
        return None
    end = int(np.searchsorted(series.times, series.times[start] - GAP_S))
    scale = Scale.of(values[max(0, end - k) : end])
    known, new = made.measured > 0, made.candidate_measured > 0
    case = Case(
        made.text[known],
        made.features[known],
        made.z[known].astype(np.float64),
        scale.centre,
        scale.spread,
        made.candidate_text[new],
        made.candidate_features[new],
    )
    return Lesson(case, made.candidate_z[new].astype(np.float64), fold)
