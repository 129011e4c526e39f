"""Which simulated texts have reached an account by when, and who said each; what people say is in `chatter`."""

import re
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from connectors import chatter
from connectors.audience import EPOCH
from connectors.base import Mention, Ref
from connectors.chatter import Said
from connectors.ledger import Entry, Ledger

BACKGROUND = re.compile(r"m(\d{1,6})-(\d{1,4})")
"""Name of a text said to us of its own accord: day and place."""
UNDER_POST = re.compile(r"p(\d{1,18})-(\d{1,4})")
"""Name of a text under one of our posts: its number and place."""


class Conversation:
    """Everything simulated people say to one account: the same whenever and however often it is asked for."""

    def __init__(
        self, account: str, seed: int, ledger: Ledger, per_day: float, replies: Callable[[Entry], float]
    ) -> None:
        self._account, self._ledger, self._per_day, self._replies = account, ledger, per_day, replies
        self._seed = seed + zlib.crc32(account.encode())

    def between(self, since: datetime, until: datetime) -> list[Mention]:
        """What was said after `since` and not after `until`, oldest first."""
        found = [mention for mention in self._around(since, until) if since < mention.created_at <= until]
        return sorted(found, key=lambda mention: (mention.created_at, mention.ref.id))

    def author_of(self, name: str) -> str | None:
        """Who said the text of this name; None for a name that was never given, and where a talk has ended."""
        if match := BACKGROUND.fullmatch(name):
            said = self._background(int(match[1]))
        elif match := UNDER_POST.fullmatch(name):
            said = tuple(
                text for entry in self._ledger.named(self._account, [int(match[1])]) for text in self._under(entry)
            )
        else:
            return None
        place = int(match[2])
        return said[place].author_id if place < len(said) else None

    def _around(self, since: datetime, until: datetime) -> Iterator[Mention]:
        for day in range(max((since - EPOCH).days, 0), (until - EPOCH).days + 1):
            for place, said in enumerate(self._background(day)):
                yield _mention(said, f"m{day}-{place}")
        for entry in self._ledger.posts(self._account, since - chatter.LATEST, until):
            if entry.in_reply_to is None:
                for place, said in enumerate(self._under(entry)):
                    yield _mention(said, f"p{entry.number}-{place}", entry.name)
                continue
            author = self.author_of(entry.in_reply_to)
            back = chatter.after_reply(self._seed, luck_of(entry), author, entry.at) if author else None
            if back is not None:
                yield _mention(back, f"a{entry.number}", entry.name, entry.in_reply_to)

    def _background(self, day: int) -> tuple[Said, ...]:
        return chatter.background(self._seed, day, EPOCH + timedelta(days=day), self._per_day)

    def _under(self, entry: Entry) -> tuple[Said, ...]:
        return chatter.under_post(self._seed, luck_of(entry), entry.at, self._replies(entry))


def luck_of(entry: Entry) -> int:
    """What a post's luck is drawn from: the post itself, not the order in which threads brought it."""
    return zlib.crc32(f"{entry.account}\0{entry.at.isoformat()}\0{entry.text}".encode())


def _mention(said: Said, name: str, under: str | None = None, opened_by: str | None = None) -> Mention:
    """`under` names our post it answers, `opened_by` the text that began the talk, when it is not the first."""
    return Mention(
        Ref(name),
        said.author_id,
        f"@{said.author_id}",
        said.text,
        said.at,
        said.address,
        Ref(under) if under is not None else None,
        Ref(f"t-{opened_by or name}"),
        said.is_bot,
    )
