"""What a logged decision owed to its past posts: the history as it stood, read again without each; nothing is decided.

A decision logs what it read by its moment, not by its rows. What is known of that moment may have grown since, by an
import or a backfill: whether the history is still the one it was decided with shows in the forecast, which must come
out as it was logged.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isclose

from sqlmodel import Session

from bot.attention.forecast import Candidate, Forecast, Forecaster
from bot.attention.influence import Influence, influences
from bot.planner.past import past_posts
from bot.planner.scores import STAND_IN
from storage.history import history
from storage.models import Decision, Post

AS_LOGGED = 2e-3
"""Forecasts of one candidate and of thousands at once differ by less than this; a changed history by more."""

Named = Callable[[str], Forecaster | None]
"""Name and version of a forecaster, as a decision logs them -> that forecaster; None where it is not here."""


@dataclass(frozen=True)
class Owed:
    """By history id: how the forecast of an action changes without that post. `words` say what it rests on."""

    words: str
    action: str = ""
    influences: Mapping[int, Influence] = field(default_factory=dict)


def owed(session: Session, made: Decision, post: Post, named: Named) -> Owed:
    """Of the chosen candidate, for the past posts logged as attended to; one read of the history for each of them."""
    if not made.attended:
        return Owed("")
    forecaster = named(made.model)
    if forecaster is None:
        return Owed(f"what each mattered cannot be told: {made.model}, which decided, is not here (or torch is not)")
    rows = history(session, made.account, until=made.at)
    past = past_posts(made.account, rows)
    option = made.candidates[made.chosen]
    platform = made.account.partition("/")[0]
    candidate = Candidate(platform, str(option["text"]), str(option["kind"]), post.slot_at)
    typical = {
        action: weight * _typical(forecaster.predict(past, [candidate], action)[0])
        for action, weight in (made.weights or STAND_IN).items()
    }
    main = max(typical, key=lambda action: typical[action])
    at = {row.history_id: place for place, row in enumerate(rows)}
    asked = [int(look["history_id"]) for look in made.attended if int(look["history_id"]) in at]
    found = influences(forecaster, past, candidate, [at[history_id] for history_id in asked], main)
    logged = option.get("mean")
    same = logged is not None and isclose(sum(typical.values()), float(logged), rel_tol=AS_LOGGED, abs_tol=AS_LOGGED)
    basis = (
        "the history this was decided with"
        if same
        else "the history as it is known today: it has changed since this was decided"
    )
    words = f"without it: the {main} that would be forecast had that post not been there, on {basis}"
    return Owed(words, main, dict(zip(asked, found, strict=True)))


def _typical(forecast: Forecast) -> float:
    return forecast.to_count(forecast.mean)
