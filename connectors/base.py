"""The one page every platform is written against: a few verbs and a few frozen values; no platform and no HTTP here.

All times are aware datetimes in UTC. All counts are optional: `None` means "the platform did not say", never zero.
There is no verb to like, follow, vote or open a direct message, and none may be added.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

Clock = Callable[[], datetime]
Embed = Callable[[Sequence[str]], Any]
"""Texts -> float32 array (n, d), rows of unit length. Only the sandbox's simulated audience reads it."""

Address = Literal["mention", "reply", "quote", "comment", "none"]
"""How an inbound text addresses us; `none` means it does not."""


@dataclass(frozen=True)
class Ref:
    """A platform's name for one post; `extras` is opaque text only that platform's connector reads."""

    id: str
    extras: str = ""


@dataclass(frozen=True)
class Media:
    """A picture on this machine and its description for those who cannot see it."""

    file: str
    alt: str


@dataclass(frozen=True)
class Draft:
    """What we hand over to be published. A reply has `in_reply_to`; a thread has `parts` after `text`."""

    text: str
    kind: str = "text"
    title: str | None = None
    link: str | None = None
    media: tuple[Media, ...] = ()
    target: str | None = None
    language: str | None = None
    in_reply_to: Ref | None = None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Receipt:
    """The platform's word that a draft is public."""

    ref: Ref
    published_at: datetime
    url: str | None = None


@dataclass(frozen=True)
class Counts:
    """Engagement counts so far; `None` where the platform does not tell."""

    likes: int | None = None
    replies: int | None = None
    shares: int | None = None
    clicks: int | None = None
    impressions: int | None = None


@dataclass(frozen=True)
class OwnPost:
    """One post of our own account as the platform shows it."""

    ref: Ref
    text: str
    created_at: datetime
    kind: str = "text"
    counts: Counts = field(default_factory=Counts)
    url: str | None = None


@dataclass(frozen=True)
class Mention:
    """Something a person said that may concern us. `author_id` is stable; `author` is the handle shown."""

    ref: Ref
    author_id: str
    author: str
    text: str
    created_at: datetime
    address: Address
    in_reply_to: Ref | None = None
    thread: Ref | None = None
    author_is_bot: bool = False
    language: str | None = None


@dataclass(frozen=True)
class MentionPage:
    """Mentions after a cursor, oldest first, and the cursor to ask with next time."""

    mentions: tuple[Mention, ...]
    cursor: str | None


@dataclass(frozen=True)
class Identity:
    """Who the platform says we are. `bot_label` is None where the platform has no such label."""

    account_id: str
    handle: str
    scopes: tuple[str, ...] = ()
    bot_label: bool | None = None
    followers: int | None = None


@dataclass(frozen=True)
class Limits:
    """What the platform allows now; None where it sets no limit or does not say."""

    max_length: int
    max_media: int = 4
    posts_per_hour: int | None = None
    reads_per_hour: int | None = None


@dataclass(frozen=True)
class Capabilities:
    """What a platform can do, as data: the rest of the code asks these, never a platform's name."""

    native_idempotency: bool = False
    atomic_thread: bool = False
    alt_text: bool = False
    polls: bool = False
    edit: bool = False
    impressions: bool = False
    needs_target: bool = False
    needs_title: bool = False
    replies: bool = True
    reply_only_when_mentioned: bool = False
    may_train: bool = False
    length_unit: Literal["characters", "graphemes", "weighted"] = "characters"
    cost_per_post_usd: float = 0.0
    cost_per_link_post_usd: float = 0.0
    cost_per_reply_usd: float = 0.0
    simulated: bool = False


class Connector(Protocol):
    """One account on one platform. Verbs raise only `connectors.errors`; none sleeps or retries a write."""

    @property
    def capabilities(self) -> Capabilities:
        """What this platform can do."""
        ...

    def check(self) -> Identity:
        """Ask the platform who we are; raises AuthExpired when it will not say."""
        ...

    def limits(self) -> Limits:
        """What may be posted now."""
        ...

    def length(self, text: str) -> int:
        """Length of a text by the platform's own counting, in units of `Limits.max_length`."""
        ...

    def publish(self, draft: Draft, key: str) -> Receipt:
        """Make exactly one write request. `key` is the idempotency key, the same at every try of this draft."""
        ...

    def find(self, draft: Draft, since: datetime) -> Receipt | None:
        """Look for this draft among our own posts since then: the look before any resend."""
        ...

    def measure(self, refs: Sequence[Ref]) -> Mapping[str, Counts]:
        """Counts now by `Ref.id`; a post that is gone is absent."""
        ...

    def own_posts(self, since: datetime | None) -> Iterable[OwnPost]:
        """Our own posts since then, oldest first; all that the platform still shows for None."""
        ...

    def mentions(self, cursor: str | None) -> MentionPage:
        """What people said to us after the cursor; None starts from now backwards as far as the platform shows."""
        ...

    def delete(self, ref: Ref) -> None:
        """Remove one of our own posts; removing what is already gone is not an error."""
        ...


@dataclass(frozen=True)
class Surroundings:
    """What the composition root hands a connector: the clock, a folder for its own state, secrets by name."""

    clock: Clock
    folder: Path
    secret: Callable[[str], str | None]
    """What is kept under platform/account/name, or None."""
    embed: Embed | None = None
    keep: Callable[[str, str | None], None] | None = None
    """Stores a secret under platform/account/name at once and whole, or forgets it for None: tokens rotate."""


class Talk(Protocol):
    """The person at the keyboard while an account is being connected."""

    def show(self, text: str) -> None:
        """Say something."""
        ...

    def ask(self, question: str, hidden: bool = False) -> str:
        """Ask for one line; a hidden answer is not echoed."""
        ...


Connect = Callable[[str, Surroundings], Connector]
"""What an entry point of the group `kairos.connectors` names: (account name, surroundings) -> Connector."""
Login = Callable[[str, Surroundings, Talk], None]
"""What one of the group `kairos.logins` names: it asks for credentials, proves them, and hands them to `keep`."""
