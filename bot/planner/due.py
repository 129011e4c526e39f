"""What of a campaign is still to be said on an account, in what order, and from when; which slot it gets is not here.

What is bound to a time comes first: posts with an `at`, then recurring posts whose turn has come. The rest goes out in
the order of the file, because a campaign is a story, with what its sources gave at the end.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from bot.abilities import Abilities
from bot.campaign.schema import Campaign, PostItem
from bot.planner.base import LEAD, Desk, Standing, Unplaced
from bot.planner.room import day_of, week_of
from bot.planner.wordings import Wording, wordings
from scheduler.slots import Slot, moment, recurring
from storage.models import State

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Due:
    """A post to be said once more. It is bound to exact slots, or to a time from which on it comes, or free."""

    item: PostItem
    wordings: tuple[Wording, ...]
    before: tuple[str, ...] = ()
    """The wordings in which it stands already, oldest first."""
    exact: tuple[Slot, ...] = ()
    """The slot it has to have, and those of its further times."""
    since: datetime | None = None
    spent: frozenset[str] = frozenset()
    """Local slots it had before and gave up: the outbox holds each slot of a post once."""
    told: datetime | None = None
    """When a post that stands before it in the file goes out, where that is settled: a free one comes later."""

    @property
    def bound(self) -> bool:
        """Whether it comes before the free ones."""
        return bool(self.exact) or self.since is not None

    @property
    def turn(self) -> tuple[Wording, ...]:
        """The wordings whose turn it is: none is said again before all the others were."""
        said = Counter(self.before)
        fewest = min(said[wording.variant] for wording in self.wordings)
        return tuple(wording for wording in self.wordings if said[wording.variant] == fewest)

    def groups(self, slots: Sequence[Slot], campaign: Campaign) -> Iterator[list[Slot]]:
        """The slots it may have, in groups: a later group is looked at only when all before it have no place.

        Where the forecast picks, a group is a local week, for a recurring post a day from its turn on; else one slot.
        """
        if self.exact:
            yield [self.exact[0]]
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

    def following(self, variant: str, at: datetime) -> "Due | None":
        """Its next time after it was placed at `at` in this wording; None where that was the last."""
        again, before = self.item.recurring, (*self.before, variant)
        if again is None or (again.times is not None and len(before) >= again.times):
            return None
        if self.exact:
            return replace(self, before=before, exact=self.exact[1:]) if self.exact[1:] else None
        return replace(self, before=before, since=at + again.every)


def due(campaign: Campaign, desk: Desk, account: str, abilities: Abilities) -> tuple[list[Due], list[Unplaced]]:
    """What is to be said on the account until the plan ends, and what rests, with the reason."""
    found: list[Due] = []
    resting: list[Unplaced] = []
    rows_of: defaultdict[str, list[Standing]] = defaultdict(list)
    for row in desk.standing:
        if (row.campaign, row.account) == (campaign.name, account):
            rows_of[row.item].append(row)
    told: datetime | None = None
    for item in (*campaign.posts, *desk.items):
        if account not in campaign.accounts_of(item):
            continue
        said = wordings(campaign, item, account, abilities)
        coming = _Coming(campaign, desk, item, said, rows_of[item.id])
        try:
            each = coming.due()
        except _Rests as reason:
            resting.append(Unplaced(account, item.id, str(reason)))
        else:
            found += [] if each is None else [replace(each, told=told)]
        if not coming.bound:
            told = max([*(row.slot_at for row in coming.stands), *([told] if told else [])], default=None)
    return sorted(found, key=lambda each: (not each.exact, not each.bound)), resting


class _Rests(Exception):
    """Why a post is not said now."""


class _Coming:
    """One post of the campaign and what the outbox holds of it."""

    def __init__(
        self, campaign: Campaign, desk: Desk, item: PostItem, said: tuple[Wording, ...], rows: Sequence[Standing]
    ) -> None:
        self._campaign, self._desk, self._item, self._wordings = campaign, desk, item, said
        self._after = desk.now + LEAD
        self.stands = [row for row in rows if row.stays(campaign.name, self._after)]
        self._rejected = [row for row in rows if row.state is State.CANCELLED and row.rule is None]
        self._refused = {row.digest: row.reason for row in rows if row.state is State.FAILED}
        self._spent = frozenset(row.local_slot for row in rows if row.given_up)
        self.bound = item.at is not None or item.recurring is not None

    def due(self) -> Due | None:
        """The post as it is due; None where all is said. Raises _Rests."""
        item = self._item
        if self.stands and item.recurring is None:
            self._notice_overdue()
            return None
        each = Due(item, self._sayable(), tuple(row.variant for row in self.stands), spent=self._spent)
        if item.recurring is not None and item.recurring.times is not None and len(each.before) >= item.recurring.times:
            return None
        if item.at is not None:
            return self._at_its_times(each)
        return self._again(each) if self.stands or (item.recurring and self._rejected) else each

    def _sayable(self) -> tuple[Wording, ...]:
        """Wordings that neither a person nor the platform said no to."""
        if not self._wordings:
            raise _Rests("it has no wording for this account")
        no = {row.digest for row in self._rejected} & {wording.digest for wording in self._wordings}
        if no and self._item.recurring is None:
            raise _Rests("a person said no to it; change its wordings and it is planned again")
        left = tuple(wording for wording in self._wordings if wording.digest not in self._refused)
        if not left:
            why = self._refused[self._wordings[-1].digest]
            raise _Rests(f"the platform refused it ({why}); change its wordings and it is planned again")
        return left

    def _notice_overdue(self) -> None:
        for row in self.stands:
            if row.state is State.HELD and row.slot_at <= self._desk.now:
                when = _shown(row.local_slot)
                raise _Rests(f"it waits for a person, and its slot {when} is past: approve or reject it")

    def _at_its_times(self, each: Due) -> Due | None:
        """Exactly then; a recurring one again at the same time of day."""
        item, zone = self._item, self._campaign.timezone
        assert item.at is not None
        first = moment(item.at, zone)
        if item.recurring is not None:
            exact = tuple(self._series(first))
            return replace(each, exact=exact) if exact else None
        when = _shown(first.local)
        if first.at <= self._after:
            raise _Rests(f"its time {when} is past or too near")
        if first.at > self._desk.until:
            raise _Rests(f"its time {when} comes after this plan")
        if first.local in self._spent:
            raise _Rests(f"its time {when} was given up before; give it another `at`")
        return replace(each, exact=(first,))

    def _series(self, first: Slot) -> Iterator[Slot]:
        again, zone = self._item.recurring, self._campaign.timezone
        assert again is not None
        last = max((datetime.fromisoformat(row.local_slot) for row in self.stands), default=None)
        for slot in recurring(first.at, again.every, self._desk.until + timedelta(seconds=1), zone, again.times):
            wall = datetime.fromisoformat(slot.local)
            open_ = slot.at > self._after and slot.local not in self._spent
            if (
                open_
                and (last is None or wall >= last + again.every)
                and not (again.until and wall.date() > again.until)
            ):
                yield slot

    def _again(self, each: Due) -> Due | None:
        """From `every` after the last time on; a time that a person rejected is skipped, not made up for."""
        again, zone = self._item.recurring, self._campaign.timezone
        assert again is not None
        since = max(row.slot_at for row in (*self.stands, *self._rejected)) + again.every
        if again.until is not None and day_of(since, zone) > again.until:
            return None
        if since > self._desk.until:
            raise _Rests(f"it comes again from {day_of(since, zone)} on, after this plan")
        return replace(each, since=since)


def _shown(local: str) -> str:
    return local.replace("T", " ")
