"""Gaussian process regression on posts: likenesses, their weights by marginal likelihood, what follows; no torch.

A kernel is a sum of likenesses (text, hour, weekday, kind, surface, rhythm, age), each 1 between a post and itself and
weighed by a variance of z, plus noise. All of it is exact: n posts cost n^3, which is fine up to a thousand.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, lapack
from scipy.optimize import minimize

from bot.attention.features import KIND_PART, RHYTHM_PART, SURFACE_PART

Matrix = NDArray[np.float64]

PARTS = ("text", "close text", "hour", "weekday", "kind", "surface", "rhythm", "age", "old age")
VARIANCES = (0.3, 0.2, 0.05, 0.02, 0.1, 0.08, 0.05, 0.08, 0.05)
"""What the parts are taken to explain before a history says otherwise."""
NOISE = 0.6
DOUBT = 1.5
"""Standard deviation of the logarithm of each of them."""
CLOSE = 6.0
"""Sharpness of close text: exp(CLOSE (cosine - 1))."""
HOUR, WEEKDAY = slice(0, 2), slice(6, 8)
"""First harmonics of the day and of the week among the columns of `features.tokens`."""
LEAST = 1e-3
"""Variances never fall below this."""


@dataclass(frozen=True)
class Sights:
    """n posts as the kernel sees them: centred unit text (n, d), columns (n, F) of `features.tokens`, log age (n,)."""

    text: Matrix
    columns: Matrix
    age: Matrix

    @classmethod
    def of(cls, vectors: NDArray[np.floating], columns: NDArray[np.floating], middle: Matrix, now: bool) -> "Sights":
        """Text is seen from `middle` (d,), the mean of the history; with `now` posts are as of the history's end."""
        text = np.asarray(vectors, dtype=np.float64) - middle
        text /= np.linalg.norm(text, axis=1, keepdims=True) + 1e-9
        # The last of the rhythm is log1p of the days to the history's end, divided by 4.
        age = np.zeros(len(text)) if now else 4 * np.asarray(columns[:, RHYTHM_PART.stop - 1], dtype=np.float64)
        return cls(text, np.asarray(columns, dtype=np.float64), age)

    def take(self, index: NDArray[np.intp]) -> "Sights":
        """Some of the posts, by place."""
        return Sights(self.text[index], self.columns[index], self.age[index])


def likenesses(one: Sights, other: Sights) -> Matrix:
    """Every part of the kernel between two sets of posts (PARTS, n, m), each positive definite."""
    cosine = one.text @ other.text.T
    days_apart = np.abs(one.age[:, None] - other.age[None])

    def turned(part: slice) -> Matrix:
        return np.asarray(np.exp(2 * (one.columns[:, part] @ other.columns[:, part].T - 1)))

    def far(part: slice) -> Matrix:
        a, b = one.columns[:, part], other.columns[:, part]
        squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * a @ b.T
        return np.asarray(np.exp(-squares.clip(min=0) / 2))

    return np.stack(
        [
            cosine,
            np.exp(CLOSE * (cosine - 1)),
            turned(HOUR),
            turned(WEEKDAY),
            one.columns[:, KIND_PART] @ other.columns[:, KIND_PART].T,
            far(SURFACE_PART),
            far(slice(RHYTHM_PART.start, RHYTHM_PART.stop - 1)),
            np.exp(-days_apart),
            np.exp(-days_apart / 4),
        ]
    )


@dataclass(frozen=True)
class Told:
    """Mean and sd of z for m posts (m,), (m,), noise included; for the n known posts what the others say (n,), (n,)."""

    mean: Matrix
    sd: Matrix
    left_out_mean: Matrix
    left_out_sd: Matrix


@dataclass(frozen=True)
class Kernel:
    """The variance of each part (PARTS,) and of the noise."""

    variances: Matrix
    noise: float

    def tell(self, near: Matrix, far: Matrix, z: Matrix) -> Told:
        """What follows from outcomes z (n,), given `likenesses` of known posts (P, n, n) and of new ones (P, m, n)."""
        inverse = _inverse(np.tensordot(self.variances, near, axes=1) + self.noise * np.eye(len(z)))
        weights, own = inverse @ z, inverse.diagonal()
        across = np.tensordot(self.variances, far, axes=1)
        explained = ((across @ inverse) * across).sum(axis=1)
        variance = (self.variances.sum() + self.noise - explained).clip(min=LEAST)
        return Told(across @ weights, np.sqrt(variance), z - weights / own, np.sqrt((1 / own).clip(min=LEAST)))


USUAL = Kernel(np.array(VARIANCES), NOISE)


def learned(histories: Sequence[tuple[Matrix, Matrix]], start: Kernel = USUAL, most: int = 40) -> Kernel:
    """The kernel under which histories of `likenesses` (P, n, n) and outcomes (n,) are likeliest, by `most` steps.

    Each variance is believed to be that of `start` within a factor of e^DOUBT: a short history changes little.
    """
    first = np.log([*start.variances, start.noise])

    def loss(logs: Matrix) -> tuple[float, Matrix]:
        total, slope = float(((logs - first) ** 2).sum()) / (2 * DOUBT**2), (logs - first) / DOUBT**2
        values = np.exp(logs)
        for near, z in histories:
            noisy = np.tensordot(values[:-1], near, axes=1) + (values[-1] + LEAST) * np.eye(len(z))
            factor = cho_factor(noisy, lower=True)
            weights = cho_solve(factor, z)
            total += float(z @ weights) / 2 + float(np.log(factor[0].diagonal()).sum())
            # d loss / d variance = (trace(K^-1 P) - w' P w) / 2 for each part P.
            pull = _full(lapack.dpotri(factor[0], lower=1)[0]) - np.outer(weights, weights)
            slope[:-1] += values[:-1] * np.tensordot(near, pull, axes=2) / 2
            slope[-1] += values[-1] * np.trace(pull) / 2
        return total, slope

    found = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": most})
    values = np.exp(np.clip(found.x, first - 4 * DOUBT, first + 4 * DOUBT))
    return Kernel(values[:-1], float(values[-1]) + LEAST)


def _inverse(matrix: Matrix) -> Matrix:
    return _full(lapack.dpotri(np.linalg.cholesky(matrix), lower=1)[0])


def _full(lower: Matrix) -> Matrix:
    return np.asarray(np.tril(lower) + np.tril(lower, -1).T)
