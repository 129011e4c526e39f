"""Counts of our public posts, taken at fixed ages and only ever added; not what the counts are good for."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from connectors.base import Counts, OwnPost, Ref
from connectors.errors import ConnectorError
from scheduler.clock import Clock
from scheduler.events import Event, OnEvent, unheard
from scheduler.sending import Connectors
from storage import engagement
from storage.database import Database
from storage.engagement import DueSnapshot, HistoryRow

AT_ONCE = 200
"""Most posts of one account asked about in one tick, and most rows written in one transaction."""
SOURCE = "backfill"


def collect_due(
    db: Database,
    connectors: Connectors,
    clock: Clock,
    ages: Sequence[timedelta],
    on_event: OnEvent = unheard,
) -> int:
    """Measure every post whose next age has come; gives back how many snapshots were added.

    An account whose platform does not answer is left for the next tick and does not stop the others.
    """
    added = 0
    with db.read() as session:
        accounts = [account.id for account in engagement.accounts(session)]
    for account in accounts:
        with db.read() as session:
            due = engagement.due_snapshots(session, clock(), ages, AT_ONCE, account=account)
        if not due:
            continue
        try:
            counts = connectors(account).measure([Ref(row.ref, row.extras) for row in due])
        except ConnectorError as error:
            on_event(Event("collect.failed", clock(), account=account, words=str(error)))
            continue
        taken_at = clock()
        with db.write() as session:
            # A post that is gone gets a snapshot without counts: otherwise it would be asked about for ever.
            rows = [_snapshot(row, counts.get(row.ref), taken_at) for row in due]
            measured = sum(engagement.add_snapshot(session, **row) for row in rows)
        added += measured
        on_event(Event("collect.measured", taken_at, account=account, words=f"{measured} posts measured"))
    return added


def backfill(
    db: Database,
    connectors: Connectors,
    account: str,
    clock: Clock,
    since: datetime | None,
    on_event: OnEvent = unheard,
) -> int:
    """Take in what the account published before, with its counts as of now; gives back how many posts were new.

    Raises ConnectorError; what was read until then stays, and reading again adds nothing twice.
    """
    added = 0
    own = iter(connectors(account).own_posts(since))
    with db.write() as session:
        engagement.ensure_account(session, account, clock())
    for page in _pages(own):
        now = clock()
        with db.write() as session:
            added += engagement.record_history(session, account, [_row(post, now) for post in page], SOURCE, now)
    with db.write() as session:
        row = engagement.ensure_account(session, account, clock())
        row.backfilled_at = clock()
        session.add(row)
    on_event(Event("collect.backfilled", clock(), account=account, words=f"{added} earlier posts"))
    return added


def _pages(own: Iterator[OwnPost]) -> Iterator[list[OwnPost]]:
    while page := list(islice(own, AT_ONCE)):
        yield page


def _snapshot(row: DueSnapshot, counts: Counts | None, taken_at: datetime) -> dict[str, Any]:
    return {
        "history_id": row.history_id,
        "due_age": row.due_age,
        "age": taken_at - row.created_at,
        "taken_at": taken_at,
        **asdict(counts or Counts()),
    }


def _row(post: OwnPost, now: datetime) -> HistoryRow:
    return HistoryRow(
        ref=post.ref.id,
        extras=post.ref.extras,
        text=post.text,
        kind=post.kind,
        created_at=post.created_at,
        **asdict(post.counts),
        counts_age=now - post.created_at,
    )
