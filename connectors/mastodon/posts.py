"""Texts on their way to Mastodon and posts on their way back: length, what is sent, what is the same; asks nothing."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import regex
from mastodon._url_regex import url_regex  # what Mastodon takes for a link

from connectors.archives.mastodon import plain
from connectors.base import Counts, Draft, OwnPost, Receipt, Ref
from connectors.errors import Rejected
from connectors.mastodon.house import House

Status = Mapping[str, Any]

ID = re.compile(r"[0-9A-Za-z]{1,32}")
"""What a post, an account or a notification can be called: digits on Mastodon, letters too on other servers."""
VISIBILITIES = ("public", "unlisted", "private")
"""How an answer can be shown, from wide to narrow; without `direct`, which would be a private message."""
_FAR = re.compile(r"(^|[^/\w])@((\w+)@[a-z0-9.-]+[a-z0-9]+)", re.IGNORECASE | re.ASCII)
"""A person on another server: only the name counts, and only the name is shown."""


def length(text: str, house: House) -> int:
    """Characters as Mastodon counts them: as readers see them, every link alike, people without their server.

    Other software counts simply; there every character counts, which is never less.
    """
    if not house.genuine:
        return len(text)
    counted = url_regex.sub(lambda found: str(found.group(2)) + "x" * house.url_length, text)
    return len(regex.findall(r"\X", _FAR.sub(r"\1@\3", counted)))


def written(draft: Draft) -> list[str]:
    """What is sent, one text for each post: a link that the words do not hold follows them; an answer names its reader.

    On Mastodon a person who is not named in an answer never hears of it.
    """
    first = draft.text.strip()
    if draft.link and draft.link not in "\n".join((draft.text, *draft.parts)):
        first = f"{first}\n\n{draft.link}".strip()
    if draft.in_reply_to is not None:
        reader, _ = heard_from(draft.in_reply_to)
        if reader and f"@{reader}".lower() not in first.lower():
            first = f"@{reader} {first}"
    return [first, *(part.strip() for part in draft.parts)]


def refuse_unfit(draft: Draft, texts: Sequence[str], house: House) -> None:
    """Raise Rejected for what the server would not take, before anything is sent."""
    if draft.kind == "poll":
        raise Rejected("mastodon: a draft holds no choices, so there can be no poll")
    if draft.in_reply_to is not None and not ID.fullmatch(draft.in_reply_to.id):
        raise Rejected("mastodon: what is to be answered is no post there")
    says_something = draft.text.strip() or draft.link or draft.media
    if not says_something or not all(texts[1:]):
        raise Rejected("mastodon: a text is empty")
    for text in texts:
        if (size := length(text, house)) > house.max_length:
            raise Rejected(f"mastodon: a text has at most {house.max_length} characters here, this one {size}")
    if len(draft.media) > house.max_media:
        raise Rejected(f"mastodon: a post has at most {house.max_media} pictures here, this one {len(draft.media)}")
    for picture in draft.media:
        if len(picture.alt) > house.alt_length:
            raise Rejected(f"mastodon: a description has at most {house.alt_length} characters, one has more")


def hearing(status: Status) -> Ref:
    """Somebody's post as something to answer: who is to be named, and how widely the answer may be shown."""
    return Ref(str(status["id"]), f"@{status['account']['acct']} {status.get('visibility') or 'public'}")


def heard_from(ref: Ref) -> tuple[str | None, str | None]:
    """Whom an answer names, and its visibility where it must be narrower than public."""
    reader, _, visibility = ref.extras.partition(" ")
    if not reader.startswith("@"):
        return None, None
    return reader[1:], visibility if visibility in VISIBILITIES[1:] else None


def name_of(status: Status) -> str:
    """What the server calls it; raises ValueError where that is not told."""
    name = str(status["id"] or "")
    if not ID.fullmatch(name):
        raise ValueError("no name")
    return name


def receipt_of(posts: Sequence[Status]) -> Receipt:
    """The receipt of a post, or of a thread: its first post, with the names of the others."""
    first = posts[0]
    others = " ".join(str(status["id"]) for status in posts[1:])
    return Receipt(Ref(str(first["id"]), others), moment_of(first), first.get("url"))


def own_post(status: Status) -> OwnPost:
    """One of our posts as the server shows it."""
    return OwnPost(
        ref=Ref(str(status["id"])),
        text=words_of(status),
        created_at=moment_of(status),
        kind=_kind(status),
        counts=counts_of(status),
        url=status.get("url"),
    )


def counts_of(status: Status) -> Counts:
    """Counts as told; how often a post was seen or its links were followed Mastodon does not tell."""
    return Counts(
        likes=status.get("favourites_count"), replies=status.get("replies_count"), shares=status.get("reblogs_count")
    )


def words_of(status: Status) -> str:
    """The text of a post, without markup."""
    return plain(str(status.get("content") or ""))


def moment_of(told: Status) -> datetime:
    """When it was made, in UTC; raises ValueError where that is not told."""
    moment = told["created_at"]
    if not isinstance(moment, datetime):
        raise ValueError("no moment")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def chain(statuses: Iterable[Status], draft: Draft, texts: Sequence[str]) -> list[Status]:
    """The posts of this draft that are public, from its first on; of several beginnings the longest, then oldest."""
    oldest_first = sorted(statuses, key=moment_of)
    above = draft.in_reply_to.id if draft.in_reply_to else None
    best: list[Status] = []
    for status in oldest_first:
        if not _is(status, texts[0], above) or len(status.get("media_attachments") or ()) != len(draft.media):
            continue
        found = [status]
        for text in texts[1:]:
            under = str(found[-1]["id"])
            following = next((each for each in oldest_first if _is(each, text, under)), None)
            if following is None:
                break
            found.append(following)
        if len(found) > len(best):
            best = found
    return best


def begun(statuses: Iterable[Status], draft: Draft, texts: Sequence[str]) -> list[Status]:
    """The beginning of this thread that an earlier try left behind; a thread that is whole is another one."""
    left = list(statuses)
    while len(found := chain(left, draft, texts)) == len(texts):
        whole = {status["id"] for status in found}
        left = [status for status in left if status["id"] not in whole]
    return found


def _is(status: Status, text: str, above: str | None) -> bool:
    under = status.get("in_reply_to_id")
    return (None if under is None else str(under)) == above and _bare(words_of(status)) == _bare(text)


def _bare(text: str) -> str:
    """What is left of a text on its way there and back."""
    return " ".join(unicodedata.normalize("NFC", _FAR.sub(r"\1@\3", text)).split())


def _kind(status: Status) -> str:
    if status.get("poll"):
        return "poll"
    for attachment in status.get("media_attachments") or ():
        return "photo" if attachment.get("type") == "image" else "video"
    return "link" if re.search(r"https?://", words_of(status)) else "text"
