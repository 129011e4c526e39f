"""Draws training episodes and stacks them: real outcomes, simulated ones, made-up accounts; nothing is learned here."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bot.attention.episodes import GAP_S, WINDOW, Episode, Series, episode
from bot.attention.features import CLOCK_PART, HOUR_S
from bot.attention.forecast import ACTIONS
from bot.attention.network import Outcomes, Posts
from bot.attention.prior import made_up_series, outcome, outcomes, rotated

QUERIES = 48
EVEN = 0.2
"""Platforms weigh as this power of the number of their accounts: 0 would be alike."""
SIMULATED = 0.35
"""Share of real-account episodes whose outcome is simulated; made-up accounts come on top."""
MADE_UP = 0.15
UNFINISHED = 0.4
"""Share of episodes whose last posts are counted before they have finished."""


@dataclass
class Batch:
    """B episodes, histories padded to the longest.

    `present` (B, K) is 0 where padding stands; truth and weight (B, M).
    """

    history: Posts
    outcomes: Outcomes
    present: Tensor
    candidates: Posts
    truth: Tensor
    weight: Tensor

    @property
    def given(self) -> tuple[Posts, Outcomes, Tensor, Posts]:
        """What the network is given, in its order: all but the truth."""
        return self.history, self.outcomes, self.present, self.candidates


def collate(episodes: list[Episode]) -> Batch:
    """Episodes of unequal history length -> one padded batch."""
    longest = max(len(one.z) for one in episodes)

    def padded(rows: list[NDArray[np.float32]]) -> Tensor:
        width = [(0, 0)] * (rows[0].ndim - 1)
        return torch.from_numpy(np.stack([np.pad(row, [(longest - len(row), 0), *width]) for row in rows]))

    def stacked(rows: list[NDArray[np.float32]]) -> Tensor:
        return torch.from_numpy(np.stack(rows))

    return Batch(
        Posts(padded([one.text for one in episodes]), padded([one.features for one in episodes])),
        Outcomes(
            padded([one.z for one in episodes]),
            padded([one.measured for one in episodes]),
            padded([one.beside for one in episodes]),
            padded([one.has_beside for one in episodes]),
            padded([one.unfinished for one in episodes]),
        ),
        padded([np.ones(len(one.z), dtype=np.float32) for one in episodes]),
        Posts(stacked([one.candidate_text for one in episodes]), stacked([one.candidate_features for one in episodes])),
        stacked([one.candidate_z for one in episodes]),
        stacked([one.candidate_measured for one in episodes]),
    )


class Sampler:
    """The accounts to train on, and how an episode is drawn from them."""

    def __init__(self, series: list[Series], text_width: int) -> None:
        self._series, self._width = series, text_width
        platforms = [one.platform for one in series]
        sizes = {name: platforms.count(name) for name in set(platforms)}
        # Accounts of a platform alike; a platform with more of them weighs somewhat more.
        chances = np.array([sizes[name] ** (EVEN - 1) for name in platforms])
        self._chances = chances / chances.sum() if len(series) else chances

    def draw(self, k: int, rng: np.random.Generator) -> Episode | None:
        """One episode with up to k history posts; None when the account drawn was too short."""
        if not self._series or rng.random() < MADE_UP:
            series = made_up_series(rng, k + WINDOW + 60, self._width)
            return _episode(series, _simulated(series, rng), k, rng)
        series = _cut(self._series[int(rng.choice(len(self._series), p=self._chances))], k, rng)
        if rng.random() < SIMULATED:
            series = rotated(series, rng) if rng.random() < 0.5 else series
            return _episode(series, _simulated(series, rng), k, rng)
        series = _one_topic(series, rng)
        return _episode(series, _real(series, rng), k, rng)


def _cut(series: Series, k: int, rng: np.random.Generator) -> Series:
    need = k + 3 * WINDOW
    if len(series) <= need:
        return series
    start = int(rng.integers(0, len(series) - need))
    return series.rows(slice(start, start + need))


def _one_topic(series: Series, rng: np.random.Generator) -> Series:
    """Now and then an account restricted to one of its topics, so that accounts are more varied."""
    if rng.random() > 0.25 or len(series) <= 3 * WINDOW:
        return series
    axis = series.text[int(rng.integers(len(series)))].astype(np.float32)
    near = series.text.astype(np.float32) @ axis
    part = series.rows(near >= np.quantile(near, 0.4))
    return part if len(part) > 2 * WINDOW else series


def _real(series: Series, rng: np.random.Generator) -> NDArray[np.float32]:
    """log1p of the counts of every action (n, A), the one to forecast first: mostly likes.

    Sometimes bent, sometimes with a simulated effect on top.
    """
    values = np.log1p(series.counts.clip(min=0))
    known = np.isfinite(values).any(axis=0)
    if rng.random() < 0.3:  # a monotone warp keeps the order and changes the shape
        power = rng.uniform(0.7, 1.4)
        for column in values.T[known]:
            bent = (column - np.nanmean(column)) / (np.nanstd(column) + 1e-3)
            column[:] = np.sign(bent) * np.abs(bent) ** power
    if rng.random() < 0.2:
        spread = np.nanstd(values[:, known], axis=0).mean()
        values = values + rng.uniform(0.1, 0.6) * spread * outcome(series, rng)[:, None]
    order = np.flatnonzero(known)
    if rng.random() < 0.3:
        order = rng.permutation(order)
    if rng.random() < 0.4:  # an account where nothing else is counted
        order = order[:1]
    return np.asarray(values[:, order], dtype=np.float32)


def _simulated(series: Series, rng: np.random.Generator) -> NDArray[np.float32]:
    """Simulated outcomes (n, A) of one to all actions."""
    return outcomes(series, rng, 1 if rng.random() < 0.4 else int(rng.integers(2, len(ACTIONS) + 1)))


def _episode(series: Series, values: NDArray[np.float32], k: int, rng: np.random.Generator) -> Episode | None:
    if len(series) < QUERIES + 20:
        return None
    low = min(max(k, 3), len(series) - QUERIES - 1)
    start = int(rng.integers(low, len(series) - QUERIES))
    window = np.arange(start, min(start + WINDOW, len(series)))
    queries = np.sort(rng.choice(window, size=QUERIES, replace=False))
    shift = float(rng.integers(-12, 13)) * HOUR_S if rng.random() < 0.3 else 0.0
    gap, misjudged = GAP_S, None
    if rng.random() < UNFINISHED:
        gap = rng.uniform(0, GAP_S)
        misjudged = (rng.normal(0, 0.5) + rng.normal(0, 0.5, size=len(series))).astype(np.float32)
    one = episode(
        series,
        values,
        start,
        k,
        queries,
        knows_window=bool(rng.random() < 0.5),
        shift_s=shift,
        gap_s=gap,
        misjudged=misjudged,
    )
    if one is None:
        return None
    hidden = rng.random()
    if hidden < 0.07:
        one.text, one.candidate_text = one.text * 0, one.candidate_text * 0
    elif hidden < 0.14:
        for rows in (one.features, one.candidate_features):
            rows[:, CLOCK_PART] = 0
    if rng.random() < 0.3:  # some of the history is not measured, by this action or by any
        share, alike = rng.uniform(0, 0.3), rng.random() < 0.7
        kept = rng.random(len(one.z)) > share
        one.measured *= kept
        one.has_beside *= kept if alike else rng.random(len(one.z)) > share
    return one
