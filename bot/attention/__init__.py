"""The model: what past posts say about candidates; the only room that knows torch, and it loads it only in `load`."""

from pathlib import Path

from bot.attention.forecast import ACTIONS, Attended, Candidate, Forecast, Forecaster, PastPost

SHIPPED = Path(__file__).parent / "weights" / "network"

__all__ = [
    "ACTIONS",
    "SHIPPED",
    "Attended",
    "Candidate",
    "Forecast",
    "Forecaster",
    "PastPost",
    "TorchMissing",
    "load",
]


class TorchMissing(ImportError):
    """torch or transformers is not installed: the baselines work without them."""


def load(path: str | Path | None = None) -> Forecaster:
    """The attention model from a folder or a hub id, by default the weights shipped with Kairos.

    Raises TorchMissing without torch and OSError where there are no weights.
    """
    try:
        from bot.attention.forecaster import AttentionForecaster
    except ModuleNotFoundError as error:
        if error.name not in {"torch", "transformers"}:
            raise
        raise TorchMissing(
            f"{error.name} is not installed: install it, or let a baseline decide with `--baseline`"
        ) from None
    return AttentionForecaster.load(path or SHIPPED)
