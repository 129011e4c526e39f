"""A rehearsal learns what truly happened, keeps what it rehearsed, and the truth learns nothing back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from storage import engagement, outbox, rehearsal
from storage.database import Database, open_database
from storage.history import CHUNK
from storage.models import Account, History, Post, Snapshot, State

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ACCOUNT = "fake/main"


@pytest.fixture
def rehearsed(tmp_path: Path, empty: Path) -> Iterator[Database]:
    file = tmp_path / "rehearsal.db"
    file.write_bytes(empty.read_bytes())
    db = open_database(file)
    yield db
    db.close()


def publish(db: Database, post: Post, ref: str) -> None:
    with db.write() as session:
        engagement.ensure_account(session, ACCOUNT, NOON)
        (added,) = outbox.add(session, [post])
        assert added.id is not None
        outbox.published(session, added.id, ref=ref, published_at=NOON, now=NOON)


def record(db: Database, *own: engagement.HistoryRow, now: datetime = NOON) -> None:
    with db.write() as session:
        engagement.record_history(session, ACCOUNT, own, "backfill", now)


def likes(db: Database) -> dict[str, int | None]:
    with db.read() as session:
        return {post.ref: post.likes for post in engagement.history(session, ACCOUNT)}


def test_accounts_history_and_counts_are_carried_over_once(db: Database, rehearsed: Database, rows: Any) -> None:
    record(db, rows.past("a", likes=3), rows.past("b"))
    publish(db, rows.post(), "c")
    assert rehearsal.refresh(db, rehearsed) == 5
    assert likes(rehearsed) == {"a": 3, "b": None, "c": None}
    assert rehearsal.refresh(db, rehearsed) == 0
    with rehearsed.read() as session:
        assert [row.id for row in session.exec(select(Account)).all()] == [ACCOUNT]


def test_what_is_new_in_the_truth_follows(db: Database, rehearsed: Database, rows: Any) -> None:
    record(rehearsed, rows.past("only rehearsed", likes=9))
    record(db, rows.past("a", likes=3))
    rehearsal.refresh(db, rehearsed)
    record(db, rows.past("a", likes=5), rows.past("b", likes=1), now=NOON + HOUR)
    assert rehearsal.refresh(db, rehearsed) == 3
    assert likes(rehearsed) == {"only rehearsed": 9, "a": 5, "b": 1}
    assert likes(db) == {"a": 5, "b": 1}


def test_outbox_pauses_and_cursors_are_not_copied(db: Database, rehearsed: Database, rows: Any) -> None:
    publish(db, rows.post(), "a")
    with db.write() as session:
        outbox.add(session, [rows.post()])
        account = session.get_one(Account, ACCOUNT)
        account.paused_reason, account.mention_cursor = "failed", "c9"
        session.add(account)
    rehearsal.refresh(db, rehearsed)
    with rehearsed.read() as session:
        assert sum(outbox.count_by_state(session).values()) == 0
        copied = session.get_one(Account, ACCOUNT)
        assert (copied.paused_reason, copied.mention_cursor) == (None, None)
        assert [row.post_id for row in session.exec(select(History)).all()] == [None]


def test_the_same_public_post_keeps_its_rehearsed_row(db: Database, rehearsed: Database, rows: Any) -> None:
    publish(rehearsed, rows.post(text="rehearsed"), "a")
    record(db, rows.past("a", text="true", likes=3))
    rehearsal.refresh(db, rehearsed)
    with rehearsed.read() as session:
        (row,) = session.exec(select(History)).all()
        assert (row.text, row.source) == ("rehearsed", "kairos")
        assert outbox.count_by_state(session)[State.PUBLISHED] == 1
    assert likes(rehearsed) == {"a": 3}


def test_a_long_history_is_carried_in_pieces(db: Database, rehearsed: Database, rows: Any) -> None:
    many = CHUNK + 3
    record(db, *(rows.past(str(place), likes=3 if place >= CHUNK - 3 else None) for place in range(many)))
    assert rehearsal.refresh(db, rehearsed) == 1 + many + 6
    with rehearsed.read() as session:
        assert len(session.exec(select(History.id)).all()) == many
        assert len(session.exec(select(Snapshot.id)).all()) == 6
