"""Bluesky, and any server of the AT Protocol that shows its posts through an app view: the verbs of `connectors.base`.

A post's name is worked out from its key, so that no second try can make a second post; a thread is one write.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import httpx
from atproto_client import Client, models

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
from connectors.bluesky.asking import embed_of, kind_of, parent_of, people_of, posts_of, record_at, reply_of, root_of
from connectors.bluesky.inbox import Inbox
from connectors.bluesky.login import label_of
from connectors.bluesky.records import (
    MAX_LENGTH,
    MAX_PICTURES,
    POSTS,
    address,
    chunks,
    extras_of,
    length,
    millis,
    moment_of,
    place_of,
    ref_of,
    refuse_unfit,
    rkey_of,
    thread,
)
from connectors.bluesky.session import TIMEOUT, Broke, KeptSession, border
from connectors.errors import ConnectorError, OutcomeUnknown, Rejected, Unavailable
from connectors.pictures import fit

CAPABILITIES = Capabilities(
    native_idempotency=True, atomic_thread=True, alt_text=True, may_train=True, length_unit="graphemes"
)
WRITES_PER_HOUR = 5000 // 3
"""A server counts 3 points for a new record and allows 5000 an hour."""
READS_PER_HOUR = 3000 * 12
PICTURE_BYTES, PICTURE_PIXELS = 1_000_000, 2000 * 2000
PICTURE_KINDS = ("image/jpeg", "image/png")
AT_ONCE = 25
"""Posts that can be counted in one request."""


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
            with border(self._clock):
                followers = client.app.bsky.actor.get_profile({"actor": did}).followers_count
        except (Rejected, Unavailable):
            followers = None  # no app view, or one that is away or has not seen us yet: we are who we are
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
        pictures = [fit(media.file, PICTURE_BYTES, PICTURE_PIXELS, PICTURE_KINDS) for media in draft.media]
        at = millis(self._clock())
        client, did = self._session.client()
        with border(self._clock):
            people = people_of(client, [draft.text, *draft.parts])
            embed = embed_of(client, draft, pictures)
            reply = reply_of(client, draft.in_reply_to)
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
            ours = [post for post in posts_of(client, did) if moment_of(post.value.created_at) >= since]
        ours.sort(key=lambda post: (moment_of(post.value.created_at), post.uri))
        for post in ours:
            if post.value.text != draft.text or parent_of(post.value) != above:
                continue
            parts: list[str] = []
            for text in draft.parts:
                last = parts[-1] if parts else post.uri
                parts += [one.uri for one in ours if one.value.text == text and parent_of(one.value) == last][:1]
            if len(parts) == len(draft.parts):
                ref = ref_of(post.uri, post.cid, root_of(post.value), parts)
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
                for post in posts_of(client, did)
                if post.value.reply is None and (since is None or moment_of(post.value.created_at) >= millis(since))
            ]
        ours.sort(key=lambda each: (each[0], each[1].uri))
        counts = self.measure([Ref(post.uri) for _, post in ours])
        return [
            OwnPost(
                ref_of(post.uri, post.cid),
                post.value.text,
                at,
                kind_of(post.value),
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
                post = record_at(client, address(did, rkey_of(key)))
        except ConnectorError:
            return None
        if post is None:
            return None
        if post.value.text != draft.text:
            raise Rejected("bluesky: another text was published under this key")
        parts = [address(did, rkey_of(key, place)) for place in range(1, len(draft.parts) + 1)]
        return _receipt(ref_of(post.uri, post.cid, root_of(post.value), parts), moment_of(post.value.created_at))


def connect(account: str, around: Surroundings) -> Connector:
    """The entry point; nothing is asked of the network before the first verb."""
    return Bluesky(account, around)


def _receipt(ref: Ref, at: datetime) -> Receipt:
    return Receipt(ref, at, _url(ref.id))


def _url(uri: str) -> str:
    place = place_of(uri)
    assert place is not None
    return f"https://bsky.app/profile/{place[0]}/post/{place[1]}"
