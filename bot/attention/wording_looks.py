"""A wording -> the numbers that tell how it is worded: counts of small words and marks, hashed letter groups."""

import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bot.attention import features

LONGEST = 200
"""Characters of a wording that are read: hardly a headline learned from is longer."""
GRAMS = 1 << 13
"""Buckets of letter groups."""
_GROUPS = [
    frozenset(words.split())
    for words in (
        "you your you're yours you'll you've",
        "i my me i'm i've mine",
        "we our us we're ours",
        "he his him he's",
        "she her she's hers",
        "they their them they're",
        "this these",
        "that",
        "what",
        "why",
        "how",
        "who",
        "when",
        "here here's",
        "no not never nothing don't doesn't can't isn't won't didn't aren't",
        "the",
        "a an",
        "it it's",
    )
]
_MARKS = 13
LOOKS = features.SURFACE + len(_GROUPS) + _MARKS
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+|[?!:…\"]")
_QUOTED = re.compile(r"['\"“‘][^'\"]{8,}['\"”’]")
_SENTENCE = re.compile(r"[.!?]+\s")


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text[:LONGEST].lower().replace("\u2019", "'"))


def looks(texts: Sequence[str]) -> NDArray[np.float64]:
    """Surface of the text, small words by group, marks (n, LOOKS)."""
    rows = [[*features.surface(text[:LONGEST]), *_small_words(text), *_marks(text[:LONGEST])] for text in texts]
    return np.array(rows, dtype=np.float64).reshape(len(texts), LOOKS)


def _small_words(text: str) -> list[float]:
    tokens = _tokens(text)
    return [min(sum(token in group for token in tokens), 2) for group in _GROUPS]


def _marks(text: str) -> list[float]:
    words = text.split()
    tens = len(words) / 10
    return [
        sum(bool(part.strip()) for part in _SENTENCE.split(text)),
        text.count(","),
        text.count(":"),
        text.count("...") + text.count("…"),
        float(text[:1].isdigit()),
        float(text.endswith(".")),
        float(text.endswith("?")),
        float(_QUOTED.search(text) is not None),
        tens,
        tens**2,
        float("-" in text),
        max(map(len, words), default=0) / 10,
        text.count("("),
    ]


def grams(text: str) -> list[int]:
    """The buckets of a text's groups of three to five letters, each once, in order."""
    line = f" {' '.join(_tokens(text))} "
    groups = {line[at : at + size] for size in (3, 4, 5) for at in range(len(line) - size + 1)}
    return sorted({zlib.crc32(group.encode()) % GRAMS for group in groups})
