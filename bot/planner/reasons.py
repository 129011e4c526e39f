"""Why a post got its wording and slot, or none, in one sentence for a person; nothing is decided here."""

from collections import Counter
from collections.abc import Mapping, Sequence

from bot.campaign.schema import PLURALS
from bot.planner.base import Removed
from bot.planner.choice import Choice, Tried
from bot.planner.scores import Expected
from bot.words import counted
from scheduler.slots import Slot

SINGULARS = {plural: word for word, plural in PLURALS.items()}
MODEL = "attention"
"""The forecaster that needs no introduction; any other is named, because it is a baseline."""


def why(
    choice: Choice,
    expected: Sequence[Expected],
    slot: Slot,
    tried: Tried,
    weights: Mapping[str, float],
    forecaster: str,
    wordings: int,
) -> str:
    """Why the chosen candidate goes out; so many wordings stood to choose from."""
    chosen = expected[choice.chosen]
    by = "" if forecaster == MODEL else f" by the baseline {forecaster}"
    new = "no post of this account is measured yet" if tried.measured == 0 else ""
    if choice.holdout:
        drawn = f"held out: drawn at random from {len(expected)} to measure the lift"
        return f"{drawn}; {new or _hoped(chosen, weights) + by}"
    if new and choice.equals == len(expected) > 1:
        return f"drawn from {choice.equals} that promise the same: {new}"
    if new and wordings > 1 and not by:
        return f"{_rank(choice, expected)}: {new}, so the wording is chosen by how such wordings did in headline tests"
    if new:
        return f"{_rank(choice, expected)}: {new}, so this is a guess from other accounts{by}"
    posts = counted(tried.measured, "measured post")
    near = f"{tried.near(slot.at) or 'none'} near this hour of the week"
    return f"{_rank(choice, expected)}: {_hoped(chosen, weights)}{by}, from {posts}, {near}"


def refused(removed: Sequence[Removed], candidates: int) -> str:
    """Why policy left nothing of a post, rule by rule, each with one of its sentences."""
    words = {one.rule: one.reason for one in reversed(removed)}
    counts = Counter(one.rule for one in removed)
    if len(counts) == 1:
        rule = removed[0].rule
        all_ = "its one candidate" if candidates == 1 else f"all {candidates} candidates"
        return f"{all_} refused by {rule}: {words[rule]}"
    parts = "; ".join(f"{count} by {rule}: {words[rule]}" for rule, count in counts.most_common())
    return f"all {candidates} candidates refused, {parts}"


def _rank(choice: Choice, expected: Sequence[Expected]) -> str:
    count = len(expected)
    if count == 1:
        return "the only candidate"
    most = max(one.value for one in expected)
    if expected[choice.chosen].value < most * (1 - 1e-9):
        could = (
            ""
            if _number(most) == _number(expected[choice.chosen].value)
            else f", the best promises {_number(most)} points"
        )
        return f"best of {count} with a bonus for rarely tried hours{could}"
    return f"best of {count}" if choice.equals == 1 else f"drawn from {choice.equals} equally good ones of {count}"


def _hoped(one: Expected, weights: Mapping[str, float]) -> str:
    """As in `about 41 likes and 6 replies expected (60 to 210 points)`; one action alone is given in counts."""
    said = [
        f"{_number(count)} {SINGULARS[action] if _number(count) == '1' else action}"
        for action, count in sorted(one.counts.items(), key=lambda each: -each[1] * weights[each[0]])
    ]
    if len(said) == 1:
        weight = next(iter(weights.values()))
        return f"about {said[0]} expected ({_number(one.low / weight)} to {_number(one.high / weight)})"
    listed = f"{', '.join(said[:-1])} and {said[-1]}"
    return f"about {listed} expected, {_number(one.value)} points ({_number(one.low)} to {_number(one.high)})"


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0") if value < 2.95 else f"{value:,.0f}"
