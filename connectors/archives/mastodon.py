"""Reads the archive Mastodon hands out: outbox.json, and actor.json beside it for the name.

Boosts, replies to others and posts that were not public are left out; replies to ourselves are posts.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from connectors.archives.base import (
    NO_POSTS,
    PRIVATE,
    REPLIES,
    REPOSTS,
    WORDLESS,
    ArchiveError,
    BadRow,
    Entry,
    LeftOut,
    Row,
    owner,
)
from connectors.archives.entries import BROKEN, entries, objects
from connectors.archives.files import BrokenOff, beginning, blocks
from connectors.archives.values import count_of, moment_of, text_of
from connectors.base import Counts, OwnPost, Ref

PLATFORM = "mastodon"
OPENING = re.compile(r'"orderedItems"\s*:\s*\[')
PUBLIC = ("https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public")
ENTRY = re.compile(r'[,\[]\s*(?=\{\s*"id"\s*:\s*"[^"]*"\s*,\s*"type"\s*:\s*"(?:Create|Announce)")')
"""What an entry begins with."""
POSTS = ("Note", "Question")
BREAKS = {"p": "\n\n", "br": "\n", "li": "\n", "div": "\n", "blockquote": "\n\n", "pre": "\n\n"}
"""What goes before the words of a tag."""


@dataclass(frozen=True)
class MastodonArchive:
    """The outbox and whose it is."""

    file: Path
    account: str

    def read(self, now: datetime) -> Iterator[Entry]:
        """Every activity; none may be later than `now`."""
        for line, activity in entries(blocks(self.file), OPENING, ENTRY):
            if not isinstance(activity, dict):
                yield BadRow(self.file.name, line, BROKEN if activity is None else "not a post", self.account)
                continue
            try:
                yield self._entry(activity, now)
            except ValueError as error:
                yield BadRow(self.file.name, line, str(error), self.account)

    def _entry(self, activity: dict[str, Any], now: datetime) -> Entry:
        if activity.get("type") == "Announce":
            return LeftOut(self.account, REPOSTS)
        note = activity.get("object")
        if activity.get("type") != "Create" or not isinstance(note, dict) or note.get("type") not in POSTS:
            return LeftOut(self.account, NO_POSTS)
        if not {*_names(note.get("to")), *_names(note.get("cc"))}.intersection(PUBLIC):
            return LeftOut(self.account, PRIVATE)
        above = note.get("inReplyTo")
        if above and not str(above).startswith(f"{activity.get('actor')}/"):
            return LeftOut(self.account, REPLIES)
        text = _words(note)
        if not text:
            return LeftOut(self.account, WORDLESS)
        published = text_of(note.get("published"), "published")
        return Row(
            self.account,
            OwnPost(
                ref=Ref(_status_id(text_of(note.get("id"), "id"))),
                text=text,
                created_at=moment_of(published, "published", now),
                kind=_kind(note, text),
                counts=Counts(likes=_total(note, "likes"), shares=_total(note, "shares")),
            ),
        )


def open_mastodon(place: Path, file: Path, account: str | None) -> MastodonArchive:
    """The archive of this outbox; the account as given, else as actor.json beside it tells."""
    if not OPENING.search(beginning(file)):
        raise ArchiveError(f"{file}: holds no list of posts; in an archive of Mastodon they are in outbox.json")
    return MastodonArchive(file, owner(str(place), account, PLATFORM, _actor_name(file.parent / "actor.json")))


def plain(markup: str) -> str:
    """The words of a post's HTML, paragraphs apart by an empty line, links in full; raises ValueError."""
    words = _Words()
    try:
        words.feed(markup)
        words.close()
    except AssertionError as error:  # how the parser refuses some declarations
        raise ValueError(f"content is not HTML ({error})") from None
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in "".join(words.found).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Words(HTMLParser):
    """Collects the words between tags."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(BREAKS.get(tag, ""))


def _words(note: dict[str, Any]) -> str:
    """Warning and content as one text; empty where there is neither."""
    content = plain(text_of(note["content"], "content")) if note.get("content") else ""
    warning = text_of(note["summary"], "summary") if note.get("summary") else ""
    return "\n\n".join(filter(None, (warning, content)))


def _names(value: Any) -> list[str]:
    return [name for name in (value if isinstance(value, list) else [value]) if isinstance(name, str)]


def _status_id(uri: str) -> str:
    """The id the server's API gives the post that has this address."""
    return text_of(uri.rstrip("/").rpartition("/")[2], "id")


def _total(note: dict[str, Any], name: str) -> int | None:
    """A count, which younger servers tell and older ones do not."""
    collection = note.get(name)
    return count_of(collection.get("totalItems"), name) if isinstance(collection, dict) else None


def _kind(note: dict[str, Any], text: str) -> str:
    if note["type"] == "Question":
        return "poll"
    for attachment in objects(note, "attachment"):
        if isinstance(media := attachment.get("mediaType"), str):
            return "photo" if media.startswith("image/") else "video"
    return "link" if re.search(r"https?://", text) else "text"


def _actor_name(file: Path) -> str | None:
    try:
        actor = json.loads("".join(blocks(file))) if file.is_file() else None
    except (BrokenOff, ValueError, RecursionError):
        return None
    name = actor.get("preferredUsername") if isinstance(actor, dict) else None
    return name if isinstance(name, str) else None
