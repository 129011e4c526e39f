"""What the outbox learns from an outcome or a refusal: the row written and the event told; no call, no commit."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from sqlmodel import Session, col, select

from connectors.base import Receipt
from scheduler.backoff import next_try
from scheduler.events import Event
from scheduler.sending import End, Outcome
from scheduler.verdict import Verdict
from storage import decisions, outbox
from storage.models import Account, Post
from storage.models import Refusal as RefusalRow

BREAKER = "S5"
ASK_AGAIN = timedelta(minutes=1)
PUT_BACK = timedelta(seconds=1)
PARKED = (
    "it may be public: the answer was lost, and two looks at the account did not show it; "
    "look on the platform yourself before anything is sent again"
)


def refuse(session: Session, post: Post, verdict: Verdict, now: datetime) -> Event | None:
    """Write the gate's no to a claimed post, with one row in the log of refusals.

    A post that waits out a pause is asked about every minute: one row and one event say it all, then None.
    """
    post_id = identity(post)
    told_before = post.reason == verdict.words and post.rule in (verdict.rule, None)
    if verdict.then == "hold":
        outbox.hold(session, post_id, rule=verdict.rule, reason=verdict.words, now=now)
        name = "post.held"
    elif verdict.then == "later":
        again = verdict.retry_at if verdict.retry_at is not None and verdict.retry_at > now else now + ASK_AGAIN
        outbox.retry(session, post_id, not_before=again, reason=verdict.words, now=now)
        name = "post.later"
    else:
        outbox.cancel(session, post_id, reason=verdict.words, now=now, rule=verdict.rule)
        name = "post.cancelled"
    if verdict.then == "later" and told_before:
        return None
    decisions.log_refusal(
        session,
        RefusalRow(
            at=now,
            account=post.account,
            rule=verdict.rule,
            source=verdict.source,
            words=verdict.words,
            stage="gate",
            post_id=post_id,
            mention_id=post.mention_id,
        ),
    )
    return Event(name, now, post_id, post.account, verdict.words, verdict.rule)


def write(session: Session, outcome: Outcome, now: datetime, rng: np.random.Generator) -> Event | None:
    """Write what a call came to; None where a look taught nothing."""
    post, post_id, words = outcome.post, identity(outcome.post), outcome.words
    rule = None
    match outcome.end:
        case End.PUBLIC:
            assert outcome.receipt is not None
            _publish(session, post_id, outcome.receipt, now)
            name = "post.published"
        case End.UNSENT:
            outbox.retry(session, post_id, not_before=now + PUT_BACK, reason=words, now=now)
            name = "post.put_back"
        case End.AGAIN:
            assert outcome.error is not None
            again = next_try(post.attempts, outcome.error, now, rng)
            outbox.retry(session, post_id, not_before=again or now + ASK_AGAIN, reason=words, now=now)
            name = "post.retry"
        case End.LOCKED:
            rule = BREAKER
            outbox.hold(session, post_id, rule=rule, reason=f"not sent: {words}", now=now)
            name = "post.held"
        case End.REFUSED:
            outbox.failed(session, post_id, reason=words, now=now)
            name = "post.failed"
        case End.UNKNOWN:
            outbox.unknown(session, post_id, reason=words, now=now)
            name = "post.unknown"
        case End.MISSING | End.UNSEEN:
            return None
    return Event(name, now, post_id, post.account, words, rule)


def park(session: Session, post: Post, now: datetime) -> Event:
    """Leave a post that was not found to a person: it stays unknown, with words that say what to do."""
    outbox.unknown(session, identity(post), reason=PARKED, now=now)
    return Event("post.parked", now, post.id, post.account, PARKED)


def pause(session: Session, account: str, words: str, now: datetime) -> Event | None:
    """Pause an account until a person resumes it; None when it is paused already."""
    row = session.get(Account, account)
    if row is None or row.paused_reason is not None:
        return None
    row.paused_reason = words
    session.add(row)
    return Event("account.paused", now, account=account, words=words, rule=BREAKER)


def belongs_to_another(session: Session, post: Post, receipt: Receipt) -> bool:
    """Whether what a look found is another post of ours that reads the same."""
    query = select(Post.id).where(Post.account == post.account, Post.ref == receipt.ref.id, Post.id != post.id)
    return session.exec(query).first() is not None


def reread(session: Session, posts: Sequence[Post]) -> list[Post]:
    """The same posts as they stand now, in the same order, locked where the database locks rows."""
    query = select(Post).where(col(Post.id).in_([post.id for post in posts])).with_for_update()
    found = {post.id: post for post in session.exec(query.execution_options(populate_existing=True))}
    return [found[post.id] for post in posts if post.id in found]


def identity(post: Post) -> int:
    """The id of a stored post."""
    assert post.id is not None
    return post.id


def _publish(session: Session, post_id: int, receipt: Receipt, now: datetime) -> None:
    outbox.published(
        session,
        post_id,
        ref=receipt.ref.id,
        extras=receipt.ref.extras,
        url=receipt.url,
        published_at=receipt.published_at,
        now=now,
    )
