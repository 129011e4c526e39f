"""A community's own rules, asked before anything is sent: titles, texts, links, pictures, flair; no writes here."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import regex

from connectors.errors import Rejected

_TARGET = re.compile(r"(?:/?r/)?(?P<name>u_[\w-]{3,20}|/?u/[\w-]{3,20}|\w{2,21})/?(?:\s*#\s*(?P<flair>.+))?", re.ASCII)
PATIENCE = 0.2
"""Seconds for one of a community's own patterns."""


@dataclass(frozen=True)
class Place:
    """Where a post goes: a community and, after `#`, the words of one of its flairs: `r/python#Showcase`."""

    name: str
    flair: str | None = None


@dataclass(frozen=True)
class Form:
    """A post as Reddit takes it. `link` is set for link posts alone."""

    title: str
    body: str
    link: str | None = None
    pictures: int = 0
    options: tuple[str, ...] = ()


def place_of(target: str | None) -> Place:
    """The place a target names; raises Rejected."""
    found = _TARGET.fullmatch((target or "").strip())
    if found is None:
        raise Rejected("reddit: a post needs a community as its target, such as r/test or r/test#Flair")
    name = re.sub(r"^/?u/", "u_", found["name"])
    return Place(name, found["flair"].strip() if found["flair"] else None)


def flair_of(place: Place, choices: Iterable[Mapping[str, Any]]) -> str:
    """The id of the flair that is meant; raises Rejected with those there are."""
    named = {str(choice["flair_text"]).strip(): str(choice["flair_template_id"]) for choice in choices}
    wanted = (place.flair or "").casefold()
    for words, number in named.items():
        if words.casefold() == wanted:
            return number
    raise Rejected(f"reddit: r/{place.name} has no flair of that name; it has: {', '.join(named) or 'none'}"[:300])


def refuse(rules: Mapping[str, Any], form: Form, place: Place) -> None:
    """Raises Rejected for a post that a community's requirements do not allow; they are as Reddit tells them."""
    where = f"reddit: r/{place.name}"
    if rules.get("is_flair_required") and place.flair is None:
        raise Rejected(f"{where} wants a flair: write it after the community, such as r/{place.name}#Flair")
    _words(rules, "title", form.title, where)
    policy = rules.get("body_restriction_policy")
    if policy == "required" and not form.body and form.link is None and not form.pictures:
        raise Rejected(f"{where} wants a text under the title")
    if policy == "notAllowed" and form.body:
        raise Rejected(f"{where} allows no text under a title")
    if form.body:
        _words(rules, "body", form.body, where)
    if form.link is not None:
        _link(rules, form.link, where)
    if form.pictures > 1:
        _size(rules.get("gallery_min_items"), rules.get("gallery_max_items"), form.pictures, "pictures", where)


def _words(rules: Mapping[str, Any], part: str, text: str, where: str) -> None:
    least, most = rules.get(f"{part}_text_min_length"), rules.get(f"{part}_text_max_length")
    _size(least, most, len(text), f"characters in the {part}", where)
    needed = [word for word in rules.get(f"{part}_required_strings") or () if word]
    if needed and not any(word.casefold() in text.casefold() for word in needed):
        raise Rejected(f"{where} wants one of these in the {part}: {', '.join(needed)}"[:300])
    for word in rules.get(f"{part}_blacklisted_strings") or ():
        if word and word.casefold() in text.casefold():
            raise Rejected(f"{where} does not allow {word!r} in the {part}")
    patterns = rules.get(f"{part}_regexes") or ()
    if patterns and not any(_fits(pattern, text) for pattern in patterns):
        raise Rejected(f"{where} wants a {part} that fits its pattern {patterns[0]!r}"[:300])


def _fits(pattern: str, text: str) -> bool:
    """Whether a text fits; where we cannot tell, Reddit will."""
    try:
        return regex.search(pattern, text, timeout=PATIENCE) is not None
    except (regex.error, TimeoutError):
        return True


def _link(rules: Mapping[str, Any], link: str, where: str) -> None:
    host = (urlsplit(link).hostname or "").removeprefix("www.")

    def among(domains: Iterable[str]) -> bool:
        return any(host == one or host.endswith(f".{one}") for one in (one.strip().lower() for one in domains))

    policy = rules.get("link_restriction_policy")
    if policy == "blacklist" and among(rules.get("domain_blacklist") or ()):
        raise Rejected(f"{where} allows no links to {host}")
    if policy == "whitelist" and not among(rules.get("domain_whitelist") or ()):
        raise Rejected(f"{where} allows links to some sites only, and {host} is not among them")


def _size(least: Any, most: Any, size: int, unit: str, where: str) -> None:
    if isinstance(least, int) and size < least:
        raise Rejected(f"{where} wants at least {least} {unit}, these are {size}")
    if isinstance(most, int) and size > most:
        raise Rejected(f"{where} allows at most {most} {unit}, these are {size}")
