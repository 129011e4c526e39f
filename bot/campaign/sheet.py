"""A campaign file as it was typed, faults and all, and safe ways to look into it; no check is here."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from bot.campaign.problems import Where, spell


class Fault(NamedTuple):
    """Where, what is wrong in words, and whether it is the key itself that is wrong, not its value."""

    where: Where
    what: str
    key: bool = False


@dataclass(frozen=True)
class Sheet:
    """The plain values of a file, the folder its paths start in, and what is known around it.

    `today` is None where the calendar does not matter; `platforms` are the names accounts may begin with, and
    `strict` says that no other is possible.
    """

    data: dict[str, Any]
    folder: Path
    platforms: Collection[str]
    strict: bool = False
    today: date | None = None

    def items(self, *where: str) -> Iterator[tuple[Where, dict[str, Any]]]:
        """The mappings in a list, each with its place in the file."""
        found: Any = self.data
        for step in where:
            found = mapping(found).get(step)
        for place, item in enumerate(listed(found)):
            if isinstance(item, dict):
                yield (*where, place), item

    def accounts(self) -> list[str]:
        """The campaign's accounts, as far as they are text."""
        return [name for name in listed(self.data.get("accounts")) if isinstance(name, str)]


Check = Callable[[Sheet], Iterator[Fault]]


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def texts(where: Where, item: dict[str, Any]) -> Iterator[tuple[Where, str, dict[str, Any]]]:
    """Every wording of a post or source: its place, its text, and the mapping it stands in."""
    holders = [(where, item)]
    holders += [((*where, "on", name), mapping(told)) for name, told in mapping(item.get("on")).items()]
    for place, holder in holders:
        if isinstance(holder.get("text"), str):
            yield (*place, "text"), holder["text"], holder
        for number, variant in enumerate(listed(holder.get("variants"))):
            if isinstance(mapping(variant).get("text"), str):
                yield (*place, "variants", number, "text"), variant["text"], variant


def repeated(named: Iterator[tuple[Where, dict[str, Any]]], key: str) -> Iterator[Fault]:
    """Names given twice in one list."""
    first: dict[str, Where] = {}
    for where, item in named:
        name = item.get(key)
        if not isinstance(name, str):
            continue
        if name in first:
            yield Fault((*where, key), f"the {key} {name!r} is taken by {spell(first[name])}")
        first.setdefault(name, where)


_ADDRESS = re.compile(r"https?://\S+|\S+@\S+\.\w{2,}")
_HASHTAG = re.compile(r"(?<![\w&/#])#(\w*[^\W\d_]\w*)")
_HANDLE = re.compile(r"(?<![\w@/.])@(\w[\w.-]*(?:@[\w.-]+\w)?)")


def hashtags(text: str) -> list[str]:
    """Hashtags of a text in lower case without their sign; `#1` and an address's fragment are none."""
    return [found.lower() for found in _HASHTAG.findall(_ADDRESS.sub(" ", text))]


def handles(text: str) -> list[str]:
    """Handles a text names, in lower case without the first @; the address of a letter box is none."""
    without_links = re.sub(r"https?://\S+", " ", text)
    return [found.rstrip(".-").lower() for found in _HANDLE.findall(without_links)]
