"""What plain experts make of a history: columns for the pooled rivals, the same for every account; nothing pooled here.

An expert learns from one account's history alone and speaks of each candidate; beside its word stands how right it is
about known posts it is not shown, so that whoever listens can tell when to.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.attention.features import KIND_PART, SURFACE_PART
from bot.attention.gaussian import HOUR, USUAL, Kernel, Sights, Told, likenesses

Matrix = NDArray[Any]
NEIGHBOURS = 20
SHARPNESS = 6.0
PENALTIES = np.geomspace(3, 3000, 13)
PULL = 8.0
"""Posts' worth of doubt in the mean of a group."""


@dataclass(frozen=True)
class Case:
    """Known posts of an account and candidates: text (n, d), columns (n, F) of `features.tokens`, outcomes z (n,)."""

    text: Matrix
    columns: Matrix
    z: Matrix
    centre: float
    spread: float
    new_text: Matrix
    new_columns: Matrix

    def likenesses(self) -> tuple[Matrix, Matrix]:
        """Parts of the Gaussian process kernel: known x known (P, n, n), candidates x known (P, m, n)."""
        middle = self.text.mean(axis=0)
        known = Sights.of(self.text, self.columns, middle, now=False)
        new = Sights.of(self.new_text, self.new_columns, middle, now=True)
        return likenesses(known, known), likenesses(new, known)


def account(case: Case) -> Matrix:
    """What is the same for all candidates: length, level, spread, skew, drift, variety of texts and kinds (m, 11)."""
    z, n = case.z, len(case.z)
    shares = case.columns[:, KIND_PART].mean(axis=0)
    row = [
        np.log(n),
        case.centre,
        case.spread,
        float(np.mean(z**3)),
        float(np.mean(z**4)),
        _pulled(z[-10:]),
        _pulled(z[-50:]),
        float(np.corrcoef(z[1:], z[:-1])[0, 1]) if n > 3 and z.std() > 1e-6 else 0.0,
        float(np.linalg.norm(case.text.mean(axis=0))),
        float(-(shares * np.log(shares + 1e-9)).sum()),
        float(case.columns[0, -1]),
    ]
    return np.tile(row, (len(case.new_text), 1))


def seen_from_history(case: Case) -> Matrix:
    """Surface of the candidates against that of the history, in its standard deviations (m, SURFACE)."""
    old, new = case.columns[:, SURFACE_PART], case.new_columns[:, SURFACE_PART]
    return np.asarray(np.clip((new - old.mean(axis=0)) / (old.std(axis=0) + 0.2), -4, 4))


def words(case: Case, kernel: Kernel = USUAL) -> Matrix:
    """The words of all experts, side by side (m, c)."""
    near, far = case.likenesses()
    told = kernel.tell(near, far, case.z)
    return np.hstack([nearest(case, near, far), ridge(case), clock_and_kind(case), process(case.z, told)])


def process(z: Matrix, told: Told) -> Matrix:
    """A Gaussian process: mean, sd, and how right it is (m, 4)."""
    surprise = float(np.sqrt(np.mean(((z - told.left_out_mean) / told.left_out_sd) ** 2)))
    same = np.tile([_skill(told.left_out_mean, z), surprise], (len(told.mean), 1))
    return np.hstack([np.stack([told.mean, told.sd], axis=1), same])


def nearest(case: Case, near: Matrix, far: Matrix) -> Matrix:
    """The posts most alike in text: their mean, that of the very nearest, how near they are, how right it is (m, 5)."""
    k = min(NEIGHBOURS, len(case.z) - 1)

    def told(cosine: Matrix) -> tuple[Matrix, Matrix, Matrix]:
        best = np.argsort(-cosine, axis=1, kind="stable")[:, :k]
        closeness = np.take_along_axis(cosine, best, axis=1)
        weights = np.exp(SHARPNESS * closeness)
        mean = (weights * case.z[best]).sum(axis=1) / (weights.sum(axis=1) + 1)
        few = (weights[:, :3] * case.z[best[:, :3]]).sum(axis=1) / (weights[:, :3].sum(axis=1) + 1)
        return mean, few, closeness

    apart = near[0] - 9 * np.eye(len(case.z))
    mean, few, closeness = told(far[0])
    skill = np.full(len(mean), _skill(told(apart)[0], case.z))
    return np.stack([mean, few, closeness[:, 0], closeness.mean(axis=1), skill], axis=1)


def ridge(case: Case) -> Matrix:
    """A linear model on text and columns, its penalty chosen by leave-one-out: its word and how right it is (m, 2)."""
    middle, spread = case.columns.mean(axis=0), case.columns.std(axis=0) + 1e-6
    centre = case.text.mean(axis=0)
    scale = np.sqrt(((case.text - centre) ** 2).sum(axis=1).mean()) + 1e-9

    def design(text: Matrix, columns: Matrix) -> Matrix:
        return np.hstack([np.clip((columns - middle) / spread, -4, 4), np.sqrt(24.0) * (text - centre) / scale])

    old, z = design(case.text, case.columns).astype(np.float64), case.z - case.z.mean()
    values, vectors = np.linalg.eigh(old @ old.T)
    turned = vectors.T @ z
    best, chosen = np.inf, (np.zeros_like(z), np.zeros_like(z))
    for penalty in PENALTIES:
        shrunk = 1 / (values.clip(min=0) + penalty)
        weights = vectors @ (shrunk * turned)
        left_out = weights / ((vectors**2) @ shrunk)
        if (loss := float(left_out @ left_out)) < best:
            best, chosen = loss, (weights, z - left_out)
    told = design(case.new_text, case.new_columns) @ (old.T @ chosen[0])
    return np.stack([told, np.full(len(told), _skill(chosen[1], z))], axis=1)


def clock_and_kind(case: Case) -> Matrix:
    """Means of the kind, of the hours around and of both, pulled to 0; posts of the kind; how right it is (m, 5)."""
    hours = case.columns[:, HOUR], case.new_columns[:, HOUR]
    kinds = case.columns[:, KIND_PART], case.new_columns[:, KIND_PART]
    around = [np.exp(8 * (a @ hours[0].T - 1)) for a in hours]
    same = [a @ kinds[0].T for a in kinds]
    alone = 1 - np.eye(len(case.z))

    def mean(weights: Matrix, values: Matrix) -> Matrix:
        return np.asarray((weights @ values) / (weights.sum(axis=1) + PULL))

    kind = mean(same[1], case.z)
    left = case.z - mean(same[0] * alone, case.z)
    hour, both = mean(around[1], left), mean(around[1] * same[1], case.z)
    known = case.z - left + mean(around[0] * alone, left)
    skill = np.full(len(kind), _skill(known, case.z))
    return np.stack([kind, hour, both, np.log1p(same[1].sum(axis=1)), skill], axis=1)


def _skill(told: Matrix, z: Matrix) -> float:
    """Correlation with what came, drawn to 0 for short histories."""
    if len(z) < 4 or told.std() < 1e-9 or z.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(told, z)[0, 1]) * len(z) / (len(z) + PULL)


def _pulled(values: Matrix) -> float:
    return float(values.sum() / (len(values) + PULL / 2))
