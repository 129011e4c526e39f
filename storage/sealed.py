"""Secrets of accounts as ciphertext, row by row; no key and nothing readable is ever here."""

from datetime import datetime

from sqlmodel import Session, col, select

from storage.models import Sealed


def sealed(session: Session, account: str, name: str) -> str | None:
    """The ciphertext kept for an account under this name, or None."""
    row = session.get(Sealed, (account, name), populate_existing=True)
    return None if row is None else row.ciphertext


def seal(session: Session, account: str, name: str, ciphertext: str | None, now: datetime) -> None:
    """Keep a ciphertext in place of any former one; None removes it."""
    row = session.get(Sealed, (account, name))
    if ciphertext is None:
        if row is not None:
            session.delete(row)
    elif row is None:
        session.add(Sealed(account=account, name=name, ciphertext=ciphertext, at=now))
    else:
        row.ciphertext, row.at = ciphertext, now
        session.add(row)
    session.flush()


def names(session: Session) -> dict[str, list[str]]:
    """What is kept, by account: the names alone, both in order."""
    kept: dict[str, list[str]] = {}
    for account, name in session.exec(
        select(Sealed.account, Sealed.name).order_by(col(Sealed.account), col(Sealed.name))
    ):
        kept.setdefault(account, []).append(name)
    return kept


def remove(session: Session, account: str) -> list[str]:
    """Remove everything kept for an account; gives back the names of what was there."""
    rows = session.exec(select(Sealed).where(Sealed.account == account).order_by(col(Sealed.name))).all()
    for row in rows:
        session.delete(row)
    session.flush()
    return [row.name for row in rows]
