"""How far a forecaster is believed: its forecasts mixed with the account's mean, by what later posts said of both.

Two stories are weighed on posts that were not read: outcomes lie around what the forecaster expects, or around the
account's mean. Each post makes one more likely and the other less; the odds after all of them are the share of the
forecaster in the mixture. Mixing keeps its order of the candidates, so it costs nothing in choosing: what it takes away
is the boldness of forecasts that did not come true.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from bot.attention.baselines import AccountMean
from bot.attention.evaluation import Window, by_post
from bot.attention.forecast import Candidate, Forecast, Forecaster, PastPost

BELIEVED = 0.8
"""Before any post has spoken. On pages never trained on .8 cost hardly any of the gain over the account's mean and took
away most of the loss where luck decides; see docs/model-log.md."""
LEAST = 0.05
"""Never quite 0: a forecaster without evidence keeps its order and says next to nothing."""
WHOLLY = 0.95
"""From here on it is believed wholly."""


class Believed:
    """A forecaster believed to a share (0 .. 1); the rest of its forecasts is the account's mean."""

    def __init__(self, forecaster: Forecaster, share: float) -> None:
        self.forecaster, self.share = forecaster, share
        self.name = forecaster.name
        self.version = f"{forecaster.version} at {share:.0%}".strip()

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        """Mixtures, with what the forecaster attended to."""
        forecasts = self.forecaster.predict(history, candidates, action)
        (plain,) = AccountMean().predict(history, candidates[:1], action) if candidates else (None,)
        mixed, bars = [], dict[tuple[float, float], Forecast]()
        for one in forecasts:
            assert plain is not None
            scale = one.centre, one.spread
            if scale not in bars:
                bars[scale] = _on_scale(plain, *scale)
            probabilities = self.share * one.probabilities + (1 - self.share) * bars[scale].probabilities
            mixed.append(Forecast(probabilities, *scale, one.attended))
        return mixed


def share_of(forecasts: Sequence[Forecast], window: Window, action: str = "likes") -> float:
    """How far who made these forecasts of a window is believed after it: LEAST .. WHOLLY, in whole per cent, or 1."""

    def misses(told: Sequence[Forecast]) -> float:
        judged = by_post("", window, told, action)
        return float(((judged.true - judged.expected) ** 2).sum())

    plain = misses(AccountMean().predict(window.history, window.candidates, action))
    won = plain - misses(forecasts)
    if abs(won) < 1e-9 or plain < 1e-9:
        return 1.0  # they say the same, or there is nothing to be wrong about
    odds = BELIEVED / (1 - BELIEVED) * np.exp(np.clip(won / (2 * plain / len(window.later)), -50, 50))
    share = float(odds / (1 + odds))
    return 1.0 if share > WHOLLY else round(max(share, LEAST), 2)


def as_decided(model: str, forecasters: Iterable[Forecaster]) -> Forecaster | None:
    """The forecaster a logged decision names, believed as it was then; None where these hold it no longer."""
    for one in forecasters:
        full = f"{one.name} {one.version}".strip()
        share = model.removeprefix(f"{full} at ").removesuffix("%")
        if model == full:
            return one
        if model == f"{full} at {share}%" and share.isdigit():
            return Believed(one, int(share) / 100)
    return None


def _on_scale(forecast: Forecast, centre: float, spread: float) -> Forecast:
    """A normal forecast in the z of another scale."""
    log = forecast.centre + forecast.spread * forecast.mean
    return Forecast.normal((log - centre) / spread, forecast.sd * forecast.spread / spread, centre, spread)
