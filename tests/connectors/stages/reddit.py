"""Reddit for the contract: the stand-in on loopback, with the real SDK in front of it.

The contract speaks of texts alone. Reddit's posts have a title and a community: they are put on and taken off here.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.base import Connector, Draft, OwnPost, Receipt, Ref, Surroundings
from connectors.reddit.account import RedditAccount
from tests.connectors.reddit.standin import US, StandIn

Parts = tuple[Connector, Any, Callable[[], object], Callable[[], object], Callable[[], object], Callable[[str], Ref]]

WAIT = {"json": {"errors": [["RATELIMIT", "Take a break for 9 minutes before trying again.", "ratelimit"]]}}
"""How Reddit asks to wait between posts."""
TITLE = "A title of its own"
SECRETS = {
    "reddit/main/client_id": "app-id",
    "reddit/main/client_secret": "app-secret-canary",
    "reddit/main/username": US,
    "reddit/main/refresh_token": "refresh-canary",
}
_open: list[StandIn] = []


class Addressed(RedditAccount):
    """Puts a title and a community onto drafts that have none."""

    def publish(self, draft: Draft, key: str) -> Receipt:
        return super().publish(_addressed(draft), key)

    def find(self, draft: Draft, since: datetime) -> Receipt | None:
        return super().find(_addressed(draft), since)

    def own_posts(self, since: datetime | None) -> Iterable[OwnPost]:
        return [replace(post, text=post.text.removeprefix(f"{TITLE} ")) for post in super().own_posts(since)]


def reddit(folder: Path, clock: Any) -> Parts:
    """The fields of a Stage, in order. The stand-in before this one is stopped."""
    while _open:
        _open.pop().stop()
    standin = StandIn(clock)
    _open.append(standin)
    standin.chatter = timedelta(hours=7)
    named: dict[str, Ref] = {}

    def inbound(name: str) -> Ref:
        if name not in named:
            named[name] = Ref(standin.say(name))
        return named[name]

    return (
        Addressed("main", Surroundings(clock, folder, SECRETS.get), standin.session, (10.0, 20.0)),
        clock,
        lambda: standin.fail("drop", written=True),
        standin.refuse,
        lambda: standin.errors.append((200, WAIT)),
        inbound,
    )


def _addressed(draft: Draft) -> Draft:
    return draft if draft.in_reply_to else replace(draft, title=draft.title or TITLE, target=draft.target or "test")
