"""Which items of a campaign's sources have been taken, so that each comes once; not how a source is read."""

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from storage.database import insert_missing
from storage.models import Seen


def seen(session: Session, campaign: str, source: str) -> dict[str, dict[str, Any]]:
    """Items taken so far from this source, in the order taken: guid -> the post item made of it."""
    taken = select(Seen).where(Seen.campaign == campaign, Seen.source == source)
    rows = session.exec(taken.order_by(col(Seen.at), col(Seen.guid))).all()
    return {row.guid: row.item for row in rows}


def mark_seen(session: Session, campaign: str, source: str, guid: str, item: dict[str, Any], now: datetime) -> bool:
    """Remember an item as taken; False when it was already."""
    return bool(insert_missing(session, [Seen(campaign=campaign, source=source, guid=guid, item=item, at=now)]))
