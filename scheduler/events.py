"""What the scheduler tells whoever listens: ids, rule ids and words about what happened; never the text of a post."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Event:
    """Something happened: `post.published`, `account.paused`, `clock.set_back` ...; the name says where and what."""

    name: str
    at: datetime
    post_id: int | None = None
    account: str | None = None
    words: str = ""
    rule: str | None = None


OnEvent = Callable[[Event], None]


def unheard(event: Event) -> None:
    """The listener of those who do not listen."""
