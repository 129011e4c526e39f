"""Reads the archive X hands out: tweets.js, its further parts, and account.js beside it for the name.

Reposts and replies to others are left out; replies to ourselves are posts. Counts in it are of the day it was made.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.archives.base import REPLIES, REPOSTS, WORDLESS, ArchiveError, BadRow, Entry, LeftOut, Row, owner
from connectors.archives.entries import BROKEN, entries, objects
from connectors.archives.files import beginning, blocks
from connectors.archives.values import count_of, past, shown, text_of
from connectors.base import Counts, OwnPost, Ref

PLATFORM = "x"
OPENING = re.compile(r"\s*window\.YTD\.(\w+)\.part\d+\s*=\s*\[")
"""How each data file of the archive begins; the word names what it holds."""
OF_POSTS = ("tweets", "tweet")
ENTRY = re.compile(r'[,\[]\s*(?=\{\s*"(?:tweet|retweeted)"\s*:)')
"""What an entry begins with: its wrapping, or in the oldest archives its first field."""
SHORT_LINK = re.compile(r"https?://t\.co/\w+")
KINDS = {"photo": "photo", "video": "video", "animated_gif": "video"}


@dataclass(frozen=True)
class XArchive:
    """The files with posts, whose they are, and that account's id where account.js tells it."""

    files: tuple[Path, ...]
    account: str
    user_id: str | None

    def read(self, now: datetime) -> Iterator[Entry]:
        """Every entry; none may be later than `now`."""
        ours = {str(tweet.get("id_str")) for file in self.files for _, tweet in _tweets(file) if tweet is not None}
        for file in self.files:
            for line, tweet in _tweets(file):
                if tweet is None:
                    yield BadRow(file.name, line, BROKEN, self.account)
                    continue
                try:
                    yield self._entry(tweet, ours, now)
                except ValueError as error:
                    yield BadRow(file.name, line, str(error), self.account)

    def _entry(self, tweet: dict[str, Any], ours: set[str], now: datetime) -> Entry:
        ref = text_of(tweet.get("id_str"), "id_str")
        text = text_of(tweet.get("full_text"), "full_text")
        if text.startswith("RT @"):
            return LeftOut(self.account, REPOSTS)
        above, person = tweet.get("in_reply_to_status_id_str"), tweet.get("in_reply_to_user_id_str")
        to_ourselves = str(above) in ours or (person is not None and person == self.user_id)
        if (above or person) and not to_ourselves:
            return LeftOut(self.account, REPLIES)
        pictures = objects(tweet, "extended_entities", "media") or objects(tweet, "entities", "media")
        text = _as_written(text, objects(tweet, "entities", "urls"), pictures)
        if not text:
            return LeftOut(self.account, WORDLESS)
        return Row(
            self.account,
            OwnPost(
                ref=Ref(ref),
                text=text,
                created_at=_moment(text_of(tweet.get("created_at"), "created_at"), now),
                kind=_kind(text, pictures),
                counts=Counts(
                    likes=count_of(tweet.get("favorite_count"), "favorite_count"),
                    shares=count_of(tweet.get("retweet_count"), "retweet_count"),
                ),
            ),
        )


def open_x(place: Path, files: Sequence[Path], account: str | None) -> XArchive:
    """The archive these files are of; the account as given, else as account.js beside them tells."""
    for file in files:
        opening = OPENING.match(beginning(file))
        if opening is None or opening[1] not in OF_POSTS:
            raise ArchiveError(f"{file}: holds no posts; in an archive of X they are in tweets.js")
    user_id, name = _account_file(files[0].parent / "account.js")
    return XArchive(tuple(files), owner(str(place), account, PLATFORM, name), user_id)


def _tweets(file: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Line and tweet of each entry, None for one that cannot be read."""
    for line, entry in entries(blocks(file), OPENING, ENTRY):
        tweet = entry.get("tweet", entry) if isinstance(entry, dict) else None
        yield line, tweet if isinstance(tweet, dict) else None


def _account_file(file: Path) -> tuple[str | None, str | None]:
    """User id and name, where the archive tells them."""
    if file.is_file():
        for _, entry in entries(blocks(file), OPENING, ENTRY):
            told = entry.get("account") if isinstance(entry, dict) else None
            user_id, name = (told.get("accountId"), told.get("username")) if isinstance(told, dict) else (None, None)
            return user_id if isinstance(user_id, str) else None, name if isinstance(name, str) else None
    return None, None


def _as_written(text: str, urls: list[dict[str, Any]], pictures: list[dict[str, Any]]) -> str:
    """The text as people read it: short links as the addresses they stand for, without those of its pictures."""
    meant = {str(url.get("url")): str(url["expanded_url"]) for url in urls if url.get("expanded_url")}
    meant |= {str(picture.get("url")): "" for picture in pictures}
    text = SHORT_LINK.sub(lambda found: meant.get(found[0], found[0]), html.unescape(text))
    return text_of(text, "full_text") if text.strip() else ""


def _moment(text: str, now: datetime) -> datetime:
    try:
        at = datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y")
    except ValueError:
        raise ValueError(f"created_at {shown(text)} is not a time such as Wed Oct 10 20:19:24 +0000 2018") from None
    return past(at, "created_at", now)


def _kind(text: str, pictures: list[dict[str, Any]]) -> str:
    for picture in pictures:
        return KINDS.get(str(picture.get("type")), "photo")
    return "link" if re.search(r"https?://", text) else "text"
