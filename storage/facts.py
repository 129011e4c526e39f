"""Answers the rulebook's questions from the tables; which answer means no is not known here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import ColumnElement, Subquery, func, type_coerce, union_all
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, select

from storage.history import REPLY
from storage.mentions import is_do_not_contact
from storage.models import Account, History, Inbound, Post, State, UTCDateTime
from storage.notes import STOPPED, note
from storage.outbox import words_of

PERHAPS = (State.SENDING, State.UNKNOWN)
"""May be public, without a platform's word."""
MEANT = (State.PLANNED, State.CLAIMED)
"""Still meant to go out."""
DEEPEST = 100
"""Longest chain of answers followed; the rules refuse far earlier."""


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

    Intervals are [since, until). Drafts that went out or may have count at the time they did; with `planned` those
    still meant to go out count too, at the time they may be tried. `apart_from` is the row that asks: it never counts.
    """

    def __init__(self, session: Session, stop_file: Path | None = None) -> None:
        self._session = session
        self._stop_file = stop_file

    def stopped(self) -> str | None:
        """Why everything is stopped, or None: the note in the database or the file, whichever is there."""
        reason = note(self._session, STOPPED)
        if reason is not None:
            return reason or "stopped without a reason given"
        if self._stop_file is not None and self._stop_file.exists():
            return f"the file {self._stop_file.name} is there"
        return None

    def paused(self, account: str) -> str | None:
        """Why this account is paused, or None."""
        row = self._session.get(Account, account)
        return None if row is None else row.paused_reason

    def sent(
        self,
        account: str | None,
        kind: Literal["post", "reply"] | None,
        since: datetime,
        until: datetime,
        *,
        planned: bool,
        apart_from: int | None = None,
    ) -> list[datetime]:
        """When drafts went out, oldest first. `account` None means all accounts, `kind` None means both."""
        only = _apart(apart_from)
        if account is not None:
            only.append(col(Post.account) == account)
        if kind is not None:
            only.append(col(Post.kind) == kind)
        return sorted(self._session.exec(select(_moments(since, until, planned, only).c.moment)).all())

    def replies_to(self, author_hash: str, since: datetime, until: datetime, *, apart_from: int | None = None) -> int:
        """Replies of ours to this person, planned ones included."""
        theirs = select(Inbound.id).where(Inbound.author_hash == author_hash)
        only = [col(Post.mention_id).in_(theirs), *_apart(apart_from)]
        return self._session.exec(select(func.count()).select_from(_moments(since, until, True, only))).one()

    def replies_in(self, account: str, thread: str, *, apart_from: int | None = None) -> int:
        """Replies of ours in this thread, planned ones included."""
        return self._replies(Post.account == account, Inbound.thread == thread, apart_from=apart_from)

    def replies_above(self, account: str, ref: str) -> int:
        """Replies of ours in the chain of answers that leads up to the text `ref`, that text included."""
        count = 0
        above: str | None = ref
        for _ in range(DEEPEST):
            if above is None:
                break
            ours = self._session.exec(
                select(Inbound.ref)
                .join(Post, col(Post.mention_id) == col(Inbound.id))
                .where(Post.account == account, Post.ref == above, Post.state == State.PUBLISHED)
            ).first()
            if ours is not None:
                count, above = count + 1, ours
                continue
            heard = select(Inbound.in_reply_to).where(Inbound.account == account, Inbound.ref == above)
            above = self._session.exec(heard).first()
        return count

    def answered(self, platform: str, ref: str, *, apart_from: int | None = None) -> bool:
        """Whether this inbound text has its one automated reply, planned ones included, from any account of ours."""
        here = col(Inbound.account).startswith(f"{platform}/", autoescape=True)
        return self._replies(here, Inbound.ref == ref, apart_from=apart_from) > 0

    def do_not_contact(self, author_hash: str) -> bool:
        """Whether this person asked for silence."""
        return is_do_not_contact(self._session, author_hash)

    def texts(
        self, platform: str, since: datetime, until: datetime, *, planned: bool, apart_from: int | None = None
    ) -> Sequence[StoredText]:
        """Texts of posts (never of replies) on this platform, by any of our accounts, oldest first.

        What an account published without Kairos counts like the rest, with no campaign and no item.
        """
        here = col(Post.account).startswith(f"{platform}/", autoescape=True)
        found = _moments(since, until, planned, [col(Post.kind) == "post", here, *_apart(apart_from)])
        query = select(Post, found.c.moment).join(found, found.c.id == Post.id).order_by(found.c.moment, found.c.id)
        ours = [
            StoredText(post.account, platform, words_of(post.draft), moment, post.campaign, post.item)
            for post, moment in self._session.exec(query).all()
        ]
        return sorted([*self._earlier(platform, since, until), *ours], key=lambda text: text.at)

    def _earlier(self, platform: str, since: datetime, until: datetime) -> list[StoredText]:
        """Public posts that never were in the outbox: imported, backfilled, or published by hand."""
        query = select(History.account, History.text, History.created_at).where(
            col(History.account).startswith(f"{platform}/", autoescape=True),
            col(History.created_at) >= since,
            col(History.created_at) < until,
            func.coalesce(History.post_id, 0) == 0,  # "is null" would find its own index and read a whole import
            History.kind != REPLY,
        )
        return [
            StoredText(account, platform, text, at, campaign="", item="")
            for account, text, at in self._session.exec(query.order_by(col(History.created_at), col(History.id))).all()
        ]

    def _replies(self, *only: Any, apart_from: int | None) -> int:
        """How many replies went out, may have, or are meant to."""
        query = (
            select(func.count())
            .select_from(Post)
            .join(Inbound, col(Inbound.id) == col(Post.mention_id))
            .where(col(Post.state).in_([State.PUBLISHED, *PERHAPS, *MEANT]), *only, *_apart(apart_from))
        )
        return self._session.exec(query).one()


def _apart(post_id: int | None) -> list[ColumnElement[bool]]:
    return [] if post_id is None else [col(Post.id) != post_id]


def _moments(since: datetime, until: datetime, planned: bool, only: Sequence[ColumnElement[bool]]) -> Subquery:
    """Ids and times of drafts in the interval: one part for each kind of time, so that each finds its index."""
    perhaps = type_coerce(func.coalesce(Post.intent_at, Post.updated_at), UTCDateTime)
    parts: list[tuple[tuple[State, ...], Any]] = [((State.PUBLISHED,), col(Post.published_at)), (PERHAPS, perhaps)]
    if planned:
        parts.append((MEANT, col(Post.not_before)))
    return union_all(
        *(
            rows_of(col(Post.id), moment.label("moment")).where(
                col(Post.state).in_(states), moment >= since, moment < until, *only
            )
            for states, moment in parts
        )
    ).subquery()
