"""Why a post went out as it did: one logged decision, told to a person; nothing is decided or computed anew here."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from sqlmodel import Session

from bot.insights.visible import one_line, visible
from bot.insights.worth import counted
from scheduler.slots import zone_of
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
    """A past post the forecast looked at, with its share of the attention (0..1) and its latest counts."""

    text: str
    kind: str
    at: datetime
    counts: Mapping[str, int]
    weight: float


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
    state: str | None = None
    """Where the post stands now; None when it was withdrawn."""
    state_reason: str | None = None
    published_at: datetime | None = None
    url: str | None = None
    outcome: Mapping[str, int] | None = None
    outcome_age_s: int | None = None


def explain(session: Session, decision_id: int) -> Explanation:
    """One decision by its id. Raises LookupError when there is none."""
    made = decision(session, decision_id)
    if made is None:
        raise LookupError(f"there is no decision {decision_id}: `kairos status` lists posts with theirs")
    return _told(session, made, of_decision(session, decision_id))


def explain_post(session: Session, post_id: int) -> Explanation:
    """The decision behind a post. Raises LookupError when there is no such post, or nothing was decided about it."""
    post = get(session, post_id)
    if post is None:
        raise LookupError(f"there is no post {post_id}: `kairos status` lists them")
    made = None if post.decision_id is None else decision(session, post.decision_id)
    if made is None:
        what = "a reply" if post.kind == "reply" else "a post"
        raise LookupError(f"post {post_id} is {what} nothing was weighed for, so there is no choice to explain")
    return _told(session, made, post)


def render(explanation: Explanation) -> RenderableType:
    """The explanation for a terminal; texts are spelled out, so that none can steer it."""
    told = explanation
    arm = "held out" if told.holdout else "chosen"
    head = Text.assemble(
        (one_line(told.chosen.text, 500), "bold"),
        f"\n{told.chosen.slot.replace('T', ' ')} {told.zone} · {told.account} · {told.campaign}/{told.item}",
        f" · wording {one_line(told.chosen.variant, 40)} · {told.chosen.kind}\n",
    )
    why = Text.assemble(("Why       ", "dim"), visible(told.reason, 500), "\n")
    why.append("Forecast  ", "dim").append(f"{_forecast(told.chosen)} by {told.model}\n")
    why.append("Drawn     ", "dim").append(
        f"{arm}, with probability {told.propensity:.2g} of {told.options_n} options\n"
    )
    why.append("Outcome   ", "dim").append(_outcome(told))
    parts: list[RenderableType] = [head, why, _options(told)]
    parts += [_removed(told)] if told.removed else []
    parts += [_attended(told)] if told.attended else [Text("No past post was looked at.", "dim")]
    return Group(*parts)


def as_data(explanation: Explanation) -> dict[str, Any]:
    """The same for machines: plain values, times as they are."""
    return asdict(explanation)


def _told(session: Session, made: Decision, post: Post | None) -> Explanation:
    assert made.id is not None
    weighed = [_weighed(option, place == made.chosen) for place, option in enumerate(made.candidates)]
    order = sorted(range(len(weighed)), key=lambda place: -float(made.candidates[place].get("score") or 0))
    shown = sorted({*order[:TOP], made.chosen}, key=order.index)
    remembered = by_ids(session, [int(look["history_id"]) for look in made.attended])
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
            Remembered(past.text, past.kind, past.created_at, _counts(past), float(look["weight"]))
            for look in made.attended
            if (past := remembered.get(int(look["history_id"]))) is not None
        ),
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


def _by_rule(removed: list[dict[str, Any]]) -> tuple[Removed, ...]:
    counts = Counter(str(each["rule"]) for each in removed)
    words = {str(each["rule"]): str(each["reason"]) for each in reversed(removed)}
    return tuple(Removed(rule, count, words[rule]) for rule, count in counts.most_common())


def _counts(row: MeasuredPost) -> dict[str, int]:
    return {name: count for name in COUNTS if (count := getattr(row, name)) is not None}


def _forecast(option: Weighed) -> str:
    if option.mean is None:
        return "none"
    if option.low is None or option.high is None:
        return f"{option.mean:,.0f}"
    return f"{option.mean:,.0f} ({option.low:,.0f} to {option.high:,.0f})"


def _outcome(told: Explanation) -> str:
    if told.outcome is not None and told.outcome_age_s is not None:
        return f"{counted(told.outcome)} after {told.outcome_age_s / 3600:,.0f} h"
    if told.published_at is not None:
        return f"published {told.published_at:%Y-%m-%d %H:%M} UTC, not measured yet"
    if told.state is None:
        return "none: a later plan withdrew it"
    return f"{told.state}: {visible(told.state_reason, 300)}" if told.state_reason else told.state


def _options(told: Explanation) -> Table:
    extra = ", and the one drawn" if len(told.options) > TOP else ""
    best = f"Best {min(len(told.options), TOP)} of {told.options_n} options{extra}"
    table = Table(
        title=best,
        title_justify="left",
        box=SIMPLE_HEAD,
        expand=True,
    )
    table.add_column("", width=1)
    table.add_column("slot", no_wrap=True)
    table.add_column("forecast (80 %)", justify="right", no_wrap=True)
    table.add_column("drawn with", justify="right", no_wrap=True)
    table.add_column("wording", ratio=1, overflow="fold")
    for option in told.options:
        table.add_row(
            "→" if option.chosen else "",
            option.slot.replace("T", " "),
            _forecast(option),
            f"{option.propensity:.2g}",
            Text(one_line(option.text, 160)),
            style="bold" if option.chosen else "",
        )
    return table


def _removed(told: Explanation) -> Table:
    table = Table(title="Refused by rule", title_justify="left", box=SIMPLE_HEAD, expand=True)
    table.add_column("rule", no_wrap=True)
    table.add_column("options", justify="right")
    table.add_column("why", ratio=1, overflow="fold")
    for removed in told.removed:
        table.add_row(removed.rule, str(removed.count), Text(one_line(removed.reason, 300)))
    return table


def _attended(told: Explanation) -> Table:
    table = Table(title="Past posts it looked at", title_justify="left", box=SIMPLE_HEAD, expand=True)
    table.add_column("weight", justify="right")
    table.add_column("when", no_wrap=True)
    table.add_column("did", no_wrap=True)
    table.add_column("text", ratio=1, overflow="fold")
    for past in told.attended:
        table.add_row(
            f"{past.weight:.0%}",
            f"{past.at.astimezone(zone_of(told.zone)):%Y-%m-%d %H:%M}",
            counted(past.counts) or "not measured",
            Text(one_line(f"{past.kind}: {past.text}", 160)),
        )
    return table
