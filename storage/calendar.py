"""Looking at the outbox: what waits, what comes, what is unknown; nothing here changes a row."""

from datetime import datetime

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from storage.models import Post, State

COMING = (State.PLANNED, State.CLAIMED)
GIVEN_UP = (State.CANCELLED, State.FAILED)


def get(session: Session, post_id: int) -> Post | None:
    """One post by its id."""
    return session.get(Post, post_id)


def of_decision(session: Session, decision_id: int) -> Post | None:
    """The post a decision was about, whatever its state; None when it was withdrawn."""
    return session.exec(select(Post).where(Post.decision_id == decision_id).order_by(col(Post.id).desc())).first()


def unknowns(session: Session) -> list[Post]:
    """Posts that may be public, oldest intent first."""
    query = select(Post).where(Post.state == State.UNKNOWN).order_by(col(Post.intent_at), col(Post.id))
    return list(session.exec(query).all())


def queue(session: Session) -> list[Post]:
    """Posts that wait for a person, oldest slot first."""
    query = select(Post).where(Post.state == State.HELD).order_by(col(Post.slot_at), col(Post.id))
    return list(session.exec(query).all())


def standing(session: Session, campaign: str | None = None, account: str | None = None) -> list[Post]:
    """Every post that is planned, waiting, on its way, unknown or public: what a new plan must respect."""
    query = select(Post).where(col(Post.state).not_in(GIVEN_UP), Post.kind == "post")
    if campaign is not None:
        query = query.where(Post.campaign == campaign)
    if account is not None:
        query = query.where(Post.account == account)
    return list(session.exec(query.order_by(col(Post.slot_at), col(Post.id))).all())


def given_up(session: Session, campaign: str, account: str) -> list[Post]:
    """Posts of a campaign that a person or a rule cancelled, or the platform refused: not to be said again unasked."""
    query = select(Post).where(
        col(Post.state).in_(GIVEN_UP), Post.kind == "post", Post.campaign == campaign, Post.account == account
    )
    return list(session.exec(query.order_by(col(Post.slot_at), col(Post.id))).all())


def upcoming(session: Session, now: datetime, until: datetime, account: str | None = None) -> list[Post]:
    """Posts that go out before `until`, overdue ones included, and held ones with a slot in [now, until)."""
    coming = col(Post.state).in_(COMING)
    waiting = (col(Post.state) == State.HELD) & (col(Post.slot_at) >= now)
    query = select(Post).where(or_(coming, waiting), col(Post.not_before) < until)
    if account is not None:
        query = query.where(Post.account == account)
    return list(session.exec(query.order_by(col(Post.not_before), col(Post.id))).all())


def recent(session: Session, limit: int) -> list[Post]:
    """The posts and replies that went out last, the latest first."""
    query = select(Post).where(Post.state == State.PUBLISHED)
    return list(session.exec(query.order_by(col(Post.published_at).desc(), col(Post.id).desc()).limit(limit)).all())


def next_due(session: Session) -> datetime | None:
    """When the next planned post may be tried."""
    query = select(Post.not_before).where(Post.state == State.PLANNED).order_by(col(Post.not_before)).limit(1)
    return session.exec(query).first()


def count_by_state(session: Session) -> dict[State, int]:
    """How many posts stand in each state; every state is there."""
    rows = session.exec(select(Post.state, func.count()).group_by(col(Post.state))).all()
    return {**dict.fromkeys(State, 0), **{State(state): count for state, count in rows}}
