"""Posts as Bluesky stores them: how long a text is, what in it is a link, the name and the fingerprint of a record.

Nothing here talks to a server; `connectors.bluesky` does.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import libipld
import regex
from atproto_client import models
from atproto_client.models.utils import get_model_as_dict, get_model_as_json
from atproto_client.utils import facet_detection

from connectors.base import Draft, Ref
from connectors.errors import Rejected

POSTS = "app.bsky.feed.post"
MAX_LENGTH, MAX_BYTES, MAX_PICTURES = 300, 3000, 4
MAX_PARTS = 200
"""Writes a server takes at once."""
LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
SINCE = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_ADDRESS = regex.compile(r"at://(did:[a-z]+:[A-Za-z0-9._:%-]+)/app\.bsky\.feed\.post/([A-Za-z0-9._~:-]{1,512})")

Record = dict[str, Any]
"""A record as JSON."""


def length(text: str) -> int:
    """Graphemes: what a reader would count."""
    return len(regex.findall(r"\X", text))


def refuse_unfit(draft: Draft) -> None:
    """Raises Rejected for what the server would not take, before anything is sent."""
    for text in (draft.text, *draft.parts):
        if not text.strip():
            raise Rejected("bluesky: a text is empty")
        if (size := length(text)) > MAX_LENGTH:
            raise Rejected(f"bluesky: a text has at most {MAX_LENGTH} graphemes, this one {size}")
        if (size := len(text.encode())) > MAX_BYTES:
            raise Rejected(f"bluesky: a text has at most {MAX_BYTES} bytes, this one {size}")
    if len(draft.parts) >= MAX_PARTS:
        raise Rejected(f"bluesky: a thread has at most {MAX_PARTS} parts, this one {len(draft.parts) + 1}")
    if len(draft.media) > MAX_PICTURES:
        raise Rejected(f"bluesky: a post has at most {MAX_PICTURES} pictures, this one {len(draft.media)}")
    if draft.media and draft.link and draft.link not in draft.text:
        raise Rejected("bluesky: a post with pictures has no room for a link card; put the link into its text")


def handles(texts: Sequence[str]) -> list[str]:
    """Handles named in the texts, each once."""
    found = (mention.handle.lower() for text in texts for mention in facet_detection.detect_mentions(text))
    return list(dict.fromkeys(found))


def facets(text: str, people: Mapping[str, str]) -> list[Record]:
    """Where links, tags and mentions stand, in bytes of UTF-8. `people`: handle -> DID; who is not there stays text."""
    found = [get_model_as_dict(facet) for facet in facet_detection.detect_facets(text)]
    found += [
        {
            "$type": "app.bsky.richtext.facet",
            "index": {
                "$type": "app.bsky.richtext.facet#byteSlice",
                "byteStart": mention.byte_start,
                "byteEnd": mention.byte_end,
            },
            "features": [{"$type": "app.bsky.richtext.facet#mention", "did": people[mention.handle.lower()]}],
        }
        for mention in facet_detection.detect_mentions(text)
        if mention.handle.lower() in people
    ]
    return sorted(found, key=lambda facet: int(facet["index"]["byteStart"]))


def card(link: str, title: str | None) -> Record:
    """A link shown under the post."""
    external = {"uri": link, "title": title or urlsplit(link).hostname or link, "description": ""}
    return {"$type": "app.bsky.embed.external", "external": external}


def thread(
    draft: Draft,
    did: str,
    key: str,
    at: datetime,
    people: Mapping[str, str],
    embed: Record | None,
    reply: Record | None,
) -> list[tuple[str, Record]]:
    """The draft as (record key, record), one for each part; each answers the one before, all under one root.

    The fingerprint a part answers with is worked out here, so that a whole thread fits into one write.
    """
    made: list[tuple[str, Record]] = []
    for place, text in enumerate((draft.text, *draft.parts)):
        record: Record = {"$type": POSTS, "text": text, "createdAt": stamp(at + timedelta(milliseconds=place))}
        if draft.language:
            record["langs"] = [draft.language]
        if marks := facets(text, people):
            record["facets"] = marks
        if embed is not None and place == 0:
            record["embed"] = embed
        if reply is not None:
            record["reply"] = reply
        rkey = rkey_of(key, place)
        record = _as_sent(record, rkey)
        made.append((rkey, record))
        this = {"uri": address(did, rkey), "cid": cid_of(record)}
        reply = {"root": reply["root"] if reply is not None else this, "parent": this}
    return made


def rkey_of(key: str, place: int = 0) -> str:
    """The record key of a part: the same for the same key for ever, so that no try can make a second post.

    Posts need keys that look like a moment (a TID); this one lies in 2023 to 2025, drawn from 56 bits of a hash.
    """
    drawn = int.from_bytes(hashlib.sha256(f"{key}\0{place}".encode()).digest()[:7])
    number = (SINCE << 10) + drawn
    return "".join(LETTERS[number >> shift & 31] for shift in range(60, -1, -5))


def cid_of(record: Record) -> str:
    """The fingerprint (CID) a server will give this record."""
    digest = hashlib.sha256(libipld.encode_dag_cbor(_with_links(record))).digest()
    return "b" + base64.b32encode(b"\x01\x71\x12\x20" + digest).decode().rstrip("=").lower()


def address(did: str, rkey: str) -> str:
    """The at:// address of a post."""
    return f"at://{did}/{POSTS}/{rkey}"


def place_of(uri: str) -> tuple[str, str] | None:
    """(DID, record key) of a post's address; None for what is no such address."""
    match = _ADDRESS.fullmatch(uri)
    return (match[1], match[2]) if match else None


def ref_of(uri: str, cid: str, root: Mapping[str, str] | None = None, parts: Sequence[str] = ()) -> Ref:
    """A post's reference; its extras say the fingerprint, the thread it stands in, and the parts that follow it."""
    extras: dict[str, Any] = {"cid": cid}
    if root is not None:
        extras["root"] = {"uri": root["uri"], "cid": root["cid"]}
    if parts:
        extras["parts"] = list(parts)
    return Ref(uri, json.dumps(extras, separators=(",", ":")))


def extras_of(ref: Ref) -> dict[str, Any]:
    """What `ref_of` wrote; empty where nothing readable stands."""
    try:
        extras = json.loads(ref.extras)
    except ValueError:
        return {}
    return extras if isinstance(extras, dict) else {}


def millis(moment: datetime) -> datetime:
    """A moment as it is stored: whole milliseconds of UTC."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def stamp(moment: datetime) -> str:
    """A moment as a server writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_of(text: str) -> datetime:
    """The moment a server wrote; raises ValueError."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The items in pieces of at most this size."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _as_sent(record: Record, rkey: str) -> Record:
    """The record with the types the SDK adds on its way out: they count for the fingerprint."""
    write = models.ComAtprotoRepoApplyWrites.Create(collection=POSTS, rkey=rkey, value=record)
    sent: Record = json.loads(get_model_as_json(write))["value"]
    return sent


def _with_links(value: Any) -> Any:
    """The same with each `$link` as the bytes of a CID, which is how links are told from texts in CBOR."""
    if isinstance(value, dict):
        if set(value) == {"$link"}:
            link = value["$link"]
            return base64.b32decode(link[1:].upper() + "=" * (-len(link[1:]) % 8))
        return {name: _with_links(part) for name, part in value.items()}
    return [_with_links(part) for part in value] if isinstance(value, list) else value
