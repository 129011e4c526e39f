"""What people say to us on Mastodon, out of our notifications: what came after a cursor, oldest first; no verbs."""

from datetime import datetime, timedelta
from typing import Any

from connectors.base import Address, Mention, MentionPage, Ref
from connectors.errors import Rejected
from connectors.mastodon.door import Gone, Server
from connectors.mastodon.posts import ID, Status, hearing, moment_of, words_of

PAGE = 40
FIRST_LOOK = timedelta(days=2)
"""How far back the first look goes."""
MOST_PAGES = 5
"""How many pages the first look may take."""


class Inbox:
    """The notifications of one account; private messages among them are passed over unread."""

    def __init__(self, server: Server, us: str, genuine: bool) -> None:
        self._server, self._us = server, us
        self._types = ["mention", "quote"] if genuine else ["mention"]

    def after(self, cursor: str | None, now: datetime) -> MentionPage:
        """The next page after the cursor; raises Rejected for a cursor that is none of ours."""
        if cursor is not None and not ID.fullmatch(cursor):
            raise Rejected("mastodon: the cursor is none of ours")
        page, since = (
            (self._page(min_id=cursor), None) if cursor else (self._recent(now - FIRST_LOOK), now - FIRST_LOOK)
        )
        new = [each for each in page if since is None or moment_of(each) >= since]
        heard = [self._mention(each) for each in new if self._concerns_us(each)]
        heard.sort(key=lambda mention: mention.created_at)
        return MentionPage(tuple(heard), str(page[0]["id"]) if page else cursor)

    def _recent(self, since: datetime) -> list[Status]:
        """Notifications back to then, newest first, in whole pages."""
        found: list[Status] = []
        for _ in range(MOST_PAGES):
            page = self._page(max_id=str(found[-1]["id"]) if found else None)
            found += page
            if not page or moment_of(page[-1]) < since:
                break
        return found

    def _page(self, **bounds: Any) -> list[Status]:
        """One page, newest first."""
        with self._server.border() as client:
            page = self._server.listed(client.notifications(types=list(self._types), limit=PAGE, **bounds))
            return sorted(page, key=lambda each: _order(str(each["id"])), reverse=True)

    def _concerns_us(self, told: Status) -> bool:
        status = told.get("status") or {}
        return bool(status) and told.get("type") in self._types and status.get("visibility") != "direct"

    def _mention(self, told: Status) -> Mention:
        status, author = told["status"], told["account"]
        above = status.get("in_reply_to_id")
        ours = str(status.get("in_reply_to_account_id")) == self._us
        address: Address = "quote" if told["type"] == "quote" else "reply" if above and ours else "mention"
        return Mention(
            ref=hearing(status),
            author_id=str(author["id"]),
            author=str(author["acct"]),
            text=words_of(status),
            created_at=moment_of(status),
            address=address,
            in_reply_to=Ref(str(above)) if above else None,
            thread=Ref(self._root(str(status["id"]))) if above else Ref(str(status["id"])),
            author_is_bot=bool(author.get("bot")),
            language=status.get("language"),
        )

    def _root(self, name: str) -> str:
        """The post a conversation began with."""
        try:
            with self._server.border() as client:
                above = client.status_context(name)["ancestors"]
                return str(above[0]["id"]) if above else name
        except Gone:
            return name


def _order(name: str) -> tuple[int, str]:
    """Names of notifications in the order they came: numbers on Mastodon, letters of one length elsewhere."""
    return len(name), name
