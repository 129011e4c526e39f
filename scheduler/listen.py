"""What people say to us, taken in page by page, each text once; what is answered, and whether, is decided elsewhere."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from sqlmodel import Session

from connectors.base import Mention, MentionPage
from connectors.errors import ConnectorError
from scheduler.clock import Clock
from scheduler.events import Event, OnEvent, unheard
from scheduler.sending import Connectors
from storage import engagement, mentions
from storage.database import Database
from storage.models import Account, Inbound

Triage = Callable[[Session, Inbound], None]
"""Asked about each new mention, in the transaction that stores it."""

MOST_PAGES = 20
"""Pages read from one account in one tick; the rest waits for the next one."""


def listen(
    db: Database,
    connectors: Connectors,
    accounts: Iterable[str],
    clock: Clock,
    hash_key: bytes,
    triage: Triage,
    on_event: OnEvent = unheard,
) -> int:
    """Take in new mentions of these accounts; gives back how many were new.

    Each page is one transaction with its cursor: after a crash a page is read again and adds nothing twice. Of an
    author only the keyed hash outlives the pending reply. An account whose platform does not answer is left for the
    next tick.
    """
    heard = 0
    for account in accounts:
        new = 0
        try:
            for page in _pages(db, connectors, account, clock):
                new += _take_in(db, account, page, clock(), hash_key, triage)
        except ConnectorError as error:
            on_event(Event("listen.failed", clock(), account=account, words=str(error)))
        if new:
            on_event(Event("listen.heard", clock(), account=account, words=f"{new} new mentions"))
        heard += new
    return heard


def _pages(db: Database, connectors: Connectors, account: str, clock: Clock) -> Iterator[MentionPage]:
    """Pages from the stored cursor on until it stands still, bounded."""
    with db.read() as session:
        known = session.get(Account, account)
    if known is None:
        with db.write() as session:
            known = engagement.ensure_account(session, account, clock())
    cursor = known.mention_cursor
    connector = connectors(account)
    for _ in range(MOST_PAGES):
        page = connector.mentions(cursor)
        if page.mentions or page.cursor != cursor:
            yield page
        if page.cursor == cursor:
            return
        cursor = page.cursor


def _take_in(db: Database, account: str, page: MentionPage, now: datetime, hash_key: bytes, triage: Triage) -> int:
    with db.write() as session:
        new = mentions.add_mentions(session, [_row(account, mention, now, hash_key) for mention in page.mentions])
        for inbound in new:
            triage(session, inbound)
        mentions.set_cursor(session, account, page.cursor)
    return len(new)


def _row(account: str, mention: Mention, now: datetime, hash_key: bytes) -> Inbound:
    platform = account.partition("/")[0]
    return Inbound(
        account=account,
        ref=mention.ref.id,
        extras=mention.ref.extras,
        author_hash=mentions.author_hash(hash_key, platform, mention.author_id),
        author=mention.author,
        text=mention.text,
        address=mention.address,
        author_is_bot=mention.author_is_bot,
        in_reply_to=mention.in_reply_to.id if mention.in_reply_to else None,
        thread=mention.thread.id if mention.thread else None,
        created_at=mention.created_at,
        seen_at=now,
    )
