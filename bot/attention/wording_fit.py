"""Fits the weights of wordings from randomised headline tests; run by developers, never by the bot.

    python -m bot.attention.wording_fit DATA OUT [SENTENCE_ENCODER]

DATA holds headlines/*.csv.gz: an account is a test, a row one of its arms, shown to a random share of the readers;
likes are clicks. Writes weights for the static encoder, with a folder or hub id those for that encoder too, and a card.

All arms are fitted at once: the log odds of a click are a level of the test, the wording's appeal (a Gaussian process
over vectors, looks and letter groups), what no text tells, and the luck of finite clicks, whose size is known. The mean
of the process is a plain sum over features, so the weights hold no text. The static encoder is also taught by the
sentence encoder: by what that one finds appealing in posts of DATA/posts.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix

from bot.attention.episodes import VALIDATION_FROM, files_of, read_accounts
from bot.attention.wording import LOOKS_SHARE, PROBE, Encoder, Wordings, encoder_of, numbers, scaled, weights_file
from bot.attention.wording_card import write_card
from bot.attention.wording_figures import Arm, figures, split
from bot.attention.wording_looks import GRAMS, LOOKS, grams

LEVEL, APPEAL, LETTERS, UNTOLD = 1.0, 0.03, 0.03, 0.03
"""Variances of log odds: of tests, of the quadratic form, of letter groups, and of what no text tells."""
DOUBT = 0.05
"""Variance of what a teacher says."""
AXES = 64
"""Curved directions that are kept."""
LESSON = 4000
"""Posts the sentence encoder teaches the static one by."""
SHORTEST, LONGEST = 30, 140
"""Characters of a post that reads like a headline."""
SEED = 0


@dataclass(frozen=True)
class Lesson:
    """What a teacher says of some texts."""

    texts: Sequence[str]
    appeals: NDArray[np.float64]


def read_tests(data: Path) -> list[list[Arm]]:
    """All tests of a data folder in order of time.

    Raises NoRight at the first row that may not be trained on and FileNotFoundError where there are no tests.
    """
    files = sorted((data / "headlines").glob("*.csv.gz"))
    if not files:
        raise FileNotFoundError(f"{data}: no headlines/*.csv.gz here")
    tests = sorted((test for file in files for test in read_accounts(file)), key=lambda one: one.rows[0]["created_at"])
    return [[Arm(row["text"], int(row["likes"]), int(row["impressions"])) for row in test.rows] for test in tests]


def read_posts(data: Path, count: int = LESSON) -> list[str]:
    """Some posts of training accounts that read like headlines, half of them from each platform.

    Raises NoRight at the first row that may not be trained on and FileNotFoundError where there are no posts.
    """
    known: dict[str, set[str]] = {}
    for file in files_of(data):
        for account in read_accounts(file):
            if account.split == "train":
                rows = [row for row in account.rows if datetime.fromisoformat(row["created_at"]) < VALIDATION_FROM]
                known.setdefault(account.platform, set()).update(row["text"] for row in rows)
    rng, found = np.random.default_rng(SEED), []
    for platform in sorted(known):
        short = sorted(text for text in known[platform] if SHORTEST <= len(text) <= LONGEST)
        plain = [text for text in short if "http" not in text and "\n" not in text]
        found += [plain[at] for at in rng.permutation(len(plain))[: count // len(known)]]
    return found


def fit(
    tests: Sequence[Sequence[Arm]], encoder: Encoder, lesson: Lesson | None = None
) -> dict[str, NDArray[np.floating]]:
    """The weights of `Wordings`, from all arms of these tests and, where given, a lesson."""
    arms = [arm for test in tests for arm in test]
    more = lesson or Lesson((), np.zeros(0))
    texts = [arm.text for arm in arms] + list(more.texts)
    own = slice(0, len(arms))
    rows = numbers(texts, encoder)
    centre, gain = rows[own].mean(axis=0), _gain(rows[own])
    rows = scaled(rows, centre, gain)
    letters = _letters(texts)
    size = letters[own].sum() / len(arms)
    alike = rows @ rows.T
    told = APPEAL * (alike + alike**2) + LETTERS / size * (letters @ letters.T).toarray()
    clicked = np.array([arm.clicks for arm in arms]) + 0.5
    missed = np.array([arm.seen - arm.clicks for arm in arms]) + 0.5
    odds = np.log(clicked / missed)
    level = np.repeat(np.arange(len(tests) + 1), [*map(len, tests), len(more.texts)])
    luck = np.concatenate([UNTOLD + 1 / clicked + 1 / missed, np.full(len(more.texts), DOUBT)])
    covariance = told + LEVEL * (level[:, None] == level) + np.diag(luck)
    seen = np.concatenate([odds - odds.mean(), more.appeals])
    dual = cho_solve(cho_factor(covariance, overwrite_a=True), seen)
    bends, axes = np.linalg.eigh((rows.T * dual) @ rows)
    most = np.argsort(-np.abs(bends))[:AXES]
    return {
        "centre": centre.astype(np.float32),
        "gain": gain.astype(np.float32),
        "linear": (APPEAL * dual @ rows).astype(np.float32),
        "axes": np.ascontiguousarray(axes[:, most], dtype=np.float16),
        "bends": (APPEAL * bends[most]).astype(np.float32),
        "grams": (LETTERS / size * (letters.T @ dual)).astype(np.float16),
        "average": np.array((told @ dual)[own].mean(), dtype=np.float32),
        "probe": encoder.encode([PROBE])[0].astype(np.float32),
    }


def lesson_of(teacher: Wordings, posts: Sequence[str]) -> Lesson:
    """What the teacher says of these posts."""
    return Lesson(posts, teacher.appeal(posts))


def _gain(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Brings vectors to a mean squared length of 1 and each look to an equal part of LOOKS_SHARE squared."""
    spread = rows.std(axis=0)
    gain = np.full(rows.shape[1], 1 / np.sqrt((spread[:-LOOKS] ** 2).sum()))
    gain[-LOOKS:] = LOOKS_SHARE / np.sqrt(LOOKS) / np.maximum(spread[-LOOKS:], 1e-3)
    return gain


def _letters(texts: Sequence[str]) -> csr_matrix:
    found = [grams(text) for text in texts]
    starts = np.cumsum([0, *map(len, found)])
    places = np.array([place for row in found for place in row], dtype=np.int64)
    return csr_matrix((np.ones(starts[-1]), places, starts), (len(texts), GRAMS))


def main(data: Path, out: Path, path: str | None = None) -> None:
    """Fit on the earlier tests, judge on the later ones for the card, then fit on all and write."""
    tests = read_tests(data)
    earlier, later = split(tests)
    sentence = None if path is None else encoder_of(path)
    posts = [] if sentence is None else read_posts(data)
    measured = {}
    out.mkdir(parents=True, exist_ok=True)
    for some, shipped in ((earlier, False), (tests, True)):
        lesson = None
        for given, encoder in ((path, sentence), (None, encoder_of(None))):
            if encoder is None:
                continue
            weights = fit(some, encoder, lesson)
            fitted = Wordings(weights, encoder)
            if shipped:
                save_file(weights, weights_file(out, given))
            else:
                measured[weights_file(out, given).name] = figures(later, fitted)
            lesson = lesson_of(fitted, posts)
    write_card(out, tests, (earlier, later), len(posts), measured)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:4])
