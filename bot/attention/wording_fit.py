"""Fits the weights of wordings from randomised headline tests; run by developers, never by the bot.

    python -m bot.attention.wording_fit DATA OUT [SENTENCE_ENCODER]

DATA holds headlines/*.csv.gz: an account is a test, a row one of its arms, shown to a random share of the readers;
likes are clicks. Writes weights for the static encoder, with a folder or hub id those for that encoder too, and a card.

All arms are fitted at once: the log odds of a click are a level of the test, the wording's appeal (a Gaussian process
over vectors, looks and letter groups), what no text tells, and the luck of finite clicks, whose size is known. The mean
of the process is a plain sum over features, so the weights hold no text.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix

from bot.attention.episodes import read_accounts
from bot.attention.wording import LOOKS_SHARE, PROBE, Encoder, Wordings, encoder_of, numbers, scaled, weights_file
from bot.attention.wording_looks import GRAMS, LOOKS, grams

LEVEL, APPEAL, LETTERS, UNTOLD = 1.0, 0.03, 0.03, 0.03
"""Variances of log odds: of tests, of the quadratic form, of letter groups, and of what no text tells.

Chosen by likelihood on the earlier part of the tests; see docs/model-log.md.
"""
AXES = 64
"""Curved directions that are kept."""


@dataclass(frozen=True)
class Arm:
    """A wording, its test and how many of those who saw it clicked."""

    test: str
    text: str
    clicks: int
    seen: int


def read_tests(data: Path) -> list[list[Arm]]:
    """All tests of a data folder in order of time.

    Raises NoRight at the first row that may not be trained on and FileNotFoundError where there are no tests.
    """
    files = sorted((data / "headlines").glob("*.csv.gz"))
    if not files:
        raise FileNotFoundError(f"{data}: no headlines/*.csv.gz here")
    tests = [test for file in files for test in read_accounts(file)]
    tests.sort(key=lambda test: test.rows[0]["created_at"])
    return [
        [Arm(test.name, row["text"], int(row["likes"]), int(row["impressions"])) for row in test.rows]
        for test in tests
    ]


def fit(tests: Sequence[Sequence[Arm]], encoder: Encoder) -> dict[str, NDArray[np.floating]]:
    """The weights of `Wordings`, from all arms of these tests at once."""
    arms = [arm for test in tests for arm in test]
    texts = [arm.text for arm in arms]
    rows = numbers(texts, encoder)
    centre, gain = rows.mean(axis=0), _gain(rows)
    rows = scaled(rows, centre, gain)
    letters = _letters(texts)
    size = float(letters.multiply(letters).sum() / len(arms))
    alike = rows @ rows.T
    told = APPEAL * (alike + alike**2) + LETTERS / size * (letters @ letters.T).toarray()
    clicks, missed = (
        np.array([value(arm) for arm in arms]) + 0.5 for value in (lambda a: a.clicks, lambda a: a.seen - a.clicks)
    )
    odds = np.log(clicks / missed)
    of = np.unique([arm.test for arm in arms], return_inverse=True)[1]
    covariance = told + LEVEL * (of[:, None] == of[None]) + np.diag(UNTOLD + 1 / clicks + 1 / missed)
    dual = cho_solve(cho_factor(covariance, overwrite_a=True), odds - odds.mean())
    bends, axes = np.linalg.eigh((rows.T * dual) @ rows)
    most = np.argsort(-np.abs(bends))[:AXES]
    found = {
        "centre": centre.astype(np.float32),
        "gain": gain.astype(np.float32),
        "linear": (APPEAL * dual @ rows).astype(np.float32),
        "axes": axes[:, most].astype(np.float16),
        "bends": (APPEAL * bends[most]).astype(np.float32),
        "grams": (LETTERS / size * (letters.T @ dual)).astype(np.float16),
        "average": np.array([float((told @ dual).mean())], dtype=np.float32),
        "probe": encoder.encode([PROBE])[0].astype(np.float32),
    }
    return found


def _gain(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Brings vectors to a mean squared length of 1 and each look to an equal part of LOOKS_SHARE squared."""
    spread = rows.std(axis=0)
    gain = np.full(rows.shape[1], 1 / np.sqrt((spread[:-LOOKS] ** 2).sum()))
    gain[-LOOKS:] = LOOKS_SHARE / np.sqrt(LOOKS) / np.maximum(spread[-LOOKS:], 1e-6)
    return gain


def _letters(texts: Sequence[str]) -> csr_matrix:
    found = [grams(text) for text in texts]
    starts = np.cumsum([0, *map(len, found)])
    return csr_matrix((np.ones(starts[-1]), np.concatenate(found).astype(int), starts), (len(texts), GRAMS))
