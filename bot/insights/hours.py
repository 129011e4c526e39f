"""How posts did by hour of the local week, and whether that is more than chance; no drawing here."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log1p
from statistics import fmean, pstdev
from zoneinfo import ZoneInfo

from scipy.stats import kruskal

NEEDED = 40
"""Measured posts before a word is said about timing."""
PULL = 5.0
"""An hour's mean is drawn towards the usual as if this many usual posts stood beside its own."""
BLOCK = 4
"""Hours compared together: single hours have too few posts."""
IN_BLOCK = 5
"""Posts a block needs to be compared."""
CHANCE = 0.05


@dataclass(frozen=True)
class Hour:
    """One hour of the local week and the standardised outcomes of its posts (0 is the account's usual)."""

    weekday: int
    hour: int
    outcomes: tuple[float, ...]

    @property
    def count(self) -> int:
        """Posts measured in this hour."""
        return len(self.outcomes)

    @property
    def shrunk(self) -> float:
        """Mean outcome, drawn towards 0 the fewer posts there are."""
        return sum(self.outcomes) / (self.count + PULL)


@dataclass(frozen=True)
class Timing:
    """What the hours say: words for a person; `best` is the first hour of the best block, where there is an effect."""

    words: str
    best: int | None = None


def by_hour(accounts: Iterable[Sequence[tuple[datetime, float]]], zone: ZoneInfo) -> list[Hour]:
    """Hours that have posts; each account's (time, value) pairs are standardised on their own, as log1p(value)."""
    cells: dict[tuple[int, int], list[float]] = defaultdict(list)
    for pairs in accounts:
        logs = [log1p(value) for _, value in pairs]
        spread = pstdev(logs) if logs else 0.0
        if spread == 0:
            continue
        centre = fmean(logs)
        for (at, _), value in zip(pairs, logs, strict=True):
            local = at.astimezone(zone)
            cells[local.weekday(), local.hour].append((value - centre) / spread)
    return [Hour(weekday, hour, tuple(outcomes)) for (weekday, hour), outcomes in sorted(cells.items())]


def timing(hours: Sequence[Hour]) -> Timing:
    """Whether the time of day matters, by a Kruskal-Wallis test over blocks of hours; weekdays are not compared."""
    total = sum(hour.count for hour in hours)
    if total < NEEDED:
        return Timing(f"Not enough data yet: {total} posts measured, {NEEDED} are needed")
    blocks: dict[int, list[float]] = defaultdict(list)
    used: dict[int, set[int]] = defaultdict(set)
    for hour in hours:
        start = hour.hour // BLOCK * BLOCK
        blocks[start].extend(hour.outcomes)
        used[start].add(hour.hour)
    full = {start: outcomes for start, outcomes in blocks.items() if len(outcomes) >= IN_BLOCK}
    if len(full) < 2:
        return Timing(f"Not enough data yet: {total} posts, nearly all at the same time of day")
    if kruskal(*full.values()).pvalue >= CHANCE:
        return Timing(f"No effect of the time of day found in {total} posts")
    best, worst = max(full, key=lambda start: fmean(full[start])), min(full, key=lambda start: fmean(full[start]))
    return Timing(f"{_span(used[best])} did best, {_span(used[worst])} worst, in {total} posts", best)


def _span(hours: set[int]) -> str:
    return f"{min(hours):02d}–{max(hours) + 1:02d} h"
