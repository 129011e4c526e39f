"""Secrets as ciphertext: kept by name, replaced whole, removed by account; an older database gets room for it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from storage import engagement, schema, sealed
from storage.database import Database, open_database
from storage.models import Sealed

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_a_ciphertext_is_kept_replaced_and_removed(db: Database) -> None:
    with db.write() as session:
        assert sealed.sealed(session, "fake/main", "token") is None
        sealed.seal(session, "fake/main", "token", "c1", NOON)
        sealed.seal(session, "fake/main", "token", "c2", NOON + timedelta(hours=1))
        row = session.get_one(Sealed, ("fake/main", "token"))
        assert (row.ciphertext, row.at) == ("c2", NOON + timedelta(hours=1))
        assert sealed.sealed(session, "fake/main", "token") == "c2"
        sealed.seal(session, "fake/main", "token", None, NOON)
        sealed.seal(session, "fake/main", "token", None, NOON)
        assert sealed.sealed(session, "fake/main", "token") is None


def test_names_are_listed_by_account_and_removing_one_account_leaves_the_others(db: Database) -> None:
    with db.write() as session:
        for account, name in (("fake/main", "token"), ("fake/other", "token"), ("fake/main", "app_id")):
            sealed.seal(session, account, name, "c", NOON)
        assert sealed.names(session) == {"fake/main": ["app_id", "token"], "fake/other": ["token"]}
        assert sealed.remove(session, "fake/main") == ["app_id", "token"]
        assert sealed.remove(session, "fake/main") == []
        assert sealed.names(session) == {"fake/other": ["token"]}


def test_a_ciphertext_another_process_wrote_is_seen_in_an_open_session(db: Database, address: str) -> None:
    other = open_database(address)
    with db.write() as session:
        sealed.seal(session, "fake/main", "token", "old", NOON)
    with other.write() as session:
        sealed.seal(session, "fake/main", "token", "new", NOON)
    with db.read() as session:
        assert sealed.sealed(session, "fake/main", "token") == "new"
    other.close()


def test_a_database_of_the_first_version_gets_the_new_places_and_keeps_its_rows(tmp_path: Path) -> None:
    file = tmp_path / "kairos.db"
    db = open_database(file)
    with db.write() as session:
        engagement.ensure_account(session, "fake/main", NOON)
        connection = session.connection()
        connection.execute(text("DROP TABLE sealed"))
        connection.execute(text("ALTER TABLE account DROP COLUMN checked_at"))
        connection.execute(text("UPDATE kairos_version SET version_num = '0001'"))
    db.close()
    db = open_database(file)
    with db.write() as session:
        assert [(row.id, row.checked_at) for row in engagement.accounts(session)] == [("fake/main", None)]
        sealed.seal(session, "fake/main", "token", "c", NOON)
        assert schema.revision(session.connection(), "here") == schema.HEAD
    db.close()
