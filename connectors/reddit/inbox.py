"""What people say to us on Reddit, out of three lists that hold no private message: what came after a cursor."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import praw

from connectors.base import MentionPage
from connectors.errors import Rejected
from connectors.reddit import posts

FIRST = 100
"""How many of each list are read where there is no cursor."""
OVERLAP = timedelta(minutes=10)
"""A comment is placed by when it was written and may come in late: this much is read again every time."""


def after(reddit: praw.Reddit, cursor: str | None) -> MentionPage:
    """What is new since the cursor, oldest first. It names the newest moment, and what was seen just before it."""
    before, seen = _read(cursor)
    read = {posts.name_of(thing): thing for thing in _since(reddit, before and before - OVERLAP)}
    dated = sorted(
        ((posts.moment(thing), name) for name, thing in read.items()), key=lambda one: (one[0], len(one[1]), one[1])
    )
    new = [name for _, name in dated if _mark(name) not in seen]
    if not new:
        return MentionPage((), cursor)
    newest = dated[-1][0]
    marks = sorted({_mark(name) for at, name in dated if at >= newest - OVERLAP})
    written = json.dumps({"at": int(newest.timestamp()), "seen": marks}, separators=(",", ":"))
    mentions = (posts.mention(read[name]) for name in new)
    return MentionPage(tuple(one for one in mentions if one is not None), written)


def _since(reddit: praw.Reddit, since: datetime | None) -> Iterator[posts.Told]:
    """The newest of each list come first. Looking does not mark them as read: they stay unread for the person."""
    inbox = reddit.inbox
    limit = FIRST if since is None else None
    # Mentions last: what is in two lists is a mention.
    for listed in (inbox.submission_replies, inbox.comment_replies, inbox.mentions):
        for thing in islice(listed(limit=limit), limit):
            comment = posts.told(thing)
            if since is not None and posts.moment(comment) < since:
                break
            yield comment


def _mark(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:10]


def _read(cursor: str | None) -> tuple[datetime | None, set[str]]:
    if cursor is None:
        return None, set()
    try:
        written = json.loads(cursor)
        return datetime.fromtimestamp(int(written["at"]), UTC), {str(mark) for mark in written["seen"]}
    except (ValueError, TypeError, KeyError, OverflowError, OSError):
        raise Rejected(f"reddit: the cursor {cursor[:40]!r} is none of ours") from None
