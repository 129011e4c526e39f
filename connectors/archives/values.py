"""Judges single values of an archive: texts, counts, times; each refuses with a ValueError in plain words.

Where a value stands is not known here.
"""

import re
from datetime import UTC, datetime

MOST = 2**31 - 1
"""Largest count believed; a larger one is a fault of the file."""

_WHOLE = re.compile(r"([+-]?\d{1,18})(?:\.0*)?", re.ASCII)
"""Digits, perhaps with .0 behind them: so tables with gaps are often written."""


def text_of(value: object, name: str) -> str:
    """A text without the blanks around it; refuses what is none, is empty, or could not be kept by a database."""
    if not isinstance(value, str):
        raise ValueError(f"no {name}" if value is None else f"{name} {shown(value)} is not text")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{name} is not UTF-8 text") from None
    if "\0" in value:
        raise ValueError(f"{name} holds a NUL byte")
    stripped = value.strip()
    if not stripped:
        raise ValueError(f"no {name}")
    return stripped


def count_of(value: object, name: str) -> int | None:
    """A count from a number or digits, None where nothing is said; refuses what cannot be a count."""
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    whole = _WHOLE.fullmatch(text)
    if whole is None:
        raise ValueError(f"{name} {shown(value)} is not a whole number")
    number = int(whole[1])
    if number < 0:
        raise ValueError(f"{name} {number} is below zero")
    if number > MOST:
        raise ValueError(f"{name} {number} is more than can be")
    return number


def moment_of(value: str, name: str, now: datetime) -> datetime:
    """A time such as 2027-03-01T09:00:00Z in UTC; refuses one without a zone and one still to come."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{name} {shown(value)} is not a time; write it as 2027-03-01T09:00:00Z") from None
    if at.tzinfo is None:
        raise ValueError(f"{name} {shown(value)} has no zone; end it with Z for UTC, or with its offset as +02:00")
    return past(at, name, now)


def past(at: datetime, name: str, now: datetime) -> datetime:
    """An aware time in UTC; refuses one still to come."""
    try:
        moved = at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{name} {at.isoformat()} is out of range") from None
    if moved > now:
        raise ValueError(f"{name} {at.isoformat()} is still to come")
    return moved


def shown(value: object) -> str:
    """A stranger's value for a message: quoted, escaped, cut."""
    text = str(value)
    return repr(text if len(text) <= 40 else f"{text[:39]}…")
