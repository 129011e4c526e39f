"""What a past post did to a forecast: the same forecast without it, for any forecaster; nothing is learned here."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.attention.forecast import Candidate, Forecast, Forecaster, PastPost

LEAST_COUNT = 0.5
"""Typical counts below this count as this much: a share of nothing is nothing that can be told."""


@dataclass(frozen=True)
class Influence:
    """How a candidate's forecast changes when one past post is taken out of the history."""

    index: int
    """The post's place in the history given."""
    z: float
    """Change of the expected log1p(count), in spreads of the whole history: -0.2 is lower without the post."""
    factor: float
    """Typical count without the post as a share of that with it: 0.88 is 12 % lower without it."""


def influences(
    forecaster: Forecaster,
    history: Sequence[PastPost],
    candidate: Candidate,
    places: Sequence[int],
    action: str = "likes",
) -> list[Influence]:
    """The influence of the past posts at these places of the history, in their order.

    Costs one read of the history for each place and one of the whole, so ask for the posts attended to most alone.
    What two like posts say together stays when one of them is taken out: influences do not add up to the forecast.
    """
    if not places:
        return []
    (whole,) = forecaster.predict(history, [candidate], action)
    found = []
    for place in places:
        rest = [post for at, post in enumerate(history) if at != place]
        (without,) = forecaster.predict(rest, [candidate], action)
        change = (_log(without) - _log(whole)) / whole.spread
        found.append(Influence(place, change, _typical(without) / _typical(whole)))
    return found


def _log(forecast: Forecast) -> float:
    """Expected log1p(count): histories without a post have a scale of their own."""
    return forecast.centre + forecast.spread * forecast.mean


def _typical(forecast: Forecast) -> float:
    return max(forecast.to_count(forecast.mean), LEAST_COUNT)
