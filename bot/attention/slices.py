"""Where a model errs: the posts it was judged on, cut by kind, part of day and language; no forecasts are made here.

Within a slice ranks mean little, so each is told by the share of outcomes inside the 80 % interval (.8 is honest) and
by the absolute error of the median forecast, as a ratio to that of the account's mean on the same posts (below 1 is
better).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from bot.attention.evaluation import Judged
from bot.attention.forecast import PastPost

OURS, PLAIN = "attention", "account mean"
LEAST = 200
"""Posts judged that a slice needs to be told."""
PARTS = ("00-06 h UTC", "06-12 h UTC", "12-18 h UTC", "18-24 h UTC")
SPOKEN = "ar de en es fr hi id it ja ko nl pl pt ru sv th tr vi zh"
"""Languages told apart: with all that a detector knows, slang and names look like small ones."""
SURE = 0.9
"""Probability below which a text has no language: hashtags, names, a word or two."""


@dataclass(frozen=True)
class Slice:
    """How the model did on the posts of one kind, part of day or language, of one platform, after k posts."""

    platform: str
    cut: str
    name: str
    k: int
    accounts: int
    posts: int
    coverage: float
    error: float
    """Mean absolute error in z, as a ratio to that of the account's mean."""


def kind(post: PastPost) -> str:
    """The kind of a post."""
    return post.kind


def part_of_day(post: PastPost) -> str:
    """The quarter of the UTC day a post went out in."""
    return PARTS[post.at.astimezone(UTC).hour // 6]


def cuts() -> Mapping[str, Callable[[PastPost], str]]:
    """The ways posts are cut; by language only where `py3langid` is installed."""
    found = {"kind": kind, "part of day": part_of_day}
    return found | {"language": _language()} if find_spec("py3langid") else found


@cache
def _language() -> Callable[[PastPost], str]:
    detector: Any = import_module("py3langid.langid")
    reader = detector.LanguageIdentifier.from_model_file(detector.MODEL_FILE, norm_probs=True)
    reader.set_languages(SPOKEN.split())

    @cache
    def language(text: str) -> str:
        name, sure = reader.classify(text)
        return str(name) if sure >= SURE else "not told"

    return lambda post: language(post.text)


def slices(
    judged: Mapping[tuple[str, str], Sequence[Judged]],
    by: Mapping[str, Callable[[PastPost], str]] | None = None,
    least: int = LEAST,
) -> list[Slice]:
    """Every slice with enough posts, from what was judged by platform and account; the largest of a cut first."""
    by = cuts() if by is None else by
    found = []
    for platform, k in sorted({(name, len(one.window.history)) for (name, _), some in judged.items() for one in some}):
        for cut, key in by.items():
            here = _gathered(judged, platform, k, key)
            for name, rows in sorted(here.items(), key=lambda item: -len(item[1])):
                ours, plain, inside = np.array([row[1:] for row in rows]).T
                if len(rows) >= least:
                    accounts = len({row[0] for row in rows})
                    ratio = float(ours.sum() / plain.sum())
                    found.append(Slice(platform, cut, name, k, accounts, len(rows), float(inside.mean()), ratio))
    return found


def _gathered(
    judged: Mapping[tuple[str, str], Sequence[Judged]], platform: str, k: int, key: Callable[[PastPost], str]
) -> dict[str, list[tuple[str, float, float, bool]]]:
    """By name of a slice: account, absolute error of ours and of the plain model, and whether the interval held."""
    found: dict[str, list[tuple[str, float, float, bool]]] = {}
    for (name, account), some in judged.items():
        if name != platform:
            continue
        at = {(one.model, one.window.number): one for one in some if len(one.window.history) == k}
        for (model, number), one in at.items():
            if model != OURS:
                continue
            plain = at[PLAIN, number]
            errors = zip(abs(one.median - one.true), abs(plain.median - plain.true), one.inside, strict=True)
            for post, (ours, theirs, inside) in zip(one.window.later, errors, strict=True):
                found.setdefault(key(post), []).append((account, float(ours), float(theirs), bool(inside)))
    return found
