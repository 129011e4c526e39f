"""The log of what was decided and what was refused, and the outcomes that lift is measured on; only ever added to."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from storage.models import Decision, History, Post, Refusal, Snapshot, State


@dataclass(frozen=True)
class DecidedOutcome:
    """How a decided post did: its arm, its propensity and its latest counts."""

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
    finished: bool
    """Whether the counts were taken at an age where they hardly grow any more."""


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
    """Published posts that came from a decision, with their latest counts, oldest first."""
    query = (
        select(Post, Decision, History)
        .join(Decision, col(Post.decision_id) == col(Decision.id))
        .join(History, col(History.post_id) == col(Post.id))
        .where(Post.state == State.PUBLISHED)
    )
    if account is not None:
        query = query.where(Post.account == account)
    found = []
    for post, made, public in session.exec(query.order_by(col(Post.published_at), col(Post.id))).all():
        last = session.exec(
            select(Snapshot).where(Snapshot.history_id == public.id).order_by(col(Snapshot.age_s).desc()).limit(1)
        ).first()
        assert made.id is not None
        assert public.id is not None
        assert post.published_at is not None
        found.append(
            DecidedOutcome(
                decision_id=made.id,
                history_id=public.id,
                holdout=made.holdout,
                propensity=made.propensity,
                published_at=post.published_at,
                likes=last.likes if last else None,
                replies=last.replies if last else None,
                shares=last.shares if last else None,
                clicks=last.clicks if last else None,
                impressions=last.impressions if last else None,
                finished=last is not None and last.age_s >= finished_after.total_seconds(),
            )
        )
    return found
