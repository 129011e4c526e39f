"""Facts as they are once the former plan is taken back, each question to the world below asked once; no rule here."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from bot.planner.base import Standing
from bot.policy.base import Facts, PastText
from storage.models import State

REACH = timedelta(days=40)
"""How far around a plan rules look at most; beyond it the world below is asked anew."""

Kind = Literal["post", "reply"]


class WithoutFormerPlan:
    """The facts below, without posts that the new plan withdraws.

    A plan asks the same questions for thousands of candidates, so the whole stretch of time is read once and cut here.
    """

    def __init__(self, facts: Facts, withdrawn: Iterable[Standing], start: datetime, end: datetime) -> None:
        self._facts = facts
        self._withdrawn = [post for post in withdrawn if post.state is State.PLANNED]
        self._start, self._end = start - REACH, end + REACH
        self._sent: dict[tuple[str | None, Kind | None, bool], list[datetime]] = {}
        self._texts: dict[tuple[str, bool], list[PastText]] = {}

    def stopped(self) -> str | None:
        """Why everything is stopped, or None."""
        return self._facts.stopped()

    def paused(self, account: str) -> str | None:
        """Why this account is paused, or None."""
        return self._facts.paused(account)

    def sent(
        self,
        account: str | None,
        kind: Kind | None,
        since: datetime,
        until: datetime,
        *,
        planned: bool,
        apart_from: int | None = None,
    ) -> Sequence[datetime]:
        """When drafts went out, oldest first, the withdrawn ones left out."""
        if apart_from is not None or since < self._start or until > self._end:
            below = self._facts.sent(account, kind, since, until, planned=planned, apart_from=apart_from)
            return self._without(below, account, kind, planned)
        key = (account, kind, planned)
        if key not in self._sent:
            below = self._facts.sent(account, kind, self._start, self._end, planned=planned)
            self._sent[key] = self._without(below, account, kind, planned)
        times = self._sent[key]
        return times[bisect_left(times, since) : bisect_left(times, until)]

    def replies_to(self, author_hash: str, since: datetime, until: datetime, *, apart_from: int | None = None) -> int:
        """Replies of ours to this person."""
        return self._facts.replies_to(author_hash, since, until, apart_from=apart_from)

    def replies_in(self, account: str, thread: str, *, apart_from: int | None = None) -> int:
        """Replies of ours in this thread."""
        return self._facts.replies_in(account, thread, apart_from=apart_from)

    def replies_above(self, account: str, ref: str) -> int:
        """Replies of ours in the chain that leads up to this text."""
        return self._facts.replies_above(account, ref)

    def answered(self, platform: str, ref: str, *, apart_from: int | None = None) -> bool:
        """Whether this inbound text has its one reply."""
        return self._facts.answered(platform, ref, apart_from=apart_from)

    def do_not_contact(self, author_hash: str) -> bool:
        """Whether this person asked for silence."""
        return self._facts.do_not_contact(author_hash)

    def texts(
        self, platform: str, since: datetime, until: datetime, *, planned: bool, apart_from: int | None = None
    ) -> Sequence[PastText]:
        """Texts of posts on this platform, the withdrawn ones left out."""
        if apart_from is not None or since < self._start or until > self._end:
            return self._still_said(
                self._facts.texts(platform, since, until, planned=planned, apart_from=apart_from), planned
            )
        key = (platform, planned)
        if key not in self._texts:
            below = self._facts.texts(platform, self._start, self._end, planned=planned)
            self._texts[key] = self._still_said(below, planned)
        return [text for text in self._texts[key] if since <= text.at < until]

    def _without(
        self, times: Sequence[datetime], account: str | None, kind: Kind | None, planned: bool
    ) -> list[datetime]:
        left = sorted(times)
        if planned and kind != "reply":
            for post in self._withdrawn:
                if account in (None, post.account) and post.at in left:
                    left.remove(post.at)
        return left

    def _still_said(self, texts: Iterable[PastText], planned: bool) -> list[PastText]:
        gone = {(post.campaign, post.account, post.item, post.at) for post in self._withdrawn} if planned else set()
        return [text for text in texts if (text.campaign, text.account, text.item, text.at) not in gone]
