"""The small values a campaign file is written in: durations, shares, clock times, zones, handles; no campaign here."""

import re
from datetime import datetime, time, timedelta
from functools import cache
from typing import Annotated, Any, Literal, cast, get_args
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
Mode = Literal["draft", "approve", "auto"]
Pick = Literal["best", "fixed", "even"]

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = r"[1-9][0-9]{0,4} ?[mhdw]"
_CLOCK = r"([01]?[0-9]|2[0-3]):[0-5][0-9]"
_SHARE = r"[0-9]{1,3}(\.[0-9]+)? ?%"


def parse_duration(value: object) -> timedelta:
    """Read 30m, 4h, 30d or 2w; raises ValueError with an example."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not re.fullmatch(_DURATION, value.strip()):
        raise ValueError(f"a duration is written as 30m, 4h, 30d or 2w, not {value!r}")
    return timedelta(**{_UNITS[value.strip()[-1]]: int(value.strip()[:-1])})


def write_duration(value: timedelta) -> str:
    """Write a duration in the largest unit that says it exactly: 48h reads 2d, 14 days read 2w."""
    minutes = int(value.total_seconds() // 60)
    for unit, size in (("w", 7 * 24 * 60), ("d", 24 * 60), ("h", 60)):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


def parse_clock(value: object) -> time:
    """Read a time of day such as 09:00 (24 hours, no zone)."""
    if isinstance(value, time):
        if value.tzinfo is not None:
            raise ValueError("a time of day carries no zone: the campaign's timezone applies")
        return value
    if not isinstance(value, str) or not re.fullmatch(_CLOCK, value.strip()):
        raise ValueError(f'a time of day is written as "09:00" (24 hours), not {value!r}')
    hour, minute = value.strip().split(":")
    return time(int(hour), int(minute))


def parse_fixed(value: str) -> tuple[Weekday | None, time]:
    """Read "mon 09:00" or "09:00" (every day) into its weekday, if any, and time of day."""
    day, _, clock = value.strip().rpartition(" ")
    if not day:
        return None, parse_clock(clock)
    if day.strip().lower() not in WEEKDAYS:
        raise ValueError(f'{day.strip()!r} is no weekday: write a fixed time as "mon 09:00" or "09:00"')
    return cast(Weekday, day.strip().lower()), parse_clock(clock)


def _fixed(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(f'a fixed time is written as "mon 09:00" or "09:00", not {value!r}')
    day, clock = parse_fixed(value)
    return f"{day} {clock:%H:%M}" if day else f"{clock:%H:%M}"


def _share(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(_SHARE, value.strip()):
        return float(value.strip().rstrip("% ")) / 100
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"a share is written as 10% or 0.1, not {value!r}")
    return value


def _wall_clock(value: object) -> object:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(f'a local time is written as "2026-12-01 09:30", not {value!r}') from None
    if isinstance(value, datetime) and value.tzinfo is not None:
        raise ValueError("a local time carries no offset: the campaign's timezone applies")
    return value


@cache
def zones() -> frozenset[str]:
    """Every IANA zone this machine knows."""
    return frozenset(available_timezones())


def _zone(value: str) -> str:
    if value not in zones():
        raise ValueError(f"{value!r} is no IANA time zone (such as Europe/Berlin)")
    return value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _bare(value: object) -> object:
    return value.strip().lstrip("@#").lower() if isinstance(value, str) else value


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number is needed, not true or false")
    return value


def _as_schema(**schema: Any) -> WithJsonSchema:
    return WithJsonSchema(schema)


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(write_duration, return_type=str),
    _as_schema(type="string", pattern=f"^{_DURATION}$", examples=["30m", "4h", "30d", "2w"]),
]
Clock = Annotated[
    time,
    BeforeValidator(parse_clock),
    PlainSerializer(lambda value: f"{value:%H:%M}", return_type=str),
    _as_schema(type="string", pattern=f"^{_CLOCK}$", examples=["08:00"]),
]
FixedTime = Annotated[
    str,
    BeforeValidator(_fixed),
    _as_schema(type="string", pattern=f"^(({'|'.join(WEEKDAYS)}) )?{_CLOCK}$", examples=["mon 09:00", "09:00"]),
]
Share = Annotated[
    float,
    BeforeValidator(_share),
    Field(ge=0, le=0.5, allow_inf_nan=False),
    _as_schema(anyOf=[{"type": "number", "minimum": 0, "maximum": 0.5}, {"type": "string", "pattern": f"^{_SHARE}$"}]),
]
WallClock = Annotated[
    datetime,
    BeforeValidator(_wall_clock),
    PlainSerializer(lambda value: f"{value:%Y-%m-%dT%H:%M}", return_type=str),
    _as_schema(
        type="string",
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}$",
        examples=["2026-12-01 09:30"],
    ),
]
"""A local date and time without offset; the campaign's timezone gives it one."""

Zone = Annotated[str, AfterValidator(_zone)]
Day = Annotated[Weekday, BeforeValidator(_lower)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
AccountName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*/[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Handle = Annotated[str, BeforeValidator(_bare), StringConstraints(min_length=1)]
"""A handle or hashtag without its sign, in lower case."""
Whole = Annotated[int, BeforeValidator(_no_bool)]
Version = Annotated[Literal[1], BeforeValidator(_no_bool)]
Number = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_no_bool)]
