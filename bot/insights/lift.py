"""Did choosing help? Chosen posts against those held out at random, with an interval that allows looking at any time.

Both arms are compared on log1p of the objective's value, so the lift is a ratio of geometric means of (1 + value).

The interval is the confidence sequence for a coefficient of a linear model with unknown variance (Lindon, Ham, Tingley
and Bojinov, "Anytime-Valid Linear Models and Regression Adjusted Causal Inference in Randomized Experiments", 2022,
after the t-mixtures of Robbins and Lai): exact for normal outcomes of equal spread however often one looks. Outcomes
here are neither, so the wider of the pooled and the unequal-variances standard error is taken. A test simulates
skewed and unequal outcomes and keeps the misses over all looks at 5 % or less.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp, expm1, inf, log, log1p, sqrt
from statistics import fmean, variance
from typing import Literal

from bot.insights.worth import in_words, told, worth
from bot.words import counted
from storage.decisions import DecidedOutcome

LEAST = 8
"""Measured posts each arm needs before anything is said."""
ALPHA = 0.05
"""Share of installations in which the interval may ever miss the truth."""
MIXTURE = 2.0
"""Where the interval is tightest: near 18 held out of 100, or effects of about .7 of the outcomes' spread."""
SMALL = log(1.25)
"""An interval wholly within this of no effect says `no effect found`."""
STEPS = 200
"""Most points of a lift over time."""

Verdict = Literal["not yet known", "no effect found", "helps", "hurts"]


@dataclass(frozen=True)
class Lift:
    """How chosen posts did beside held-out ones: `ratio` with its 95 % anytime-valid interval, None until known."""

    ratio: float | None
    low: float | None
    high: float | None
    chosen_n: int
    holdout_n: int
    words: str
    """For a person, opening with the verdict."""
    verdict: Verdict = "not yet known"

    @property
    def figures(self) -> str:
        """`x1.18 [0.90, 1.50]`, or a dash."""
        if self.ratio is None or self.low is None or self.high is None:
            return "–"
        return f"x{self.ratio:.2f} [{self.low:.2f}, {self.high:.2f}]"


def lift(outcomes: Sequence[DecidedOutcome], weights: Mapping[str, float]) -> Lift:
    """Compare finished chosen posts with finished held-out ones; `weights` is the objective, by plural action.

    Posts that could not have been held out (propensity 1: one candidate, or no holdout) say nothing and are left out.
    """
    finished = [outcome for outcome in outcomes if outcome.finished]
    used = told(finished, weights)
    return _compare(_values(finished, used), used)


def lift_over_time(outcomes: Sequence[DecidedOutcome], weights: Mapping[str, float]) -> list[tuple[datetime, Lift]]:
    """The lift as it stood after each finished post, oldest first, at most STEPS points; only where it was known."""
    finished = sorted((outcome for outcome in outcomes if outcome.finished), key=lambda each: each.published_at)
    used = told(finished, weights)
    values = _values(finished, used)
    stride = max(1, len(values) // STEPS)
    ends = range(len(values), 0, -stride)
    told_at = [(values[end - 1][0].published_at, _compare(values[:end], used)) for end in reversed(ends)]
    return [(at, known) for at, known in told_at if known.ratio is not None]


def half_width(n: int, spread: float, m: int, spread_held: float) -> float:
    """Half the width of the interval for the difference of two means of n and m values (>= 2) with these variances."""
    freedom = n + m - 2
    size = n * m / (n + m)
    pooled = ((n - 1) * spread + (m - 1) * spread_held) / freedom / size
    unequal = spread / n + spread_held / m
    shrink = MIXTURE / (MIXTURE + size)
    bound = (1 / (ALPHA * sqrt(shrink))) ** (2 / (freedom + 1))
    if bound * shrink >= 1:
        return inf
    return sqrt((bound - 1) / (1 - bound * shrink) * freedom * max(pooled, unequal))


def _values(finished: Sequence[DecidedOutcome], used: Mapping[str, float]) -> list[tuple[DecidedOutcome, float]]:
    return [
        (outcome, log1p(value))
        for outcome in finished
        if outcome.propensity < 1 and (value := worth(outcome, used)) is not None
    ]


def _compare(values: Sequence[tuple[DecidedOutcome, float]], used: Mapping[str, float]) -> Lift:
    chosen = [value for outcome, value in values if not outcome.holdout]
    held = [value for outcome, value in values if outcome.holdout]
    for arm, posts in (("held-out", held), ("chosen", chosen)):
        if len(posts) < LEAST:
            few = f"not yet known: {counted(len(posts), f'{arm} post')} measured, at least {LEAST} are needed"
            return Lift(None, None, None, len(chosen), len(held), few)
    difference = fmean(chosen) - fmean(held)
    half = half_width(len(chosen), variance(chosen), len(held), variance(held))
    if half < 1e-9:
        same = "not yet known: the measured posts do not differ from each other, so there is nothing to compare"
        return Lift(None, None, None, len(chosen), len(held), same)
    ratio, low, high = exp(difference), exp(difference - half), exp(min(difference + half, 700))
    verdict = _verdict(difference - half, difference + half)
    measured = f"{len(chosen)} chosen and {counted(len(held), 'held-out post')}, by {in_words(used)}"
    words = f"{verdict}: {_said(verdict, ratio, low, high)} ({measured})"
    return Lift(ratio, low, high, len(chosen), len(held), words, verdict)


def _verdict(low: float, high: float) -> Verdict:
    if low > 0:
        return "helps"
    if high < 0:
        return "hurts"
    return "no effect found" if low >= -SMALL and high <= SMALL else "not yet known"


def _said(verdict: Verdict, ratio: float, low: float, high: float) -> str:
    figures = f"x{ratio:.2f} [{low:.2f}, {high:.2f}]"
    if verdict == "not yet known":
        return f"{figures} still leaves room for help and for harm"
    if verdict == "no effect found":
        return f"{figures}, so an effect beyond {expm1(max(-log(low), log(high))):.0%} is ruled out"
    return f"chosen posts did {figures} as well as held-out ones"
