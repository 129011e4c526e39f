"""Reads what a report holds out of storage; how it looks lives in `report`.

Other people's names and texts are never read here: a report is a file that may be passed on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from bot.insights.hours import by_hour
from bot.insights.lift import Lift, lift, lift_over_time
from bot.insights.sheet import AccountRow, Extra, MentionRow, PostRow, RefusalRow, ReportData
from bot.insights.worth import in_words, told, worth
from scheduler.slots import zone_of
from storage import calendar, decisions, engagement, mentions
from storage.facts import StoredFacts
from storage.history import COUNTS, MeasuredPost, by_posts, history
from storage.models import Account, Decision, Post, State
from storage.outbox import words_of

FINISHED = timedelta(hours=24)
"""Age from which counts are compared."""
LIKES = {"likes": 1.0}
"""Counted where nothing was decided yet."""
PAST = 5000
"""Posts of an account that the hours are drawn from."""
EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
ENDS = ("answered", "held", "refused", "ignored", "new")
"""What may become of a mention, in the order it is told."""
COMING = (State.PLANNED, State.CLAIMED, State.SENDING)
WAITING = (State.HELD, State.UNKNOWN)


def collect_report(
    session: Session,
    account: str | None,
    now: datetime,
    weights: Mapping[str, float] | None,
    zone: str,
    *,
    simulated: bool = True,
    title: str = "Kairos report",
    notes: Sequence[str] = (),
    tables: Sequence[Extra] = (),
) -> ReportData:
    """Everything about one account, or about all with None.

    `weights` is the objective by plural action; None stands for that of the newest decision.

    `simulated` says whether the numbers come from a simulated world, as they do unless Kairos runs live. With several
    accounts there is a lift for each and none for all: their posts are too different to be one experiment.
    """
    rows = [row for row in engagement.accounts(session) if account in (None, row.id)]
    pasts = {row.id: history(session, row.id, limit=PAST) for row in rows}
    made = {each.id: each for row in rows for each in decisions.decisions(session, account=row.id)}
    newest = made[max(made, key=lambda number: number or 0)] if made else None
    if weights is None:
        weights = newest.weights if newest is not None else LIKES
    used = told([past for each in pasts.values() for past in each], weights)
    standing = [post for row in rows for post in calendar.standing(session, account=row.id)]
    measured = by_posts(session, [post.id for post in standing if post.id is not None])
    outcomes = {row.id: decisions.outcomes(session, row.id, FINISHED) for row in rows}
    compared = [name for name, found in outcomes.items() if found] or list(outcomes)
    only = outcomes[compared[0]] if len(compared) == 1 else None
    return ReportData(
        title=title,
        simulated=simulated,
        now=now,
        zone=zone,
        model="none yet" if newest is None else newest.model,
        measure=in_words(used),
        accounts=[_account(session, row, standing, lift(outcomes[row.id], weights)) for row in rows],
        posts=[_post(post, made.get(post.decision_id), measured.get(post.id or 0), used) for post in standing],
        lift=None if only is None else lift(only, weights),
        lift_steps=[] if only is None else lift_over_time(only, weights),
        hours=by_hour([_values(past, used) for past in pasts.values()], zone_of(zone)),
        mentions=_mentions(session, account),
        refusals=_refusals(session, account),
        notes=notes,
        tables=tables,
    )


def _account(session: Session, row: Account, posts: Sequence[Post], found: Lift) -> AccountRow:
    states = Counter(post.state for post in posts if post.account == row.id)
    return AccountRow(
        account=row.id,
        known=engagement.posts_by_account(session).get(row.id, 0),
        published=states[State.PUBLISHED],
        planned=sum(states[state] for state in COMING),
        waiting=sum(states[state] for state in WAITING),
        replies=len(StoredFacts(session).sent(row.id, "reply", *EVER, planned=False)),
        paused=row.paused_reason,
        lift=found,
    )


def _post(post: Post, made: Decision | None, row: MeasuredPost | None, used: Mapping[str, float]) -> PostRow:
    option = {} if made is None else made.candidates[made.chosen]
    measure = (made.weights if made is not None else None) or used  # what came is counted as the forecast was
    return PostRow(
        number=post.id or 0,
        account=post.account,
        text=words_of(post.draft),
        kind=str(post.draft.get("kind") or "text"),
        at=post.published_at or post.slot_at,
        state=post.state.value,
        holdout=post.holdout,
        reason="" if made is None else made.reason,
        stands=post.reason or "",
        mean=option.get("mean"),
        low=option.get("low"),
        high=option.get("high"),
        value=None if row is None or row.age_s is None else worth(row, measure),
        counts={} if row is None else {name: count for name in COUNTS if (count := getattr(row, name)) is not None},
        finished=row is not None and row.age_s is not None and row.age_s >= FINISHED.total_seconds(),
        url=post.url,
    )


def _values(past: Sequence[MeasuredPost], used: Mapping[str, float]) -> list[tuple[datetime, float]]:
    return [
        (row.created_at, value)
        for row in past
        if row.age_s is not None and row.age_s >= FINISHED.total_seconds() and (value := worth(row, used)) is not None
    ]


def _mentions(session: Session, account: str | None) -> list[MentionRow]:
    rows = [row for row in mentions.outcomes(session, EVER[0]) if account in (None, row.account)]
    ends = Counter((row.outcome, row.rule, row.intent) for row in rows)
    words = {(row.outcome, row.rule, row.intent): row.reason or "" for row in rows}
    rows_of_ends = [MentionRow(end[0], count, end[1], end[2], words[end]) for end, count in ends.most_common()]
    return sorted(rows_of_ends, key=lambda row: ENDS.index(row.outcome) if row.outcome in ENDS else len(ENDS))


def _refusals(session: Session, account: str | None) -> list[RefusalRow]:
    rows = [row for row in decisions.refusals(session) if account in (None, row.account) and row.mention_id is None]
    last = {row.rule: row for row in rows}
    counts = Counter(row.rule for row in rows)
    return [RefusalRow(rule, count, last[rule].words, last[rule].source) for rule, count in counts.most_common()]
