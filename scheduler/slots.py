"""Local wall-clock times as moments: windows, fixed, even and recurring slots; not which post goes into which.

Slots are expanded here, by local date, because interval arithmetic in UTC and cron fields both get the two strange days
of the year wrong: a local time that is skipped moves to the first instant that exists after the gap, one that
comes twice means its first coming.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from scheduler.clock import aware

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
EVERY_DAY = range(7)

Window = tuple[time, time]
"""(from, to) in local time: `from` belongs to it, `to` does not; where `to` is not later, it ends on the next day."""


@dataclass(frozen=True)
class Slot:
    """A moment a post may go out: the wall-clock time as written, YYYY-MM-DDTHH:MM, and the instant in UTC."""

    local: str
    at: datetime


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo:
    """The IANA zone of that name; raises ValueError with the name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no IANA time zone (such as Europe/Berlin)") from error


def moment(wall: datetime, zone: str) -> Slot:
    """The slot of one wall-clock time (a naive datetime) in a zone."""
    if wall.tzinfo is not None:
        raise ValueError(f"{wall!r} carries an offset: a wall-clock time gets its own from the zone")
    return Slot(f"{wall:%Y-%m-%dT%H:%M}", _instant(wall, zone_of(zone)))


def expand(
    start: datetime,
    end: datetime,
    zone: str,
    days: Collection[int] = EVERY_DAY,
    *,
    window: Window | None = None,
    times: Iterable[time] | None = None,
    every: timedelta = HOUR,
) -> list[Slot]:
    """Slots with start <= at < end on these local weekdays (0 is Monday), oldest first, each instant once.

    Either at `times` of day, or through `window` in steps of `every` from its beginning. A window over midnight
    belongs to the day on which it begins.
    """
    if (window is None) == (times is None):
        raise ValueError("slots need either a window or times of day")
    offsets = _grid(window, every) if window is not None else [_since_midnight(clock) for clock in times or ()]
    walls = (_midnight(day) + offset for day in _dates(start, end, zone) if day.weekday() in days for offset in offsets)
    return _between(walls, start, end, zone)


def fixed(start: datetime, end: datetime, zone: str, times: Iterable[tuple[int | None, time]]) -> list[Slot]:
    """Slots at fixed local times, each on one weekday (0 is Monday) or, for None, on every day."""
    wanted = list(times)
    walls = (
        _midnight(day) + _since_midnight(clock)
        for day in _dates(start, end, zone)
        for weekday, clock in wanted
        if weekday is None or weekday == day.weekday()
    )
    return _between(walls, start, end, zone)


def even(start: datetime, end: datetime, zone: str, days: Collection[int], window: Window, per_week: int) -> list[Slot]:
    """`per_week` slots in each local week, spread evenly over the time its windows are open.

    They depend on the calendar week alone, so planning again on Wednesday gives the same slots for Thursday.
    """
    if per_week < 1:
        raise ValueError(f"{per_week} posts a week cannot be spread")
    open_days = sorted(set(days))
    opened, length = _since_midnight(window[0]), _length(window)
    walls = []
    for monday in (day for day in _dates(start - 7 * DAY, end, zone) if day.weekday() == 0):
        for place in range(per_week):
            into = len(open_days) * length * (2 * place + 1) / (2 * per_week)
            which, rest = divmod(into, length)
            wall = _midnight(monday + open_days[which] * DAY) + opened + rest
            walls.append(wall.replace(second=0, microsecond=0))
    return _between(walls, start, end, zone)


def recurring(
    start: datetime, every: timedelta, until: datetime, zone: str = "UTC", times: int | None = None
) -> list[Slot]:
    """Slots from `start` (itself the first) in steps of wall-clock time, before `until`, at most `times` of them.

    A step of 30 days keeps the hour of the day when the clocks change.
    """
    if every <= timedelta(0):
        raise ValueError(f"a recurring slot needs a step above zero, not {every}")
    return _between(_steps(start, every, until, zone, times), start, until, zone)


def _steps(start: datetime, every: timedelta, until: datetime, zone: str, times: int | None) -> Iterator[datetime]:
    first = aware(start).astimezone(zone_of(zone)).replace(tzinfo=None, fold=0)
    last = aware(until).astimezone(zone_of(zone)).replace(tzinfo=None)
    count = 0
    while (wall := first + count * every) <= last and (times is None or count < times):
        yield wall
        count += 1


def _between(walls: Iterable[datetime], start: datetime, end: datetime, zone: str) -> list[Slot]:
    """Moments of these wall-clock times in [start, end), in order of time and each instant once.

    Where a skipped time lands on an instant whose own wall-clock time is asked for too, that one stays.
    """
    place = zone_of(zone)
    first, last = aware(start), aware(end)
    chosen: dict[datetime, datetime] = {}
    for wall in walls:
        at = _instant(wall, place)
        if first <= at < last and (at not in chosen or _shown(at, place) == wall):
            chosen[at] = wall
    return [Slot(f"{wall:%Y-%m-%dT%H:%M}", at) for at, wall in sorted(chosen.items())]


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    at = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return at if _shown(at, zone) == wall else _end_of_gap(wall, zone)


def _end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after the gap this skipped wall-clock time lies in.

    Read with the offset after the gap it falls before the change, with the one before it falls after: halve between.
    """
    before, after = (wall.replace(tzinfo=zone, fold=fold, microsecond=0).astimezone(UTC) for fold in (1, 0))
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after


def _shown(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def _dates(start: datetime, end: datetime, zone: str) -> Iterator[date]:
    """Local dates whose slots may fall into [start, end): one day early, for windows over midnight and long gaps."""
    place = zone_of(zone)
    day = aware(start).astimezone(place).date() - 2 * DAY
    last = aware(end).astimezone(place).date()
    while day <= last:
        yield day
        day += DAY


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _since_midnight(clock: time) -> timedelta:
    if clock.tzinfo is not None:
        raise ValueError(f"{clock!r} carries an offset: a time of day gets its own from the zone")
    return timedelta(hours=clock.hour, minutes=clock.minute)


def _length(window: Window) -> timedelta:
    opened, closed = _since_midnight(window[0]), _since_midnight(window[1])
    return closed - opened if closed > opened else closed - opened + DAY


def _grid(window: Window, every: timedelta) -> Sequence[timedelta]:
    if every <= timedelta(0) or every % timedelta(minutes=1):
        raise ValueError(f"the grid of a window has steps of whole minutes, not {every}")
    opened, length = _since_midnight(window[0]), _length(window)
    return [opened + step * every for step in range(-(-length // every))]
