"""One call to a platform and what came of it; no database here, and no decision what to do next."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from connectors.base import Connector, Receipt
from connectors.errors import AuthExpired, ConnectorError, OutcomeUnknown, RateLimited, Rejected, Unavailable
from scheduler.clock import Clock
from scheduler.drafts import from_json
from storage.models import Post

Connectors = Callable[[str], Connector]
"""Account id -> its connector; called from the threads of the pool, for each call anew: it keeps what it has opened."""


class End(Enum):
    """How a call ended, sorted by what follows."""

    PUBLIC = auto()
    """There is a receipt."""
    UNSENT = auto()
    """It came too late to the socket and was not sent; nothing is wrong with it."""
    AGAIN = auto()
    """Nothing was written; a later try may succeed."""
    LOCKED = auto()
    """Nothing was written; a person must log in."""
    REFUSED = auto()
    """Nothing was written, and the same draft never will be."""
    UNKNOWN = auto()
    """It may be public."""
    MISSING = auto()
    """Looked for, and not among our own posts."""
    UNSEEN = auto()
    """The look itself failed: nothing was learnt."""


@dataclass(frozen=True)
class Outcome:
    """What one call to a platform came to; `words` are for a person and hold no text of a post."""

    post: Post
    end: End
    words: str = ""
    receipt: Receipt | None = None
    error: ConnectorError | None = None
    may_repeat: bool = False
    """After a look: the platform itself drops a repetition that carries the same key."""

    def finds(self, account: str, receipt: Receipt) -> bool:
        """Whether this outcome is about the same public post."""
        return self.receipt is not None and self.post.account == account and self.receipt.ref.id == receipt.ref.id


def send(post: Post, connectors: Connectors, clock: Clock, deadline: datetime) -> Outcome:
    """Publish one post whose intent is committed; after `deadline` it is not sent.

    The deadline is the guard against a process that slept between its intent and the socket: by then the gate's answer
    is stale, and another process may have taken the post over.
    """
    called = False
    try:
        connector = connectors(post.account)
        draft = from_json(post.draft)
        if clock() > deadline:
            return Outcome(post, End.UNSENT, "not sent: too much time passed between its intent and the call")
        called = True
        receipt = connector.publish(draft, post.key)
    except ConnectorError as error:
        return Outcome(post, _end_of(error), _line(error), error=error)
    # The one broad except of the project: whatever else a connector raises, it may have raised after the request left.
    except Exception as error:
        if called:
            return Outcome(post, End.UNKNOWN, f"the connector broke off: {type(error).__name__}")
        return Outcome(post, End.REFUSED, f"it could not be sent: {_line(error)}")
    return Outcome(post, End.PUBLIC, receipt=receipt)


def look(post: Post, connectors: Connectors, since: datetime) -> Outcome:
    """Look for a post of unknown outcome among our own posts since then; sends nothing."""
    try:
        connector = connectors(post.account)
        receipt = connector.find(from_json(post.draft), since)
    except ConnectorError as error:
        return Outcome(post, End.UNSEEN, _line(error), error=error)
    end = End.MISSING if receipt is None else End.PUBLIC
    return Outcome(post, end, receipt=receipt, may_repeat=connector.capabilities.native_idempotency)


def _end_of(error: ConnectorError) -> End:
    match error:
        case RateLimited() | Unavailable():
            return End.AGAIN
        case AuthExpired():
            return End.LOCKED
        case Rejected():
            return End.REFUSED
        case OutcomeUnknown():
            return End.UNKNOWN
    return End.UNKNOWN  # an error class this version does not know says nothing about what was written


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
