"""Our own public posts and their counts at each age, append-only; reading a whole history is in `storage.history`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import func
from sqlmodel import Session, col, or_, select

from storage.database import insert_missing
from storage.history import COUNTS, REPLY, MeasuredPost, by_ids, history, in_chunks, latest_snapshots
from storage.models import Account, History, Snapshot

__all__ = [
    "CHASE",
    "FINISHED",
    "DueSnapshot",
    "HistoryRow",
    "ImportOutcome",
    "MeasuredPost",
    "accounts",
    "add_snapshot",
    "by_ids",
    "due_snapshots",
    "ensure_account",
    "history",
    "import_rows",
    "next_snapshot",
    "posts_by_account",
    "record_history",
]

FINISHED = timedelta(days=30)
"""Age given to counts whose file does not say when they were taken: by then they hardly grow any more."""
CHASE = timedelta(days=30)
"""How long after the last age a post that was not measured then is still asked about."""


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
class ImportOutcome:
    """What an import changed: posts that were new, known with the same counts, known with new counts."""

    added: int
    unchanged: int
    updated: int


def ensure_account(session: Session, account: str, now: datetime) -> Account:
    """The account's row, made if it is not there; `account` reads platform/name."""
    platform, slash, name = account.partition("/")
    if not (platform and slash and name):
        raise ValueError(f"account {account!r} must read platform/name")
    insert_missing(session, [Account(id=account, platform=platform, name=name, created_at=now)])
    return session.get_one(Account, account)


def accounts(session: Session) -> list[Account]:
    """All accounts by name."""
    return list(session.exec(select(Account).order_by(col(Account.id))).all())


def posts_by_account(session: Session) -> dict[str, int]:
    """How many public posts (no replies) of each account are known."""
    query = select(History.account, func.count()).where(History.kind != REPLY).group_by(col(History.account))
    return dict(session.exec(query).all())


def record_history(session: Session, account: str, own: Iterable[HistoryRow], source: str, now: datetime) -> int:
    """Take in public posts with their counts; gives back how many were new. Doing it again changes nothing."""
    return import_rows(session, account, own, source, now).added


def import_rows(
    session: Session, account: str, rows: Iterable[HistoryRow], source: str, now: datetime
) -> ImportOutcome:
    """Take in a whole history; the same rows again change nothing, changed counts add a snapshot.

    Of several rows about one post the last one counts. `now` is when the counts of rows without `counts_age` were
    read: they stand at that age, or at FINISHED for older posts.
    """
    ensure_account(session, account, now)
    given = list(rows)
    incoming = {row.ref: row for row in given}
    known = _ids(session, account, incoming)
    fresh = insert_missing(
        session,
        [
            History(
                account=account,
                ref=row.ref,
                extras=row.extras,
                text=row.text,
                kind=row.kind,
                created_at=row.created_at,
                source=source,
            )
            for row in incoming.values()
            if row.ref not in known
        ],
    )
    latest = latest_snapshots(session, list(known.values()))
    changed = {
        history_id: incoming[ref]
        for ref, history_id in known.items()
        if incoming[ref].counted and latest.get(history_id, (None,))[1:] != tuple(incoming[ref].counts().values())
    }
    first = {row.id: incoming[row.ref] for row in fresh if row.id is not None and incoming[row.ref].counted}
    insert_missing(session, [_as_of_age(history_id, row, now) for history_id, row in first.items()])
    insert_missing(session, [_as_of_now(history_id, row, now) for history_id, row in changed.items()])
    return ImportOutcome(len(fresh), len(given) - len(fresh) - len(changed), len(changed))


def due_snapshots(
    session: Session, now: datetime, ages: Sequence[timedelta], limit: int, account: str | None = None
) -> list[DueSnapshot]:
    """Posts with an age that has come and was not measured, youngest age first; of several such ages, the latest.

    A count taken later than an age was due serves for it. Imported posts and replies are not measured, and a post is
    given up CHASE after its last age.
    """
    due: list[DueSnapshot] = []
    ordered = sorted(set(ages))
    for age, following in pairwise([*ordered, *(age + CHASE for age in ordered[-1:])]):
        age_s = int(age.total_seconds())
        measured = select(Snapshot.id).where(
            Snapshot.history_id == History.id, or_(col(Snapshot.due_age_s) >= age_s, col(Snapshot.age_s) >= age_s)
        )
        query = (
            select(History)
            .where(
                col(History.created_at) <= now - age,
                col(History.created_at) > now - following,
                col(History.source).not_like("import:%"),
                History.kind != REPLY,
                ~measured.exists(),
            )
            .order_by(col(History.created_at), col(History.id))
            .limit(limit - len(due))
        )
        if account is not None:
            query = query.where(History.account == account)
        due += [
            DueSnapshot(post.id, post.account, post.ref, post.extras, age, post.created_at)
            for post in session.exec(query).all()
            if post.id is not None
        ]
    return due


def next_snapshot(session: Session, now: datetime, ages: Sequence[timedelta]) -> datetime | None:
    """When the next age of any public post comes, after `now`."""
    coming = []
    for age in ages:
        query = select(func.min(History.created_at)).where(
            col(History.created_at) > now - age, col(History.source).not_like("import:%"), History.kind != REPLY
        )
        oldest = session.exec(query).one()
        if oldest is not None:
            coming.append(oldest + age)
    return min(coming, default=None)


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
    row = Snapshot(
        history_id=history_id,
        due_age_s=int(due_age.total_seconds()),
        age_s=int(age.total_seconds()),
        taken_at=taken_at,
        likes=likes,
        replies=replies,
        shares=shares,
        clicks=clicks,
        impressions=impressions,
    )
    return bool(insert_missing(session, [row]))


def _ids(session: Session, account: str, refs: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for chunk in in_chunks(list(refs)):
        query = select(History.ref, History.id).where(History.account == account, col(History.ref).in_(chunk))
        found |= {ref: history_id for ref, history_id in session.exec(query).all() if history_id is not None}
    return found


def _as_of_age(history_id: int, row: HistoryRow, now: datetime) -> Snapshot:
    """Counts at the age the file tells, or finished; they stand for what was known at that time, long ago or not."""
    age = row.counts_age if row.counts_age is not None else min(FINISHED, now - row.created_at)
    return _snapshot(history_id, row, max(age, timedelta(0)))


def _as_of_now(history_id: int, row: HistoryRow, now: datetime) -> Snapshot:
    """Counts that differ from the ones we have: whatever their file says of their age, they are known only now."""
    return _snapshot(history_id, row, max(now - row.created_at, timedelta(0)))


def _snapshot(history_id: int, row: HistoryRow, age: timedelta) -> Snapshot:
    age_s = int(age.total_seconds())
    taken_at = row.created_at + age
    return Snapshot(history_id=history_id, due_age_s=age_s, age_s=age_s, taken_at=taken_at, **row.counts())
