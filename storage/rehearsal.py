"""Brings a rehearsal's database up to what truly happened; never the other way, and never an outbox row."""

from collections.abc import Callable
from typing import TypeVar

from sqlmodel import Session, SQLModel, col, select

from storage.database import Database, insert_missing
from storage.history import in_chunks
from storage.models import Account, History, Snapshot

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
        theirs, known = _ids(true), _ids(rehearsed)
        new = [history_id for place, history_id in theirs.items() if place not in known]
        copied += _carry(true, rehearsed, History, new, _history)
        ours = _ids(rehearsed)
        names = {history_id: ours[place] for place, history_id in theirs.items()}
        taken = set(rehearsed.exec(select(Snapshot.history_id, Snapshot.due_age_s)).all())
        shots = true.exec(select(Snapshot.id, Snapshot.history_id, Snapshot.due_age_s).order_by(col(Snapshot.id))).all()
        new = [shot for shot, post, age in shots if shot is not None and (names[post], age) not in taken]
        return copied + _carry(true, rehearsed, Snapshot, new, lambda row: _snapshot(row, names))


def _carry(true: Session, rehearsed: Session, model: type[Row], ids: list[int], copy: Callable[[Row], Row]) -> int:
    copied = 0
    number = col(model.id)  # type: ignore[attr-defined]
    for piece in in_chunks(ids):
        rows = true.exec(select(model).where(number.in_(piece)).order_by(number)).all()
        copied += len(insert_missing(rehearsed, [copy(row) for row in rows]))
        true.expunge_all()
        rehearsed.expunge_all()
    return copied


def _history(row: History) -> History:
    return History(**row.model_dump(exclude={"id", "post_id"}))


def _snapshot(row: Snapshot, names: dict[int, int]) -> Snapshot:
    return Snapshot(history_id=names[row.history_id], **row.model_dump(exclude={"id", "history_id"}))


def _ids(session: Session) -> dict[Place, int]:
    rows = session.exec(select(History.account, History.ref, History.id).order_by(col(History.id))).all()
    return {(account, ref): history_id for account, ref, history_id in rows if history_id is not None}
