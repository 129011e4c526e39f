"""What a post was worth to the objective: its counts, weighed; forecasts and arms are not known here."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.campaign.schema import PLURALS

MOST = 0.5
"""Share of the posts an action must be measured on to count at all."""
FALLBACK = {"likes": 1.0}
"""What is weighed where a platform told nothing of what the objective asks for."""


def told(rows: Iterable[Any], weights: Mapping[str, float]) -> dict[str, float]:
    """The part of the weights that can be measured here: actions told for at least half of the measured rows.

    Rows carry likes, replies, shares, clicks and impressions (None: the platform did not say). An action that is not
    told is left out for every post alike, never counted as 0; where none is told, likes alone stand in.
    """
    measured = [row for row in rows if row.age_s is not None]
    kept = {
        action: weight
        for action, weight in weights.items()
        if weight > 0 and sum(getattr(row, action) is not None for row in measured) >= max(MOST * len(measured), 1)
    }
    return kept or dict(FALLBACK)


def worth(row: Any, weights: Mapping[str, float]) -> float | None:
    """The objective's value of one post, or None where any action with a weight was not told."""
    counts = [(getattr(row, action), weight) for action, weight in weights.items()]
    if not counts or any(count is None for count, _ in counts):
        return None
    return float(sum(count * weight for count, weight in counts))


def in_words(weights: Mapping[str, float]) -> str:
    """The weights for a person: `likes`, or `likes + 5 x replies`."""
    parts = [action if weight == 1 else f"{weight:g} x {action}" for action, weight in weights.items()]
    return " + ".join(parts)


def counted(counts: Mapping[str, int]) -> str:
    """Counts for a person: `1 like, 2 replies`."""
    singular = {plural: word for word, plural in PLURALS.items()}
    return ", ".join(f"{count:,} {singular[name] if count == 1 else name}" for name, count in counts.items())
