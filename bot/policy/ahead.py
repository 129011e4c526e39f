"""Facts as they will be once some proposals are planned, for a planner that has not written its plan yet; no rule."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from bot.policy.base import Facts, PastText, Proposal, ProposedText


class Ahead:
    """Facts in which proposals already chosen count as planned; everything else is asked of the facts below."""

    def __init__(self, facts: Facts, chosen: Iterable[Proposal] = ()) -> None:
        self._facts = facts
        self._chosen = list(chosen)

    def choose(self, proposal: Proposal) -> None:
        """Let one more proposal count from now on."""
        self._chosen.append(proposal)

    def stopped(self) -> str | None:
        """Why everything is stopped, or None."""
        return self._facts.stopped()

    def paused(self, account: str) -> str | None:
        """Why this account is paused, or None."""
        return self._facts.paused(account)

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
        """When drafts went out, and with `planned` will, oldest first."""
        below = self._facts.sent(account, kind, since, until, planned=planned, apart_from=apart_from)
        if not planned:
            return below
        ahead = (
            proposal.at
            for proposal in self._between(since, until)
            if account in (None, proposal.account) and kind in (None, "reply" if proposal.is_reply else "post")
        )
        return sorted([*below, *ahead])

    def replies_to(self, author_hash: str, since: datetime, until: datetime, *, apart_from: int | None = None) -> int:
        """Replies of ours to this person, chosen ones included."""
        ahead = [
            proposal
            for proposal in self._between(since, until)
            if proposal.addressed is not None and proposal.addressed.author_hash == author_hash
        ]
        return self._facts.replies_to(author_hash, since, until, apart_from=apart_from) + len(ahead)

    def replies_in(self, account: str, thread: str, *, apart_from: int | None = None) -> int:
        """Replies of ours in this thread, chosen ones included."""
        ahead = [
            proposal
            for proposal in self._chosen
            if proposal.account == account and proposal.addressed is not None and proposal.addressed.thread == thread
        ]
        return self._facts.replies_in(account, thread, apart_from=apart_from) + len(ahead)

    def replies_above(self, account: str, ref: str) -> int:
        """Replies of ours in the chain that leads up to this text."""
        return self._facts.replies_above(account, ref)

    def answered(self, platform: str, ref: str, *, apart_from: int | None = None) -> bool:
        """Whether this inbound text has its one reply, or one was chosen."""
        ahead = (proposal.addressed for proposal in self._chosen if proposal.addressed is not None)
        return any((inbound.platform, inbound.ref) == (platform, ref) for inbound in ahead) or self._facts.answered(
            platform, ref, apart_from=apart_from
        )

    def do_not_contact(self, author_hash: str) -> bool:
        """Whether this person asked for silence."""
        return self._facts.do_not_contact(author_hash)

    def texts(
        self, platform: str, since: datetime, until: datetime, *, planned: bool, apart_from: int | None = None
    ) -> Sequence[PastText]:
        """Texts of posts on this platform, and with `planned` of the chosen ones."""
        below = self._facts.texts(platform, since, until, planned=planned, apart_from=apart_from)
        if not planned:
            return below
        ahead = (
            ProposedText.of(proposal)
            for proposal in self._between(since, until)
            if proposal.platform == platform and not proposal.is_reply
        )
        return [*below, *ahead]

    def _between(self, since: datetime, until: datetime) -> Iterable[Proposal]:
        return (proposal for proposal in self._chosen if since <= proposal.at < until)
