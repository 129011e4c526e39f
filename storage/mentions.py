"""What people said to us, each text once, and who asked for silence; of a person only a keyed hash stays."""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, or_, select

from storage.database import insert_missing
from storage.models import Account, DoNotContact, Inbound, Post, State

PENDING = ("new", "held")
"""Outcomes of mentions that wait for us or for a person."""
UNFINISHED = (State.PLANNED, State.CLAIMED, State.SENDING, State.UNKNOWN, State.HELD)
"""States of a reply that a person may still want to see beside what it answers."""


def author_hash(key: bytes, platform: str, author_id: str) -> str:
    """A person's name in our tables: HMAC-SHA256 under this installation's key."""
    return hmac.new(key, f"{platform}\0{author_id}".encode(), hashlib.sha256).hexdigest()


def add_mentions(session: Session, rows: Iterable[Inbound]) -> list[Inbound]:
    """Add mentions not seen before; gives back only the new ones, with their ids."""
    return insert_missing(session, list(rows))


def pending(session: Session, account: str | None = None) -> list[Inbound]:
    """Mentions that wait: not yet looked at, or held for a person; oldest first."""
    query = select(Inbound).where(col(Inbound.outcome).in_(PENDING))
    if account is not None:
        query = query.where(Inbound.account == account)
    return list(session.exec(query.order_by(col(Inbound.created_at), col(Inbound.id))).all())


def by_author(session: Session, author: str) -> list[Inbound]:
    """Everything this person, by keyed hash, said to us, oldest first."""
    query = select(Inbound).where(Inbound.author_hash == author)
    return list(session.exec(query.order_by(col(Inbound.created_at), col(Inbound.id))).all())


def reply_to(session: Session, mention_id: int) -> Post | None:
    """The one outbox row that answers this mention, whatever its state."""
    return session.exec(select(Post).where(Post.mention_id == mention_id)).first()


def settle(
    session: Session,
    mention_id: int,
    outcome: str,
    *,
    rule: str | None = None,
    reason: str | None = None,
    intent: str | None = None,
    similarity: float | None = None,
    forget_text: bool = False,
) -> None:
    """Write what became of a mention: answered, held, refused or ignored."""
    row = session.get(Inbound, mention_id)
    if row is None:
        return
    row.outcome, row.rule, row.reason = outcome, rule, reason
    if intent is not None:
        row.intent = intent
    if similarity is not None:
        row.similarity = similarity
    if forget_text:
        row.text = row.author = ""
    session.add(row)
    session.flush()


def outcomes(session: Session, since: datetime) -> list[Inbound]:
    """Mentions seen since then, newest last."""
    query = select(Inbound).where(col(Inbound.seen_at) >= since).order_by(col(Inbound.seen_at), col(Inbound.id))
    return list(session.exec(query).all())


def set_cursor(session: Session, account: str, cursor: str | None) -> None:
    """Remember where to listen on."""
    row = session.get(Account, account)
    if row is not None:
        row.mention_cursor = cursor
        session.add(row)
        session.flush()


def do_not_contact(session: Session, author: str, platform: str, why: str, now: datetime) -> None:
    """Never write to this person again, in any campaign. `author` is the keyed hash."""
    insert_missing(session, [DoNotContact(author_hash=author, platform=platform, since=now, why=why)])


def is_do_not_contact(session: Session, author: str) -> bool:
    """Whether this person asked for silence."""
    return session.get(DoNotContact, author) is not None


def forget_old(session: Session, now: datetime, keep: timedelta) -> int:
    """Empty handle and text of mentions about which nothing is pending, and of all seen more than `keep` ago.

    Gives back how many. `Database.scrub` then takes them out of the file as well.
    """
    reply = select(Post.id).where(Post.mention_id == Inbound.id)
    waits = reply.where(col(Post.state).in_(UNFINISHED)).exists()
    settled = ~waits & (col(Inbound.outcome).not_in(PENDING) | reply.exists())
    result = session.exec(
        update(Inbound)
        .where(or_(col(Inbound.text) != "", col(Inbound.author) != ""))
        .where(or_(col(Inbound.seen_at) <= now - keep, settled))
        .values(text="", author="")
        .execution_options(synchronize_session="fetch")
    )
    return result.rowcount
