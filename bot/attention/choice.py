"""The model earns its place: forecasters are compared on an account's own later posts and the best one decides.

The history is cut once: what is more than 48 hours older than the last posts is read, the last posts are ranked. This
costs one fit per forecaster, so that every plan can afford it; `bot.insights.backtest` looks longer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.attention.evaluation import WINDOW, Window, distinct, known_before, spearman
from bot.attention.forecast import Forecaster, PastPost
from bot.attention.outcomes import Scale, finished
from bot.words import counted

LEAST_READ, LEAST_JUDGED = 30, 20
"""With fewer posts to read or to judge by, a comparison would be luck."""
JUDGED_SHARE = 3
"""One post in so many is judged, WINDOW at most."""
NEEDED = 0.7
"""A rival takes over when it leads by NEEDED / sqrt(posts judged), .07 for a hundred. On pages never trained on,
following every smaller lead lost .02 in rank correlation on the posts that came next; see docs/model-log.md."""


@dataclass(frozen=True)
class Choice:
    """Who decides for this account, why in words for its owner, and the rank correlation each forecaster reached."""

    forecaster: Forecaster
    words: str
    scores: Mapping[str, float]


def choose(history: Sequence[PastPost], forecasters: Sequence[Forecaster], action: str = "likes") -> Choice:
    """The forecaster that ranked the account's last posts best; the first one given where that cannot be told.

    Raises ValueError without forecasters.
    """
    if not forecasters:
        raise ValueError("choosing needs at least one forecaster")
    first = forecasters[0]
    posts = distinct(history, action)
    size = min(WINDOW, len(posts) // JUDGED_SHARE)
    before = known_before(posts, len(posts) - size) if size else []
    if size < LEAST_JUDGED or len(before) < LEAST_READ:
        return Choice(
            first, f"{counted(len(posts), 'post')} with {action}: too few to compare models; {first.name} decides", {}
        )
    window = Window(0, tuple(before), tuple(posts[-size:]))
    truth = Scale.of(finished(window.history, action)).z(finished(window.later, action))
    scores = {}
    for forecaster in forecasters:
        forecasts = forecaster.predict(window.history, window.candidates, action)
        scores[forecaster.name] = spearman(np.array([forecast.mean for forecast in forecasts]), truth)
    winner = decides(scores, first.name, size)
    return Choice(
        next(forecaster for forecaster in forecasters if forecaster.name == winner),
        f"your last {size} posts: {verdict(scores, winner)}",
        scores,
    )


def decides(scores: Mapping[str, float], preferred: str, judged: int) -> str:
    """Who decides: `preferred`, unless another's lead on so many judged posts is more than luck."""
    leader = max(scores, key=lambda name: scores[name])
    return leader if scores[leader] - scores[preferred] > NEEDED / judged**0.5 else preferred


def verdict(scores: Mapping[str, float], winner: str) -> str:
    """Scores and what follows, as in `attention .41, lightgbm .38, hour of week .12: attention decides`."""
    led = max(scores.values()) > scores[winner]
    return f"{said(scores, winner)}: {'too close to tell, ' if led else ''}{winner} decides"


def said(scores: Mapping[str, float], winner: str) -> str:
    """The winner's score and its strongest rivals', as in `attention .41, lightgbm .38, hour of week .12`."""
    others = sorted((name for name in scores if name != winner), key=lambda name: -scores[name])
    shown = [winner, *others[:2]]
    if "hour of week" in others and "hour of week" not in shown:
        shown.append("hour of week")
    return ", ".join(f"{name} {decimal(scores[name])}" for name in shown)


def decimal(value: float) -> str:
    """A correlation as people write it: .41, -.05, 1.00."""
    shown = f"{value:z.2f}"
    return shown.replace("0.", ".", 1) if abs(value) < 0.995 else shown
