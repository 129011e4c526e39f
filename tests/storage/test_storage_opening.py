"""Opening a database: what is made, what is left alone, and one clear line for each way it cannot be used."""

import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from storage import notes, schema
from storage.database import (
    Database,
    DatabaseDamaged,
    DatabaseReadOnly,
    DatabaseTooNew,
    StorageError,
    install_id,
    open_database,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def refused(url: str | Path, **options: Any) -> StorageError:
    with pytest.raises(StorageError) as caught:
        open_database(url, **options)
    assert "\n" not in str(caught.value)
    return caught.value


def name_of(db: Database) -> str:
    with db.read() as session:
        return install_id(session)


# --- opening --------------------------------------------------------------------------------------------------------


def test_an_installation_keeps_the_name_it_was_given(db: Database, address: str) -> None:
    again = open_database(address)
    assert name_of(again) == name_of(db)
    again.close()
    assert len(name_of(db)) == 32


def test_two_installations_have_two_names(tmp_path: Path) -> None:
    names = set()
    for place in ("a", "b"):
        db = open_database(tmp_path / place)
        names.add(name_of(db))
        db.close()
    assert len(names) == 2


def test_the_file_and_its_folder_are_made_for_the_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "state" / "deep" / "kairos.db"
    open_database(file).close()
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_every_commit_of_sqlite_is_on_the_disk_before_it_counts(tmp_path: Path) -> None:
    db = open_database(tmp_path / "kairos.db")
    with db.read() as session:
        said = {
            name: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    db.close()
    assert said == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_many_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    file = tmp_path / "kairos.db"
    opened: list[Database] = []
    threads = [threading.Thread(target=lambda: opened.append(open_database(file))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 6
    assert len({name_of(db) for db in opened}) == 1
    for db in opened:
        db.close()


# --- what cannot be opened ------------------------------------------------------------------------------------------


def test_a_database_of_a_newer_version_is_left_alone(db: Database, address: str) -> None:
    with db.write() as session:
        session.connection().execute(text("UPDATE kairos_version SET version_num = '9999'"))
    try:
        error = refused(address)
    finally:
        with db.write() as session:
            session.connection().execute(text(f"UPDATE kairos_version SET version_num = '{schema.HEAD}'"))
    assert isinstance(error, DatabaseTooNew)
    assert "made by a newer Kairos (revision 9999); upgrade Kairos" in str(error)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("a shopping list, and not a short one either: " * 40)
    error = refused(file)
    assert isinstance(error, DatabaseDamaged)
    assert str(file) in str(error)
    assert "not a database" in str(error)
    assert file.read_text().startswith("a shopping list")


def test_somebody_elses_database_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE recipe (name TEXT)")
    connection.close()
    assert "not one of Kairos" in str(refused(file))
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("recipe",)]
    connection.close()


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    assert "a folder, not a database" in str(refused(tmp_path))


def test_an_old_database_is_not_changed_by_who_may_not(tmp_path: Path) -> None:
    assert "not up to date" in str(refused(tmp_path / "kairos.db", migrate=False))


@pytest.mark.parametrize("url", ["mysql://somewhere/kairos", "oracle://somewhere"])
def test_only_two_kinds_of_database_are_served(url: str) -> None:
    assert "SQLite or PostgreSQL only" in str(refused(url))


@pytest.mark.parametrize("url", ["nonsense://ann:secret@somewhere", "postgresql://ann:secret@:port"])
def test_a_wrong_address_is_refused_without_its_password(url: str) -> None:
    error = refused(url)
    assert "not an address of a database" in str(error)
    assert "secret" not in str(error)


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    pytest.importorskip("psycopg", reason="PostgreSQL's driver is not installed")
    error = refused("postgresql+psycopg://ann:secret@127.0.0.1:1/kairos")
    assert "127.0.0.1:1/kairos" in str(error)
    assert "does not serve us" in str(error)
    assert "secret" not in str(error)


def test_a_damaged_file_is_named(tmp_path: Path, empty: Path) -> None:
    file = tmp_path / "kairos.db"
    whole = empty.read_bytes()
    file.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    error = refused(file)
    assert isinstance(error, DatabaseDamaged)
    assert f"{file}: the file is damaged; move it away and restore a backup" in str(error)


def test_a_file_that_may_only_be_read_can_be_read(tmp_path: Path, empty: Path) -> None:
    file = tmp_path / "kairos.db"
    file.write_bytes(empty.read_bytes())
    db = open_database(f"sqlite:///file:{file}?mode=ro&uri=true")
    assert name_of(db)
    with pytest.raises(DatabaseReadOnly, match="check who owns the file") as caught, db.write() as session:
        notes.set_note(session, "one", "1", NOON)
    assert "\n" not in str(caught.value)
    db.close()


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of an administrator, whom no folder refuses."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(mine)


def test_a_folder_that_may_not_be_written_to_is_named() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o555)
        with as_nobody():
            error = refused(folder / "kairos.db")
        folder.chmod(0o755)
    assert f"{folder}/kairos.db: cannot be made (Permission denied)" in str(error)
