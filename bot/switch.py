"""The kill switch and its release: a file and a note in every database, any one of which is enough; no gate here."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

from bot.settings import Settings, is_there
from storage.database import Database, StorageError, open_database
from storage.models import Account
from storage.notes import STOPPED, note, set_note


@dataclass
class Switched:
    """Places where the switch was moved, and a line for each where it could not be."""

    places: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def pull(settings: Settings, why: str, now: datetime) -> Switched:
    """Stop everything. The file alone holds where no database can be opened, and a database where no file can."""
    done = Switched()
    try:
        settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.stop_file.touch()
        done.places.append(str(settings.stop_file))
        with suppress(OSError):  # an empty file is enough: a full disk may have no room for words
            settings.stop_file.write_text(f"{why}\n", encoding="utf-8")
    except OSError as error:
        done.failed.append(f"{settings.stop_file}: {error.strerror}")
    for url in _databases(settings):
        with _tried(done), _opened(url) as db:
            with db.write() as session:
                set_note(session, STOPPED, why, now)
            done.places.append(db.place)
    return done


def release(settings: Settings, now: datetime) -> Switched:
    """Start everything again, wherever it was stopped."""
    done = Switched()
    for url in _databases(settings):
        with _tried(done), _opened(url) as db:
            with db.write() as session:
                was = note(session, STOPPED)
                set_note(session, STOPPED, None, now)
            done.places += [db.place] if was is not None else []
    if settings.stop_file.exists():
        settings.stop_file.unlink(missing_ok=True)
        done.places.insert(0, str(settings.stop_file))
    return done


def pulled(settings: Settings) -> Switched:
    """Where everything is stopped now."""
    done = Switched([str(settings.stop_file)] if settings.stop_file.exists() else [])
    for url in _databases(settings):
        with _tried(done), _opened(url, migrate=False) as db, db.read() as session:
            done.places += [db.place] if note(session, STOPPED) is not None else []
    return done


def unpause(db: Database, account: str) -> str | None:
    """Let a paused account go on; gives back why it was paused, None when it was not."""
    with db.write() as session:
        row = session.get_one(Account, account)
        why, row.paused_reason = row.paused_reason, None
        session.add(row)
    return why


def _databases(settings: Settings) -> list[str]:
    return [url for url in settings.worlds.values() if is_there(url)]


@contextmanager
def _opened(url: str, *, migrate: bool = True) -> Iterator[Database]:
    db = open_database(url, migrate=migrate)
    try:
        yield db
    finally:
        db.close()


@contextmanager
def _tried(done: Switched) -> Iterator[None]:
    try:
        yield
    except StorageError as error:
        done.failed.append(str(error))
