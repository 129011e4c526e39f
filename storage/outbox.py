"""The outbox: every draft from plan to receipt, moved between states by compare-and-set; no platform and no clock.

All functions take an open session and leave the transaction to their caller; `now` is an aware datetime. A move that
comes too late, because another process or a person was faster, changes nothing. What is only read is in `calendar`.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, update
from sqlmodel import Session, col, select

from storage.calendar import count_by_state, get, given_up, next_due, queue, standing, unknowns, upcoming
from storage.database import insert_missing
from storage.models import History, Post, State

__all__ = [
    "add",
    "approve",
    "cancel",
    "claim_due",
    "count_by_state",
    "digest_of",
    "failed",
    "get",
    "given_up",
    "hold",
    "intend",
    "intend_again",
    "next_due",
    "published",
    "queue",
    "recover",
    "reject",
    "replace_planned",
    "retry",
    "send_again",
    "standing",
    "unknown",
    "unknowns",
    "upcoming",
    "words_of",
]

UNSENT = (State.PLANNED, State.HELD, State.CLAIMED)
"""No call was made, or it certainly wrote nothing: a person may still change their mind."""
TRIED = (State.CLAIMED, State.SENDING)
"""A worker has it in hand."""


def digest_of(draft: Mapping[str, Any]) -> str:
    """SHA-256 of a draft as canonical JSON: two drafts share it only if they would look the same in public."""
    canonical = json.dumps(draft, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def words_of(draft: Mapping[str, Any]) -> str:
    """Everything a reader of the draft would see, title first."""
    return " ".join(text for text in (draft.get("title"), draft.get("text"), *draft.get("parts", ())) if text)


def add(session: Session, posts: Iterable[Post]) -> list[Post]:
    """Add posts whose slot, key and mention are still free; gives back those, as stored, in order."""
    return insert_missing(session, list(posts))


def replace_planned(
    session: Session, campaign: str, account: str, posts: Sequence[Post], after: datetime, keep: Collection[int] = ()
) -> list[Post]:
    """Withdraw what a former plan put after `after` and nobody has touched since, then add the new posts.

    Rows that were approved, rejected, tried or claimed stay, and win where slots collide; so do the ids in `keep`.
    """
    session.exec(
        delete(Post).where(
            col(Post.campaign) == campaign,
            col(Post.account) == account,
            col(Post.kind) == "post",
            col(Post.state).in_([State.PLANNED, State.HELD]),
            col(Post.approved_digest).is_(None),
            col(Post.attempts) == 0,
            col(Post.slot_at) > after,
            col(Post.id).not_in(keep),
        )
    )
    return add(session, posts)


def claim_due(session: Session, now: datetime, worker: str, limit: int) -> list[Post]:
    """Claim up to `limit` due posts for this worker, oldest first; a post is claimed by one worker only."""
    due = (
        select(Post.id)
        .where(Post.state == State.PLANNED, col(Post.not_before) <= now)
        .order_by(col(Post.not_before), col(Post.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")  # asked once: PostgreSQL may ask a plain subquery again for each row, and claim more than `limit`
    )
    claim = (
        update(Post)
        .where(col(Post.id).in_(select(due.c.id)), col(Post.state) == State.PLANNED)
        .values(state=State.CLAIMED, claimed_by=worker, claimed_at=now, updated_at=now)
        .returning(Post)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return sorted(session.scalars(claim), key=lambda post: (post.not_before, post.id or 0))


def intend(session: Session, post_id: int, worker: str, now: datetime) -> bool:
    """Commit to calling the platform: claimed by this worker -> sending. False when it is not ours any more."""
    ours = col(Post.claimed_by) == worker
    values = {"attempts": col(Post.attempts) + 1, "intent_at": now}
    return _move(session, post_id, State.SENDING, (State.CLAIMED,), now, ours, **values)


def intend_again(session: Session, post_id: int, worker: str, now: datetime) -> bool:
    """Commit to repeating a call whose outcome is unknown; only where the platform drops a repetition of its key."""
    values = {"attempts": col(Post.attempts) + 1, "intent_at": now, "claimed_by": worker, "claimed_at": now}
    return _move(session, post_id, State.SENDING, (State.UNKNOWN,), now, **values)


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
    """The platform's word is here: -> published from any state, with its row in the history.

    The platform outranks our books: a post it shows is public, even one that was given up. Saying it twice changes
    nothing.
    """
    before = tuple(state for state in State if state is not State.PUBLISHED)
    word = {"ref": ref, "extras": extras, "url": url, "published_at": published_at, "reason": None, "rule": None}
    if not _move(session, post_id, State.PUBLISHED, before, now, in_doubt=False, **word):
        return
    post = session.get_one(Post, post_id)
    row = History(
        account=post.account,
        ref=ref,
        extras=extras,
        text=words_of(post.draft),
        kind="reply" if post.kind == "reply" else post.draft.get("kind", "text"),
        created_at=published_at,
        source="kairos",
        post_id=post_id,
    )
    if not insert_missing(session, [row]):  # a backfill saw it first
        known = session.exec(select(History).where(History.account == post.account, History.ref == ref)).one()
        known.post_id, known.source, known.kind = post_id, row.source, row.kind
        session.add(known)


def retry(session: Session, post_id: int, *, not_before: datetime, reason: str, now: datetime) -> None:
    """Claimed or sending -> planned, to be tried at `not_before`; only when nothing was written."""
    _give_back(session, post_id, State.PLANNED, TRIED, now, reason, None, not_before=not_before)


def failed(session: Session, post_id: int, *, reason: str, now: datetime, rule: str | None = None) -> None:
    """Claimed or sending -> failed: nothing was written, and the same draft never will be."""
    _give_back(session, post_id, State.FAILED, TRIED, now, reason, rule)


def hold(session: Session, post_id: int, *, rule: str | None, reason: str, now: datetime) -> None:
    """Planned, claimed or sending -> held: it waits for a person, and nothing was written."""
    _give_back(session, post_id, State.HELD, (State.PLANNED, *TRIED), now, reason, rule)


def unknown(session: Session, post_id: int, *, reason: str, now: datetime) -> None:
    """Sending -> unknown: it may be public, and is never sent again before a look."""
    _move(session, post_id, State.UNKNOWN, (State.SENDING, State.UNKNOWN), now, in_doubt=True, reason=reason)


def cancel(session: Session, post_id: int, *, reason: str, now: datetime, rule: str | None = None) -> bool:
    """Give it up; False when it is on its way, maybe public, or over."""
    return _move(session, post_id, State.CANCELLED, UNSENT, now, reason=reason, rule=rule)


def approve(session: Session, post_id: int, now: datetime, text: str | None = None) -> bool:
    """A person's yes to exactly this draft, or to it with another text; False when it is too late to change."""
    post = session.get(Post, post_id, with_for_update=True, populate_existing=True)
    if post is None or post.state not in (State.HELD, State.PLANNED):
        return False
    if text is not None:
        post.draft = {**post.draft, "text": text}
    post.digest = post.approved_digest = digest_of(post.draft)
    post.state, post.approved_at, post.updated_at = State.PLANNED, now, now
    post.rule = post.reason = None
    session.add(post)
    session.flush()
    return True


def reject(session: Session, post_id: int, now: datetime, reason: str) -> bool:
    """A person's no, also to sending again what may be public; False when it is too late."""
    return _move(session, post_id, State.CANCELLED, (*UNSENT, State.UNKNOWN), now, reason=reason, rule=None)


def send_again(session: Session, post_id: int, now: datetime) -> bool:
    """A person has looked, and it is not public: unknown -> planned, approved as it is; False when not unknown."""
    values = {"approved_digest": col(Post.digest), "approved_at": now, "not_before": now}
    free = {"claimed_by": None, "claimed_at": None, "reason": None, "rule": None}
    return _move(session, post_id, State.PLANNED, (State.UNKNOWN,), now, in_doubt=False, **values, **free)


def recover(session: Session, now: datetime, lease: timedelta) -> tuple[int, int]:
    """Take back what is older than its lease: claimed -> planned, sending -> unknown; gives back how many of each."""
    until = now - lease
    released = session.exec(
        update(Post)
        .where(col(Post.state) == State.CLAIMED, col(Post.claimed_at) <= until)
        .values(state=State.PLANNED, claimed_by=None, claimed_at=None, updated_at=now)
    )
    lost = session.exec(
        update(Post)
        .where(col(Post.state) == State.SENDING, col(Post.intent_at) <= until)
        .values(
            state=State.UNKNOWN, in_doubt=True, reason="it was being sent when Kairos ended", rule=None, updated_at=now
        )
    )
    return released.rowcount, lost.rowcount


def _give_back(
    session: Session,
    post_id: int,
    state: State,
    out_of: tuple[State, ...],
    now: datetime,
    reason: str,
    rule: str | None,
    **values: Any,
) -> None:
    """A try that wrote nothing. Where an earlier one may have, the post stays unknown whatever this one came to."""
    sure = or_(col(Post.state) != State.SENDING, col(Post.in_doubt).is_(False))
    free = {"claimed_by": None, "claimed_at": None}
    if not _move(session, post_id, state, out_of, now, sure, reason=reason, rule=rule, **free, **values):
        _move(session, post_id, State.UNKNOWN, (State.SENDING,), now, col(Post.in_doubt).is_(True), reason=reason)


def _move(
    session: Session, post_id: int, state: State, out_of: tuple[State, ...], now: datetime, *only: Any, **values: Any
) -> bool:
    """Compare-and-set: into `state` out of one of these; False when it was in none of them."""
    result = session.exec(
        update(Post)
        .where(col(Post.id) == post_id, col(Post.state).in_(out_of), *only)
        .values(state=state, updated_at=now, **values)
        .execution_options(synchronize_session="fetch")
    )
    return result.rowcount == 1
