"""The words of policy: a proposal, the facts a rule may ask for, a rule's refusal; no rule itself and no score."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from connectors.base import Address, Capabilities, Draft

Stage = Literal["validate", "plan", "gate", "reply"]
Then = Literal["cancel", "hold", "later"]
"""What becomes of a refused post: dropped for good, held for a person, or tried again at `retry_at`."""


@dataclass(frozen=True)
class Addressed:
    """What a rule may know of the mention a reply answers."""

    mention_id: int
    platform: str
    ref: str
    author_hash: str
    author_is_bot: bool
    author_is_us: bool
    address: Address
    thread: str | None
    depth: int
    """How many replies of ours already stand above it in its thread."""


@dataclass(frozen=True)
class Proposal:
    """A draft that wants to go out from one account at one moment."""

    account: str
    platform: str
    campaign: str
    item: str
    draft: Draft
    at: datetime
    capabilities: Capabilities
    post_id: int | None = None
    """Its row in the outbox; None while it is only being planned. Facts never count this row against itself."""
    digest: str = ""
    """SHA-256 of the draft exactly as it would be sent now."""
    approved_digest: str | None = None
    needs_approval: bool = False
    """Whether the campaign's mode asks a person first."""
    addressed: Addressed | None = None
    recurring: bool = False
    live: bool = False
    length: int | None = None
    """Length of the longest part by the platform's own counting; None where nobody counted."""
    max_length: int | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything a reader would see, title first."""
        return tuple(text for text in (self.draft.title, self.draft.text, *self.draft.parts) if text)

    @property
    def is_reply(self) -> bool:
        """Whether it answers somebody."""
        return self.draft.in_reply_to is not None or self.addressed is not None


class PastText(Protocol):
    """A text already public or already planned, for the rules on repetition."""

    @property
    def account(self) -> str:
        """Whose it is."""
        ...

    @property
    def text(self) -> str:
        """Everything a reader sees of it."""
        ...

    @property
    def at(self) -> datetime:
        """When it went out, may have, or is to."""
        ...

    @property
    def campaign(self) -> str:
        """The campaign it belongs to; empty for what was published without Kairos."""
        ...

    @property
    def item(self) -> str:
        """The campaign's name for it."""
        ...


@dataclass(frozen=True)
class ProposedText:
    """The text of a proposal, as a past text."""

    account: str
    text: str
    at: datetime
    campaign: str
    item: str

    @classmethod
    def of(cls, proposal: Proposal) -> "ProposedText":
        """What a proposal will have said."""
        return cls(proposal.account, " ".join(proposal.texts), proposal.at, proposal.campaign, proposal.item)


class Facts(Protocol):
    """What rules may ask of the world; answered from storage at run time, from plain values in tests.

    Intervals are [since, until). `apart_from` is the outbox row of the proposal itself, which never counts. A draft
    that went out, or may have (published, sending, unknown), always counts, at the time it did; `planned` adds those
    that are still meant to (planned, claimed), at the time they may be tried. Held and cancelled drafts never count.
    """

    def stopped(self) -> str | None:
        """Why everything is stopped, or None."""
        ...

    def paused(self, account: str) -> str | None:
        """Why this account is paused, or None."""
        ...

    def sent(
        self,
        account: str | None,
        kind: Literal["post", "reply"] | None,
        since: datetime,
        until: datetime,
        *,
        planned: bool,
        apart_from: int | None = None,
    ) -> Sequence[datetime]:
        """When drafts went out, oldest first. `account` None means all accounts, `kind` None means both."""
        ...

    def replies_to(self, author_hash: str, since: datetime, until: datetime, *, apart_from: int | None = None) -> int:
        """Replies of ours to this person, planned ones included."""
        ...

    def replies_in(self, account: str, thread: str, *, apart_from: int | None = None) -> int:
        """Replies of ours in this thread, planned ones included."""
        ...

    def replies_above(self, account: str, ref: str) -> int:
        """Replies of ours in the chain of answers that leads up to the text `ref`, that text included."""
        ...

    def answered(self, platform: str, ref: str, *, apart_from: int | None = None) -> bool:
        """Whether this inbound text has its one automated reply, planned ones included, from any account of ours."""
        ...

    def do_not_contact(self, author_hash: str) -> bool:
        """Whether this person asked for silence."""
        ...

    def texts(
        self, platform: str, since: datetime, until: datetime, *, planned: bool, apart_from: int | None = None
    ) -> Sequence[PastText]:
        """Texts of posts (never of replies) on this platform, by any of our accounts."""
        ...


@dataclass(frozen=True)
class Refused:
    """A rule's no: which rule, where it comes from, words for a person, and what becomes of the post."""

    rule: str
    source: str
    words: str
    then: Then = "cancel"
    retry_at: datetime | None = None


@dataclass(frozen=True)
class Settings:
    """What a campaign may say to the rules; it can only tighten what stands in code."""

    mentions_allowed: frozenset[str] = frozenset()
    hashtags: frozenset[str] | None = None
    posts_per_hour: int | None = None
    posts_per_day: int | None = None
    replies_per_day: int | None = None


Check = Callable[[Proposal, Facts, Settings], "Refused | None"]


@dataclass(frozen=True)
class Rule:
    """One rule of the rulebook: its id, title, source in the platforms' own documents, where it applies, its check."""

    id: str
    title: str
    source: str
    stages: frozenset[Stage]
    check: Check


@dataclass(frozen=True)
class Split:
    """Both halves of a filter: what may go on, and what was removed with the reason."""

    kept: tuple[Proposal, ...]
    removed: tuple[tuple[Proposal, Refused], ...]


SettingsByCampaign = Mapping[str, Settings]
