"""The demo's fair comparison: the same campaign on the same simulated worlds, planned by Kairos and by its rivals.

Everything but the forecast is the same: the planner, the rules, the pace, the posts of the account before. What counts
is what the audience is expected to do, without luck, which only the simulation's truth knows; no rival but the oracle
sees it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bot.abilities import abilities_of
from bot.attention.baselines import HourOfWeek, rivals
from bot.attention.choice import choose
from bot.attention.forecast import Candidate, Forecast, Forecaster, PastPost
from bot.campaign.schema import Campaign
from bot.demo.past import earlier_posts
from bot.planner.base import Desk, Standing
from bot.planner.choice import fixed_coin
from bot.planner.past import past_posts
from bot.planner.plan import plan
from bot.policy.plain import PlainFacts
from connectors.base import Embed
from connectors.sandbox import SandboxNetwork
from storage.history import MeasuredPost
from storage.models import State

WEEKS = 4
WEEK = timedelta(days=7)
FINISHED_S = int(timedelta(days=30).total_seconds())
SURE = 0.95
KAIROS, ORACLE, RANDOM = "kairos", "oracle", "random"
WIDE = 0.9


@dataclass(frozen=True)
class Way:
    """How one way to choose did: mean expected points per post over the worlds, and its gain over chance.

    `gain` and its 95 % interval are ratios to random choice, paired world by world.
    """

    name: str
    points: float
    gain: float
    low: float
    high: float
    of_oracle: float
    """Share of the way from chance to the oracle."""


@dataclass(frozen=True)
class Comparison:
    """All ways to choose, the best first, and a sentence that says plainly who won."""

    worlds: int
    posts: int
    ways: tuple[Way, ...]
    words: str


class _Oracle:
    """Knows the truth about the audience; nobody can do better in expectation, post by post."""

    name, version = ORACLE, ""

    def __init__(self, network: SandboxNetwork, account: str) -> None:
        self._network, self._account = network, account

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        first = min(candidate.at for candidate in candidates)
        likes = self._network.truth.expected_many(
            [candidate.text for candidate in candidates],
            [candidate.kind for candidate in candidates],
            [candidate.at for candidate in candidates],
            self._network.shown(self._account, first),
        )
        centre = self._network.truth.settings.level
        return [Forecast.normal((float(np.log1p(value)) - centre) / WIDE, 0.01, centre, WIDE) for value in likes]


class _Chance:
    """Ranks candidates at random, every action alike."""

    name, version = RANDOM, ""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        draws = [fixed_coin(self._seed, candidate.text, candidate.at) for candidate in candidates]
        return [Forecast.normal(draw, 0.5, 3.0, 1.0) for draw in draws]


def compare(
    seeds: Sequence[int],
    campaign: Campaign,
    start: datetime,
    attention: Forecaster,
    embed: Embed,
    on_step: Callable[[str], None] = lambda line: None,
    weeks: int = WEEKS,
) -> Comparison:
    """Let every way to choose run the campaign for so many weeks in each world.

    Kairos chooses as it does anywhere: each week the forecaster that was best on the posts so far decides.
    """
    account = campaign.accounts[0]
    plain = campaign.model_copy(update={"when": campaign.when.model_copy(update={"holdout": 0.0})})
    every = [attention, *rivals(embed)]
    ways: dict[str, Callable[[SandboxNetwork, int], Sequence[Forecaster]]] = {
        KAIROS: lambda network, seed: every,
        HourOfWeek.name: lambda network, seed: [HourOfWeek()],
        RANDOM: lambda network, seed: [_Chance(seed)],
        ORACLE: lambda network, seed: [_Oracle(network, account)],
    }
    points: dict[str, list[float]] = {name: [] for name in ways}
    posts = 0
    for seed in seeds:
        for name, way in ways.items():
            on_step(f"world {seed}: {name}")
            network = SandboxNetwork(lambda: start, embed, seed=seed)
            network.seed_history(account, earlier_posts(np.random.default_rng([seed, 7]), start))
            forecasters = way(network, seed)
            values = _carried_out(network, plain, account, start, forecasters, seed, weeks)
            points[name].append(float(np.mean(values)))
            posts = max(posts, len(values))
    return _compared(points, posts)


def _carried_out(
    network: SandboxNetwork,
    campaign: Campaign,
    account: str,
    start: datetime,
    forecasters: Sequence[Forecaster],
    seed: int,
    weeks: int,
) -> list[float]:
    """Expected points of each post of the campaign, in order, as it met the audience; the best forecaster decides."""
    weights = campaign.objective.weights
    standing: list[Standing] = []
    values: list[float] = []
    for week in range(weeks):
        now = start + week * WEEK
        past = _measured(network, account, now)
        decides = choose(past_posts(account, past), forecasters).forecaster
        desk = Desk(
            now=now,
            until=now + WEEK,
            facts=PlainFacts(),
            standing=tuple(standing),
            past=lambda name: past,  # noqa: B023
            forecaster=lambda name: decides,  # noqa: B023
            abilities=lambda name: abilities_of(network.connector(name)),
            seed=seed,
        )
        for post in plan(campaign, desk).posts:
            entry = network.ledger.write(
                account, None, post.draft.text, post.draft.kind, post.slot.at, None, once=False
            )
            recent = network.shown(account, entry.at)
            expected = network.truth.expected(entry.text, entry.kind, entry.at, recent)
            values.append(sum(weight * expected[action] for action, weight in weights.items()))
            standing.append(
                Standing(
                    entry.number,
                    campaign.name,
                    account,
                    post.item,
                    post.variant,
                    post.slot.local,
                    post.slot.at,
                    post.slot.at,
                    State.PUBLISHED,
                    "",
                    untouched=False,
                )
            )
    return values


def _measured(network: SandboxNetwork, account: str, now: datetime) -> list[MeasuredPost]:
    """What a collector would know of the account by now."""
    found = []
    for entry in network.ledger.posts(account, None, now):
        counts = network.truth.counts(network.final(entry), now - entry.at)
        age = min(int((now - entry.at).total_seconds()), FINISHED_S)
        found.append(
            MeasuredPost(
                entry.number,
                str(entry.number),
                entry.text,
                entry.kind,
                entry.at,
                counts.likes,
                counts.replies,
                counts.shares,
                counts.clicks,
                counts.impressions,
                age,
                False,
                "simulated",
            )
        )
    return found


def _compared(points: Mapping[str, Sequence[float]], posts: int) -> Comparison:
    chance, oracle = np.array(points[RANDOM]), np.array(points[ORACLE])
    ways = []
    for name, values in points.items():
        of_oracle = float((np.array(values) - chance).mean() / max((oracle - chance).mean(), 1e-9))
        low, gain, high = _ratio(np.array(values), chance)
        ways.append(Way(name, float(np.mean(values)), gain, low, high, of_oracle))
    ways.sort(key=lambda way: -way.points)
    return Comparison(len(chance), posts, tuple(ways), _words(points))


def _words(points: Mapping[str, Sequence[float]]) -> str:
    """Who won between Kairos and the best rival that knows no more than it does, with the paired interval."""
    others = {name: values for name, values in points.items() if name not in (KAIROS, ORACLE)}
    best = max(others, key=lambda name: float(np.mean(others[name])))
    low, middle, high = _ratio(np.array(points[KAIROS]), np.array(others[best]))
    figures = f"x{middle:.2f} [{low:.2f}, {high:.2f}] of {best} over {len(others[best])} worlds"
    if low > 1:
        return f"Kairos won: {figures}."
    if high < 1:
        return f"Kairos lost: {figures}."
    return f"No clear winner: Kairos is at {figures}; the interval holds 1."


def _ratio(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> tuple[float, float, float]:
    """The geometric mean of ours to theirs, world by world, between the ends of its 95 % interval."""
    logs = np.log(ours / theirs)
    reach = stats.t.ppf((1 + SURE) / 2, len(logs) - 1) * logs.std(ddof=1) / len(logs) ** 0.5
    low, middle, high = (float(np.exp(logs.mean() + part)) for part in (-reach, 0.0, reach))
    return low, middle, high
