"""What the forecast expects of each candidate, in points of the objective; which candidate wins is decided elsewhere.

Actions are forecast one by one and weighed here, outside of any model: another goal needs no training. The typical
count stands for an action, which is the exponential of the expected logarithm: one lucky post in a heavy tail would
otherwise outweigh a hundred ordinary ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.attention.forecast import Candidate, Forecast, Forecaster, PastPost, Sheaf
from bot.planner.base import Looked

LOW, HIGH = 0.1, 0.9
STAND_IN = {"likes": 1.0}
"""Weighed where none of the objective's actions was ever measured on the account."""


@dataclass(frozen=True)
class Expected:
    """What is expected of a candidate: points, their worst and best tenth, the doubt, and typical counts by action."""

    value: float
    low: float
    high: float
    sd: float
    counts: Mapping[str, float]
    forecast: Forecast
    """Of the action that contributes most."""

    def looked(self, history: Sequence[PastPost]) -> tuple[Looked, ...]:
        """Past posts the forecast attended to; `ref` of a past post is its id."""
        return tuple(Looked(int(history[at.index].ref), at.weight) for at in self.forecast.attended)


def known_weights(weights: Mapping[str, float], history: Sequence[PastPost]) -> dict[str, float]:
    """The objective's weights for the actions that were ever measured in this history, or STAND_IN."""
    measured = {
        action
        for post in history
        for action, count in (post.counts or {}).items()
        if count is not None and action in weights
    }
    return {action: weight for action, weight in weights.items() if action in measured} or dict(STAND_IN)


def expect(
    forecaster: Forecaster,
    history: Sequence[PastPost],
    weights: Mapping[str, float],
    candidates: Sequence[Candidate],
) -> list[Expected]:
    """What is expected of each candidate: one forecast of all of them per action."""
    if not candidates:
        return []
    by_action = {action: forecaster.predict(history, candidates, action) for action in weights}
    sheaves = {action: Sheaf.of(forecasts) for action, forecasts in by_action.items()}
    counts = {action: sheaf.typical_counts() for action, sheaf in sheaves.items()}
    main = max(weights, key=lambda action: weights[action] * counts[action].sum())
    sds = sheaves[main].sds()
    values, lows, highs = (
        np.sum([weights[action] * points[action] for action in weights], axis=0)
        for points in (counts, *({name: one.count_quantiles(q) for name, one in sheaves.items()} for q in (LOW, HIGH)))
    )
    return [
        Expected(
            float(values[place]),
            float(lows[place]),
            float(highs[place]),
            float(sds[place]),
            {action: float(counts[action][place]) for action in weights},
            by_action[main][place],
        )
        for place in range(len(candidates))
    ]
