"""What people say to us on Bluesky, out of our notifications: what came after a cursor, oldest first; no verbs here."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from atproto_client import Client, models

from connectors.base import Address, Mention, MentionPage, Ref
from connectors.bluesky.records import moment_of, place_of, ref_of, stamp
from connectors.errors import Rejected

PAGE = 100
MOST_PAGES = 50
"""How far back one look goes, in pages."""
OVERLAP = timedelta(minutes=10)
"""A notification is placed by when its text was written and may come in late: this much is read again every time."""
REASONS: dict[str, Address] = {"mention": "mention", "reply": "reply", "quote": "quote"}


class Inbox:
    """The notifications of one account. A cursor names the newest moment seen, and what was seen just before it."""

    def __init__(self, client: Client, did: str) -> None:
        self._client, self._did = client, did

    def after(self, cursor: str | None) -> MentionPage:
        """What is new since the cursor; raises what the SDK raises, and Rejected for a cursor that is none of ours."""
        before, seen = _read(cursor)
        read = sorted(self._since(before and before - OVERLAP), key=lambda pair: (pair[0], pair[1].uri))
        new = [(at, each) for at, each in read if _mark(each.uri) not in seen]
        if not new:
            return MentionPage((), cursor)
        newest = read[-1][0]
        marks = sorted({_mark(each.uri) for at, each in read if at >= newest - OVERLAP})
        mentions = (self._mention(at, each) for at, each in new)
        written = json.dumps({"at": stamp(newest), "seen": marks}, separators=(",", ":"))
        return MentionPage(tuple(mention for mention in mentions if mention is not None), written)

    def _since(self, since: datetime | None) -> list[tuple[datetime, Any]]:
        found: list[tuple[datetime, Any]] = []
        asked: dict[str, Any] = {"limit": PAGE, "reasons": list(REASONS)}
        for _ in range(MOST_PAGES):
            page = self._client.app.bsky.notification.list_notifications(asked)
            dated = [(moment_of(each.indexed_at), each) for each in page.notifications]
            found += [(at, each) for at, each in dated if since is None or at >= since]
            if not page.cursor or not dated or (since is not None and dated[-1][0] < since):
                break
            asked["cursor"] = page.cursor
        return [(at, each) for at, each in found if each.reason in REASONS]

    def _mention(self, at: datetime, each: Any) -> Mention | None:
        post = each.record
        if not isinstance(post, models.AppBskyFeedPost.Record):
            return None
        address, above, thread = REASONS[each.reason], None, Ref(each.uri)
        root = None
        if post.reply is not None:
            above = ref_of(post.reply.parent.uri, post.reply.parent.cid)
            root = {"uri": post.reply.root.uri, "cid": post.reply.root.cid}
            thread = Ref(root["uri"])
            place = place_of(above.id)
            if address == "reply" and (place is None or place[0] != self._did):
                address = "none"  # further down in a thread of ours, to somebody else
        labels = {label.val for label in each.author.labels or () if not label.neg}
        return Mention(
            ref_of(each.uri, each.cid, root),
            each.author.did,
            f"@{each.author.handle}",
            post.text,
            at,
            address,
            above,
            thread,
            "bot" in labels,
            post.langs[0] if post.langs else None,
        )


def _mark(uri: str) -> str:
    return hashlib.sha256(uri.encode()).hexdigest()[:10]


def _read(cursor: str | None) -> tuple[datetime | None, set[str]]:
    if cursor is None:
        return None, set()
    try:
        written = json.loads(cursor)
        return moment_of(written["at"]), {str(mark) for mark in written["seen"]}
    except (ValueError, TypeError, KeyError):
        raise Rejected(f"bluesky: the cursor {cursor[:40]!r} is none of ours") from None
