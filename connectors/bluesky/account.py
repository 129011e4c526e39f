"""Bluesky, and any server of the AT Protocol that shows its posts through an app view: the verbs of `connectors.base`.

A post's name is worked out from its key, so that no second try can make a second post; a thread is one write.
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx
from atproto_client import Client, models
from atproto_client.exceptions import BadRequestError
from atproto_client.models.utils import get_model_as_dict
from PIL import Image

from connectors.base import (
    Capabilities,
    Connector,
    Counts,
    Draft,
    Identity,
    Limits,
    MentionPage,
    OwnPost,
    Receipt,
    Ref,
    Surroundings,
)
from connectors.bluesky.inbox import Inbox
from connectors.bluesky.login import label_of
from connectors.bluesky.records import (
    MAX_LENGTH,
    MAX_PICTURES,
    POSTS,
    Record,
    address,
    card,
    chunks,
    extras_of,
    handles,
    length,
    millis,
    moment_of,
    place_of,
    ref_of,
    refuse_unfit,
    rkey_of,
    thread,
)
from connectors.bluesky.session import TIMEOUT, Broke, KeptSession, border, error_name
from connectors.errors import ConnectorError, OutcomeUnknown, Rejected

CAPABILITIES = Capabilities(
    native_idempotency=True, atomic_thread=True, alt_text=True, may_train=True, length_unit="graphemes"
)
WRITES_PER_HOUR = 5000 // 3
"""A server counts 3 points for a new record and allows 5000 an hour."""
READS_PER_HOUR = 3000 * 12
PICTURE_BYTES, PICTURE_SIDE = 1_000_000, 2000
PICTURE_KINDS = ("image/jpeg", "image/png")
AT_ONCE = 25
"""Posts that can be counted in one request."""
PAGE = 100


class Bluesky:
    """One account; safe to use from any thread."""

    def __init__(self, account: str, around: Surroundings, timeout: httpx.Timeout = TIMEOUT) -> None:
        self._clock, self._session = around.clock, KeptSession(account, around, timeout)

    @property
    def capabilities(self) -> Capabilities:
        """What Bluesky can do."""
        return CAPABILITIES

    def check(self) -> Identity:
        """Who we are; the label is the account's own word about itself (the self-label `bot`)."""
        client, did = self._session.client()
        with border(self._clock):
            session = client.com.atproto.server.get_session()
            label = label_of(client, did)
            try:
                followers = client.app.bsky.actor.get_profile({"actor": did}).followers_count
            except BadRequestError:
                followers = None  # a server without an app view, or one that has not seen us yet
        return Identity(did, session.handle, (self._session.scope(),), label, followers)

    def limits(self) -> Limits:
        """What may be posted, by Bluesky's published limits."""
        return Limits(MAX_LENGTH, MAX_PICTURES, WRITES_PER_HOUR, READS_PER_HOUR)

    def length(self, text: str) -> int:
        """Graphemes. There is a limit in bytes too, which only `publish` knows: 3000, seldom met."""
        return length(text)

    def publish(self, draft: Draft, key: str) -> Receipt:
        """One write for all parts. When the server breaks over it, look whether they stand under their names."""
        refuse_unfit(draft)
        at = millis(self._clock())
        client, did = self._session.client()
        with border(self._clock):
            people = _people(client, [draft.text, *draft.parts])
            embed = _embed(client, draft)
            reply = _reply(client, draft.in_reply_to)
        records = thread(draft, did, key, at, people, embed, reply)
        writes = [
            models.ComAtprotoRepoApplyWrites.Create(collection=POSTS, rkey=rkey, value=record)
            for rkey, record in records
        ]
        try:
            with border(self._clock, writing=True):
                data = models.ComAtprotoRepoApplyWrites.Data(repo=did, writes=writes)
                results = client.com.atproto.repo.apply_writes(data).results
                if not results or len(results) != len(records):
                    raise OutcomeUnknown("bluesky: the server does not say what it wrote")
                root = records[0][1].get("reply", {}).get("root")
                ref = ref_of(results[0].uri, results[0].cid, root, [result.uri for result in results[1:]])
        except Broke:
            standing = self._standing(client, did, draft, key)
            if standing is None:
                raise
            return standing
        return _receipt(ref, at)

    def find(self, draft: Draft, since: datetime) -> Receipt | None:
        """Look through our records: the server's own word, not what an app view has seen of it."""
        client, did = self._session.client()
        above = draft.in_reply_to.id if draft.in_reply_to else None
        since = millis(since)
        with border(self._clock):
            ours = [post for post in _posts(client, did) if moment_of(post.value.created_at) >= since]
        ours.sort(key=lambda post: (moment_of(post.value.created_at), post.uri))
        for post in ours:
            if post.value.text != draft.text or _parent(post.value) != above:
                continue
            parts: list[str] = []
            for text in draft.parts:
                last = parts[-1] if parts else post.uri
                parts += [one.uri for one in ours if one.value.text == text and _parent(one.value) == last][:1]
            if len(parts) == len(draft.parts):
                ref = ref_of(post.uri, post.cid, _root(post.value), parts)
                return _receipt(ref, moment_of(post.value.created_at))
        return None

    def measure(self, refs: Sequence[Ref]) -> Mapping[str, Counts]:
        """Counts as the app view has them, a moment behind. A share is a repost or a quote; who saw it is not told."""
        wanted = [ref.id for ref in refs if place_of(ref.id)]
        if not wanted:
            return {}
        client, _ = self._session.client()
        found: dict[str, Counts] = {}
        with border(self._clock):
            for uris in chunks(wanted, AT_ONCE):
                for post in client.app.bsky.feed.get_posts({"uris": list(uris)}).posts:
                    shared = [count for count in (post.repost_count, post.quote_count) if count is not None]
                    found[post.uri] = Counts(post.like_count, post.reply_count, sum(shared) if shared else None)
        return found

    def own_posts(self, since: datetime | None) -> Iterable[OwnPost]:
        """Our posts since then with counts, oldest first; answers, and so the later parts of threads, are left out."""
        client, did = self._session.client()
        with border(self._clock):
            ours = [
                (moment_of(post.value.created_at), post)
                for post in _posts(client, did)
                if post.value.reply is None and (since is None or moment_of(post.value.created_at) >= millis(since))
            ]
        ours.sort(key=lambda each: (each[0], each[1].uri))
        counts = self.measure([Ref(post.uri) for _, post in ours])
        return [
            OwnPost(
                ref_of(post.uri, post.cid),
                post.value.text,
                at,
                _kind(post.value),
                counts.get(post.uri, Counts()),
                _url(post.uri),
            )
            for at, post in ours
        ]

    def mentions(self, cursor: str | None) -> MentionPage:
        """Mentions, answers and quotes among our notifications, which stay unread for the person."""
        client, did = self._session.client()
        with border(self._clock):
            return Inbox(client, did).after(cursor)

    def delete(self, ref: Ref) -> None:
        """Remove one of our posts, with the parts that follow it, last part first."""
        client, did = self._session.client()
        with border(self._clock, writing=True):
            for uri in (*reversed(extras_of(ref).get("parts", [])), ref.id):
                place = place_of(uri)
                if place is not None and place[0] == did:
                    data = models.ComAtprotoRepoDeleteRecord.Data(repo=did, collection=POSTS, rkey=place[1])
                    client.com.atproto.repo.delete_record(data)

    def _standing(self, client: Client, did: str, draft: Draft, key: str) -> Receipt | None:
        """What stands under this key's name; None where nothing does or nobody can say."""
        try:
            with border(self._clock):
                post = _record(client, address(did, rkey_of(key)))
        except ConnectorError:
            return None
        if post is None:
            return None
        if post.value.text != draft.text:
            raise Rejected("bluesky: another text was published under this key")
        parts = [address(did, rkey_of(key, place)) for place in range(1, len(draft.parts) + 1)]
        return _receipt(ref_of(post.uri, post.cid, _root(post.value), parts), moment_of(post.value.created_at))


def connect(account: str, around: Surroundings) -> Connector:
    """The entry point; nothing is asked of the network before the first verb."""
    return Bluesky(account, around)


def _people(client: Client, texts: Sequence[str]) -> dict[str, str]:
    """DIDs by handle for the handles in our texts; one that nobody has stays plain text."""
    found = {}
    for handle in handles(texts):
        try:
            found[handle] = client.com.atproto.identity.resolve_handle({"handle": handle}).did
        except BadRequestError:
            continue
    return found


def _embed(client: Client, draft: Draft) -> Record | None:
    """Pictures, each uploaded; or else the link as a card."""

    images = []
    for picture in draft.media:
        from connectors.pictures import fit

        data, kind = fit(picture.file, PICTURE_BYTES, PICTURE_SIDE * PICTURE_SIDE, PICTURE_KINDS)
        blob = client.com.atproto.repo.upload_blob(data, headers={"Content-Type": kind}).blob
        with Image.open(io.BytesIO(data)) as image:
            shape = {"width": image.width, "height": image.height}
        images.append({"alt": picture.alt, "image": get_model_as_dict(blob), "aspectRatio": shape})
    if images:
        return {"$type": "app.bsky.embed.images", "images": images}
    return card(draft.link, draft.title) if draft.link else None


def _reply(client: Client, above: Ref | None) -> Record | None:
    """What an answer points to: the post above it and the root of its thread; asked for where its extras are lost."""
    if above is None:
        return None
    if place_of(above.id) is None:
        raise Rejected("bluesky: what is to be answered is no post there")
    extras = extras_of(above)
    if "cid" not in extras:
        post = _record(client, above.id)
        if post is None:
            raise Rejected("bluesky: the post to be answered is gone")
        extras = json.loads(ref_of(post.uri, post.cid, _root(post.value)).extras)
    parent = {"uri": above.id, "cid": extras["cid"]}
    return {"root": extras.get("root", parent), "parent": parent}


def _record(client: Client, uri: str) -> Any:
    """One post as its server keeps it; None when there is none."""
    place = place_of(uri)
    assert place is not None
    try:
        found = client.com.atproto.repo.get_record({"repo": place[0], "collection": POSTS, "rkey": place[1]})
    except BadRequestError as error:
        if error_name(error) == "RecordNotFound":
            return None
        raise
    return found if isinstance(found.value, models.AppBskyFeedPost.Record) else None


def _posts(client: Client, did: str) -> Iterator[Any]:
    """Every post in our repository, in no order of time: their names do not tell it."""
    asked = {"repo": did, "collection": POSTS, "limit": PAGE}
    while True:
        page = client.com.atproto.repo.list_records(asked)
        yield from (post for post in page.records if isinstance(post.value, models.AppBskyFeedPost.Record))
        if not page.cursor or page.cursor == asked.get("cursor"):
            return
        asked["cursor"] = page.cursor


def _parent(post: Any) -> str | None:
    return post.reply.parent.uri if post.reply is not None else None


def _root(post: Any) -> dict[str, str] | None:
    return {"uri": post.reply.root.uri, "cid": post.reply.root.cid} if post.reply is not None else None


def _kind(post: Any) -> str:
    """What kind of post it is, in the words campaigns use."""
    embed = str(getattr(post.embed, "py_type", "")) if post.embed is not None else ""
    for word, kind in (("images", "photo"), ("video", "video"), ("external", "link")):
        if word in embed or word in str(getattr(getattr(post.embed, "media", None), "py_type", "")):
            return kind
    features = [feature for facet in post.facets or () for feature in facet.features]
    return "link" if any(getattr(each, "py_type", "").endswith("#link") for each in features) else "text"


def _receipt(ref: Ref, at: datetime) -> Receipt:
    return Receipt(ref, at, _url(ref.id))


def _url(uri: str) -> str:
    place = place_of(uri)
    assert place is not None
    return f"https://bsky.app/profile/{place[0]}/post/{place[1]}"
