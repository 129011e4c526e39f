"""Which slots there are and which of them are still free: pace and spacing of an account; not who gets them."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

from bot.campaign.schema import Campaign
from bot.campaign.values import WEEKDAYS, write_duration
from bot.planner.base import LEAD, Desk
from bot.words import counted
from scheduler.slots import Slot, even, expand, fixed, zone_of


def open_slots(campaign: Campaign, desk: Desk) -> list[Slot]:
    """Every slot the campaign's `when` opens after now and not after the plan's end, oldest first.

    Where the forecast picks, a last day that is cut short by the plan's end waits for the next plan, if others are
    there: the best of its first hours is not the best of the day.
    """
    when, zone = campaign.when, campaign.timezone
    start, end = desk.now + LEAD, desk.until + timedelta(seconds=1)
    days = [WEEKDAYS.index(day) for day in when.window.days]
    window = (when.window.from_, when.window.to)
    if when.pick == "fixed":
        times = [(None if day is None else WEEKDAYS.index(day), clock) for day, clock in when.fixed_times]
        found = fixed(start, end, zone, times)
    elif when.pick == "even":
        found = even(start, end, zone, days, window, when.posts_per_week)
    else:
        found = expand(start, end, zone, days, window=window)
    found = [slot for slot in found if start < slot.at <= desk.until]
    last = day_of(desk.until, zone)
    whole = [slot for slot in found if day_of(slot.at, zone) < last]
    return whole if when.pick == "best" and whole else found


def week_of(at: datetime, zone: str) -> tuple[int, int]:
    """The local ISO year and week a moment lies in."""
    year, week, _ = day_of(at, zone).isocalendar()
    return year, week


@lru_cache(maxsize=8192)
def day_of(at: datetime, zone: str) -> date:
    """The local date of a moment."""
    return at.astimezone(zone_of(zone)).date()


class Room:
    """What is still free on one account, given what stands there; every slot taken makes it smaller.

    Each local week has its `posts_per_week`. Where the forecast picks, no day has more than its even share of them,
    rounded up: a week that is planned on Saturday is not crammed into a weekend, and one good day cannot take all.
    """

    def __init__(self, campaign: Campaign, desk: Desk, account: str) -> None:
        when = campaign.when
        self._zone, self._spacing, self._a_week = campaign.timezone, when.spacing, when.posts_per_week
        self._a_day = -(-when.posts_per_week // len(set(when.window.days))) if when.pick == "best" else None
        after = desk.now + LEAD
        rows = [row for row in desk.standing if row.account == account and row.stays(campaign.name, after)]
        own = [row.at for row in rows if row.campaign == campaign.name]
        self._weeks = Counter(week_of(at, self._zone) for at in own)
        self._days = Counter(day_of(at, self._zone) for at in own)
        self._times = sorted({*(row.at for row in rows), *(post.created_at for post in desk.past(account))})

    def refusal(self, slot: Slot, exact: bool = False) -> str | None:
        """Why the slot is not free, in words that go with a number of slots, or None. `exact` ones may share a day."""
        if self._weeks[week_of(slot.at, self._zone)] >= self._a_week:
            return f"in a week that has its {counted(self._a_week, 'post')}"
        if self._a_day is not None and not exact and self._days[day_of(slot.at, self._zone)] >= self._a_day:
            return f"on a day that has its share of {self._a_week} a week"
        next_ = bisect_left(self._times, slot.at)
        around = self._times[max(next_ - 1, 0) : next_ + 1]
        if any(abs(slot.at - at) < self._spacing for at in around):
            return f"within {write_duration(self._spacing)} of another post"
        return None

    def take(self, slot: Slot) -> None:
        """Let a post stand there from now on."""
        self._weeks[week_of(slot.at, self._zone)] += 1
        self._days[day_of(slot.at, self._zone)] += 1
        insort(self._times, slot.at)

    def free(self, slots: Iterable[Slot]) -> list[Slot]:
        """Those of the slots that are free now, each by itself."""
        return [slot for slot in slots if self.refusal(slot) is None]

    def leaving(self, free: Sequence[Slot], behind: int) -> list[Slot]:
        """Those of a week's free slots after which as many of the `behind` posts that come later fit as after any."""
        after = [self._fitting(free[place + 1 :], slot) for place, slot in enumerate(free)]
        wanted = min(behind, max(after, default=0))
        return [slot for slot, fitting in zip(free, after, strict=True) if fitting >= wanted]

    def left(self, slots: Sequence[Slot]) -> int:
        """How many posts could at most still go into these slots."""
        weeks = Counter(week_of(slot.at, self._zone) for slot in self.free(slots))
        return sum(min(count, self._a_week - self._weeks[week]) for week, count in weeks.items())

    def _fitting(self, later: Sequence[Slot], first: Slot) -> int:
        """How many posts fit into the later slots of a week once the first slot is taken."""
        days = Counter([day_of(first.at, self._zone)])
        last, count, most = first.at, 0, self._a_week - self._weeks[week_of(first.at, self._zone)] - 1
        for slot in later:
            day = day_of(slot.at, self._zone)
            full = self._a_day is not None and self._days[day] + days[day] >= self._a_day
            if count < most and not full and slot.at - last >= self._spacing:
                days[day] += 1
                last, count = slot.at, count + 1
        return count

    def full(self, slots: Sequence[Slot], exact: bool = False) -> str:
        """Why none of these slots is free, in words for a person."""
        if not slots:
            return "the campaign opens no slot for it before this plan ends"
        why = Counter(self.refusal(slot, exact) or "before a post that goes first in the file" for slot in slots)
        if exact:
            return f"its time {slots[0].local.replace('T', ' ')} is {next(iter(why))}"
        parts = ", ".join(f"{count} {words}" for words, count in why.most_common())
        return f"no slot is free before this plan ends: {parts}"
