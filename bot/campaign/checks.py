"""Checks of a campaign file's parts against each other, the disk and the calendar; single values are the schema's."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

from bot.campaign.problems import Where, did_you_mean
from bot.campaign.sheet import Check, Fault, Sheet, listed, mapping, repeated, texts
from bot.campaign.values import parse_clock, parse_duration

SECRET = re.compile(r"(^|_)(token|password|passwd|secret|api_?key|access_key|credentials?)(_|$)", re.IGNORECASE)
LEAST_REPEAT = timedelta(days=7)
OTHER_NAMES = {"twitter": "x", "bsky": "bluesky", "masto": "mastodon"}


def check_secrets(sheet: Sheet) -> Iterator[Fault]:
    """Nothing secret is written in the file."""

    def walk(where: Where, value: Any) -> Iterator[Fault]:
        for key, inner in mapping(value).items():
            if SECRET.search(key):
                yield Fault(
                    (*where, key),
                    "a secret is never written in a campaign file: `kairos accounts add` asks for it",
                    key=True,
                )
            yield from walk((*where, key), inner)
        for place, inner in enumerate(listed(value)):
            yield from walk((*where, place), inner)

    return walk((), sheet.data)


def check_something_to_do(sheet: Sheet) -> Iterator[Fault]:
    """A campaign says something, or answers."""
    parts = (
        sheet.data.get("posts"),
        sheet.data.get("sources"),
        mapping(sheet.data.get("replies")).get("rules"),
    )
    if not any(parts):
        yield Fault((), "nothing to say: write `posts`, `sources` or `replies` with `rules`")


def check_accounts(sheet: Sheet) -> Iterator[Fault]:
    """Platforms exist, and no account is named twice."""
    for place, name in enumerate(listed(sheet.data.get("accounts"))):
        if not isinstance(name, str) or "/" not in name:
            continue
        if name in sheet.data["accounts"][:place]:
            yield Fault(("accounts", place), f"{name!r} is named twice")
        platform, _, rest = name.partition("/")
        if platform in sheet.platforms:
            continue
        near = OTHER_NAMES.get(platform)
        hint = f", did you mean {near!r}?" if near else did_you_mean(platform, sheet.platforms)
        if hint or sheet.strict:
            hint = hint[:-2] + f"/{rest}'?" if hint else f" (known: {', '.join(sorted(sheet.platforms))})"
            yield Fault(("accounts", place), f"unknown platform {platform!r}{hint}")


def check_chosen_accounts(sheet: Sheet) -> Iterator[Fault]:
    """Posts name only accounts of the campaign."""
    known = sheet.accounts()
    platforms = {name.partition("/")[0] for name in known}
    for where, item in sheet.items("posts"):
        for place, name in enumerate(listed(item.get("accounts"))):
            if isinstance(name, str) and "/" in name and name not in known:
                hint = did_you_mean(name, known)
                yield Fault((*where, "accounts", place), f"{name!r} is not in the campaign's `accounts`{hint}")
        for name in mapping(item.get("on")):
            if name not in platforms and name not in known:
                hint = did_you_mean(name, [*platforms, *known])
                yield Fault((*where, "on", name), f"no account of this campaign is {name!r}{hint}", key=True)


def check_names(sheet: Sheet) -> Iterator[Fault]:
    """Names that must be unique are."""
    lists = [sheet.items("posts"), sheet.items("sources")]
    yield from chain.from_iterable(repeated(named, "id") for named in lists)
    yield from repeated(sheet.items("replies", "rules"), "intent")
    for where, item in chain(sheet.items("posts"), sheet.items("sources")):
        variants = [
            ((*where, "variants", place), mapping(variant))
            for place, variant in enumerate(listed(item.get("variants")))
        ]
        yield from repeated(iter(variants), "id")


def check_wordings(sheet: Sheet) -> Iterator[Fault]:
    """Every post and feed has wordings, written in one way, no two the same."""
    for where, item in chain(sheet.items("posts"), sheet.items("sources")):
        spoken = [key for key in ("text", "variants") if item.get(key) not in (None, [])]
        if len(spoken) == 2:
            yield Fault((*where, "variants"), "both `text` and `variants`: move the text into `variants`")
        needed = where[0] == "posts" or "rss" in item
        if needed and not spoken and not item.get("on") and not {"text", "variants"} & {*item}:
            yield Fault(where, "no wording: write `text`, or `variants` with several")
        seen: set[str] = set()
        for place, text, _ in texts(where, item):
            same = " ".join(text.split()).casefold()
            if place[-3:-2] == ("variants",) and place[:-3] == where:
                if same in seen and same:
                    yield Fault(place, "the same wording as another variant of this post")
                seen.add(same)


def check_pictures(sheet: Sheet) -> Iterator[Fault]:
    """Pictures are there."""
    for where, item in sheet.items("posts"):
        for place, picture in enumerate(listed(item.get("media"))):
            file = mapping(picture).get("file")
            if isinstance(file, str) and file.strip() and not is_file(sheet, file):
                yield Fault((*where, "media", place, "file"), f"there is no file {file!r} beside the campaign")


def check_window(sheet: Sheet) -> Iterator[Fault]:
    """The window is open at some time, and the fixed times are there exactly when they are used."""
    when = mapping(sheet.data.get("when"))
    window = mapping(when.get("window"))
    try:
        start, end = parse_clock(window.get("from", "08:00")), parse_clock(window.get("to", "21:00"))
    except ValueError:
        pass
    else:
        if start >= end:
            key = "to" if "to" in window else "from"
            yield Fault(
                ("when", "window", key),
                f"the window closes at {end:%H:%M} before it opens at {start:%H:%M}: no post could go out",
            )
    if when.get("pick") == "fixed" and not when.get("at"):
        yield Fault(("when", "pick"), '`pick: fixed` needs the times: at: ["mon 09:00", "thu 17:30"]')
    if when.get("at") and when.get("pick", "best") != "fixed":
        yield Fault(("when", "at"), "these times are used only with `pick: fixed`")


def check_recurring(sheet: Sheet) -> Iterator[Fault]:
    """Recurring posts come at least a week apart, and end, later than they begin."""
    for where, item in sheet.items("posts"):
        start = _day(item.get("at"))
        if start and sheet.today and start < sheet.today:
            yield Fault((*where, "at"), f"{start} is past: this post could never go out")
        recurring = item.get("recurring")
        if not isinstance(recurring, dict):
            continue
        try:
            if parse_duration(recurring.get("every", "7d")) < LEAST_REPEAT:
                yield Fault((*where, "recurring", "every"), "own posts are repeated after 7d at the earliest")
        except ValueError:
            pass
        if ("until" in recurring) == ("times" in recurring):
            yield Fault((*where, "recurring"), "a recurring post needs an end: either `until` or `times`")
        until = _day(recurring.get("until"))
        if until and sheet.today and until < sheet.today:
            yield Fault((*where, "recurring", "until"), f"{until} is past: this post would never come again")
        if until and start and until < start:
            yield Fault((*where, "recurring", "until"), f"ends on {until}, before it begins on {start}")


def check_sources(sheet: Sheet) -> Iterator[Fault]:
    """Each source reads one thing, and what it reads on this machine is there."""
    for where, source in sheet.items("sources"):
        named = [key for key in ("rss", "csv", "folder") if key in source]
        if len(named) != 1:
            yield Fault(where, f"a source reads one of rss, csv or folder, here {len(named)} are given")
        for key in named:
            path = source[key]
            if not isinstance(path, str) or not path.strip() or "://" in path:
                continue
            if key == "folder" and not is_folder(sheet, path):
                yield Fault((*where, key), f"there is no folder {path!r} beside the campaign")
            if key != "folder" and not is_file(sheet, path):
                yield Fault((*where, key), f"there is no file {path!r} beside the campaign")


def check_knowledge(sheet: Sheet) -> Iterator[Fault]:
    """Knowledge files are there."""
    for place, file in enumerate(listed(mapping(sheet.data.get("replies")).get("knowledge"))):
        if isinstance(file, str) and file.strip() and not is_file(sheet, file):
            yield Fault(("replies", "knowledge", place), f"there is no file {file!r} beside the campaign")


def check_budget(sheet: Sheet) -> Iterator[Fault]:
    """Budget entries are named after a platform of the campaign and are not negative."""
    platforms = {name.partition("/")[0] for name in sheet.accounts()}
    known = ["usd_per_month", *(f"{name}_usd_per_month" for name in platforms)]
    for key, amount in mapping(sheet.data.get("budget")).items():
        if key not in known and not SECRET.search(key):
            yield Fault(
                ("budget", key),
                f"unknown budget, known here: {', '.join(known)}{did_you_mean(key, known)}",
                key=True,
            )
        elif isinstance(amount, int | float) and amount < 0:
            yield Fault(("budget", key), "a budget is not negative")


def is_file(sheet: Sheet, path: str) -> bool:
    """Whether a path of the campaign names a file; a name no file can have names none."""
    try:
        return (sheet.folder / path).is_file()
    except (OSError, ValueError):
        return False


def is_folder(sheet: Sheet, path: str) -> bool:
    """Whether a path of the campaign names a folder."""
    try:
        return (sheet.folder / path).is_dir()
    except (OSError, ValueError):
        return False


def _day(value: Any) -> date | None:
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value.strip()).date()
    except ValueError:
        return None


CHECKS: tuple[Check, ...] = (
    check_secrets,
    check_something_to_do,
    check_accounts,
    check_chosen_accounts,
    check_names,
    check_wordings,
    check_pictures,
    check_window,
    check_recurring,
    check_sources,
    check_knowledge,
    check_budget,
)
