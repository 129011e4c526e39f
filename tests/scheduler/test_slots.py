"""Local slots as moments: against an oracle that walks UTC minute by minute, and as properties."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.slots import even, expand, fixed, moment, recurring

MINUTE = timedelta(minutes=1)
QUARTERS = [time(hour, minute) for hour in range(24) for minute in (0, 15, 30, 45)]
ZONES = """
    Africa/Cairo Africa/Casablanca Africa/El_Aaiun Africa/Johannesburg America/Adak America/Anchorage America/Asuncion
    America/Caracas America/Chicago America/Denver America/Godthab America/Halifax America/Havana America/Los_Angeles
    America/Mexico_City America/Miquelon America/Montevideo America/New_York America/Port-au-Prince America/Santiago
    America/Sao_Paulo America/St_Johns Antarctica/Troll Asia/Amman Asia/Beirut Asia/Damascus Asia/Gaza Asia/Jerusalem
    Asia/Kathmandu Asia/Kolkata Asia/Pyongyang Asia/Tehran Asia/Tokyo Atlantic/Azores Australia/Adelaide
    Australia/Lord_Howe Australia/Sydney Europe/Berlin Europe/Chisinau Europe/Dublin Europe/Istanbul Europe/London
    Europe/Moscow Europe/Volgograd Pacific/Apia Pacific/Auckland Pacific/Chatham Pacific/Easter Pacific/Fiji
    Pacific/Kiritimati Pacific/Norfolk Pacific/Tongatapu UTC
""".split()  # noqa: SIM905
FIRST, LAST = datetime(2015, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)


@cache
def changes(zone: str) -> list[datetime]:
    """Instants, to six hours, before which the zone's offset was another than after."""
    place, step, found = ZoneInfo(zone), timedelta(hours=6), []
    at, offset = FIRST, FIRST.astimezone(place).utcoffset()
    while at < LAST:
        at += step
        now = at.astimezone(place).utcoffset()
        if now != offset:
            found.append(at - step)
        offset = now
    return found


def walk(zone: str, start: datetime, hours: int) -> Iterator[tuple[datetime, datetime]]:
    """(wall clock, instant) of every minute: only the direction UTC -> local, which is never in doubt."""
    place = ZoneInfo(zone)
    for minute in range(hours * 60):
        at = start + minute * MINUTE
        yield at.astimezone(place).replace(tzinfo=None, fold=0), at


def oracle(shown: dict[datetime, datetime], wall: datetime) -> datetime:
    """The first minute that shows this wall clock, else the first that shows a later one."""
    return shown[wall] if wall in shown else min(at for local, at in shown.items() if local > wall)


def test_sixteen_thousand_times_around_clock_changes_agree_with_a_walk_over_the_minutes() -> None:
    cases, wrong = 0, []
    for zone in ZONES:
        for change in changes(zone):
            shown: dict[datetime, datetime] = {}
            for wall, at in walk(zone, change - timedelta(hours=5), 16):
                shown.setdefault(wall, at)
            wall = min(shown) + timedelta(hours=2)
            while wall < max(shown) - timedelta(hours=2):
                cases += 1
                if moment(wall, zone).at != oracle(shown, wall):
                    wrong.append((zone, wall))
                wall += timedelta(minutes=30)
    assert wrong == []
    assert cases >= 10_000
    assert len([zone for zone in ZONES if changes(zone)]) >= 40


@pytest.mark.parametrize("zone", [zone for zone in ZONES if zone[0] in "AEP"][::3])
def test_whole_days_of_quarter_hours_agree_with_the_walk(zone: str) -> None:
    for change in changes(zone)[:4]:
        start, end = change - timedelta(hours=6), change + timedelta(hours=14)
        shown: dict[datetime, datetime] = {}
        for wall, at in walk(zone, start - timedelta(days=1), 72):
            shown.setdefault(wall, at)
        walls = [datetime.combine(day, clock) for day in {wall.date() for wall in shown} for clock in QUARTERS]
        inner = [wall for wall in walls if min(shown) < wall < max(shown) - timedelta(hours=1)]
        expected = sorted({at for wall in inner if start <= (at := oracle(shown, wall)) < end})
        assert [slot.at for slot in expand(start, end, zone, times=QUARTERS)] == expected


def test_a_skipped_time_moves_to_the_end_of_the_gap_and_keeps_its_name() -> None:
    slot = moment(datetime.fromisoformat("2026-03-29T02:30"), "Europe/Berlin")
    assert (slot.local, slot.at) == ("2026-03-29T02:30", datetime(2026, 3, 29, 1, 0, tzinfo=UTC))


def test_a_skipped_day_moves_to_the_day_after_it() -> None:
    assert moment(datetime.fromisoformat("2011-12-30T09:00"), "Pacific/Apia").at == datetime(
        2011, 12, 30, 10, tzinfo=UTC
    )


def test_a_time_that_comes_twice_fires_at_its_first_coming_only() -> None:
    start, end = datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC)
    slots = expand(start, end, "Europe/Berlin", times=[time(2, 30)])
    assert [slot.at for slot in slots] == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


def test_times_that_fall_on_one_instant_give_it_once_and_the_true_wall_clock_wins() -> None:
    start, end = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC)
    slots = expand(start, end, "Europe/Berlin", times=[time(2), time(2, 30), time(3)])
    assert [slot.local for slot in slots] == ["2026-03-29T03:00"]
    both_skipped = expand(start, end, "Europe/Berlin", times=[time(2, 30), time(2)])
    assert len(both_skipped) == 1


@pytest.mark.parametrize("clock", [time(0), time(0, 30)])
@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Sydney"])
def test_the_day_after_spring_forward_is_not_skipped(zone: str, clock: time) -> None:
    slots = expand(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), zone, times=[clock])
    days = {slot.local[:10] for slot in slots}
    assert len(days) == len(slots) == 365


def test_a_window_is_open_from_its_first_time_to_just_before_its_last() -> None:
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    slots = expand(monday, monday + timedelta(days=7), "UTC", [0, 2], window=(time(8), time(11)))
    assert [slot.local[8:] for slot in slots] == [f"{day}T{hour:02}:00" for day in (23, 25) for hour in (8, 9, 10)]


def test_a_window_over_midnight_belongs_to_the_day_it_begins_on() -> None:
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    slots = expand(monday, monday + timedelta(days=7), "UTC", [0], window=(time(22), time(1)))
    assert [slot.local for slot in slots] == ["2026-11-23T22:00", "2026-11-23T23:00", "2026-11-24T00:00"]
    midnight = monday + timedelta(days=1)
    assert expand(midnight, midnight + timedelta(days=5), "UTC", [0], window=(time(22), time(1))) == slots[2:]


def test_fixed_times_on_a_weekday_and_on_every_day() -> None:
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    slots = fixed(monday, monday + timedelta(days=3), "UTC", [(0, time(9)), (None, time(12))])
    assert [slot.local[8:] for slot in slots] == ["23T09:00", "23T12:00", "24T12:00", "25T12:00"]


def test_even_slots_share_out_the_open_time_of_the_week() -> None:
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    five = even(monday, monday + timedelta(days=7), "UTC", range(5), (time(8), time(20)), 5)
    assert [slot.local[8:] for slot in five] == [f"{day}T14:00" for day in range(23, 28)]
    two = even(monday, monday + timedelta(days=7), "UTC", range(4), (time(8), time(20)), 2)
    assert [slot.local[8:] for slot in two] == ["24T08:00", "26T08:00"]


def test_even_slots_stay_where_they_are_when_planned_again_in_mid_week() -> None:
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    whole = even(monday, monday + timedelta(days=14), "Europe/Berlin", range(7), (time(8), time(21)), 9)
    later = monday + timedelta(days=2, hours=5)
    again = even(later, monday + timedelta(days=14), "Europe/Berlin", range(7), (time(8), time(21)), 9)
    assert len(whole) == 18
    assert again == [slot for slot in whole if slot.at >= later]


def test_a_recurring_slot_keeps_its_hour_when_the_clocks_change() -> None:
    start = datetime(2026, 10, 12, 7, tzinfo=UTC)
    slots = recurring(start, timedelta(days=7), datetime(2026, 11, 9, tzinfo=UTC), "Europe/Berlin")
    assert [slot.local[11:] for slot in slots] == ["09:00"] * 4
    assert [slot.at.hour for slot in slots] == [7, 7, 8, 8]
    assert recurring(start, timedelta(days=7), datetime(2030, 1, 1, tzinfo=UTC), "Europe/Berlin", times=2) == slots[:2]


@pytest.mark.parametrize(
    ("zone", "window", "words"),
    [("Europe/Berlon", (time(8), time(9)), "Europe/Berlon"), ("UTC", None, "either a window or times")],
)
def test_what_cannot_be_expanded_is_refused_in_words(zone: str, window: tuple[time, time] | None, words: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match=words):
        expand(now, now + timedelta(days=1), zone, window=window)


def test_naive_times_are_refused() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(ValueError, match="naive"):
        expand(naive, naive + timedelta(days=1), "UTC", times=[time(9)])
    with pytest.raises(ValueError, match="offset"):
        moment(datetime(2026, 1, 1, tzinfo=UTC), "UTC")


spans = st.tuples(
    st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1)).map(lambda wall: wall.replace(tzinfo=UTC)),  # noqa: DTZ001
    st.timedeltas(timedelta(hours=1), timedelta(days=9)),
    st.timedeltas(timedelta(hours=1), timedelta(days=9)),
)
clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59))


@settings(max_examples=200, deadline=None)
@given(spans, st.sampled_from(ZONES), st.lists(clocks, min_size=1, max_size=6), st.sets(st.integers(0, 6)))
def test_slots_are_in_order_once_each_inside_their_span_and_indifferent_to_where_it_is_cut(
    span: tuple[datetime, timedelta, timedelta], zone: str, times: list[time], days: set[int]
) -> None:
    start, cut, end = span[0], span[0] + span[1], span[0] + span[1] + span[2]
    whole = expand(start, end, zone, days, times=times)
    moments = [slot.at for slot in whole]
    assert moments == sorted(set(moments))
    assert len({slot.local for slot in whole}) == len(whole)
    assert all(start <= at < end for at in moments)
    assert all(date.fromisoformat(slot.local[:10]).weekday() in days for slot in whole)
    assert expand(start, cut, zone, days, times=times) + expand(cut, end, zone, days, times=times) == whole


@settings(max_examples=200, deadline=None)
@given(spans, st.sampled_from(ZONES), clocks, clocks, st.integers(1, 84))
def test_even_slots_lie_in_the_window(
    span: tuple[datetime, timedelta, timedelta], zone: str, opened: time, closed: time, per_week: int
) -> None:
    for slot in even(span[0], span[0] + span[1], zone, range(7), (opened, closed), per_week):
        clock = time.fromisoformat(slot.local[11:])
        inside = opened <= clock < closed if opened < closed else clock >= opened or clock < closed
        assert inside
