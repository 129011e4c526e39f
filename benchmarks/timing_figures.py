"""Claimed and observed effects of time -> slopes with intervals, as Markdown and JSON; no forecasts."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Mean

NEAR = timedelta(days=14)
"""No plan looks further ahead: pairs this close are also told by themselves."""
DRAWS = 2000
WANTED = (0.8, 1.2)
"""Slopes that count as honest."""
UNSEEN = "never trained on: pages of the validation split, or both posts after the last date trained on"
ALL = "all pages: the network may have seen the posts in training"


@dataclass(frozen=True)
class Effect:
    """What a pair showed and what was claimed of it, in z of the pair's history."""

    page: str
    unseen: bool
    observed: float
    clock: float
    words: float
    gap: float
    """Log hours between the two posts."""
    order: float
    """Log of the number of the repetition."""


@dataclass(frozen=True)
class Slope:
    """Observed difference per claimed difference; intervals by bootstrap over pages."""

    k: int
    halved: bool
    """Whether with the halving of the effect of time that the bot applies to histories this short, or without."""
    which: str
    near: bool
    """Only pairs not further apart than NEAR."""
    pages: int
    pairs: int
    slope: Mean
    within_pages: Mean
    """The same with an intercept for each page: some tire of repetition faster than others."""
    claimed_sd: float
    """Standard deviation of the claimed difference, in z."""


def slope_of(effects: Sequence[Effect], k: int, halved: bool, which: str, near: bool, seed: int) -> Slope:
    """The regression and its bootstrap over pages; raises ValueError where too little was claimed to regress on."""
    if near:
        effects = [effect for effect in effects if effect.gap <= np.log(NEAR / timedelta(hours=1))]
    pages = sorted({effect.page for effect in effects})
    page = np.array([pages.index(effect.page) for effect in effects])
    columns = np.array([[e.observed, e.clock, e.words, e.gap, e.order] for e in effects])
    if len(effects) < 8 or np.ptp(columns[:, 1]) < 1e-9:
        raise ValueError(f"{len(effects)} pairs after {k} posts: no claimed difference to regress on")
    members = [np.flatnonzero(page == number) for number in range(len(pages))]
    rng = np.random.default_rng(seed)
    plain, within = [], []
    for _ in range(DRAWS):
        drawn = [members[number] for number in rng.integers(len(pages), size=len(pages))]
        rows = columns[np.concatenate(drawn)]
        plain.append(_slope(rows))
        within.append(_slope(_centred(rows, np.repeat(np.arange(len(drawn)), [len(one) for one in drawn]))))
    return Slope(
        k,
        halved,
        which,
        near,
        len(pages),
        len(effects),
        _mean(_slope(columns), plain),
        _mean(_slope(_centred(columns, page)), within),
        round(float(columns[:, 1].std()), 4),
    )


def _slope(rows: NDArray[np.float64]) -> float:
    design = np.column_stack([np.ones(len(rows)), rows[:, 1:]])
    return float(np.linalg.lstsq(design, rows[:, 0], rcond=None)[0][1])


def _centred(rows: NDArray[np.float64], page: NDArray[np.int64]) -> NDArray[np.float64]:
    sizes = np.bincount(page)[:, None]
    sums = np.zeros((len(sizes), rows.shape[1]))
    np.add.at(sums, page, rows)
    return np.asarray(rows - (sums / np.maximum(sizes, 1))[page])


def _mean(value: float, draws: Sequence[float]) -> Mean:
    low, high = np.quantile(draws, [0.025, 0.975])
    return Mean(round(value, 3), round(float(low), 3), round(float(high), 3))


HEADINGS = (
    "history",
    "effect of time",
    "apart",
    "pages",
    "pairs",
    "sd of the claim (z)",
    "slope [95 %]",
    "with an intercept for each page",
    f"for a slope of {WANTED[0]} to {WANTED[1]} the claim takes a factor of",
)


def markdown(found: Sequence[Slope]) -> str:
    """A table for what was never trained on and one for everything, and what shrinking would make each slope honest."""
    parts = []
    for which in dict.fromkeys(one.which for one in found):
        lines = [f"| {' | '.join(HEADINGS)} |", "|---" * len(HEADINGS) + "|"]
        for one in [one for one in found if one.which == which]:
            low, high = (max(one.slope.mean / wanted, 0.0) for wanted in reversed(WANTED))
            cells = [
                f"{one.k} posts",
                "halved" if one.halved else "whole",
                f"{NEAR.days} days at most" if one.near else "any time",
                str(one.pages),
                str(one.pairs),
                f"{one.claimed_sd:.3f}",
                _range(one.slope),
                _range(one.within_pages),
                f"{low:.2f} to {high:.2f}",
            ]
            lines.append(f"| {' | '.join(cells)} |")
        parts.append(f"## {which[0].upper()}{which[1:]}\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _range(one: Mean) -> str:
    return f"{one.mean:.2f} [{one.low:.2f}, {one.high:.2f}]"


def as_json(found: Sequence[Slope], seed: int, version: str) -> str:
    """The same for machines, one slope on a line."""
    lines = ",\n".join(json.dumps(asdict(one)) for one in found)
    return f'{{"seed": {seed}, "version": {json.dumps(version)},\n"slopes": [\n{lines}\n]}}\n'
