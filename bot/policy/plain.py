"""Facts from plain values: an empty world to check a file alone, a small one for tests; storage has the real ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.policy.base import PastText, Proposal, ProposedText


@dataclass(frozen=True)
class Said:
    """A draft of ours in a plain world; `out` once it is, or may be, public."""

    proposal: Proposal
    out: bool = True


@dataclass
class PlainFacts:
    """A world of plain values, empty unless told otherwise."""

    said: list[Said] = field(default_factory=list)
    stop: str | None = None
    pauses: dict[str, str] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)

    def stopped(self) -> str | None:
        """Why everything is stopped, or None."""
        return self.stop

    def paused(self, account: str) -> str | None:
        """Why this account is paused, or None."""
        return self.pauses.get(account)

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
        """When drafts went out, oldest first."""
        return sorted(
            past.at
            for past in self._past(planned, apart_from)
            if since <= past.at < until
            and account in (None, past.account)
            and kind in (None, "reply" if past.is_reply else "post")
        )

    def replies_to(self, author_hash: str, since: datetime, until: datetime, *, apart_from: int | None = None) -> int:
        """Replies of ours to this person."""
        return sum(
            past.addressed is not None and past.addressed.author_hash == author_hash and since <= past.at < until
            for past in self._past(True, apart_from)
        )

    def replies_in(self, account: str, thread: str, *, apart_from: int | None = None) -> int:
        """Replies of ours in this thread."""
        return sum(
            past.addressed is not None and (past.account, past.addressed.thread) == (account, thread)
            for past in self._past(True, apart_from)
        )

    def replies_above(self, account: str, ref: str) -> int:
        """Always 0: plain values know no chains of answers."""
        return 0

    def answered(self, platform: str, ref: str, *, apart_from: int | None = None) -> bool:
        """Whether this inbound text has its one automated reply."""
        return any(
            past.addressed is not None and (past.addressed.platform, past.addressed.ref) == (platform, ref)
            for past in self._past(True, apart_from)
        )

    def do_not_contact(self, author_hash: str) -> bool:
        """Whether this person asked for silence."""
        return author_hash in self.silent

    def texts(
        self, platform: str, since: datetime, until: datetime, *, planned: bool, apart_from: int | None = None
    ) -> Sequence[PastText]:
        """Texts of posts on this platform."""
        return [
            ProposedText.of(past)
            for past in self._past(planned, apart_from)
            if past.platform == platform and not past.is_reply and since <= past.at < until
        ]

    def _past(self, planned: bool, apart_from: int | None) -> Iterator[Proposal]:
        for said in self.said:
            own = apart_from is not None and said.proposal.post_id == apart_from
            if not own and (planned or said.out):
                yield said.proposal
