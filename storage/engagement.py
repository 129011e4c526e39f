"""Our own public posts and their counts at each age, append-only; not what they mean."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from storage.models import Account, History, Post, Snapshot

FINISHED = timedelta(days=30)
"""Age given to imported counts whose file does not say when they were taken: they hardly grow any more."""
CHASE = timedelta(days=30)
"""How long after its last due age a post that was never measured is still asked about."""
CHUNK = 400
"""Rows looked up in one statement; below SQLite's limit of bound values."""
COUNTS = ("likes", "replies", "shares", "clicks", "impressions")


@dataclass(frozen=True)
class HistoryRow:
    """One of our public posts as a platform or a file shows it; `counts_age` is its age when counted, if known."""

    ref: str
    text: str
    kind: str
    created_at: datetime
    extras: str = ""
    likes: int | None = None
    replies: int | None = None
    shares: int | None = None
    clicks: int | None = None
    impressions: int | None = None
    counts_age: timedelta | None = None

    def counts(self) -> dict[str, int | None]:
        """Its counts by name."""
        return {name: getattr(self, name) for name in COUNTS}

    @property
    def counted(self) -> bool:
        """Whether anything at all was measured."""
        return any(value is not None for value in self.counts().values())


@dataclass(frozen=True)
class DueSnapshot:
    """A public post whose next age has come."""

    history_id: int
    account: str
    ref: str
    extras: str
    due_age: timedelta
    created_at: datetime


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


@dataclass(frozen=True)
class ImportOutcome:
    """What an import changed: posts that were new, known with the same counts, known with new counts."""

    added: int
    unchanged: int
    updated: int


def ensure_account(session: Session, account: str, now: datetime) -> Account:
    """The account's row, made if it is not there; `account` reads platform/name."""
    row = session.get(Account, account)
    if row is None:
        platform, _, name = account.partition("/")
        row = Account(id=account, platform=platform, name=name, created_at=now)
        session.add(row)
        session.flush()
    return row


def accounts(session: Session) -> list[Account]:
    """All accounts by name."""
    return list(session.exec(select(Account).order_by(col(Account.id))).all())


def posts_by_account(session: Session) -> dict[str, int]:
    """How many public posts of each account are known."""
    rows = session.exec(select(History.account, func.count()).group_by(col(History.account))).all()
    return dict(rows)


def record_history(session: Session, account: str, rows: Iterable[HistoryRow], source: str, now: datetime) -> int:
    """Take in public posts with their counts; gives back how many were new. Doing it again changes nothing."""
    return import_rows(session, account, rows, source, now).added


def import_rows(
    session: Session, account: str, rows: Iterable[HistoryRow], source: str, now: datetime
) -> ImportOutcome:
    """Take in a whole history; the same rows again change nothing, changed counts add a snapshot."""
    ensure_account(session, account, now)
    incoming = {row.ref: row for row in rows}
    refs = list(incoming)
    added = unchanged = updated = 0
    for start in range(0, len(refs), CHUNK):
        chunk = refs[start : start + CHUNK]
        query = select(History).where(History.account == account, col(History.ref).in_(chunk))
        known = {post.ref: post for post in session.exec(query).all()}
        latest = _latest(session, [post.id for post in known.values() if post.id is not None])
        fresh = {}
        for ref in chunk:
            row = incoming[ref]
            if ref in known:
                post = known[ref]
                assert post.id is not None
                if not row.counted or _same(latest.get(post.id), row):
                    unchanged += 1
                else:
                    _import_counts(session, post.id, row, now, latest.get(post.id))
                    updated += 1
            else:
                post = History(
                    account=account,
                    ref=ref,
                    extras=row.extras,
                    text=row.text,
                    kind=row.kind,
                    created_at=row.created_at,
                    source=source,
                )
                session.add(post)
                fresh[ref] = post
                added += 1
        session.flush()
        for ref, post in fresh.items():
            assert post.id is not None
            if incoming[ref].counted:
                _import_counts(session, post.id, incoming[ref], now, None)
        session.flush()
    return ImportOutcome(added, unchanged, updated)


def due_snapshots(
    session: Session, now: datetime, ages: Sequence[timedelta], limit: int, account: str | None = None
) -> list[DueSnapshot]:
    """Posts with an age that has come and was not measured, newest post first; of several such ages, the latest.

    Imported posts are not measured again, and a post is given up CHASE after its last age.
    """
    if not ages:
        return []
    ordered = sorted(ages)
    taken = (
        select(Snapshot.history_id, func.max(Snapshot.due_age_s).label("last"))
        .group_by(col(Snapshot.history_id))
        .subquery()
    )
    query = (
        select(History, taken.c.last)
        .outerjoin(taken, taken.c.history_id == History.id)
        .where(
            col(History.created_at) <= now - ordered[0],
            col(History.created_at) > now - ordered[-1] - CHASE,
            col(History.source).not_like("import:%"),
        )
        .order_by(col(History.created_at).desc())
    )
    if account is not None:
        query = query.where(History.account == account)
    due: list[DueSnapshot] = []
    for post, last in session.exec(query).all():
        reached = [age for age in ordered if post.created_at + age <= now]
        if last is not None and last >= reached[-1].total_seconds():
            continue
        assert post.id is not None
        due.append(DueSnapshot(post.id, post.account, post.ref, post.extras, reached[-1], post.created_at))
        if len(due) >= limit:
            break
    return due


def next_snapshot(session: Session, now: datetime, ages: Sequence[timedelta]) -> datetime | None:
    """When the next age of any public post comes, after `now`."""
    if not ages:
        return None
    query = select(History.created_at).where(
        col(History.created_at) > now - max(ages), col(History.source).not_like("import:%")
    )
    moments = (made + age for made in session.exec(query).all() for age in ages)
    return min((moment for moment in moments if moment > now), default=None)


def add_snapshot(
    session: Session,
    history_id: int,
    due_age: timedelta,
    age: timedelta,
    taken_at: datetime,
    likes: int | None = None,
    replies: int | None = None,
    shares: int | None = None,
    clicks: int | None = None,
    impressions: int | None = None,
) -> bool:
    """Add the counts taken at an age; False, and nothing changed, when that age is there already."""
    due_age_s = int(due_age.total_seconds())
    query = select(Snapshot.id).where(Snapshot.history_id == history_id, Snapshot.due_age_s == due_age_s)
    if session.exec(query).first() is not None:
        return False
    session.add(
        Snapshot(
            history_id=history_id,
            due_age_s=due_age_s,
            age_s=int(age.total_seconds()),
            taken_at=taken_at,
            likes=likes,
            replies=replies,
            shares=shares,
            clicks=clicks,
            impressions=impressions,
        )
    )
    session.flush()
    return True


def history(session: Session, account: str, until: datetime | None = None, limit: int = 1000) -> list[MeasuredPost]:
    """The account's last `limit` public posts before `until`, oldest first, each with what was known by then."""
    recent = select(History, Post.holdout).outerjoin(Post, col(Post.id) == col(History.post_id))
    recent = recent.where(History.account == account)
    if until is not None:
        recent = recent.where(col(History.created_at) < until)
    rows = session.exec(recent.order_by(col(History.created_at).desc(), col(History.id).desc()).limit(limit)).all()
    latest = _latest(session, [post.id for post, _ in rows if post.id is not None], until)
    found = []
    for post, holdout in reversed(rows):
        assert post.id is not None
        shot = latest.get(post.id)
        counts: dict[str, Any] = {name: getattr(shot, name) if shot else None for name in COUNTS}
        found.append(
            MeasuredPost(
                history_id=post.id,
                ref=post.ref,
                text=post.text,
                kind=post.kind,
                created_at=post.created_at,
                **counts,
                age_s=shot.age_s if shot else None,
                holdout=bool(holdout),
                source=post.source,
            )
        )
    return found


def by_ids(session: Session, ids: Sequence[int]) -> dict[int, MeasuredPost]:
    """Public posts by their ids, with their latest counts."""
    latest = _latest(session, list(ids))
    rows = session.exec(select(History).where(col(History.id).in_(list(ids)))).all()
    found = {}
    for post in rows:
        assert post.id is not None
        shot = latest.get(post.id)
        counts: dict[str, Any] = {name: getattr(shot, name) if shot else None for name in COUNTS}
        found[post.id] = MeasuredPost(
            post.id,
            post.ref,
            post.text,
            post.kind,
            post.created_at,
            **counts,
            age_s=shot.age_s if shot else None,
            holdout=False,
            source=post.source,
        )
    return found


def _latest(session: Session, ids: Sequence[int], until: datetime | None = None) -> dict[int, Snapshot]:
    """The snapshot at the greatest age of each post, of those taken by `until`."""
    latest: dict[int, Snapshot] = {}
    for start in range(0, len(ids), CHUNK):
        query = select(Snapshot).where(col(Snapshot.history_id).in_(ids[start : start + CHUNK]))
        if until is not None:
            # Imported counts were taken long after, and stand for what was known at the post's own time.
            query = query.where((col(Snapshot.taken_at) <= until) | (col(Snapshot.age_s) >= _seconds(FINISHED)))
        for shot in session.exec(query.order_by(col(Snapshot.age_s), col(Snapshot.id))).all():
            latest[shot.history_id] = shot
    return latest


def _same(shot: Snapshot | None, row: HistoryRow) -> bool:
    return shot is not None and all(getattr(shot, name) == value for name, value in row.counts().items())


def _import_counts(session: Session, history_id: int, row: HistoryRow, now: datetime, last: Snapshot | None) -> None:
    """A snapshot at the age the file tells, or finished; a later one of the same age comes a second after."""
    age = row.counts_age if row.counts_age is not None else FINISHED
    due_age_s = _seconds(age)
    if last is not None and due_age_s <= last.due_age_s:
        due_age_s = last.due_age_s + 1
    session.add(
        Snapshot(
            history_id=history_id,
            due_age_s=due_age_s,
            age_s=max(due_age_s, _seconds(age)),
            taken_at=now,
            **row.counts(),
        )
    )


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
