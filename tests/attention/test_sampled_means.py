"""Doubt about the mean against a known truth: sampled means hold it, shrink with knowledge, and hold no luck."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.attention import load
from bot.attention.forecast import Candidate, PastPost
from bot.attention.forecaster import AttentionForecaster
from bot.attention.outcomes import Scale, finished

START = datetime(2026, 1, 5, tzinfo=UTC)
WORDS = (
    "cat kitten purr whiskers paw fur",
    "inflation bank interest rates economy tax",
    "goal football striker match league stadium",
    "recipe butter oven bread flour garlic",
    "rocket orbit telescope galaxy moon launch",
)
KINDS = ("photo", "link")
CANDIDATES, DRAWS, ACCOUNTS = 40, 20, 8
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """An account, candidates for it, and the true mean of log1p(likes) of each candidate (n,), luck taken out."""

    history: list[PastPost]
    candidates: list[Candidate]
    logs: Vector

    @cached_property
    def means(self) -> Vector:
        """The true means in z of the history."""
        scale = Scale.of(finished(self.history, "likes"))
        return np.asarray((self.logs - scale.centre) / scale.spread)


def truth(k: int, seed: int, luck: float | None = None) -> Truth:
    """What is liked there, how much of it, and how much is luck (a standard deviation) differ from seed to seed."""
    rng = np.random.default_rng([seed, 5])
    subject, form, hour, drawn = rng.uniform(0.2, 0.8), rng.uniform(0, 0.5), rng.uniform(0, 0.4), rng.uniform(0.4, 1)
    taste, likes_kind, best = rng.permutation(np.linspace(-1.4, 1.4, 5)), rng.permutation([-1, 1]), rng.uniform(0, 24)
    posts, logs, at = [], [], START
    for number in range(k + CANDIDATES):
        at += timedelta(hours=float(rng.uniform(1, 7)))
        about, kind = int(rng.integers(5)), int(rng.integers(2))
        daily = 1.4 * np.cos(2 * np.pi * (at.hour - best) / 24)
        mean = 4 + subject * taste[about] + form * likes_kind[kind] + hour * daily
        likes = np.expm1(mean + (drawn if luck is None else luck) * rng.normal())
        text = f"{' '.join(rng.choice(WORDS[about].split(), size=4))} {number}"
        posts.append(PastPost("sandbox", text, KINDS[kind], at, {"likes": max(round(float(likes)), 0)}))
        logs.append(mean)
    candidates = [Candidate(post.platform, post.text, post.kind, post.at) for post in posts[k:]]
    return Truth(posts[:k], candidates, np.array(logs[k:]))


@dataclass(frozen=True)
class Seen:
    """One account: sampled means (draws, n), forecast means and standard deviations (n,), the truth (n,)."""

    sampled: Vector
    means: Vector
    sds: Vector
    true: Vector

    @property
    def spread(self) -> float:
        """How far sampled means of a candidate lie apart."""
        return float(self.sampled.std(axis=0).mean())


@pytest.fixture(scope="module")
def shipped() -> AttentionForecaster:
    found = load()
    assert isinstance(found, AttentionForecaster)
    return found


@pytest.fixture(scope="module")
def look(shipped: AttentionForecaster) -> Callable[[Truth], Seen]:
    """What the model says of the candidates."""

    def at(one: Truth) -> Seen:
        forecasts = shipped.predict(one.history, one.candidates)
        return Seen(
            shipped.sample_means(one.history, one.candidates, np.random.default_rng(0), DRAWS),
            np.array([forecast.mean for forecast in forecasts]),
            np.array([forecast.sd for forecast in forecasts]),
            one.means,
        )

    return at


@pytest.fixture(scope="module")
def seen(look: Callable[[Truth], Seen]) -> dict[int, list[Seen]]:
    """The same accounts after 20, 50 and 200 posts."""
    return {k: [look(truth(k, seed)) for seed in range(ACCOUNTS)] for k in (20, 50, 200)}


def coverage(sampled: Vector, true: Vector) -> float:
    """Share of the true means within the 80 % range of the sampled ones."""
    low, high = np.quantile(sampled, [0.1, 0.9], axis=0)
    return float(np.mean((low <= true) & (true <= high)))


@pytest.mark.parametrize("k", [50, 200])
def test_sampled_means_hold_the_true_mean_far_more_often_than_those_of_another_candidate(
    seen: dict[int, list[Seen]], k: int
) -> None:
    others = np.random.default_rng(1).permutation(CANDIDATES)
    own = np.mean([coverage(one.sampled, one.true) for one in seen[k]])
    chance = np.mean([coverage(one.sampled[:, others], one.true) for one in seen[k]])
    assert own > 0.63  # .72 and .78; halves as they are hold .56 and .49
    assert own > chance + 0.1


@pytest.mark.parametrize("k", [20, 50, 200])
def test_sampled_means_lie_about_as_far_apart_as_the_mean_is_wrong(seen: dict[int, list[Seen]], k: int) -> None:
    wrong = np.mean([np.sqrt(np.mean((one.means - one.true) ** 2)) for one in seen[k]])
    spread = np.mean([one.spread for one in seen[k]])
    assert 0.6 < wrong / spread < 3.2


def test_doubt_shrinks_with_every_longer_history(seen: dict[int, list[Seen]]) -> None:
    spreads = [np.mean([one.spread for one in seen[k]]) for k in (20, 50, 200)]
    assert spreads[0] > 0.95 * spreads[1] > spreads[2]
    assert spreads[2] < 0.85 * spreads[0]


def test_doubt_about_the_mean_is_no_spread_of_outcomes(seen: dict[int, list[Seen]]) -> None:
    for k, most in ((20, 0.8), (50, 0.7), (200, 0.55)):
        assert np.mean([one.spread for one in seen[k]]) < most * np.mean([one.sds.mean() for one in seen[k]])
    # With luck drawn into them they would hold almost every true mean, and lie as far apart as outcomes do.
    rng = np.random.default_rng(2)
    lucky = [Seen(one.sampled + one.sds * rng.normal(size=one.sampled.shape), *rest(one)) for one in seen[200]]
    assert np.mean([coverage(one.sampled, one.true) for one in lucky]) > 0.95
    assert np.mean([one.spread for one in lucky]) > 0.8 * np.mean([one.sds.mean() for one in lucky])


def test_where_hardly_anything_is_luck_there_is_little_doubt(look: Callable[[Truth], Seen]) -> None:
    sure, unsure = (np.mean([look(truth(100, seed, luck)).spread for seed in range(3)]) for luck in (0.05, 1.0))
    assert sure < 0.75 * unsure


def rest(one: Seen) -> tuple[Vector, Vector, Vector]:
    return one.means, one.sds, one.true
