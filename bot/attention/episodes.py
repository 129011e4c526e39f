"""The only reader of training data: rows with the right to be trained on -> series of posts -> episodes; no learning.

An episode is what the network sees at once: the last k posts before a moment, and candidates at least 48 h later.
"""

import csv
import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.attention import features
from bot.attention.encoder import StaticEncoder
from bot.attention.forecast import ACTIONS
from bot.attention.outcomes import YOUNGEST, Scale, growth, standard

GAP_S = 48 * features.HOUR_S
"""Between the last history post and the first candidate: counts of younger posts are not finished."""
WINDOW = 100
MOST_ROWS = 8000
"""Posts kept of one account; of a busier one every second, third and so on."""
VALIDATION_FROM = datetime(2016, 5, 6, tzinfo=UTC)
"""Facebook pages share world news: nothing from here on is trained on, whatever the page."""


class NoRight(ValueError):
    """A row whose source gives no right to train on it."""


@dataclass(frozen=True)
class Right:
    """What a source allows. `before` bounds rows by date where only an archive is free."""

    licence: str
    source: str
    train: bool
    why: str = ""
    before: datetime | None = None


RIGHTS: Mapping[str, Right] = {
    "facebook": Right("MIT", "minimaxir/interactive-facebook-reactions", train=True),
    "reddit": Right(
        "PDDL 1.0",
        "umbrae/reddit-top-2.5-million",
        train=True,
        why="only this archive of 2013 is free; data from Reddit's API is not",
        before=datetime(2013, 9, 1, tzinfo=UTC),
    ),
    "upworthy": Right("CC BY 4.0", "Upworthy Research Archive", train=True),
    "hackernews": Right("none stated", "public Hacker News items", train=False, why="no licence: measure only"),
    "x": Right("X developer agreement", "X", train=False, why="X forbids training on its content"),
    "twitter": Right("X developer agreement", "X", train=False, why="X forbids training on its content"),
}


def refuse_without_right(platform: str, at: datetime, place: str) -> None:
    """Raise NoRight unless a row of this platform and time may be trained on."""
    right = RIGHTS.get(platform)
    if right is None:
        raise NoRight(f"{place}: no right is recorded to train on rows of {platform!r}; add it to RIGHTS or drop them")
    if not right.train:
        raise NoRight(f"{place}: rows of {platform!r} may not be trained on: {right.why}")
    if right.before is not None and at >= right.before:
        raise NoRight(f"{place}: a row of {platform!r} from {at:%Y-%m-%d} may not be trained on: {right.why}")


@dataclass
class Series:
    """All posts of an account in order of time: text (n, E) float16, counts (n, A), nan if unmeasured."""

    platform: str
    account: str
    split: str
    times: NDArray[np.float64]
    text: NDArray[np.float16]
    kinds: NDArray[np.float32]
    surfaces: NDArray[np.float32]
    counts: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.times)

    def until(self, moment: datetime) -> "Series":
        """The part before a moment."""
        return self.rows(slice(0, int(np.searchsorted(self.times, moment.timestamp()))))

    def rows(self, keep: slice | NDArray[np.bool_]) -> "Series":
        """Some of the posts."""
        return Series(
            self.platform,
            self.account,
            self.split,
            self.times[keep],
            self.text[keep],
            self.kinds[keep],
            self.surfaces[keep],
            self.counts[keep],
        )


def csv_rows(file: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file, gzipped or not."""
    with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as lines:
        yield from csv.DictReader(lines)


@dataclass
class Account:
    """The rows of one account in a CSV of posts, in order of time."""

    platform: str
    name: str
    split: str
    rows: list[dict[str, str]]


def read_accounts(file: Path) -> Iterator[Account]:
    """Every account in a CSV of posts; raises NoRight at the first row that may not be trained on."""
    found: dict[tuple[str, str, str], list[dict[str, str]]] = {}
    for line, row in enumerate(csv_rows(file), start=2):
        at = datetime.fromisoformat(row["created_at"])
        refuse_without_right(row["platform"], at, f"{file.name}:{line}")
        found.setdefault((row["platform"], row["account"], row.get("split") or "train"), []).append(row)
    for (platform, name, split), rows in found.items():
        rows.sort(key=lambda row: row["created_at"])
        yield Account(platform, name, split, rows)


def series_of(account: Account, encoder: StaticEncoder) -> Series:
    """An account's posts as numbers; identical texts count once."""
    fresh = list({row["text"]: row for row in reversed(account.rows)}.values())[::-1]
    chosen = fresh[:: max(1, -(-len(fresh) // MOST_ROWS))]
    chosen.sort(key=lambda row: row["created_at"])
    texts = [row["text"] for row in chosen]
    counts = [[float(row.get(action) or "nan") for action in ACTIONS] for row in chosen]
    return Series(
        account.platform,
        account.name,
        account.split,
        features.seconds([datetime.fromisoformat(row["created_at"]) for row in chosen]),
        encoder.encode(texts).astype(np.float16),
        features.kinds([row["kind"] for row in chosen]),
        features.surfaces(texts),
        np.array(counts, dtype=np.float32),
    )


def files_of(folder: Path) -> list[Path]:
    """The files of posts we may train or validate on in a data folder; raises FileNotFoundError without any."""
    found = [folder / "posts" / f"{name}.csv.gz" for name in ("facebook", "reddit", "reddit_more")]
    if not any(file.is_file() for file in found):
        raise FileNotFoundError(f"{folder}: no posts/facebook.csv.gz, reddit.csv.gz or reddit_more.csv.gz here")
    return [file for file in found if file.is_file()]


def read_all(folder: Path) -> list[Series]:
    """Every series we may train or validate on in a data folder."""
    encoder = StaticEncoder.load()
    return [series_of(account, encoder) for file in files_of(folder) for account in read_accounts(file)]


@dataclass
class Episode:
    """History (k rows) and candidates (m rows): text (n, E), features (n, F), z and measured (n,), of one action.

    Of the history also (k,): mean z of other actions and whether there was one, and the share of its growth a post
    still had before it when it was counted.
    """

    text: NDArray[np.float32]
    features: NDArray[np.float32]
    z: NDArray[np.float32]
    measured: NDArray[np.float32]
    beside: NDArray[np.float32]
    has_beside: NDArray[np.float32]
    unfinished: NDArray[np.float32]
    candidate_text: NDArray[np.float32]
    candidate_features: NDArray[np.float32]
    candidate_z: NDArray[np.float32]
    candidate_measured: NDArray[np.float32]


def episode(
    series: Series,
    values: NDArray[np.float32],
    start: int,
    k: int,
    queries: NDArray[np.int64],
    *,
    knows_window: bool = False,
    shift_s: float = 0.0,
    gap_s: float = GAP_S,
    misjudged: NDArray[np.float32] | None = None,
) -> Episode | None:
    """History: the last k posts more than `gap_s` before post `start`; candidates: `queries` (indices >= start).

    `values` (n, A) is log1p of the outcomes, nan if unmeasured: first of the action to forecast, then of others. With
    `knows_window` a candidate's rhythm features see the posts between; otherwise only the history, as at planning time.
    Counts are taken when post `start` comes: with a gap below GAP_S the last ones are not finished, and `misjudged`
    (n,) is by how much the guess of their final logarithm is off at the moment of posting; it fades as a post grows.
    None when the history has no measured outcome.
    """
    end = int(np.searchsorted(series.times, series.times[start] - gap_s))
    first = max(0, end - k)
    kept = slice(first, end)
    if end - first < 1:
        return None
    ages = series.times[start] - series.times[kept]
    unfinished = 1 - growth(ages, series.platform)
    seen = values[kept].copy()
    if misjudged is not None:
        seen += (unfinished * misjudged[kept])[:, None]
    seen[ages < YOUNGEST.total_seconds()] = np.nan
    if not np.isfinite(seen[:, 0]).any():
        return None
    times = series.times + shift_s
    reference = float(times[end - 1])
    known = times if knows_window else times[:end]
    z, beside = standard(seen)
    later = Scale.of(seen[:, 0]).z(values[queries, 0])

    def part(rows: slice | NDArray[np.int64], seen: NDArray[np.float64]) -> NDArray[np.float32]:
        return features.tokens(times[rows], series.kinds[rows], series.surfaces[rows], seen, reference)

    return Episode(
        series.text[kept].astype(np.float32),
        part(kept, times[:end]),
        np.nan_to_num(z).astype(np.float32),
        np.isfinite(z).astype(np.float32),
        np.nan_to_num(beside).astype(np.float32),
        np.isfinite(beside).astype(np.float32),
        (unfinished * np.isfinite(seen).any(axis=1)).astype(np.float32),
        series.text[queries].astype(np.float32),
        part(queries, known),
        np.nan_to_num(later).astype(np.float32),
        np.isfinite(later).astype(np.float32),
    )


def splits(series: Iterable[Series]) -> tuple[list[Series], list[Series]]:
    """Training and validation series: by account and, for Facebook, by calendar time as well."""
    train, validation = [], []
    for one in series:
        if one.split == "train":
            part = one.until(VALIDATION_FROM) if one.platform == "facebook" else one
            if len(part) >= WINDOW:
                train.append(part)
        elif len(one) >= 2 * WINDOW:
            validation.append(one)
    return train, validation
