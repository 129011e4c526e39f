"""The model earns its place: forecasters are compared on an account's own later posts and the best one decides.

The history is cut once: what is more than 48 hours older than the last posts is read, the last posts are ranked. This
costs one fit per forecaster, so that every plan can afford it; `bot.insights.backtest` looks longer.

Whoever decides is then believed as far as those posts bear it out (`bot.attention.belief`): where luck alone decides,
forecasts stay near the account's mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.attention.belief import Believed, share_of
from bot.attention.evaluation import WINDOW, Window, distinct, known_before, spearman
from bot.attention.forecast import Forecast, Forecaster, PastPost
from bot.attention.outcomes import Scale, finished
from bot.words import counted

LEAST_READ, LEAST_JUDGED = 30, 20
"""With fewer posts to read or to judge by, a comparison would be luck."""
LEAST_HEARD = 10
"""With fewer posts to judge by, a forecaster is taken at its word."""
JUDGED_SHARE = 3
"""One post in so many is judged, WINDOW at most."""
LUCK = 2.5
"""Skill is claimed from a rank correlation of LUCK / sqrt(posts judged) on, .25 for a hundred: of several forecasters
that all guess, the best one seldom looks better than that."""
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

    It comes `Believed` where the last posts do not bear its forecasts out. Raises ValueError without forecasters.
    """
    if not forecasters:
        raise ValueError("choosing needs at least one forecaster")
    first = forecasters[0]
    posts = distinct(history, action)
    size = min(WINDOW, len(posts) // JUDGED_SHARE)
    before = known_before(posts, len(posts) - size) if size else []
    window = Window(0, tuple(before), tuple(posts[len(posts) - size :]))
    if size < LEAST_JUDGED or len(before) < LEAST_READ:
        words = f"{counted(len(posts), 'post')} with {action}: too few to compare models; {first.name} decides"
        if size < LEAST_HEARD or not before:
            return Choice(first, words, {})
        return _choice(first, first.predict(window.history, window.candidates, action), window, action, words)
    truth = Scale.of(finished(window.history, action)).z(finished(window.later, action))
    told = {one.name: one.predict(window.history, window.candidates, action) for one in forecasters}
    scores = {name: spearman(np.array([one.mean for one in made]), truth) for name, made in told.items()}
    winner = decides(scores, first.name, size)
    words = f"your last {size} posts: {verdict(scores, winner)}"
    if scores[winner] < LUCK / size**0.5:
        words += ", though luck alone could give as much"
    chosen = next(one for one in forecasters if one.name == winner)
    return _choice(chosen, told[winner], window, action, words, scores)


def _choice(
    forecaster: Forecaster,
    told: Sequence[Forecast],
    window: Window,
    action: str,
    words: str,
    scores: Mapping[str, float] | None = None,
) -> Choice:
    """The choice of a forecaster, believed as far as what it told of the window bears it out."""
    share = share_of(told, window, action)
    if share == 1:
        return Choice(forecaster, words, scores or {})
    return Choice(Believed(forecaster, share), f"{words}; its forecasts are believed at {share:.0%}", scores or {})


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
