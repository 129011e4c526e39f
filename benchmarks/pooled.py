"""The rivals that learn across accounts, from the same training accounts and dates as the network; no torch.

    pooled lightgbm   trees on what is known of a post and its account, then a Gaussian process on what they leave over
    pooled stack      trees on all of that and on the words of experts that read the account's history

Both are fitted to the training side of `episodes.splits` alone. What one learns on top of another comes from accounts
the other was not fitted to: accounts are dealt into FOLDS, as they are when the spreads are learned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np

from benchmarks import experts
from benchmarks.experts import Case, Matrix
from benchmarks.lessons import FOLDS, Lesson
from bot.attention import features
from bot.attention.baselines import FEW, Embed
from bot.attention.evaluation import spearman
from bot.attention.forecast import EDGES, Candidate, Forecast, PastPost
from bot.attention.gaussian import Kernel, learned
from bot.attention.tabular import Known, Rows

COMPONENTS = 24
KERNEL_FROM = 60
"""Histories that weigh the likenesses of a kernel."""
SHAPE = 0.12
"""Standard deviations over which the shape of the errors is smoothed."""


@dataclass(frozen=True)
class Trees:
    """Settings of LightGBM, chosen on training accounts: see `benchmarks.tuning`."""

    rounds: int = 500
    leaves: int = 24
    rate: float = 0.03
    least: int = 200
    share: float = 0.4

    def grow(self, x: Matrix, y: Matrix, seed: int = 0) -> Any:
        """A booster for y (n,) from x (n, c)."""
        settings = {
            "objective": "regression",
            "learning_rate": self.rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.least,
            "feature_fraction": self.share,
            "bagging_fraction": 0.5,
            "bagging_freq": 1,
            "lambda_l2": 10.0,
            "max_bin": 127,
            "num_threads": 1,
            "deterministic": True,
            "force_row_wise": True,
            "seed": seed,
            "verbosity": -1,
        }
        return lightgbm.train(settings, lightgbm.Dataset(x, y), num_boost_round=self.rounds)


PLAIN = Trees(rounds=600, leaves=31, least=400)
TOP = Trees(rounds=300, leaves=8, rate=0.02)
SPREAD = Trees(rounds=150, leaves=12)


def principal(taught: Sequence[Lesson], count: int = COMPONENTS) -> Matrix:
    """The main directions of texts (d, count)."""
    texts = np.concatenate([one.case.new_text for one in taught])
    _, vectors = np.linalg.eigh(np.cov(texts.T))
    return np.asarray(vectors[:, ::-1][:, :count])


@dataclass(frozen=True)
class Plain:
    """Trees on the post and the account's plain figures, one booster for each fold left out and one for all."""

    axes: Matrix
    boosters: Sequence[Any]

    @classmethod
    def of(cls, taught: Sequence[Lesson], trees: Trees) -> "Plain":
        axes = principal(taught)
        rows = [plain_columns(one.case, axes) for one in taught]
        return cls(axes, grown(rows, taught, trees))

    def tell(self, case: Case, fold: int) -> tuple[Matrix, Matrix]:
        """What the booster that did not see a fold (FOLDS: the one for all) says of the known posts and of the new."""
        turned = Case(case.text, case.columns, case.z, case.centre, case.spread, case.text, case.columns)
        booster = self.boosters[fold]
        return tuple(  # type: ignore[return-value]
            np.asarray(booster.predict(plain_columns(one, self.axes), num_threads=1)) for one in (turned, case)
        )


def plain_columns(case: Case, axes: Matrix) -> Matrix:
    """Columns that need no expert (m, c)."""
    return np.hstack([case.new_columns, case.new_text @ axes, experts.seen_from_history(case), experts.account(case)])


def grown(rows: Sequence[Matrix], taught: Sequence[Lesson], trees: Trees) -> list[Any]:
    """A booster for each fold left out, and at place FOLDS one for all lessons."""
    found = []
    for fold in range(FOLDS + 1):
        kept = [(x, one.z) for x, one in zip(rows, taught, strict=True) if one.fold != fold]
        found.append(trees.grow(np.concatenate([x for x, _ in kept]), np.concatenate([z for _, z in kept])))
    return found


def kernel_of(taught: Sequence[Lesson], plain: Plain | None) -> Kernel:
    """The kernel likeliest across accounts, for outcomes or for what `plain` leaves over of them."""
    histories = []
    for one in [one for one in taught if 40 <= len(one.case.z) <= 250][:KERNEL_FROM]:
        left = one.case.z - (plain.tell(one.case, one.fold)[0] if plain else 0.0)
        histories.append((one.case.likenesses()[0], left))
    return learned(histories)


@dataclass(frozen=True)
class Spread:
    """How far off a mean may be: trees for the log of the error's size, and the shape of errors, from unseen folds."""

    booster: Any
    shape: Matrix
    """Errors in units of the size told, in order."""

    @classmethod
    def of(cls, rows: Sequence[Matrix], errors: Sequence[Matrix], trees: Trees) -> "Spread":
        x, error = np.concatenate(rows), np.concatenate(errors)
        booster = trees.grow(x, np.log(np.abs(error) + 0.05))
        return cls(booster, np.sort(error / np.exp(booster.predict(x, num_threads=1))))

    def forecasts(self, mean: Matrix, rows: Matrix, centre: float, spread: float) -> list[Forecast]:
        """Bars around each mean (m,)."""
        sizes = np.exp(self.booster.predict(rows, num_threads=1))
        levels = np.linspace(0, 1, 401)
        # Quantiles instead of all errors, and a little smoothing: no bar between errors is impossible.
        points = np.quantile(self.shape, levels)
        points += SHAPE * np.linspace(-1, 1, len(points))
        found = []
        for middle, size in zip(mean, sizes, strict=True):
            cumulative = np.interp(EDGES, middle + size * points, levels)
            cumulative[0], cumulative[-1] = 0.0, 1.0
            bars = np.diff(cumulative) * 0.998 + 0.002 / (len(EDGES) - 1)
            found.append(Forecast(bars, centre, spread))
        return found


@dataclass(frozen=True)
class Below:
    """What both rivals stand on: the plain trees, the usual kernel, and that of what the trees leave over."""

    plain: Plain
    usual: Kernel
    residual: Kernel

    @classmethod
    def of(cls, taught: Sequence[Lesson], trees: Trees) -> "Below":
        plain = Plain.of(taught, trees)
        return cls(plain, kernel_of(taught, None), kernel_of(taught, plain))

    def tell(self, case: Case, fold: int) -> Matrix:
        """What is expected, what of it the trees say, and what the process makes of their errors (m, 6)."""
        known, new = self.plain.tell(case, fold)
        left = case.z - known
        told = self.residual.tell(*case.likenesses(), left)
        return np.hstack([(new + told.mean)[:, None], new[:, None], experts.process(left, told)])


def pooled_rivals(
    taught: Sequence[Lesson], embed: Embed, plain: Trees = PLAIN, top: Trees = TOP, spread: Trees = SPREAD
) -> list["Pooled"]:
    """Both rivals, fitted to lessons."""
    below = Below.of(taught, plain)
    told = [below.tell(one.case, one.fold) for one in taught]
    return [rival(embed, taught, below, told, top, spread) for rival in (PooledTrees, PooledStack)]


class Pooled:
    """What the two share: turn posts into a case, ask, and put a distribution around the answer."""

    name = ""
    version = ""

    def __init__(
        self, embed: Embed, taught: Sequence[Lesson], below: Below, told: Sequence[Matrix], top: Trees, spread: Trees
    ) -> None:
        """`told` is what `below` says of each lesson, by what did not see its fold."""
        self._embed, self._below = embed, below
        rows = [self._rows(one.case, words) for one, words in zip(taught, told, strict=True)]
        self._learn(rows, taught, top)
        self.unseen = [self._mean(x, one.fold) for x, one in zip(rows, taught, strict=True)]
        """What is said of each lesson's candidates by what was not fitted to its account."""
        errors = [one.z - mean for one, mean in zip(taught, self.unseen, strict=True)]
        self._spread = Spread.of(rows, errors, spread)

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        """One forecast per candidate; below FEW measured posts the account's mean, as with the other rivals."""
        known = Known.of(history, action)
        if len(known.z) < FEW:
            return [Forecast.normal(0, np.sqrt(2), known.centre, known.spread) for _ in candidates]
        times = [post.at for post in history]
        old, new = Rows.of(known.posts, times, self._embed), Rows.of(candidates, times, self._embed)
        columns = [rows.columns[:, : features.WIDTH] for rows in (old, new)]
        case = Case(old.vectors, columns[0], known.z, known.centre, known.spread, new.vectors, columns[1])
        rows = self._rows(case, self._below.tell(case, FOLDS))
        return self._spread.forecasts(self._mean(rows, FOLDS), rows, known.centre, known.spread)

    def _rows(self, case: Case, told: Matrix) -> Matrix:
        """Columns for a case, given what `Below` says of it (m, c)."""
        raise NotImplementedError

    def _learn(self, rows: Sequence[Matrix], taught: Sequence[Lesson], trees: Trees) -> None:
        """Fit what `_mean` needs to the rows of each lesson."""

    def _mean(self, rows: Matrix, fold: int) -> Matrix:
        """Expected z (m,)."""
        raise NotImplementedError


class PooledTrees(Pooled):
    """One LightGBM for all accounts and a Gaussian process for what is special about this one."""

    name = "pooled lightgbm"

    def _rows(self, case: Case, told: Matrix) -> Matrix:
        return np.hstack([told, experts.account(case)])

    def _mean(self, rows: Matrix, fold: int) -> Matrix:
        return rows[:, 0]


class PooledStack(Pooled):
    """LightGBM over everything at once: the post, the account, the experts, and the other pooled rival."""

    name = "pooled stack"

    def _rows(self, case: Case, told: Matrix) -> Matrix:
        # The post itself speaks through the plain trees: its columns beside the experts only over-fitted.
        return np.hstack([told, experts.words(case, self._below.usual), experts.account(case)])

    def _learn(self, rows: Sequence[Matrix], taught: Sequence[Lesson], trees: Trees) -> None:
        self._boosters = grown(rows, taught, trees)

    def _mean(self, rows: Matrix, fold: int) -> Matrix:
        return np.asarray(self._boosters[fold].predict(rows, num_threads=1), dtype=np.float64)


def skill(rival: Pooled, taught: Sequence[Lesson]) -> float:
    """Mean rank correlation within lessons, each told by what was not fitted to its account."""
    return float(np.mean([spearman(told, one.z) for told, one in zip(rival.unseen, taught, strict=True)]))
