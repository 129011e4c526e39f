"""Brings a rehearsal's database up to what truly happened; never the other way, and never an outbox row."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from sqlmodel import Session, SQLModel, col, select

from storage.database import Database, insert_missing
from storage.models import Account, History, Snapshot

AT_ONCE = 5000
"""Rows carried over in one go."""

Row = TypeVar("Row", bound=SQLModel)
Place = tuple[str, str]
"""Account and the platform's name of a post: what a post is called in both databases."""


def refresh(truth: Database, rehearsal: Database) -> int:
    """Copy accounts, history and snapshots that the rehearsal lacks; gives back how many rows that were.

    What happened in the rehearsal stays. Pauses, cursors and the outbox are the truth's own and are not copied.
    """
    with truth.read() as true, rehearsal.write() as rehearsed:
        accounts = [
            Account(id=account.id, platform=account.platform, name=account.name, created_at=account.created_at)
            for account in true.exec(select(Account)).all()
        ]
        copied = len(insert_missing(rehearsed, accounts))
        known = _ids(rehearsed)
        copied += _carry(true, rehearsed, History, lambda row: _history(row, known))
        ours = _ids(rehearsed)
        names = {history_id: ours[place] for place, history_id in _ids(true).items()}
        taken = set(rehearsed.exec(select(Snapshot.history_id, Snapshot.due_age_s)).all())
        return copied + _carry(true, rehearsed, Snapshot, lambda row: _snapshot(row, names, taken))


def _carry(true: Session, rehearsed: Session, model: type[Row], copy: Callable[[Row], Row | None]) -> int:
    copied = 0
    for rows in _in_pieces(true, model):
        copied += len(insert_missing(rehearsed, [made for row in rows if (made := copy(row)) is not None]))
        rehearsed.expunge_all()
    return copied


def _history(row: History, known: dict[Place, int]) -> History | None:
    if (row.account, row.ref) in known:
        return None
    return History(**row.model_dump(exclude={"id", "post_id"}))


def _snapshot(row: Snapshot, names: dict[int, int], taken: set[tuple[int, int]]) -> Snapshot | None:
    history_id = names[row.history_id]
    if (history_id, row.due_age_s) in taken:
        return None
    return Snapshot(history_id=history_id, **row.model_dump(exclude={"id", "history_id"}))


def _ids(session: Session) -> dict[Place, int]:
    rows = session.exec(select(History.account, History.ref, History.id)).all()
    return {(account, ref): history_id for account, ref, history_id in rows if history_id is not None}


def _in_pieces(session: Session, model: type[Row]) -> Iterator[Sequence[Row]]:
    number = col(model.id)  # type: ignore[attr-defined]
    last = 0
    while rows := session.exec(select(model).where(number > last).order_by(number).limit(AT_ONCE)).all():
        yield rows
        last = rows[-1].id  # type: ignore[attr-defined]
        session.expunge_all()
