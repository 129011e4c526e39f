"""Loads a campaign file: includes, environment, schema and checks, every fault at once; no source is read here."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from pathlib import Path

from pydantic import ValidationError

from bot.campaign.checks import CHECKS
from bot.campaign.complaints import complaints
from bot.campaign.lints import LINTS
from bot.campaign.problems import CampaignErrors, Place, Problem, Where
from bot.campaign.reading import Reading, read, read_text
from bot.campaign.schema import Campaign
from bot.campaign.sheet import Fault, Sheet

PLATFORMS = ("sandbox", "mastodon", "bluesky", "x", "reddit", "discord", "telegram", "webhook")
"""Platforms whose misspelling is noticed; others may come by entry point."""

JOINED = ("posts", "sources")
"""Lists an included file adds to; any other key may be given once."""


_UNSAID = "the value taken from the environment does not fit here"


def load_campaign(
    path: Path,
    environment: Mapping[str, str],
    today: date | None = None,
    platforms: Collection[str] | None = None,
) -> Campaign:
    """Load a campaign file; raises CampaignErrors with every problem found.

    `environment` fills `${NAME}`. `today` (a local date) adds the checks of the calendar, for a file about to start.
    `platforms` are those installed, any other is then a fault; without them only likely misspellings are.
    """
    reading = read(path, read_text(path), environment)
    if not isinstance(reading.data, dict):
        what = "the file is empty" if reading.data is None else "`key: value` lines are needed: not a campaign"
        raise CampaignErrors([*reading.problems, Problem(Place(path), "", what)])
    _include(reading, environment)
    try:
        campaign = Campaign.model_validate(reading.data)
    except ValidationError as error:
        campaign = None
        _note(reading, complaints(error))
    sheet = Sheet(reading.data, path.parent, platforms or PLATFORMS, platforms is not None, today)
    _note(reading, (fault for check in (*CHECKS, *LINTS) for fault in check(sheet)))
    if campaign is None or reading.problems:
        raise CampaignErrors(reading.problems)
    return campaign.in_folder(path.parent)


def _note(reading: Reading, faults: Iterable[Fault]) -> None:
    """Add faults of places that had none before; what came from the environment is never repeated."""
    before = frozenset(reading.faulty)
    for where, what, key in faults:
        if where not in before:
            reading.fault(where, what if where not in reading.filled else _UNSAID, key=key)


def _include(reading: Reading, environment: Mapping[str, str]) -> None:
    """Take in the keys of included files; a key given twice is a fault."""
    names = reading.data.pop("include", [])
    if not isinstance(names, list):
        reading.fault(("include",), "a list of files is needed: include: [answers.yaml]")
        return
    for number, name in enumerate(names):
        where = ("include", number)
        if not isinstance(name, str):
            reading.fault(where, "the name of a file is needed")
            continue
        file = reading.file.parent / name
        try:
            inner = read(file, read_text(file), environment)
        except CampaignErrors as errors:
            reading.problems += errors.problems
            continue
        if not isinstance(inner.data, dict):
            reading.fault(where, f"{name!r} holds no `key: value` lines")
        elif "include" in inner.data:
            reading.fault(where, f"{name!r} includes further files: only the campaign file may")
        else:
            _join(reading, inner)


def _join(reading: Reading, inner: Reading) -> None:
    """Add another file's keys, lists of JOINED at the end of ours, with the places of their values."""
    reading.problems += inner.problems
    for key, value in inner.data.items():
        ours, offset = reading.data.get(key), 0
        if key in JOINED and isinstance(ours, list) and isinstance(value, list):
            offset = len(ours)
            reading.data[key] = [*ours, *value]
        elif key in reading.data:
            other = reading.place((key,), key=True)
            what = f"also given in {other.file.name}, line {other.line}: keep one"
            reading.fault((key,), what, inner.place((key,), key=True))
            continue
        else:
            reading.data[key] = value
        for mine, theirs in ((reading.keys, inner.keys), (reading.values, inner.values)):
            for where in [where for where in theirs if where[:1] == (key,)]:
                mine.setdefault(_moved(where, offset), theirs[where])
        reading.filled |= {_moved(where, offset) for where in inner.filled if where[:1] == (key,)}
        reading.faulty |= {_moved(where, offset) for where in inner.faulty if where[:1] == (key,)}


def _moved(where: Where, offset: int) -> Where:
    """The place of an included value in the joined lists."""
    if len(where) > 1 and isinstance(where[1], int):
        return (where[0], where[1] + offset, *where[2:])
    return where
