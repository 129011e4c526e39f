"""What of a campaign is still to be said on an account, in what order, and from when; which slot it gets is not here.

What is bound to a time comes first: posts with an `at`, then recurring posts whose turn has come. The rest follows in
the order of the file, because a campaign is a story, with what its sources gave at the end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from bot.campaign.schema import Campaign, PostItem
from bot.planner.base import LEAD, Desk, Standing, Unplaced
from bot.planner.room import day_of, week_of
from bot.planner.wordings import Wording, wordings
from connectors.base import Connector
from scheduler.slots import Slot, moment, recurring
from storage.models import State

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Due:
    """A post to be said once more. It is bound to one slot (`exact`), to a time from which on it comes, or free."""

    item: PostItem
    wordings: tuple[Wording, ...]
    number: int = 0
    """How often it was said before."""
    exact: Slot | None = None
    since: datetime | None = None
    spent: frozenset[str] = frozenset()
    """Local slots it had before and gave up: the outbox holds each slot of a post once."""

    @property
    def bound(self) -> bool:
        """Whether it comes before the free ones."""
        return self.exact is not None or self.since is not None

    def in_turn(self, slots: Sequence[Slot], campaign: Campaign) -> Iterator[list[Slot]]:
        """The slots it may have, in groups: a later group is looked at only when all before it have no place.

        Where the forecast picks, a group is a local week, for a recurring post a day from its turn on; else one slot.
        """
        if self.exact is not None:
            yield [self.exact]
            return
        zone, again, since = campaign.timezone, self.item.recurring, self.since
        usable = (
            slot
            for slot in slots
            if slot.local not in self.spent
            and (since is None or slot.at >= since)
            and (again is None or again.until is None or day_of(slot.at, zone) <= again.until)
        )

        def group(slot: Slot) -> object:
            if campaign.when.pick != "best":
                return slot
            return week_of(slot.at, zone) if since is None else (slot.at - since) // DAY

        for _, together in groupby(usable, group):
            yield list(together)

    def following(self, at: datetime) -> "Due | None":
        """Its next time after it was given a slot at `at`, or None where this was the last or its times are exact."""
        again = self.item.recurring
        if again is None or self.exact is not None or (again.times is not None and self.number + 1 >= again.times):
            return None
        return Due(self.item, self.wordings, self.number + 1, since=at + again.every, spent=self.spent)


def due(campaign: Campaign, desk: Desk, account: str, connector: Connector) -> tuple[list[Due], list[Unplaced]]:
    """What is to be said on the account until the plan ends, and what rests, with the reason."""
    found: list[Due] = []
    resting: list[Unplaced] = []
    foreign = account not in campaign.accounts
    for item in (*campaign.posts, *desk.items):
        if not foreign and account not in campaign.accounts_of(item):
            continue
        rows = [
            row for row in desk.standing if (row.campaign, row.account, row.item) == (campaign.name, account, item.id)
        ]
        try:
            found += _due(campaign, desk, item, wordings(campaign, item, account, connector), rows)
        except _Rests as reason:
            resting.append(Unplaced(account, item.id, str(reason)))
    return sorted(found, key=lambda each: (each.exact is None, not each.bound)), resting


class _Rests(Exception):
    """Why a post is not said now."""


def _due(
    campaign: Campaign, desk: Desk, item: PostItem, said: tuple[Wording, ...], rows: Sequence[Standing]
) -> Iterator[Due]:
    after = desk.now + LEAD
    stands = [row for row in rows if not row.given_up and not row.withdrawable(campaign.name, after)]
    if stands and item.recurring is None:
        _say_if_overdue(stands, desk)
        return
    if not said:
        raise _Rests("it has no wording for this account")
    rejected = [row for row in rows if row.state is State.CANCELLED and row.rule is None]
    refused = {row.digest: row.reason for row in rows if row.state is State.FAILED}
    if item.recurring is None and {row.digest for row in rejected} & {wording.digest for wording in said}:
        raise _Rests("a person said no to it; change the wording and it is planned again")
    left = tuple(wording for wording in said if wording.digest not in refused)
    if not left:
        raise _Rests(
            f"the platform refused it ({refused[said[-1].digest]}); change the wording and it is planned again"
        )
    spent = frozenset(row.local_slot for row in rows if row.given_up)
    if item.at is not None:
        yield from _at_its_times(campaign, desk, item, left, stands, spent)
    elif item.recurring is not None and (stands or rejected):
        yield from _again(campaign, desk, item, left, stands, rejected, spent)
    else:
        yield Due(item, left, spent=spent)


def _say_if_overdue(stands: Sequence[Standing], desk: Desk) -> None:
    for row in stands:
        if row.state is State.HELD and row.slot_at <= desk.now:
            raise _Rests(f"it waits for a person, and its slot {_shown(row.local_slot)} is past: approve or reject it")


def _at_its_times(
    campaign: Campaign,
    desk: Desk,
    item: PostItem,
    said: tuple[Wording, ...],
    stands: Sequence[Standing],
    spent: frozenset[str],
) -> Iterator[Due]:
    """Exactly then; a recurring one again at the same time of day."""
    assert item.at is not None
    zone, after, again = campaign.timezone, desk.now + LEAD, item.recurring
    first = moment(item.at, zone)
    if again is None:
        if first.at <= after:
            raise _Rests(f"its time {_shown(first.local)} is past or too near")
        if first.at > desk.until:
            raise _Rests(f"its time {_shown(first.local)} comes after this plan")
        if first.local in spent:
            raise _Rests(f"its time {_shown(first.local)} was given up before; give it another `at`")
        yield Due(item, said, exact=first, spent=spent)
        return
    last = max((datetime.fromisoformat(row.local_slot) for row in stands), default=None)
    number = len(stands)
    for slot in recurring(first.at, again.every, desk.until + timedelta(seconds=1), zone, again.times):
        wall = datetime.fromisoformat(slot.local)
        ended = (again.until is not None and wall.date() > again.until) or (
            again.times is not None and number >= again.times
        )
        if ended:
            return
        if slot.at > after and slot.local not in spent and (last is None or wall >= last + again.every):
            yield Due(item, said, number, exact=slot, spent=spent)
            number, last = number + 1, wall


def _again(
    campaign: Campaign,
    desk: Desk,
    item: PostItem,
    said: tuple[Wording, ...],
    stands: Sequence[Standing],
    rejected: Sequence[Standing],
    spent: frozenset[str],
) -> Iterator[Due]:
    """From `every` after the last time on; a time that a person rejected is skipped, not made up for."""
    again = item.recurring
    assert again is not None
    since = max(row.slot_at for row in (*stands, *rejected)) + again.every
    done = again.times is not None and len(stands) >= again.times
    if done or (again.until is not None and day_of(since, campaign.timezone) > again.until):
        return
    if since > desk.until:
        raise _Rests(f"it comes again from {day_of(since, campaign.timezone)} on, after this plan")
    yield Due(item, said, len(stands), since=since, spent=spent)


def _shown(local: str) -> str:
    return local.replace("T", " ")
