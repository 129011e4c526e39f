"""What can go wrong while a database is in use, and what is left of what was to be forgotten."""

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import select

from storage import mentions, notes
from storage.database import (
    Database,
    DatabaseBusy,
    DiskFull,
    open_database,
)
from storage.models import Note, Post

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOT = Path(__file__).parent.parent.parent


def notes_in(db: Database) -> list[str]:
    with db.read() as session:
        return sorted(session.exec(select(Note.name).where(Note.name != "install_id")).all())


def fill(db: Database, count: int) -> None:
    with db.write() as session:
        for place in range(count):
            session.add(Note(name=f"note {place}", value="x" * 2000, at=NOON))
            session.flush()


def test_a_full_disk_is_named_and_nothing_is_half_written(tmp_path: Path, empty: Path) -> None:
    file = tmp_path / "kairos.db"
    file.write_bytes(empty.read_bytes())
    db = open_database(file, migrate=False)
    pages = file.stat().st_size // 4096 + 10

    @event.listens_for(db.engine, "connect")
    def no_more_room(connection: sqlite3.Connection, record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    db.close()  # what was connected before has all the room there is
    with pytest.raises(DiskFull, match="nothing was half-written") as caught:
        fill(db, 200)
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)
    assert notes_in(db) == []
    fill(db, 2)
    assert notes_in(db) == ["note 0", "note 1"]
    db.close()


def test_another_process_that_keeps_writing_is_named(tmp_path: Path, empty: Path) -> None:
    file = tmp_path / "kairos.db"
    file.write_bytes(empty.read_bytes())
    one = open_database(file, migrate=False)
    other = open_database(file, migrate=False, busy_timeout=0.05)
    with one.write() as session:
        notes.set_note(session, "one", "1", NOON)
        with pytest.raises(DatabaseBusy, match="another process is writing"), other.write():
            pass
        assert notes_in(other) == []
    assert notes_in(other) == ["one"]
    one.close()
    other.close()


def test_defects_of_the_code_are_not_dressed_up(db: Database) -> None:
    with pytest.raises(IntegrityError), db.write() as session:
        session.add(Note(name="install_id", value="again", at=NOON))
    with pytest.raises(DBAPIError, match="no_such_table"), db.write() as session:
        session.connection().execute(text("SELECT * FROM no_such_table"))


WRITER = """
import sys
from datetime import UTC, datetime
from storage import notes
from storage.database import open_database

db = open_database(sys.argv[1], busy_timeout=30)
for place in range(40):
    with db.write() as session:
        count = int(notes.note(session, "count") or 0)
        notes.set_note(session, "count", str(count + 1), datetime(2026, 11, 24, tzinfo=UTC))
"""


def test_two_processes_write_in_turns_and_nothing_is_lost(tmp_path: Path, empty: Path) -> None:
    file = tmp_path / "kairos.db"
    file.write_bytes(empty.read_bytes())
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(file)], cwd=ROOT) for _ in range(2)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    db = open_database(file)
    with db.read() as session:
        assert notes.note(session, "count") == "80"
    db.close()


# --- forgetting -----------------------------------------------------------------------------------------------------


def found_in(folder: Path, words: bytes) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if words in file.read_bytes())


def test_what_was_forgotten_is_gone_from_the_files_after_a_scrub(tmp_path: Path, empty: Path, rows: Any) -> None:
    (tmp_path / "kairos.db").write_bytes(empty.read_bytes())
    db = open_database(tmp_path / "kairos.db", migrate=False)
    with db.write() as session:
        mentions.add_mentions(session, [rows.mention(text="my phone number is 555", author="@private-ann")])
    assert found_in(tmp_path, b"phone number") != []
    with db.write() as session:
        assert mentions.forget_old(session, NOON + timedelta(days=31), timedelta(days=30)) == 1
    db.scrub()
    assert found_in(tmp_path, b"phone number") == []
    assert found_in(tmp_path, b"private-ann") == []
    db.close()


def test_a_scrub_leaves_everything_else_as_it_is(db: Database, rows: Any) -> None:
    with db.write() as session:
        session.add(rows.post(text="stays"))
    db.scrub()
    with db.read() as session:
        assert [post.draft["text"] for post in session.exec(select(Post)).all()] == ["stays"]


def test_a_scrub_works_on_a_connection_that_a_reader_used_last(db: Database) -> None:
    with db.read() as session:
        session.exec(select(Note)).all()
    db.scrub()
    with db.write() as session:
        notes.set_note(session, "after", "still writable", NOON)
