"""Brings a rehearsal's database up to what truly happened; never the other way, and never an outbox row."""

from datetime import timedelta

from sqlmodel import col, select

from storage.database import Database
from storage.engagement import HistoryRow, ensure_account, import_rows
from storage.models import Account, History, Snapshot


def refresh(truth: Database, rehearsal: Database) -> int:
    """Copy accounts, history and latest counts that the rehearsal lacks; gives back how many posts were new."""
    copied = 0
    with truth.read() as session:
        accounts = list(session.exec(select(Account)).all())
    for account in accounts:
        with truth.read() as session:
            public = session.exec(select(History).where(History.account == account.id)).all()
            shots = session.exec(
                select(Snapshot)
                .join(History, col(History.id) == col(Snapshot.history_id))
                .where(History.account == account.id)
                .order_by(col(Snapshot.age_s))
            ).all()
        latest = {shot.history_id: shot for shot in shots}
        with rehearsal.write() as session:
            ensure_account(session, account.id, account.created_at)
            by_source: dict[str, list[HistoryRow]] = {}
            for post in public:
                by_source.setdefault(post.source, []).append(_row(post, latest.get(post.id or 0)))
            for source, rows in by_source.items():
                kept = source if source.startswith("import:") else f"import:{source}"
                copied += import_rows(session, account.id, rows, kept, account.created_at).added
    return copied


def _row(post: History, shot: Snapshot | None) -> HistoryRow:
    row = HistoryRow(ref=post.ref, text=post.text, kind=post.kind, created_at=post.created_at, extras=post.extras)
    if shot is None:
        return row
    return HistoryRow(
        ref=post.ref,
        text=post.text,
        kind=post.kind,
        created_at=post.created_at,
        extras=post.extras,
        likes=shot.likes,
        replies=shot.replies,
        shares=shot.shares,
        clicks=shot.clicks,
        impressions=shot.impressions,
        counts_age=timedelta(seconds=shot.age_s),
    )
