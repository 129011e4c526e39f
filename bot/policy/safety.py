"""Rules S: what keeps a fault of ours small, whatever a campaign says; the numbers stand here and nowhere else."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.policy.base import Facts, Proposal, Refused, Rule, Settings, Then

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POSTS_AN_HOUR = 2
POSTS_A_DAY = 12
REPLIES_A_DAY = 10
REPLIES_A_DAY_TO_ONE_PERSON = 3
ALL_A_DAY = 60

AGAIN_WHEN_STOPPED = timedelta(minutes=1)
AGAIN_WHEN_PAUSED = timedelta(minutes=15)
OURS = "Kairos safety design"
APPROVAL = "X developer policy: show exactly what will be published (Aug 2026)"


def _stopped(proposal: Proposal, facts: Facts, settings: Settings) -> Refused | None:
    why = facts.stopped()
    if why is None:
        return None
    words = f"everything is stopped ({why}); `kairos resume` starts it again"
    return Refused("S1", OURS, words, "later", proposal.at + AGAIN_WHEN_STOPPED)


def _dry_by_default(proposal: Proposal, facts: Facts, settings: Settings) -> Refused | None:
    if proposal.live or proposal.capabilities.simulated:
        return None
    words = f"{proposal.account} is a real account and this run is not live; start it with --live to publish there"
    return Refused("S2", OURS, words, "hold")


def _as_approved(proposal: Proposal, facts: Facts, settings: Settings) -> Refused | None:
    if proposal.approved_digest is None:
        if not proposal.needs_approval:
            return None
        words = f"campaign {proposal.campaign} asks a person first, and nobody has approved this draft yet"
        return Refused("S3", APPROVAL, words, "hold")
    if proposal.approved_digest == proposal.digest:
        return None
    return Refused("S3", APPROVAL, "the draft was changed after it was approved; please look at it again", "hold")


@dataclass(frozen=True)
class _Cap:
    """At most `most` drafts of a kind in any window of this width, on one account or on all."""

    most: int
    width: timedelta
    kind: Literal["post", "reply"] | None
    everywhere: bool = False

    def refusal(self, proposal: Proposal, facts: Facts) -> Refused | None:
        """Where one more would be too many in some window around the proposed time."""
        due = proposal.post_id is not None
        account = None if self.everywhere else proposal.account
        around = facts.sent(
            account,
            self.kind,
            proposal.at - self.width,
            proposal.at + self.width,
            planned=not due,
            apart_from=proposal.post_id,
        )
        start, count = fullest_window(around, proposal.at, self.width)
        if count < self.most:
            return None
        # A draft that is only being planned finds another slot; one in the outbox waits an hour, or for a person.
        if self.width == HOUR:
            then: Then = "later" if due else "cancel"
        else:
            then = "hold" if due or proposal.is_reply else "cancel"
        retry_at = free_from(around, proposal.at, self.width, self.most) if then == "later" else None
        return Refused("S4", OURS, self._words(proposal, start, count), then, retry_at)

    def _words(self, proposal: Proposal, start: datetime, count: int) -> str:
        end = start + self.width
        noun = {"post": "post", "reply": "reply", None: "draft"}[self.kind]
        nouns = {"post": "posts", "reply": "replies", None: "drafts"}[self.kind]
        some = f"1 {noun} already goes" if count == 1 else f"{count} {nouns} already go"
        hours = f"{start:%H:%M} and {end:%H:%M} UTC on {start:%Y-%m-%d}"
        days = f"{start:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M} UTC"
        where = "all accounts together" if self.everywhere else proposal.account
        an_hour = self.width == HOUR
        between = hours if an_hour else days
        return f"{some} out between {between} on {where}; the cap is {self.most} {'an hour' if an_hour else 'a day'}"


def fullest_window(times: Sequence[datetime], at: datetime, width: timedelta) -> tuple[datetime, int]:
    """The window [start, start + width) around `at` that holds most of these times, and how many it holds."""
    ordered = sorted(times)
    starts = [at, *(moment for moment in ordered if at - width < moment < at)]
    counts = [(bisect_left(ordered, start + width) - bisect_left(ordered, start), start) for start in starts]
    count, start = max(counts)
    return start, count


def free_from(times: Sequence[datetime], at: datetime, width: timedelta, most: int) -> datetime:
    """The first moment from `at` on that no window with `most` of these times reaches."""
    after = sorted({at, *(moment + width for moment in times if moment + width > at)})
    return next((moment for moment in after if fullest_window(times, moment, width)[1] < most), after[-1])


def _least(hard: int, wished: int | None) -> int:
    return hard if wished is None else min(hard, wished)


def _caps(proposal: Proposal, facts: Facts, settings: Settings) -> Refused | None:
    if proposal.is_reply:
        own = [_Cap(_least(REPLIES_A_DAY, settings.replies_per_day), DAY, "reply")]
    else:
        own = [
            _Cap(_least(POSTS_AN_HOUR, settings.posts_per_hour), HOUR, "post"),
            _Cap(_least(POSTS_A_DAY, settings.posts_per_day), DAY, "post"),
        ]
    for cap in (*own, _Cap(ALL_A_DAY, DAY, None, everywhere=True)):
        refused = cap.refusal(proposal, facts)
        if refused is not None:
            return refused
    return _too_much_for_one(proposal, facts)


def _too_much_for_one(proposal: Proposal, facts: Facts) -> Refused | None:
    if proposal.addressed is None:
        return None
    person = proposal.addressed.author_hash
    count = facts.replies_to(person, proposal.at - DAY, proposal.at + DAY, apart_from=proposal.post_id)
    if count < REPLIES_A_DAY_TO_ONE_PERSON:
        return None
    words = f"this person has {count} replies of ours within a day; the cap is {REPLIES_A_DAY_TO_ONE_PERSON} a day"
    return Refused("S4", OURS, words, "hold")


def _paused(proposal: Proposal, facts: Facts, settings: Settings) -> Refused | None:
    why = facts.paused(proposal.account)
    if why is None:
        return None
    words = f"{proposal.account} is paused ({why}); a person resumes it"
    return Refused("S5", OURS, words, "later", proposal.at + AGAIN_WHEN_PAUSED)


KILL_SWITCH = Rule("S1", "Nothing goes out while Kairos is stopped", OURS, frozenset({"gate", "reply"}), _stopped)
DRY_BY_DEFAULT = Rule(
    "S2", "A real account is written to only in a live run", OURS, frozenset({"gate"}), _dry_by_default
)
AS_APPROVED = Rule("S3", "What goes out is exactly what a person approved", APPROVAL, frozenset({"gate"}), _as_approved)
CAPS = Rule(
    "S4",
    f"At most {POSTS_AN_HOUR} posts an hour, {POSTS_A_DAY} posts and {REPLIES_A_DAY} replies a day on an account, "
    f"{REPLIES_A_DAY_TO_ONE_PERSON} replies a day to one person, {ALL_A_DAY} drafts a day in all; "
    "a campaign may only lower these",
    OURS,
    frozenset({"plan", "gate", "reply"}),
    _caps,
)
PAUSED = Rule(
    "S5", "A paused account stays silent until a person resumes it", OURS, frozenset({"gate", "reply"}), _paused
)
