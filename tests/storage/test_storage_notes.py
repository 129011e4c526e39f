"""Named values of the installation, and items of sources that were taken."""

from datetime import UTC, datetime, timedelta

from storage import notes, sources
from storage.database import Database, open_database
from storage.models import Note

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_a_note_is_written_changed_and_removed(db: Database) -> None:
    with db.write() as session:
        assert notes.note(session, notes.STOPPED) is None
        notes.set_note(session, notes.STOPPED, "by hand", NOON)
        notes.set_note(session, notes.STOPPED, "by hand again", NOON + timedelta(hours=1))
        row = session.get_one(Note, notes.STOPPED)
        assert (row.value, row.at) == ("by hand again", NOON + timedelta(hours=1))
        notes.set_note(session, notes.STOPPED, None, NOON)
        notes.set_note(session, notes.STOPPED, None, NOON)
        assert notes.note(session, notes.STOPPED) is None


def test_a_note_another_process_wrote_is_seen_in_an_open_session(db: Database, address: str) -> None:
    other = open_database(address)
    with db.write() as session:
        notes.set_note(session, "one", "1", NOON)
    with other.write() as session:
        notes.set_note(session, "one", "2", NOON)
    with db.read() as session:
        assert notes.note(session, "one") == "2"
    other.close()


def test_an_item_of_a_source_is_taken_once(db: Database) -> None:
    with db.write() as session:
        assert sources.mark_seen(session, "launch", "blog", "g1", {"text": "größe"}, NOON)
        assert not sources.mark_seen(session, "launch", "blog", "g1", {"text": "changed"}, NOON)
        assert sources.mark_seen(session, "launch", "news", "g1", {"text": "b"}, NOON)
        assert sources.mark_seen(session, "other", "blog", "g1", {"text": "c"}, NOON)
        assert sources.seen(session, "launch", "blog") == {"g1": {"text": "größe"}}
        assert sources.seen(session, "launch", "nothing") == {}


def test_items_of_a_source_come_in_the_order_in_which_they_were_taken(db: Database) -> None:
    with db.write() as session:
        for minutes, guid in enumerate(("z", "a", "m")):
            sources.mark_seen(session, "launch", "blog", guid, {}, NOON + timedelta(minutes=minutes))
    with db.read() as session:
        assert list(sources.seen(session, "launch", "blog")) == ["z", "a", "m"]
