"""The outbox: every draft from plan to receipt, moved between states by compare-and-set; no platform and no clock.

All functions take an open session and leave the transaction to their caller; `now` is an aware datetime.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, update
from sqlmodel import Session, col, select

from storage.models import History, Post, State

OPEN = (State.CLAIMED, State.SENDING, State.UNKNOWN)
"""States in which a draft is on its way or may be public: a person cannot change it there."""


def digest_of(draft: Mapping[str, Any]) -> str:
    """SHA-256 of a draft as canonical JSON: two drafts share it only if they would look the same in public."""
    canonical = json.dumps(draft, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def add(session: Session, posts: Iterable[Post]) -> list[Post]:
    """Add posts whose slot, key and mention are still free; gives back those that were added."""
    added = []
    for post in posts:
        taken: list[ColumnElement[bool]] = [
            col(Post.key) == post.key,
            (col(Post.account) == post.account)
            & (col(Post.campaign) == post.campaign)
            & (col(Post.item) == post.item)
            & (col(Post.local_slot) == post.local_slot),
        ]
        if post.mention_id is not None:
            taken.append(col(Post.mention_id) == post.mention_id)
        if session.exec(select(Post.id).where(or_(*taken))).first() is None:
            session.add(post)
            session.flush()
            added.append(post)
    return added


def replace_planned(
    session: Session, campaign: str, account: str, posts: Sequence[Post], after: datetime
) -> list[Post]:
    """Withdraw what a former plan put after `after` and nobody has touched since, then add the new posts.

    Rows that were approved, rejected, tried or claimed stay, and win where slots collide.
    """
    untouched = select(Post).where(
        Post.campaign == campaign,
        Post.account == account,
        Post.kind == "post",
        or_(
            col(Post.state) == State.PLANNED,
            (col(Post.state) == State.HELD) & (col(Post.rule) == "S3"),
        ),
        col(Post.approved_digest).is_(None),
        Post.attempts == 0,
        col(Post.slot_at) > after,
    )
    for row in session.exec(untouched).all():
        session.delete(row)
    session.flush()
    return add(session, posts)


def claim_due(session: Session, now: datetime, worker: str, limit: int) -> list[Post]:
    """Claim up to `limit` due posts for this worker, oldest first; a post is claimed by one worker only."""
    due = (
        select(Post.id)
        .where(Post.state == State.PLANNED, col(Post.not_before) <= now)
        .order_by(col(Post.not_before), col(Post.id))
        .limit(limit)
    )
    claim = (
        update(Post)
        .where(col(Post.id).in_(due), col(Post.state) == State.PLANNED)
        .values(state=State.CLAIMED, claimed_by=worker, claimed_at=now, updated_at=now)
        .returning(Post)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return sorted(session.scalars(claim).all(), key=lambda post: (post.not_before, post.id or 0))


def intend(session: Session, post_id: int, worker: str, now: datetime) -> bool:
    """Commit to calling the platform: claimed by this worker -> sending. False when it is not ours any more."""
    result = session.execute(
        update(Post)
        .where(col(Post.id) == post_id, col(Post.state) == State.CLAIMED, col(Post.claimed_by) == worker)
        .values(state=State.SENDING, attempts=Post.attempts + 1, intent_at=now, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    return _changed(result)


def published(
    session: Session,
    post_id: int,
    *,
    ref: str,
    extras: str = "",
    url: str | None = None,
    published_at: datetime,
    now: datetime,
) -> None:
    """The platform's word is here: -> published, with its row in the history. Saying it twice changes nothing."""
    post = _locked(session, post_id)
    if post is None or post.state == State.PUBLISHED:
        return
    _set(post, now, State.PUBLISHED, ref=ref, extras=extras, url=url, published_at=published_at, reason=None, rule=None)
    session.add(post)
    known = session.exec(select(History).where(History.account == post.account, History.ref == ref)).first()
    if known is not None:
        known.post_id, known.source = post.id, "kairos"
        session.add(known)
    elif post.kind == "post":
        session.add(
            History(
                account=post.account,
                ref=ref,
                extras=extras,
                text=str(post.draft.get("text", "")),
                kind=str(post.draft.get("kind", "text")),
                created_at=published_at,
                source="kairos",
                post_id=post.id,
            )
        )
    session.flush()


def retry(session: Session, post_id: int, *, not_before: datetime, reason: str, now: datetime) -> None:
    """Claimed or sending -> planned again, to be tried at `not_before`; only when nothing was written."""
    post = _locked(session, post_id)
    if post is not None and post.state in (State.CLAIMED, State.SENDING):
        _set(post, now, State.PLANNED, not_before=not_before, reason=reason, claimed_by=None, claimed_at=None)
        session.flush()


def failed(session: Session, post_id: int, *, reason: str, now: datetime, rule: str | None = None) -> None:
    """The platform refused it for good."""
    _end(session, post_id, State.FAILED, reason, rule, now)


def unknown(session: Session, post_id: int, *, reason: str, now: datetime) -> None:
    """It may be public: never sent again before a look."""
    _end(session, post_id, State.UNKNOWN, reason, None, now)


def hold(session: Session, post_id: int, *, rule: str | None, reason: str, now: datetime) -> None:
    """It waits for a person. What may be public already cannot be held."""
    _end(session, post_id, State.HELD, reason, rule, now)


def cancel(session: Session, post_id: int, *, reason: str, now: datetime, rule: str | None = None) -> bool:
    """Give it up; False when it is on its way, public or over."""
    post = _locked(session, post_id)
    if post is None or post.state not in (State.PLANNED, State.HELD, State.CLAIMED):
        return False
    _set(post, now, State.CANCELLED, reason=reason, rule=rule)
    session.flush()
    return True


def approve(session: Session, post_id: int, now: datetime, text: str | None = None) -> bool:
    """A person's yes to exactly this draft (or to it with another text); False when it is too late to change."""
    post = _locked(session, post_id)
    if post is None or post.state not in (State.HELD, State.PLANNED):
        return False
    if text is not None and text != post.draft.get("text"):
        post.draft = {**post.draft, "text": text}
        post.digest = digest_of(post.draft)
    _set(post, now, State.PLANNED, approved_digest=post.digest, approved_at=now, rule=None, reason="approved")
    session.flush()
    return True


def reject(session: Session, post_id: int, now: datetime, reason: str) -> bool:
    """A person's no; False when it is too late."""
    return cancel(session, post_id, reason=reason, now=now)


def recover(session: Session, now: datetime, lease: timedelta) -> tuple[int, int]:
    """Take back what a dead process left: claimed -> planned, sending -> unknown; gives back how many of each."""
    old = now - lease
    released = session.execute(
        update(Post)
        .where(col(Post.state) == State.CLAIMED, col(Post.claimed_at) <= old)
        .values(state=State.PLANNED, claimed_by=None, claimed_at=None, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    lost = session.execute(
        update(Post)
        .where(col(Post.state) == State.SENDING, col(Post.intent_at) <= old)
        .values(state=State.UNKNOWN, reason="the process that sent it ended before the answer", updated_at=now)
        .execution_options(synchronize_session=False)
    )
    return _count(released), _count(lost)


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
    query = select(Post).where(col(Post.state).not_in([State.CANCELLED, State.FAILED]), Post.kind == "post")
    if campaign is not None:
        query = query.where(Post.campaign == campaign)
    if account is not None:
        query = query.where(Post.account == account)
    return list(session.exec(query.order_by(col(Post.slot_at), col(Post.id))).all())


def upcoming(session: Session, now: datetime, until: datetime, account: str | None = None) -> list[Post]:
    """Posts planned or waiting with a slot in [now, until)."""
    query = select(Post).where(
        col(Post.state).in_([State.PLANNED, State.HELD]), col(Post.slot_at) >= now, col(Post.slot_at) < until
    )
    if account is not None:
        query = query.where(Post.account == account)
    return list(session.exec(query.order_by(col(Post.slot_at), col(Post.id))).all())


def next_due(session: Session) -> datetime | None:
    """When the next planned post may be tried."""
    query = select(Post.not_before).where(Post.state == State.PLANNED).order_by(col(Post.not_before)).limit(1)
    return session.exec(query).first()


def count_by_state(session: Session) -> dict[State, int]:
    """How many posts stand in each state; every state is there."""
    rows = session.exec(select(Post.state, func.count()).group_by(col(Post.state))).all()
    return dict.fromkeys(State, 0) | {State(state): count for state, count in rows}


def get(session: Session, post_id: int) -> Post | None:
    """One post by its id."""
    return session.get(Post, post_id)


def _locked(session: Session, post_id: int) -> Post | None:
    return session.get(Post, post_id, with_for_update=True, populate_existing=True)


def _set(post: Post, now: datetime, state: State, **values: Any) -> None:
    post.state, post.updated_at = state, now
    for name, value in values.items():
        setattr(post, name, value)


def _end(session: Session, post_id: int, state: State, reason: str, rule: str | None, now: datetime) -> None:
    post = _locked(session, post_id)
    if post is None or post.state in (State.PUBLISHED, State.CANCELLED):
        return
    if state is State.HELD and post.state == State.UNKNOWN:
        return
    _set(post, now, state, reason=reason, rule=rule)
    session.flush()


def _count(result: Any) -> int:
    return int(result.rowcount)


def _changed(result: Any) -> bool:
    return _count(result) == 1
