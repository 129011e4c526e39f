"""The rivals the attention model must beat, each a Forecaster fitted to one account's history; no torch, no pooling.

The first three need numpy alone, so that planning works where nothing heavy is installed. scikit-learn, LightGBM and
CatBoost are imported only when a rival that stands on them predicts.
"""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.attention.forecast import Candidate, Forecast, PastPost
from bot.attention.gaussian import Sights, learned, likenesses
from bot.attention.tabular import Known, Rows

Vector = NDArray[np.float64]
Embed = Callable[[Sequence[str]], NDArray[Any]]

FEW = 8
"""Below so many measured posts nothing is fitted: the account's mean is all that is known."""
FOLDS = 5


class Rival:
    """What the rivals share: standardise the history, fit, and be honest about the error left.

    A rival says how it predicts from known rows; the spread of its forecast is the error it made on contiguous fifths
    of the history that it had not seen, and predictions that were too bold there are shrunk by the same evidence.
    """

    name = ""
    version = ""

    def __init__(self, embed: Embed | None = None) -> None:
        """`embed` turns n texts into (n, d) vectors; rivals that read no text need none."""
        self._embed = embed

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        """One forecast per candidate; with no measured post the prior, with very few the account's mean."""
        known = Known.of(history, action)
        n, m = len(known.posts), len(candidates)
        if n < FEW:
            # The mean of n posts is itself uncertain: sd grows by sqrt(1 + 1/n).
            means, sds = np.zeros(m), np.full(m, np.sqrt(1 + 1 / n) if n else 1.0)
        else:
            times = [post.at for post in history]
            old, new = Rows.of(known.posts, times, self._embed), Rows.of(candidates, times, self._embed)
            means, sds = self._forecast(old, known.z, new)
        return [
            Forecast.normal(float(mean), float(sd), known.centre, known.spread)
            for mean, sd in zip(means, sds, strict=True)
        ]

    def _forecast(self, old: Rows, z: Vector, new: Rows) -> tuple[Vector, Vector]:
        """Mean and sd in z of the new rows (m,), (m,)."""
        unseen = np.zeros_like(z)
        for part in np.array_split(np.arange(len(z)), FOLDS):
            rest = np.setdiff1d(np.arange(len(z)), part)
            unseen[part] = self._mean(old.take(rest), z[rest], old.take(part))
        boldness = float(unseen @ unseen)
        # Never quite 0: a rival without evidence keeps its order and says next to nothing.
        slope = float(np.clip(unseen @ z / boldness, 0.1, 1.0)) if boldness > 1e-9 else 1.0
        sd = float(np.sqrt(np.mean((z - slope * unseen) ** 2) * (1 + 1 / len(z))))
        return slope * self._mean(old, z, new), np.full(len(new), max(sd, 0.05))

    def _mean(self, old: Rows, z: Vector, new: Rows) -> Vector:
        """Expected z of the new rows (m,)."""
        raise NotImplementedError


class AccountMean(Rival):
    """Every post does as well as the average one."""

    name = "account mean"

    def _mean(self, old: Rows, z: Vector, new: Rows) -> Vector:
        return np.full(len(new), z.mean())


class HourOfWeek(Rival):
    """The mean of each of the 168 hours of the week: what tools that sell a "best time to post" ship."""

    name = "hour of week"

    def _mean(self, old: Rows, z: Vector, new: Rows) -> Vector:
        sums = np.bincount(old.hour_of_week, weights=z, minlength=168)
        counts = np.bincount(old.hour_of_week, minlength=168)
        table = np.where(counts > 0, sums / np.maximum(counts, 1), z.mean())
        return np.asarray(table[new.hour_of_week], dtype=np.float64)


class HourAndKind(Rival):
    """Kind, hour of day and their combination, each a mean pulled towards 0 the fewer posts stand behind it."""

    name = "hour x kind"
    _PULL = 8.0
    """Posts' worth of doubt in each group."""

    def _mean(self, old: Rows, z: Vector, new: Rows) -> Vector:
        expected, left = np.full(len(new), z.mean()), z - z.mean()
        old_hours, new_hours = old.hour_of_week % 24, new.hour_of_week % 24
        for old_groups, new_groups in (
            (list(old.kinds), list(new.kinds)),
            (list(old_hours), list(new_hours)),
            (list(zip(old.kinds, old_hours // 3, strict=True)), list(zip(new.kinds, new_hours // 3, strict=True))),
        ):
            effects = self._effects(old_groups, left)
            left = left - np.array([effects[group] for group in old_groups])
            expected = expected + np.array([effects.get(group, 0.0) for group in new_groups])
        return expected

    def _effects(self, groups: list[Any], left: Vector) -> dict[Any, float]:
        totals: dict[Any, tuple[float, int]] = {}
        for group, value in zip(groups, left, strict=True):
            total, count = totals.get(group, (0.0, 0))
            totals[group] = (total + float(value), count + 1)
        return {group: total / (count + self._PULL) for group, (total, count) in totals.items()}


class Nearest(Rival):
    """The mean of the posts with the most similar text, the closer the heavier."""

    name = "knn"
    _NEIGHBOURS = 20
    _SHARPNESS = 6.0

    def _mean(self, old: Rows, z: Vector, new: Rows) -> Vector:
        middle = old.vectors.mean(axis=0)
        similar = _unit(new.vectors - middle) @ _unit(old.vectors - middle).T  # (m, n)
        k = min(self._NEIGHBOURS, len(z))
        nearest = np.argpartition(-similar, k - 1, axis=1)[:, :k]
        weights = np.exp(self._SHARPNESS * np.take_along_axis(similar, nearest, axis=1))
        return np.asarray((weights * z[nearest]).sum(axis=1) / weights.sum(axis=1))


class Ridge(Rival):
    """A linear model on text, clock, kind and surface, its penalty chosen by leave-one-out."""

    name = "ridge"

    def _mean(self, old: Rows, z: Vector, new: Rows) -> Vector:
        from sklearn.linear_model import RidgeCV

        middle, spread = old.columns.mean(axis=0), old.columns.std(axis=0) + 1e-6
        centre = old.vectors.mean(axis=0)
        scale = np.sqrt(((old.vectors - centre) ** 2).sum(axis=1).mean()) + 1e-9
        # Text as a whole weighs as much as this many single columns.
        text_weight = np.sqrt(24.0)

        def design(rows: Rows) -> Vector:
            columns = np.clip((rows.columns - middle) / spread, -4, 4)
            return np.hstack([columns, text_weight * (rows.vectors - centre) / scale])

        model = RidgeCV(alphas=np.geomspace(3, 3000, 13)).fit(design(old), z)
        return np.asarray(model.predict(design(new)), dtype=np.float64)


class GaussianProcess(Rival):
    """Regression on likeness of text, clock, kind, surface, rhythm and age; the history says what each weighs."""

    name = "gp"
    _MOST = 1000
    """The latest posts that are read."""
    _LEARNED_FROM = 200
    """Posts, spread over the history, that weigh the likenesses."""

    def _forecast(self, old: Rows, z: Vector, new: Rows) -> tuple[Vector, Vector]:
        old, z = old.take(np.arange(len(z))[-self._MOST :]), z[-self._MOST :]
        middle = old.vectors.mean(axis=0)
        known = Sights.of(old.vectors, old.columns, middle, now=False)
        some = np.unique(np.linspace(0, len(z) - 1, self._LEARNED_FROM).astype(np.intp))
        near = likenesses(known, known)
        kernel = learned([(near[:, some[:, None], some], z[some])])
        told = kernel.tell(near, likenesses(Sights.of(new.vectors, new.columns, middle, now=True), known), z)
        # Believed only as far as it is right about known posts it is not shown.
        surprise = np.sqrt(np.mean(((z - told.left_out_mean) / told.left_out_sd) ** 2))
        return told.mean, told.sd * max(float(surprise), 0.5)


class Boosted(Rival):
    """What the two boosting libraries share: principal components of the text beside the plain columns."""

    _COMPONENTS = 24

    def _mean(self, old: Rows, z: Vector, new: Rows) -> Vector:
        middle = old.vectors.mean(axis=0)
        _, _, axes = np.linalg.svd(old.vectors - middle, full_matrices=False)
        axes = axes[: min(self._COMPONENTS, len(z) - 1)]

        def design(rows: Rows) -> Vector:
            return np.hstack([rows.columns, (rows.vectors - middle) @ axes.T])

        return self._boost(design(old), z, design(new))

    def _boost(self, old: Vector, z: Vector, new: Vector) -> Vector:
        raise NotImplementedError


class LightGbm(Boosted):
    """Boosted trees per account, LightGBM."""

    name = "lightgbm"

    def _boost(self, old: Vector, z: Vector, new: Vector) -> Vector:
        import lightgbm

        settings = {
            "objective": "regression",
            "learning_rate": 0.04,
            "num_leaves": 8,
            "min_data_in_leaf": 5 if len(z) < 100 else 15,
            "feature_fraction": 0.4,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 5.0,
            "num_threads": 1,
            "seed": 0,
            "verbosity": -1,
        }
        model = lightgbm.train(settings, lightgbm.Dataset(old, z, free_raw_data=True), num_boost_round=150)
        return np.asarray(model.predict(new, num_threads=1), dtype=np.float64)


class CatBoost(Boosted):
    """Boosted trees per account, CatBoost; an optional dependency."""

    name = "catboost"

    def _boost(self, old: Vector, z: Vector, new: Vector) -> Vector:
        import catboost  # type: ignore[import-not-found]

        model = catboost.CatBoostRegressor(
            iterations=200,
            learning_rate=0.05,
            depth=4,
            l2_leaf_reg=6.0,
            rsm=0.4,
            thread_count=1,
            random_seed=0,
            allow_writing_files=False,
            logging_level="Silent",
        )
        return np.asarray(model.fit(old, z).predict(new, thread_count=1), dtype=np.float64)


def rivals(embed: Embed) -> list[Rival]:
    """Every baseline that can run here, from the plainest to the strongest; CatBoost only where it is installed."""
    found = [AccountMean(), HourOfWeek(), HourAndKind(), Nearest(embed), Ridge(embed)]
    found += [GaussianProcess(embed), LightGbm(embed)]
    return [*found, CatBoost(embed)] if find_spec("catboost") else found


def _unit(vectors: NDArray[Any]) -> Vector:
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9), dtype=np.float64)
