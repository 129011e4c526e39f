"""The kill switch and its release: a file and a note in every database, any one of which is enough; no gate here."""

from datetime import datetime
from pathlib import Path

from bot.settings import Settings
from storage.database import Database, StorageError, open_database
from storage.models import Account
from storage.notes import STOPPED, set_note


def pull(settings: Settings, why: str, now: datetime) -> list[str]:
    """Stop everything; gives back where that is written now. The file alone holds where no database can be opened."""
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.stop_file.write_text(f"{why}\n", encoding="utf-8")
    return [str(settings.stop_file), *_write(settings, why, now)]


def release(settings: Settings, now: datetime) -> list[str]:
    """Start everything again; gives back where the stop was taken away."""
    cleared = _write(settings, None, now)
    if settings.stop_file.exists():
        settings.stop_file.unlink()
        cleared.insert(0, str(settings.stop_file))
    return cleared


def unpause(db: Database, account: str) -> str | None:
    """Let a paused account go on; gives back why it was paused, None when it was not."""
    with db.write() as session:
        row = session.get_one(Account, account)
        why, row.paused_reason = row.paused_reason, None
        session.add(row)
    return why


def _write(settings: Settings, why: str | None, now: datetime) -> list[str]:
    places = []
    for url in (settings.truth_url, settings.rehearsal_url):
        if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
            continue
        try:
            db = open_database(url)
        except StorageError as error:
            places.append(f"not {error}")
            continue
        try:
            with db.write() as session:
                set_note(session, STOPPED, why, now)
            places.append(db.place)
        except StorageError as error:
            places.append(f"not {error}")
        finally:
            db.close()
    return places
