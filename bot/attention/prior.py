"""Simulated outcomes: what an account's audience might like, drawn at random over real or made-up posts; no learning.

The prior is what makes long histories work: real accounts are few, and the network must learn to learn.
"""

import numpy as np
from numpy.typing import NDArray

from bot.attention import features
from bot.attention.episodes import Series
from bot.attention.forecast import ACTIONS


def made_up_series(rng: np.random.Generator, posts: int, text_width: int) -> Series:
    """An account that never was: topics in text space, a posting habit, no counts."""
    topics = rng.normal(size=(int(rng.integers(2, 12)), text_width))
    shares = rng.dirichlet(np.full(len(topics), 0.7))
    text = topics[rng.choice(len(topics), size=posts, p=shares)]
    text = text + rng.uniform(0.5, 1.5) * rng.normal(size=text.shape)
    text /= np.linalg.norm(text, axis=1, keepdims=True)
    gaps = rng.lognormal(np.log(rng.uniform(0.5, 30)), 1.0, size=posts) * features.HOUR_S
    times = 1.4e9 + np.cumsum(gaps)
    hours = (times % features.DAY_S) / features.HOUR_S
    awake = (hours - rng.uniform(0, 24)) % 24 < rng.uniform(8, 24)
    times = np.sort(np.where(awake, times, times + rng.uniform(0, 12, size=posts) * features.HOUR_S))
    used = rng.choice(features.KIND_SLOTS, size=int(rng.integers(1, 5)), replace=False)
    kinds = np.eye(features.KIND_SLOTS, dtype=np.float32)[rng.choice(used, size=posts)]
    habits = rng.normal(size=features.SURFACE) * 0.5
    surfaces = (habits + rng.normal(size=(posts, features.SURFACE)) * 0.5).astype(np.float32)
    counts = np.full((posts, len(ACTIONS)), np.nan, dtype=np.float32)
    return Series("simulated", "", "train", times, text.astype(np.float16), kinds, surfaces, counts)


def _unit(values: NDArray[np.floating]) -> NDArray[np.float64]:
    spread = float(values.std())
    return np.asarray((values - values.mean()) / max(spread, 1e-9), dtype=np.float64)


def _presence(times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Log share of a crowd that is online at each time (n,): groups in zones, with mornings, evenings and weekends."""
    hours = (times % features.DAY_S) / features.HOUR_S
    weekend = ((times // features.DAY_S + 3) % 7) >= 5
    online = np.full(len(times), rng.uniform(0.05, 0.5))
    for share in rng.dirichlet(np.full(int(rng.integers(1, 6)), 1.5)):
        local = hours + rng.uniform(-12, 12)
        for height, peak, width in (
            (rng.uniform(0, 1), rng.normal(8.5, 1.5), rng.uniform(1, 3)),
            (rng.uniform(0.5, 1.5), rng.normal(19.5, 2), rng.uniform(1.5, 4)),
        ):
            away = np.abs((local - peak + 12) % 24 - 12)
            online = online + share * height * np.exp(-((away / width) ** 2)) * np.where(
                weekend, rng.uniform(0.4, 1.4), 1.0
            )
    return np.asarray(np.log(online), dtype=np.float64)


def outcome(series: Series, rng: np.random.Generator) -> NDArray[np.float32]:
    """A simulated log1p outcome of one action per post (n,)."""
    return outcomes(series, rng, 1)[:, 0]


def outcomes(series: Series, rng: np.random.Generator, actions: int) -> NDArray[np.float32]:
    """Simulated log1p outcomes (n, actions): taste, form, clock, fatigue and drift in random shares, plus luck.

    Actions share their causes and some of their luck. One world in ten is null: nothing but luck.
    """
    count = len(series)
    text = series.text.astype(np.float64)
    days = (series.times - series.times[0]) / features.DAY_S
    parts: list[tuple[float, NDArray[np.float64]]] = []

    anchors = text[rng.integers(0, count, size=int(rng.integers(1, 10)))]
    sharpness = rng.uniform(2, 12)
    bumps = np.exp(sharpness * (text @ anchors.T - 1))
    parts.append((rng.gamma(1.0), _unit(bumps @ rng.normal(size=len(anchors)))))
    parts.append((rng.gamma(0.8), _unit(text @ rng.normal(size=text.shape[1]))))
    hidden = np.tanh(text @ rng.normal(size=(text.shape[1], 8)) * 3 + rng.normal(size=8))
    parts.append((rng.gamma(0.4), _unit(hidden @ rng.normal(size=8))))
    parts.append((rng.gamma(0.8), _unit(series.kinds @ rng.normal(size=series.kinds.shape[1]))))
    parts.append((rng.gamma(0.5), _unit(series.surfaces @ rng.normal(size=features.SURFACE))))
    waves = features.clock(series.times).astype(np.float64)
    decay = np.repeat([1.0, 0.5, 0.3, 1.0, 0.5, 0.3], 2)
    parts.append((rng.gamma(0.35), _unit(waves @ (rng.normal(size=features.CLOCK) * decay))))
    parts.append((rng.gamma(0.8), _unit(_presence(series.times, rng))))
    gap = features.rhythm(series.times, series.times, series.times[-1])[:, :2].astype(np.float64)
    patience = np.abs(rng.normal(size=2)) * np.array([1.0, -1.0])
    parts.append((rng.gamma(0.2), _unit(gap @ patience)))
    steps = rng.normal(size=count) * np.sqrt(np.diff(days, prepend=days[0]).clip(1e-3, 30))
    memory = rng.uniform(3, 60)
    drift = np.zeros(count)
    for place in range(1, count):
        kept = np.exp(-(days[place] - days[place - 1]) / memory)
        drift[place] = kept * drift[place - 1] + steps[place]
    parts.append((rng.gamma(0.5), _unit(drift)))
    if rng.random() < 0.3:
        crossed = _unit(waves @ rng.normal(size=features.CLOCK)) * _unit(bumps[:, 0])
        parts.append((rng.gamma(0.3), _unit(crossed)))

    weights = np.array([weight for weight, _ in parts])
    causes = np.stack([part for _, part in parts], axis=1)
    explained = 0.0 if rng.random() < 0.1 else rng.beta(1.6, 2.0)
    tail, common, bent = rng.uniform(2.5, 12), rng.beta(2, 2), rng.random() < 0.3
    shared = rng.standard_t(tail, size=count).clip(-6, 6)
    values = np.empty((count, actions), dtype=np.float32)
    for action in range(actions):
        own = weights * (rng.lognormal(0, 0.7, size=len(weights)) if action else 1.0)
        luck = np.sqrt(common) * shared + np.sqrt(1 - common) * rng.standard_t(tail, size=count).clip(-6, 6)
        value = np.sqrt(explained) * _unit(causes @ own) + np.sqrt(1 - explained) * _unit(luck)
        values[:, action] = np.expm1(0.4 * value) if bent else value
    return values


def rotated(series: Series, rng: np.random.Generator) -> Series:
    """The same series with text axes permuted and flipped: tastes must be read from the history, not remembered."""
    order = rng.permutation(series.text.shape[1])
    signs = rng.choice(np.array([-1, 1], dtype=np.float16), size=len(order))
    turned = series.rows(slice(None))
    turned.text = series.text[:, order] * signs
    return turned
