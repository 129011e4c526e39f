"""Checks of the texts themselves: placeholders, handles (rule P1), hashtags (rule P3); the gate checks them again."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from bot.campaign.problems import did_you_mean, printable
from bot.campaign.sheet import Check, Fault, Sheet, handles, hashtags, listed, mapping, texts

MOST_HASHTAGS = 5
_PLACEHOLDER = re.compile(r"(?<!\$)\{([A-Za-z_][A-Za-z0-9_ ]*)\}")


def lint_placeholders(sheet: Sheet) -> Iterator[Fault]:
    """Placeholders are known, and there is something to put in their place."""
    for where, source in sheet.items("sources"):
        for place, text, _ in texts(where, source):
            yield from (Fault(place, what) for what in _unknown(text, ("title", "link", "summary")))
    for where, item in sheet.items("posts"):
        for place, text, variant in texts(where, item):
            yield from (Fault(place, what) for what in _unknown(text, ("title", "link")))
            on = mapping(item.get("on")).get(str(place[3]) if place[2] == "on" else "")
            for name in ("title", "link"):
                if f"{{{name}}}" in text and not any(mapping(part).get(name) for part in (variant, on, item)):
                    yield Fault(place, f"{{{name}}} stands in the text, but the post has no `{name}`")
    for where, rule in sheet.items("replies", "rules"):
        if isinstance(answer := rule.get("answer"), str):
            yield from (Fault((*where, "answer"), what) for what in _unknown(answer, ("link",)))
            if "{link}" in answer and not rule.get("link"):
                yield Fault((*where, "answer"), "{link} stands in the answer, but the rule has no `link`")


def lint_handles(sheet: Sheet) -> Iterator[Fault]:
    """Posts name only the people of `mentions_allowed`."""
    allowed = _bare(sheet.data.get("mentions_allowed"))
    for where, item in chain(sheet.items("posts"), sheet.items("sources")):
        for place, text, _ in texts(where, item):
            for handle in dict.fromkeys(handles(text)):
                if handle not in allowed and handle.partition("@")[0] not in allowed:
                    yield Fault(place, f"@{printable(handle)} is not in `mentions_allowed` (rule P1)")


def lint_hashtags(sheet: Sheet) -> Iterator[Fault]:
    """Posts carry at most five hashtags, all from the campaign's list where it gives one."""
    given = "hashtags" in sheet.data
    allowed = _bare(sheet.data.get("hashtags"))
    for where, item in chain(sheet.items("posts"), sheet.items("sources")):
        for place, text, _ in texts(where, item):
            tags = list(dict.fromkeys(hashtags(text)))
            if len(tags) > MOST_HASHTAGS:
                yield Fault(place, f"{len(tags)} hashtags, at most {MOST_HASHTAGS} are allowed (rule P3)")
            for tag in tags:
                if given and tag not in allowed:
                    hint = did_you_mean(tag, allowed)
                    yield Fault(place, f"#{printable(tag)} is not in the campaign's `hashtags` (rule P3){hint}")


def _unknown(text: str, known: tuple[str, ...]) -> Iterator[str]:
    for name in dict.fromkeys(_PLACEHOLDER.findall(text)):
        if name not in known:
            names = " ".join(f"{{{word}}}" for word in known)
            yield f"unknown placeholder {{{printable(name)}}}{did_you_mean(name, known) or f', known: {names}'}"


def _bare(names: Any) -> set[str]:
    return {name.strip().lstrip("@#").lower() for name in listed(names) if isinstance(name, str)}


LINTS: tuple[Check, ...] = (lint_placeholders, lint_handles, lint_hashtags)
