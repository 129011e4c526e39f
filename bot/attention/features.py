"""Posts -> the numbers of a token: clock, kind, surface of the text, rhythm of posting; no text vectors, no torch.

Everything here is known when a post is scheduled. Clock features are in UTC: an account's own rhythm is learned from
its history, wherever it lives.
"""

import re
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

KINDS = ("text", "link", "photo", "video", "poll", "question", "status", "self", "image")
KIND_SLOTS = 16
"""Known kinds have a slot of their own, unknown ones share the rest by hash."""
SURFACE = 14
CLOCK = 12
RHYTHM = 3
WIDTH = CLOCK + KIND_SLOTS + SURFACE + RHYTHM
"""Columns of `tokens`: clock, kind one-hot, surface, rhythm."""
CLOCK_PART = slice(0, CLOCK)
KIND_PART = slice(CLOCK, CLOCK + KIND_SLOTS)
SURFACE_PART = slice(CLOCK + KIND_SLOTS, CLOCK + KIND_SLOTS + SURFACE)
RHYTHM_PART = slice(CLOCK + KIND_SLOTS + SURFACE, WIDTH)
HOUR_S = 3600.0
DAY_S = 86400.0
FAR_S = 30 * DAY_S
"""A gap this long and any longer one count the same."""

_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")


def seconds(times: Sequence[datetime]) -> NDArray[np.float64]:
    """POSIX seconds (n,)."""
    return np.array([time.astimezone(UTC).timestamp() for time in times], dtype=np.float64)


def clock(times: NDArray[np.float64]) -> NDArray[np.float32]:
    """Three Fourier pairs each of the hour of day and the day of week (n, CLOCK) from POSIX seconds."""
    day = 2 * np.pi * (times % DAY_S) / DAY_S
    week = 2 * np.pi * ((times + 3 * DAY_S) % (7 * DAY_S)) / (7 * DAY_S)
    waves = [wave(turn * angle) for angle in (day, week) for turn in (1, 2, 3) for wave in (np.sin, np.cos)]
    return np.stack(waves, axis=1).astype(np.float32)


def kind_slot(kind: str) -> int:
    """The slot of a kind, the same on every machine."""
    name = kind.lower()
    if name in KINDS:
        return KINDS.index(name)
    return len(KINDS) + zlib.crc32(name.encode()) % (KIND_SLOTS - len(KINDS))


def kinds(names: Sequence[str]) -> NDArray[np.float32]:
    """One-hot kinds (n, KIND_SLOTS)."""
    return np.eye(KIND_SLOTS, dtype=np.float32)[[kind_slot(name) for name in names]]


def surface(text: str) -> list[float]:
    """SURFACE numbers of how a text looks, each roughly within -1 .. 2."""
    words = text.split()
    length, count = len(text), max(len(words), 1)
    letters = sum(char.isalpha() for char in text)
    return [
        np.log1p(length) / 3 - 1.3,
        np.log1p(len(words)) / 2 - 1.2,
        float("http" in text),
        min(text.count("#"), 5) / 2,
        min(text.count("@"), 5) / 2,
        float("?" in text),
        float("!" in text),
        min(len(_EMOJI.findall(text)), 5) / 2,
        min(sum(char.isdigit() for char in text), 12) / 6,
        2 * sum(char.isupper() for char in text) / max(letters, 1),
        float(any(len(word) > 2 and word.isupper() for word in words)),
        (letters / count - 4.5) / 2,
        min(text.count("\n"), 6) / 3,
        float('"' in text or "\u201c" in text),
    ]


def surfaces(texts: Sequence[str]) -> NDArray[np.float32]:
    """`surface` of each text (n, SURFACE)."""
    known = {text: surface(text) for text in dict.fromkeys(texts)}  # a wording stands in many slots
    return np.array([known[text] for text in texts], dtype=np.float32).reshape(len(texts), SURFACE)


def rhythm(times: NDArray[np.float64], known: NDArray[np.float64], reference: float) -> NDArray[np.float32]:
    """Log gap since the previous known post, log posts in the 24 h before, log distance from `reference` (n, RHYTHM).

    `known` (m,) are the sorted times of all posts that may count as previous; a post never counts as its own.
    """
    before = np.searchsorted(known, times, side="left")
    gap = np.full(len(times), FAR_S)
    has = before > 0
    gap[has] = np.clip(times[has] - known[before[has] - 1], 1.0, FAR_S)
    recent = before - np.searchsorted(known, times - DAY_S, side="left")
    distance = np.abs(times - reference)
    columns = [
        np.log(gap / HOUR_S) / 3,
        np.log1p(recent) / 2,
        np.log1p(distance / DAY_S) / 4,
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def tokens(
    times: NDArray[np.float64],
    kind_rows: NDArray[np.float32],
    surface_rows: NDArray[np.float32],
    known: NDArray[np.float64],
    reference: float,
) -> NDArray[np.float32]:
    """All features of n posts (n, WIDTH)."""
    return np.concatenate([clock(times), kind_rows, surface_rows, rhythm(times, known, reference)], axis=1)
