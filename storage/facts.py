"""Answers the rulebook's questions from the tables; which answer means no is not known here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import func
from sqlmodel import Session, col, select

from storage.mentions import is_do_not_contact
from storage.models import Account, History, Inbound, Post, State
from storage.notes import STOPPED, note

OUT = (State.SENDING, State.UNKNOWN)
"""May be public, without a platform's word."""


@dataclass(frozen=True)
class StoredText:
    """A text already public or already planned."""

    account: str
    platform: str
    text: str
    at: datetime
    campaign: str
    item: str


class StoredFacts:
    """The world as the database and the stop file show it, inside one session.

    `planned` counts drafts that are still planned or waiting as well: for a plan, not for the gate.
    `except_post` is the post that is asking: it does not count against itself.
    """

    def __init__(
        self,
        session: Session,
        stop_file: Path | None = None,
        *,
        planned: bool = False,
        except_post: int | None = None,
    ) -> None:
        self._session = session
        self._stop_file = stop_file
        self._except = except_post
        self._standing = (State.PLANNED, State.CLAIMED, State.HELD) if planned else ()

    def stopped(self) -> str | None:
        """Why everything is stopped, or None: the note in the database or the file, whichever is there."""
        if self._stop_file is not None and self._stop_file.exists():
            return f"the file {self._stop_file.name} is there"
        return note(self._session, STOPPED)

    def paused(self, account: str) -> str | None:
        """Why this account is paused, or None."""
        row = self._session.get(Account, account)
        return None if row is None else row.paused_reason

    def sent(self, account: str | None, kind: Literal["post", "reply"] | None, since: datetime, until: datetime) -> int:
        """Drafts that went out or may have in [since, until), and planned ones where they count."""
        moment = func.coalesce(Post.published_at, Post.intent_at, Post.slot_at)
        query = (
            select(func.count())
            .select_from(Post)
            .where(col(Post.state).in_([State.PUBLISHED, *OUT, *self._standing]), moment >= since, moment < until)
        )
        if self._except is not None:
            query = query.where(Post.id != self._except)
        if account is not None:
            query = query.where(Post.account == account)
        if kind is not None:
            query = query.where(Post.kind == kind)
        return int(self._session.exec(query).one())

    def replies_to(self, author_hash: str, since: datetime, until: datetime) -> int:
        """Replies of ours to this person in [since, until)."""
        moment = func.coalesce(Post.published_at, Post.intent_at, Post.slot_at)
        query = (
            select(func.count())
            .select_from(Post)
            .join(Inbound, col(Inbound.id) == col(Post.mention_id))
            .where(
                Inbound.author_hash == author_hash,
                col(Post.state).in_([State.PUBLISHED, *OUT, State.PLANNED, State.CLAIMED]),
                moment >= since,
                moment < until,
            )
        )
        if self._except is not None:
            query = query.where(Post.id != self._except)
        return int(self._session.exec(query).one())

    def replies_in(self, account: str, thread: str) -> int:
        """Replies of ours in this thread, planned ones included."""
        query = (
            select(func.count())
            .select_from(Post)
            .join(Inbound, col(Inbound.id) == col(Post.mention_id))
            .where(
                Post.account == account,
                Inbound.thread == thread,
                col(Post.state).in_([State.PUBLISHED, *OUT, State.PLANNED, State.CLAIMED]),
            )
        )
        if self._except is not None:
            query = query.where(Post.id != self._except)
        return int(self._session.exec(query).one())

    def answered(self, platform: str, ref: str) -> bool:
        """Whether this inbound text has an automated reply, sent or on its way."""
        query = (
            select(Post.id)
            .join(Inbound, col(Inbound.id) == col(Post.mention_id))
            .where(
                Inbound.ref == ref,
                col(Inbound.account).startswith(f"{platform}/", autoescape=True),
                col(Post.state).not_in([State.CANCELLED, State.FAILED]),
            )
        )
        if self._except is not None:
            query = query.where(Post.id != self._except)
        return self._session.exec(query).first() is not None

    def do_not_contact(self, author_hash: str) -> bool:
        """Whether this person asked for silence."""
        return is_do_not_contact(self._session, author_hash)

    def texts(self, platform: str, since: datetime, until: datetime) -> Sequence[StoredText]:
        """Texts public or planned on this platform in [since, until), any of our accounts."""
        like = f"{platform}/"
        outbox = select(Post).where(
            col(Post.account).startswith(like, autoescape=True),
            Post.kind == "post",
            col(Post.state).not_in([State.CANCELLED, State.FAILED]),
            func.coalesce(Post.published_at, Post.slot_at) >= since,
            func.coalesce(Post.published_at, Post.slot_at) < until,
        )
        if self._except is not None:
            outbox = outbox.where(Post.id != self._except)
        found = [
            StoredText(
                post.account,
                platform,
                str(post.draft.get("text", "")),
                post.published_at or post.slot_at,
                post.campaign,
                post.item,
            )
            for post in self._session.exec(outbox).all()
        ]
        earlier = select(History).where(
            col(History.account).startswith(like, autoescape=True),
            col(History.created_at) >= since,
            col(History.created_at) < until,
            col(History.post_id).is_(None),
        )
        found += [
            StoredText(row.account, platform, row.text, row.created_at, "", "")
            for row in self._session.exec(earlier).all()
        ]
        return found
