"""The database: two ways in, one transaction at a time, each seen whole or not at all."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from storage import notes
from storage.database import (
    Database,
    DatabaseReadOnly,
    insert_missing,
    open_database,
)
from storage.models import Account, Note, Post

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOT = Path(__file__).parent.parent.parent


def notes_in(db: Database) -> list[str]:
    with db.read() as session:
        return sorted(session.exec(select(Note.name).where(Note.name != "install_id")).all())


def test_every_claim_is_asked_of_postgresql_too(server: str) -> None:
    assert server.startswith("postgresql")


# --- two ways in ----------------------------------------------------------------------------------------------------


def test_what_is_written_is_there_after_the_end_and_not_before(db: Database) -> None:
    with db.write() as session:
        notes.set_note(session, "one", "1", NOON)
        assert notes_in(db) == []
    assert notes_in(db) == ["one"]


def test_what_raises_undoes_the_whole_transaction(db: Database) -> None:
    def half() -> None:
        with db.write() as session:
            notes.set_note(session, "one", "1", NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert notes_in(db) == []


def test_a_look_cannot_write(db: Database) -> None:
    with pytest.raises(DatabaseReadOnly), db.read() as session:
        notes.set_note(session, "one", "1", NOON)
    with db.write() as session:
        notes.set_note(session, "two", "2", NOON)
    assert notes_in(db) == ["two"]


def test_a_look_sees_one_moment_whatever_is_written_meanwhile(db: Database) -> None:
    with db.read() as session:
        assert notes.note(session, "one") is None
        with db.write() as writing:
            notes.set_note(writing, "one", "1", NOON)
        assert notes.note(session, "one") is None
    assert notes_in(db) == ["one"]


def test_rows_stay_readable_after_their_session(db: Database, rows: Any) -> None:
    with db.write() as session:
        post = rows.post(text="still here")
        session.add(post)
    assert post.id is not None
    assert post.draft["text"] == "still here"


def test_writing_while_writing_is_a_defect_and_says_so(db: Database) -> None:
    with db.write(), pytest.raises(RuntimeError, match="hand the open session on"), db.write():
        pass


def test_threads_take_turns_and_none_is_lost(db: Database) -> None:
    def write() -> None:
        with db.write() as session:
            count = int(notes.note(session, "count") or 0)
            notes.set_note(session, "count", str(count + 1), NOON)

    threads = [threading.Thread(target=write) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read() as session:
        assert notes.note(session, "count") == "20"


def test_a_database_in_memory_is_one_for_all_sessions() -> None:
    db = open_database("sqlite://")
    with db.write() as session:
        notes.set_note(session, "one", "1", NOON)
    assert notes_in(db) == ["one"]
    assert db.place == ":memory:"
    db.close()


# --- times ----------------------------------------------------------------------------------------------------------


def test_a_naive_datetime_is_refused_at_the_door(db: Database, rows: Any) -> None:
    naive = datetime(2026, 11, 24, 12)  # noqa: DTZ001
    with pytest.raises(ValueError, match="only times with a zone"), db.write() as session:
        session.add(rows.post(not_before=naive))
    with pytest.raises(ValueError, match="only times with a zone"), db.read() as session:
        session.exec(select(Post).where(Post.not_before < naive)).all()


def test_any_zone_comes_back_as_the_same_moment_in_utc(db: Database, rows: Any) -> None:
    local = datetime(2026, 11, 24, 9, 30, 0, 123456, tzinfo=ZoneInfo("Australia/Adelaide"))
    with db.write() as session:
        post = rows.post(not_before=local)
        session.add(post)
        session.flush()
        session.refresh(post)
        assert post.not_before == local
        assert post.not_before.utcoffset() == timedelta(0)
        assert session.exec(select(Post.id).where(Post.not_before == local)).all() == [post.id]


# --- inserting ------------------------------------------------------------------------------------------------------


def test_insert_missing_gives_back_only_what_was_new_in_order_and_with_ids(db: Database) -> None:
    def accounts(*names: str) -> list[Account]:
        return [Account(id=f"fake/{name}", platform="fake", name=name, created_at=NOON) for name in names]

    with db.write() as session:
        assert [row.name for row in insert_missing(session, accounts("b"))] == ["b"]
        made = insert_missing(session, accounts("c", "b", "a", "c"))
        assert [row.name for row in made] == ["c", "a"]
        assert insert_missing(session, []) == []


def test_insert_missing_takes_thousands_of_rows(db: Database, rows: Any) -> None:
    with db.write() as session:
        made = insert_missing(session, [rows.mention() for _ in range(3000)])
    assert len({row.id for row in made}) == 3000
    assert [row.ref for row in made] == [f"m{place}" for place in range(3000)]


def test_insert_missing_sees_rows_added_one_by_one_before(db: Database, rows: Any) -> None:
    with db.write() as session:
        session.add(rows.mention(id=77))
        made = insert_missing(session, [rows.post(mention_id=77)])
        assert [row.mention_id for row in made] == [77]


def test_insert_missing_still_refuses_what_breaks_another_law(db: Database, rows: Any) -> None:
    with pytest.raises(IntegrityError), db.write() as session:
        insert_missing(session, [rows.post(mention_id=999)])
