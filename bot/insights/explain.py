"""Why a post went out as it did: one logged decision with all that belongs to it; `explained` shows it to a person."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from bot.insights.owed import Named, Owed, owed
from storage.calendar import get, of_decision
from storage.decisions import decision
from storage.history import COUNTS, MeasuredPost, by_ids, by_posts
from storage.models import Decision, Post

TOP = 5
"""Options shown of all that were weighed."""


@dataclass(frozen=True)
class Weighed:
    """One candidate as it was weighed; `slot` is local wall-clock time, mean, low and high are the forecast (80 %)."""

    variant: str
    text: str
    kind: str
    slot: str
    mean: float | None
    low: float | None
    high: float | None
    propensity: float
    chosen: bool = False


@dataclass(frozen=True)
class Remembered:
    """A past post that moved the forecast, with its share of what all of them added (0..1) and its latest counts.

    Had it not been there, the expected log1p(count) would be higher by `z_without` spreads of the history, and the
    typical count `factor_without` times as high; None where that is not told.
    """

    text: str
    kind: str
    at: datetime
    counts: Mapping[str, int]
    weight: float
    z_without: float | None = None
    factor_without: float | None = None


@dataclass(frozen=True)
class Removed:
    """How many candidates one rule removed, and its words for the first of them."""

    rule: str
    count: int
    reason: str


@dataclass(frozen=True)
class Explanation:
    """One decision: what was chosen, from what, why, and what came of it."""

    decision_id: int
    at: datetime
    account: str
    campaign: str
    item: str
    model: str
    reason: str
    holdout: bool
    propensity: float
    zone: str
    chosen: Weighed
    options: tuple[Weighed, ...]
    """The best TOP of all by score, the chosen one among them wherever it stood."""
    options_n: int
    removed: tuple[Removed, ...]
    attended: tuple[Remembered, ...]
    influence_on: str = ""
    """The action that z_without and factor_without of past posts are about."""
    influence_words: str = ""
    """What they rest on, or why they are not told."""
    state: str | None = None
    """Where the post stands now; None when it was withdrawn."""
    state_reason: str | None = None
    published_at: datetime | None = None
    url: str | None = None
    outcome: Mapping[str, int] | None = None
    outcome_age_s: int | None = None


def explain(session: Session, decision_id: int, named: Named | None = None) -> Explanation:
    """One decision by its id. Raises LookupError when there is none.

    With `named`, which gives the forecasters that decided, it is told what each past post mattered; that costs a read
    of the history for each.
    """
    made = decision(session, decision_id)
    if made is None:
        raise LookupError(f"there is no decision {decision_id}: `kairos status` lists posts with theirs")
    return _told(session, made, of_decision(session, decision_id), named)


def explain_post(session: Session, post_id: int, named: Named | None = None) -> Explanation:
    """The decision behind a post. Raises LookupError when there is no such post, or nothing was decided about it."""
    post = get(session, post_id)
    if post is None:
        raise LookupError(f"there is no post {post_id}: `kairos status` lists them")
    made = None if post.decision_id is None else decision(session, post.decision_id)
    if made is None:
        what = "a reply" if post.kind == "reply" else "a post"
        raise LookupError(f"post {post_id} is {what} nothing was weighed for, so there is no choice to explain")
    return _told(session, made, post, named)


def as_data(explanation: Explanation) -> dict[str, Any]:
    """The same for machines: plain values, times as they are."""
    return asdict(explanation)


def _told(session: Session, made: Decision, post: Post | None, named: Named | None) -> Explanation:
    assert made.id is not None
    weighed = [_weighed(option, place == made.chosen) for place, option in enumerate(made.candidates)]
    order = sorted(range(len(weighed)), key=lambda place: -float(made.candidates[place].get("score") or 0))
    shown = sorted({*order[:TOP], made.chosen}, key=order.index)
    remembered = by_ids(session, [int(look["history_id"]) for look in made.attended])
    mattered = Owed("") if named is None or post is None else owed(session, made, post, named)
    own = None if post is None or post.id is None else by_posts(session, [post.id]).get(post.id)
    return Explanation(
        decision_id=made.id,
        at=made.at,
        account=made.account,
        campaign=made.campaign,
        item=made.item,
        model=made.model,
        reason=made.reason,
        holdout=made.holdout,
        propensity=made.propensity,
        zone="UTC" if post is None else post.zone,
        chosen=weighed[made.chosen],
        options=tuple(weighed[place] for place in shown),
        options_n=len(weighed),
        removed=_by_rule(made.removed),
        attended=tuple(
            _remembered(past, float(look["weight"]), mattered)
            for look in made.attended
            if (past := remembered.get(int(look["history_id"]))) is not None
        ),
        influence_on=mattered.action,
        influence_words=mattered.words,
        state=None if post is None else post.state.value,
        state_reason=None if post is None else post.reason,
        published_at=None if post is None else post.published_at,
        url=None if post is None else post.url,
        outcome=None if own is None or own.age_s is None else _counts(own),
        outcome_age_s=None if own is None else own.age_s,
    )


def _weighed(option: Mapping[str, Any], chosen: bool) -> Weighed:
    return Weighed(
        variant=str(option.get("variant", "")),
        text=str(option.get("text", "")),
        kind=str(option.get("kind", "")),
        slot=str(option.get("slot", "")),
        mean=option.get("mean"),
        low=option.get("low"),
        high=option.get("high"),
        propensity=float(option.get("propensity") or 0),
        chosen=chosen,
    )


def _remembered(past: MeasuredPost, weight: float, mattered: Owed) -> Remembered:
    told = Remembered(past.text, past.kind, past.created_at, _counts(past), weight)
    one = mattered.influences.get(past.history_id)
    return told if one is None else replace(told, z_without=one.z, factor_without=one.factor)


def _by_rule(removed: list[dict[str, Any]]) -> tuple[Removed, ...]:
    counts = Counter(str(each["rule"]) for each in removed)
    words = {str(each["rule"]): str(each["reason"]) for each in reversed(removed)}
    return tuple(Removed(rule, count, words[rule]) for rule, count in counts.most_common())


def _counts(row: MeasuredPost) -> dict[str, int]:
    return {name: count for name in COUNTS if (count := getattr(row, name)) is not None}
