"""Ways to decide in a simulated world: by a forecast, by its doubt, by chance, by the truth; nothing is measured here.

A forecast decides as the planner does, with the planner's own functions: the highest typical count wins, raised by a
bonus where few posts near that hour of the week were measured; equals are drawn. There is no holdout.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate

import numpy as np

from benchmarks.decisions_worlds import Rule, Turn, World
from bot.attention.choice import choose as best_of
from bot.attention.forecast import Candidate, Forecast, Forecaster, PastPost, Sheaf
from bot.attention.forecaster import AttentionForecaster
from bot.planner.choice import CURIOSITY, Tried, bonuses, choose
from bot.rounds import CHOOSE_AGAIN

ZONE = "UTC"


@dataclass(frozen=True)
class Ranked:
    """The best forecast wins; `curiosity` weighs the bonus of a rarely tried hour of the week, or else of the day."""

    name: str
    forecaster: Forecaster
    curiosity: float = 0.0
    of_week: bool = True

    def choose(self, history: Sequence[PastPost], turns: Sequence[Turn], rng: np.random.Generator) -> list[int]:
        candidates, borders = _joined(turns)
        values = Sheaf.of(self.forecaster.predict(history, candidates)).typical_counts()
        tried = Tried(history, ZONE)
        return [
            _best(part.tolist(), self._raised(part.tolist(), turn, tried), rng)
            for part, turn in zip(np.split(values, borders), turns, strict=True)
        ]

    def _raised(self, values: Sequence[float], turn: Turn, tried: Tried) -> list[float]:
        if not tried.measured or self.curiosity == 0:
            return [0.0] * len(values)
        days = range(1 if self.of_week else 7)
        usual = bonuses(values, [sum(tried.near(one.at + timedelta(days=day)) for day in days) for one in turn])
        return [self.curiosity / CURIOSITY * bonus for bonus in usual]


class Earned:
    """The first forecaster until another has earned it, asked as often as the bot asks; for one run in one world."""

    name, version = "earned", ""

    def __init__(self, forecasters: Sequence[Forecaster]) -> None:
        self._forecasters = forecasters
        self._asked: tuple[int, Forecaster] | None = None

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        """What the one that decides now says."""
        measured = sum(post.counts is not None for post in history)
        if self._asked is None or measured >= self._asked[0] + CHOOSE_AGAIN:
            self._asked = (measured, best_of(history, self._forecasters, action).forecaster)
        return self._asked[1].predict(history, candidates, action)


@dataclass(frozen=True)
class Sampled:
    """For each post the mean as seen from a random half of the history wins: doubt explores, noise does not.

    `share` of the way from the forecast to that mean: 1 is plain sampling.
    """

    name: str
    forecaster: AttentionForecaster
    share: float = 1.0

    def choose(self, history: Sequence[PastPost], turns: Sequence[Turn], rng: np.random.Generator) -> list[int]:
        return [self._choose(history, turn, rng) for turn in turns]

    def _choose(self, history: Sequence[PastPost], turn: Turn, rng: np.random.Generator) -> int:
        drawn = self.forecaster.sample_means(history, turn, rng, draws=1)[0]
        settled = Sheaf.of(self.forecaster.predict(history, turn)).means if self.share < 1 else 0.0
        # Their order is all that counts, as of counts.
        return _best(np.exp(settled + self.share * (drawn - settled)).tolist(), [0.0] * len(turn), rng)


@dataclass(frozen=True)
class Opening:
    """Chance decides until so many posts are sent; another rule from then on."""

    name: str
    posts: int
    after: Rule

    def choose(self, history: Sequence[PastPost], turns: Sequence[Turn], rng: np.random.Generator) -> list[int]:
        return (Chance() if len(history) < self.posts else self.after).choose(history, turns, rng)


@dataclass(frozen=True)
class Chance:
    """Any candidate, all alike."""

    name: str = "random"

    def choose(self, history: Sequence[PastPost], turns: Sequence[Turn], rng: np.random.Generator) -> list[int]:
        return [int(rng.integers(len(turn))) for turn in turns]


@dataclass(frozen=True)
class Oracle:
    """Knows what the audience of its world expects; post by post nobody can do better."""

    world: World
    name: str = "oracle"

    def choose(self, history: Sequence[PastPost], turns: Sequence[Turn], rng: np.random.Generator) -> list[int]:
        sent, places = list(history), []
        for turn in turns:
            places.append(int(self.world.expected(turn, sent).argmax()))
            best = turn[places[-1]]
            sent.append(PastPost(best.platform, best.text, best.kind, best.at))
        return places


def _joined(turns: Sequence[Turn]) -> tuple[list[Candidate], list[int]]:
    """All candidates, and where they are cut into turns again."""
    return [one for turn in turns for one in turn], list(accumulate(len(turn) for turn in turns))[:-1]


def _best(values: Sequence[float], raised: Sequence[float], rng: np.random.Generator) -> int:
    return choose(values, raised, rng.random(len(values)).tolist(), share=0.0, coin=0.5).chosen
