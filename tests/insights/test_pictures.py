"""Pictures: PNG and SVG of the right size that say what is seen and change with what they show."""

import struct
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.insights import pictures
from bot.insights.canvas import Picture
from bot.insights.hours import Hour
from bot.insights.lift import Lift
from bot.insights.pictures import Dated, Measured

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def posts(shift: int = 0) -> list[Dated]:
    return [
        Dated(NOON + timedelta(days=day, hours=shift), "published" if day < 0 else "planned", day % 4 == 0)
        for day in range(-10, 5)
    ]


def week(height: float = 1.0) -> list[Hour]:
    return [Hour(day, hour, (height, height, -0.2)) for day in range(7) for hour in (9, 18)]


def pairs(value: float = 20.0) -> list[Measured]:
    return [Measured(10.0 + place, 5.0, 30.0, value, place % 3 == 0) for place in range(10)]


def steps(ratio: float = 1.2) -> list[tuple[datetime, Lift]]:
    return [
        (NOON + timedelta(days=day), Lift(ratio, ratio / 2, ratio * 2, 20 + day, 8, "not yet known: ..."))
        for day in range(9)
    ]


def calendar(shift: int = 0, simulated: bool = True) -> Picture:
    return pictures.calendar(posts(shift), NOON, BERLIN, simulated=simulated)


def hours(height: float = 1.0, simulated: bool = True) -> Picture:
    return pictures.hours(week(height), zone="Europe/Berlin", simulated=simulated)


def forecasts(value: float = 20.0, simulated: bool = True) -> Picture:
    return pictures.forecasts(pairs(value), simulated=simulated)


def lift_over_time(ratio: float = 1.2, simulated: bool = True) -> Picture:
    return pictures.lift_over_time(steps(ratio), zone=BERLIN, simulated=simulated)


ALL = pytest.mark.parametrize("draw", [calendar, hours, forecasts, lift_over_time])
Draw = Callable[..., Picture]


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@ALL
def test_a_picture_is_a_png_of_its_size(draw: Draw) -> None:
    picture = draw()
    wide, high = picture.figure.get_size_inches()
    assert size(picture.png(dpi=100)) == (int(wide * 100), int(high * 100))


@ALL
def test_other_data_is_another_picture_and_the_same_data_the_same(draw: Draw) -> None:
    assert draw().png(50) == draw().png(50)
    assert draw().png(50) != draw(2).png(50)
    assert draw().svg() == draw().svg()


@ALL
def test_every_picture_of_a_simulated_world_is_stamped_and_no_other(draw: Draw) -> None:
    assert "SIMULATED" in draw(simulated=True).svg()
    assert "SIMULATED" not in draw(simulated=False).svg()


@ALL
def test_an_svg_is_whole_follows_the_scheme_and_runs_nothing(draw: Draw) -> None:
    svg = draw().svg()
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    assert "prefers-color-scheme:dark" in svg
    assert "<script" not in svg
    assert len(svg) < 120_000


@ALL
def test_the_title_stands_in_the_picture_and_the_alt_text(draw: Draw) -> None:
    picture = draw()
    assert picture.title in picture.svg()
    assert len(picture.alt) > 30


def test_a_calendar_counts_what_it_shows() -> None:
    picture = calendar()
    assert picture.title == "10 posts went out, 5 to come, from 09 Nov on"
    assert "13:00" in picture.svg()  # noon UTC, as Berlin lives it


def test_a_crowded_day_says_how_many_more_there_are() -> None:
    day = [Dated(NOON + timedelta(minutes=place), "planned", False) for place in range(9)]
    assert "+ 7 more" in pictures.calendar(day, NOON, BERLIN, simulated=False).svg()


def test_an_old_calendar_is_cut_to_its_last_weeks() -> None:
    old = [Dated(NOON - timedelta(weeks=week), "published", False) for week in range(40)]
    assert pictures.calendar(old, NOON, BERLIN, simulated=False).title.startswith(f"{pictures.WEEKS} posts went out")


def test_empty_pictures_say_why_they_are_empty() -> None:
    assert "0 posts went out" in pictures.calendar([], NOON, BERLIN, simulated=False).title
    assert "Not enough data yet" in pictures.hours([], zone="UTC", simulated=False).title
    assert "No forecast" in pictures.forecasts([], simulated=False).title
    assert "Not yet known" in pictures.lift_over_time([], zone=BERLIN, simulated=False).title


def test_the_title_of_forecasts_counts_the_outcomes_inside_their_interval() -> None:
    assert forecasts(20.0).title == "10 of 10 outcomes inside their 80 % interval"
    assert forecasts(31.0).title == "0 of 10 outcomes inside their 80 % interval"


def test_an_outcome_equal_to_the_shown_end_of_the_interval_is_inside() -> None:
    assert Measured(3, 1.4, 4.6, 1, False).inside  # shown as 1 to 5
    assert Measured(3, 1.4, 4.6, 5, False).inside
    assert not Measured(3, 1.4, 4.6, 0, False).inside


def test_the_title_of_the_lift_is_its_latest_figure() -> None:
    assert lift_over_time(1.2).title == "Lift x1.20 [0.60, 2.40]: not yet known"


def test_of_very_many_forecasts_only_the_latest_are_drawn_and_all_are_counted() -> None:
    many = pictures.forecasts(pairs() * 50, simulated=False)
    assert many.title == "500 of 500 outcomes inside their 80 % interval"
    assert "forecast, in points (latest 200 drawn)" in many.svg()
