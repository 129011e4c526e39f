"""Reading our public posts with the counts known by some moment: what forecasts learn from; nothing is written here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, or_, select

from storage.models import History, Post, Snapshot

COUNTS = ("likes", "replies", "shares", "clicks", "impressions")
REPLY = "reply"
"""The kind of our answers to people: public, but no post."""
CHUNK = 5000
"""Values bound in one statement, far below any driver's limit."""


@dataclass(frozen=True)
class MeasuredPost:
    """A public post with its latest counts; `age_s` is its age in seconds when they were taken, None if never."""

    history_id: int
    ref: str
    text: str
    kind: str
    created_at: datetime
    likes: int | None
    replies: int | None
    shares: int | None
    clicks: int | None
    impressions: int | None
    age_s: int | None
    holdout: bool
    source: str


def history(
    session: Session, account: str, until: datetime | None = None, limit: int | None = 1000
) -> list[MeasuredPost]:
    """The account's last `limit` posts (no replies), oldest first, each with the counts known by `until`.

    Nothing published or measured after `until` shows in any way.
    """
    recent = select(History.id).where(History.account == account, History.kind != REPLY)
    if until is not None:
        recent = recent.where(col(History.created_at) <= until)
    recent = recent.order_by(col(History.created_at).desc(), col(History.id).desc())
    return _measured(session, recent if limit is None else recent.limit(limit), until)


def by_ids(session: Session, ids: Sequence[int]) -> dict[int, MeasuredPost]:
    """Public posts by their ids, with their latest counts."""
    found: dict[int, MeasuredPost] = {}
    for chunk in in_chunks(list(ids)):
        found |= {
            row.history_id: row for row in _measured(session, select(History.id).where(col(History.id).in_(chunk)))
        }
    return found


def by_posts(session: Session, post_ids: Sequence[int]) -> dict[int, MeasuredPost]:
    """Public posts by the ids of their outbox rows, with their latest counts."""
    known: dict[int, int] = {}
    for chunk in in_chunks(list(post_ids)):
        query = select(History.post_id, History.id).where(col(History.post_id).in_(chunk))
        known |= {post_id: row_id for post_id, row_id in session.exec(query).all() if post_id and row_id}
    measured = by_ids(session, list(known.values()))
    return {post_id: measured[row_id] for post_id, row_id in known.items()}


def latest_snapshots(session: Session, ids: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    """By post: the age in seconds and the five counts of its latest snapshot that says anything."""
    found: dict[int, tuple[Any, ...]] = {}
    for chunk in in_chunks(list(ids)):
        shots = _latest(None, col(Snapshot.history_id).in_(chunk))
        rows = session.connection().execute(rows_of(shots).where(shots.c.place == 1)).all()
        found |= {row.history_id: (row.age_s, *(getattr(row, name) for name in COUNTS)) for row in rows}
    return found


def in_chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The values in pieces small enough to bind in one statement."""
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))


def _measured(session: Session, ids: Any, until: datetime | None = None) -> list[MeasuredPost]:
    wanted = ids.subquery()
    shots = _latest(until, col(Snapshot.history_id).in_(select(wanted.c.id)))
    query = (
        rows_of(
            col(History.id),
            col(History.ref),
            col(History.text),
            col(History.kind),
            col(History.created_at),
            *(shots.c[name] for name in COUNTS),
            shots.c.age_s,
            func.coalesce(Post.holdout, False),
            col(History.source),
        )
        .join(wanted, wanted.c.id == History.id)
        .outerjoin(shots, (shots.c.history_id == History.id) & (shots.c.place == 1))
        .outerjoin(Post, col(Post.id) == col(History.post_id))
        .order_by(col(History.created_at), col(History.id))
    )
    return [MeasuredPost(*row) for row in session.connection().execute(query)]


def _latest(until: datetime | None, only: Any) -> Any:
    """Snapshots that say anything, taken by `until`, with their place from the latest backwards, post by post."""
    place = func.row_number().over(
        partition_by=col(Snapshot.history_id), order_by=(col(Snapshot.age_s).desc(), col(Snapshot.id).desc())
    )
    counts = [col(getattr(Snapshot, name)) for name in COUNTS]
    query = rows_of(col(Snapshot.history_id), col(Snapshot.age_s), *counts, place.label("place")).where(
        or_(*(count.is_not(None) for count in counts)), only
    )
    return (query if until is None else query.where(col(Snapshot.taken_at) <= until)).subquery()
