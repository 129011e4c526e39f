"""The protocol behind every figure: how well forecasters rank later posts of an account they read only until before.

A window is 100 consecutive posts; up to four, the latest, are judged. The history is the last k posts that are more
than 48 hours older than the window's first post. Identical texts of an account count once, so that no window holds a
text of its history. All models are judged on the same windows with the same random groups.

    spearman   rank correlation of expected and true outcome within the window; 0 is chance
    uplift     (chosen - mean) / (best - mean) over random groups of five: 0 is chance, 1 is an oracle
    coverage   share of outcomes within the 80 % interval
    nll, crps  of the standardised outcome under the forecast distribution; lower is better
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from bot.attention.forecast import EDGES, Candidate, Forecast, Forecaster, PastPost
from bot.attention.outcomes import Scale, finished, grown

WINDOW = 100
MOST_WINDOWS = 4
GAP = timedelta(hours=48)
"""Between the history's last post and the window's first: counts of younger posts are not finished."""
FINISHED = 0.9
"""A post is judged once so much of its final count is there."""
KS = (20, 50, 200, 800)
"""Lengths of history."""
GROUP = 5
SHUFFLES = 10
"""Times a window is dealt into groups."""
LEAST_MASS = 1e-5
"""Probability a bar has at least: one surprise must not make a likelihood infinite."""

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Window:
    """Consecutive posts of one account and what was known 48 hours before the first."""

    number: int
    """0 is the latest."""
    history: tuple[PastPost, ...]
    later: tuple[PastPost, ...]

    @property
    def candidates(self) -> list[Candidate]:
        """The later posts as they stood before they were sent."""
        return [Candidate(post.platform, post.text, post.kind, post.at) for post in self.later]


@dataclass(frozen=True)
class Judged:
    """One model on one window, post by post (n,); everything in the z of the window's history."""

    model: str
    window: Window
    expected: Vector
    median: Vector
    true: Vector
    inside: NDArray[np.bool_]
    """Whether the outcome lay within the 80 % interval."""
    nll: Vector
    crps: Vector


@dataclass(frozen=True)
class Row:
    """What one model reached: in one window as `judge` gives it, or on average as `averaged` does."""

    model: str
    k: int
    windows: int
    spearman: float
    uplift: float
    coverage: float
    nll: float
    crps: float


@dataclass(frozen=True)
class Step:
    """Progress of an evaluation: `done` of `total` forecasts."""

    done: int
    total: int
    model: str
    k: int


def distinct(posts: Sequence[PastPost], action: str) -> list[PastPost]:
    """Posts whose final counts are known, oldest first; a text that comes again counts where it came first."""
    whole = [post for post in posts if grown(post.age, post.platform) >= FINISHED]
    measured = [post for post, value in zip(whole, finished(whole, action), strict=True) if np.isfinite(value)]
    seen: set[str] = set()
    found = []
    for post in sorted(measured, key=lambda post: post.at):
        text = " ".join(post.text.split())
        # A picture without words repeats nothing.
        if not text or text not in seen:
            found.append(post)
            seen.add(text)
    return found


def windows(posts: Sequence[PastPost], k: int, size: int = WINDOW, most: int = MOST_WINDOWS) -> Iterator[Window]:
    """The latest windows that have k posts before their gap, latest first; `posts` as `distinct` gives them."""
    for number in range(most):
        start = len(posts) - (number + 1) * size
        if start < max(k, 1):
            return
        before = known_before(posts, start)
        if len(before) < k:
            return
        yield Window(number, tuple(before[-k:]), tuple(posts[start : start + size]))


def known_before(posts: Sequence[PastPost], start: int) -> Sequence[PastPost]:
    """The posts, in order of time, that are more than GAP older than post `start`."""
    return posts[: bisect_left(posts, posts[start].at - GAP, key=lambda post: post.at)]


def judge(
    posts: Sequence[PastPost],
    forecasters: Sequence[Forecaster],
    rng: np.random.Generator,
    ks: Sequence[int] = KS,
    action: str = "likes",
    on_step: Callable[[Step], None] | None = None,
    on_judged: Callable[[Judged], None] | None = None,
) -> list[Row]:
    """One row per model, k and window. A k for which the account is too short has no row.

    `on_judged` is handed what stands behind each row, post by post.
    """
    usable = distinct(posts, action)
    # Random groups belong to a window, whatever the k and the model.
    deals = [_deal(rng) for _ in range(MOST_WINDOWS)]
    todo = [(k, window) for k in ks for window in windows(usable, k)]
    found = []
    for place, (k, window) in enumerate(todo):
        for turn, forecaster in enumerate(forecasters):
            if on_step is not None:
                on_step(Step(place * len(forecasters) + turn, len(todo) * len(forecasters), forecaster.name, k))
            forecasts = forecaster.predict(window.history, window.candidates, action)
            judged = by_post(forecaster.name, window, forecasts, action)
            found.append(score(judged, deals[window.number]))
            if on_judged is not None:
                on_judged(judged)
    return found


def by_post(model: str, window: Window, forecasts: Sequence[Forecast], action: str) -> Judged:
    """How one model did on each post of a window."""
    scale = Scale.of(finished(window.history, action))
    logs = finished(window.later, action)

    centres, spreads = (np.array([getattr(one, name) for one in forecasts]) for name in ("centre", "spread"))

    def in_z(told: Sequence[float]) -> Vector:
        return np.asarray((centres + spreads * np.array(told) - scale.centre) / scale.spread)

    low, median, high = (in_z([forecast.quantile(q) for forecast in forecasts]) for q in (0.1, 0.5, 0.9))
    plain = (logs - scale.centre) / scale.spread
    losses = [_losses(forecast, float(log), scale) for forecast, log in zip(forecasts, logs, strict=True)]
    nll, crps = np.array(losses).T
    return Judged(
        model,
        window,
        in_z([forecast.mean for forecast in forecasts]),
        median,
        scale.z(logs),
        (low <= plain) & (plain <= high),
        nll,
        crps,
    )


def score(judged: Judged, deal: NDArray[np.intp]) -> Row:
    """The row of one model on one window; `deal` (groups, GROUP) are places of posts in the window."""
    return Row(
        judged.model,
        len(judged.window.history),
        1,
        spearman(judged.expected, judged.true),
        uplift(judged.expected, judged.true, deal),
        float(judged.inside.mean()),
        float(judged.nll.mean()),
        float(judged.crps.mean()),
    )


def spearman(expected: Vector, true: Vector) -> float:
    """Rank correlation of two vectors (n,); 0 where one of them is constant, which says nothing about order."""
    if len(true) < 2 or np.ptp(expected) < 1e-9 or np.ptp(true) < 1e-9:
        return 0.0
    # Rounding keeps differences below any meaning from breaking ties.
    return float(np.corrcoef(rankdata(np.round(expected, 9)), rankdata(true))[0, 1])


def uplift(expected: Vector, true: Vector, deal: NDArray[np.intp]) -> float:
    """How far choosing the expected best of each group goes from the average (0) to the true best (1)."""
    groups = true[deal]
    chosen = np.take_along_axis(groups, expected[deal].argmax(axis=1)[:, None], axis=1)[:, 0]
    room = float((groups.max(axis=1) - groups.mean(axis=1)).sum())
    return float((chosen - groups.mean(axis=1)).sum()) / room if room > 1e-9 else 0.0


def averaged(rows: Sequence[Row]) -> list[Row]:
    """The mean over windows of each model and k, in the order they come."""
    groups: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.model, row.k), []).append(row)
    return [
        Row(
            model,
            k,
            sum(row.windows for row in part),
            *(
                float(np.mean([getattr(row, name) for row in part]))
                for name in ("spearman", "uplift", "coverage", "nll", "crps")
            ),
        )
        for (model, k), part in groups.items()
    ]


def interval(values: Sequence[float], rng: np.random.Generator, draws: int = 2000) -> tuple[float, float]:
    """A 95 % bootstrap interval of the mean, meant for accounts: four windows of one account are too few for one."""
    array = np.array(values, dtype=np.float64)
    means = array[rng.integers(0, len(array), size=(draws, len(array)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _deal(rng: np.random.Generator, size: int = WINDOW) -> NDArray[np.intp]:
    """Places of a window dealt SHUFFLES times into groups of GROUP (SHUFFLES * size / GROUP, GROUP)."""
    return np.concatenate([rng.permutation(size)[: size // GROUP * GROUP].reshape(-1, GROUP) for _ in range(SHUFFLES)])


def _losses(forecast: Forecast, log: float, scale: Scale) -> tuple[float, float]:
    """Negative log density and CRPS of one outcome, in the z of `scale`, whatever the forecast's own."""
    width = float(EDGES[1] - EDGES[0])
    z = float(np.clip((log - forecast.centre) / forecast.spread, EDGES[0], EDGES[-1] - 1e-9))
    stretch = forecast.spread / scale.spread
    bar = int((z - EDGES[0]) / width)
    nll = -np.log(max(float(forecast.probabilities[bar]), LEAST_MASS) / (width * stretch))
    # The mean over each bar of (F(x) - [x >= z])^2, F taken at its middle.
    middles = (EDGES[1:] + EDGES[:-1]) / 2
    cumulative = np.cumsum(forecast.probabilities) - forecast.probabilities / 2
    crps = float(((cumulative - (middles >= z)) ** 2).sum()) * width * stretch
    return float(nll), crps
