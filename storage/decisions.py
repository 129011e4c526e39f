"""The log of what was decided and what was refused, and the outcomes that lift is measured on; only ever added to."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from storage.history import COUNTS, latest_snapshots
from storage.models import Decision, History, Post, Refusal


@dataclass(frozen=True)
class DecidedOutcome:
    """How a published post that came from a decision did: its arm, its propensity and its latest counts."""

    decision_id: int
    history_id: int
    holdout: bool
    propensity: float
    published_at: datetime
    likes: int | None
    replies: int | None
    shares: int | None
    clicks: int | None
    impressions: int | None
    age_s: int | None
    """Age in seconds when the counts were taken, None if never."""
    finished: bool
    """Whether that age is one at which the counts hardly grow any more."""


def log_decision(session: Session, decision: Decision) -> Decision:
    """Add a decision; it has its id afterwards."""
    session.add(decision)
    session.flush()
    return decision


def decisions(
    session: Session, *, account: str | None = None, campaign: str | None = None, since: datetime | None = None
) -> list[Decision]:
    """Decisions, oldest first."""
    query = select(Decision)
    if account is not None:
        query = query.where(Decision.account == account)
    if campaign is not None:
        query = query.where(Decision.campaign == campaign)
    if since is not None:
        query = query.where(col(Decision.at) >= since)
    return list(session.exec(query.order_by(col(Decision.id))).all())


def decision(session: Session, decision_id: int) -> Decision | None:
    """One decision by its id."""
    return session.get(Decision, decision_id)


def log_refusal(session: Session, refusal: Refusal) -> Refusal:
    """Add a refusal; it has its id afterwards."""
    session.add(refusal)
    session.flush()
    return refusal


def refusals(session: Session, since: datetime | None = None) -> list[Refusal]:
    """Refusals since then, oldest first."""
    query = select(Refusal)
    if since is not None:
        query = query.where(col(Refusal.at) >= since)
    return list(session.exec(query.order_by(col(Refusal.id))).all())


def outcomes(
    session: Session, account: str | None = None, finished_after: timedelta = timedelta(hours=24)
) -> list[DecidedOutcome]:
    """Published posts that came from a decision, oldest first; counts taken `finished_after` or later are finished."""
    query = (
        select(Post, Decision, History.id)
        .join(Decision, col(Post.decision_id) == col(Decision.id))
        .join(History, col(History.post_id) == col(Post.id))
    )
    if account is not None:
        query = query.where(Post.account == account)
    rows = session.exec(query.order_by(col(Post.published_at), col(Post.id))).all()
    latest = latest_snapshots(session, [history_id for _, _, history_id in rows if history_id is not None])
    found = []
    for post, made, history_id in rows:
        assert made.id is not None
        assert history_id is not None
        assert post.published_at is not None
        age_s, *counts = latest.get(history_id, (None,) * (1 + len(COUNTS)))
        found.append(
            DecidedOutcome(
                decision_id=made.id,
                history_id=history_id,
                holdout=made.holdout,
                propensity=made.propensity,
                published_at=post.published_at,
                **dict(zip(COUNTS, counts, strict=True)),
                age_s=age_s,
                finished=age_s is not None and age_s >= finished_after.total_seconds(),
            )
        )
    return found
