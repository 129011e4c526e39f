"""What the forecast expects of each candidate, in points of the objective; which candidate wins is decided elsewhere.

Actions are forecast one by one and weighed here, outside of any model: another goal needs no training. The typical
count stands for an action, which is the exponential of the expected logarithm: one lucky post in a heavy tail would
otherwise outweigh a hundred ordinary ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.attention.forecast import Candidate, Forecast, Forecaster, PastPost
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
    attended: tuple[Looked, ...]


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
    """What is expected of each candidate: one forecast of all of them per action. `ref` of a past post is its id."""
    if not candidates:
        return []
    by_action = {action: forecaster.predict(history, candidates, action) for action in weights}
    points = {
        action: sum(forecast.to_count(forecast.mean) for forecast in forecasts) * weights[action]
        for action, forecasts in by_action.items()
    }
    main = max(points, key=lambda action: points[action])
    found = []
    for place in range(len(candidates)):
        forecasts = {action: by_action[action][place] for action in weights}
        counts = {action: forecast.to_count(forecast.mean) for action, forecast in forecasts.items()}
        found.append(
            Expected(
                value=sum(weights[action] * count for action, count in counts.items()),
                low=_points(forecasts, weights, LOW),
                high=_points(forecasts, weights, HIGH),
                sd=forecasts[main].sd,
                counts=counts,
                attended=tuple(Looked(int(history[at.index].ref), at.weight) for at in forecasts[main].attended),
            )
        )
    return found


def _points(forecasts: Mapping[str, Forecast], weights: Mapping[str, float], q: float) -> float:
    return sum(weights[action] * forecast.count_quantile(q) for action, forecast in forecasts.items())
