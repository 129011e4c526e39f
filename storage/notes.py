"""Named values of the installation itself: the kill switch, the install id; nothing a campaign says."""

from datetime import datetime

from sqlmodel import Session

from storage.models import Note

STOPPED = "stopped"
"""The kill switch: while this note has a value, nothing is written to any platform."""


def note(session: Session, name: str) -> str | None:
    """The value of a note, or None."""
    row = session.get(Note, name, populate_existing=True)
    return None if row is None else row.value


def set_note(session: Session, name: str, value: str | None, now: datetime) -> None:
    """Write a note; None removes it."""
    row = session.get(Note, name)
    if value is None:
        if row is not None:
            session.delete(row)
    elif row is None:
        session.add(Note(name=name, value=value, at=now))
    else:
        row.value, row.at = value, now
        session.add(row)
    session.flush()
