"""Mastodon, and servers that speak as it does: the verbs of `connectors.base` for one account."""

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from connectors.base import (
    Capabilities,
    Connector,
    Counts,
    Draft,
    Identity,
    Limits,
    Media,
    MentionPage,
    OwnPost,
    Receipt,
    Ref,
    Surroundings,
)
from connectors.errors import AuthExpired, ConnectorError, Rejected, Unavailable
from connectors.mastodon.door import TIMEOUT, Gone, Server, address_of, reading
from connectors.mastodon.house import House, house_of
from connectors.mastodon.inbox import Inbox
from connectors.mastodon.posts import (
    ID,
    VISIBILITIES,
    Status,
    begun,
    chain,
    counts_of,
    heard_from,
    length,
    moment_of,
    name_of,
    own_post,
    receipt_of,
    refuse_unfit,
    written,
)

PAGE = 40
MOST_PAGES = 250
"""How far back our own posts are read: within the 300 requests of five minutes."""
TOGETHER = 20
"""Posts that one request may ask about."""
REMEMBERED = timedelta(days=6)
"""How long the beginning of a thread waits for its end; less than the least time between repeats."""
FRESH = timedelta(days=1)
"""How long a server's description of itself is believed."""


class MastodonAccount:
    """One account. Each thread has a client of its own; what a server says of itself is asked once a day."""

    def __init__(self, name: str, base: str, token: str, around: Surroundings, timeout: tuple[float, float]) -> None:
        self._name, self._base, self._token, self._around, self._timeout = name, base, token, around, timeout
        self._local = threading.local()
        self._known: tuple[datetime, House] | None = None
        self._own_id: str | None = None
        self._asks_together = True

    @property
    def capabilities(self) -> Capabilities:
        """What the server can do; a repetition is safe only where the server is known to keep idempotency keys."""
        try:
            genuine = self._house().genuine
        except ConnectorError:
            genuine = False
        return Capabilities(native_idempotency=genuine, alt_text=True, may_train=True, length_unit="weighted")

    def check(self) -> Identity:
        """Who we are, and whether our profile says that it is a bot."""
        try:
            with self._server.border() as client:
                us = client.account_verify_credentials()
                told = name_of(us), str(us["acct"]), bool(us["bot"]), us.get("followers_count")
        except Gone:
            raise
        except Rejected as error:  # suspended, locked, or a token that may not even read our own name
            raise AuthExpired(str(error)) from None
        self._own_id, handle, bot, followers = told
        return Identity(self._own_id, handle, self._scopes(), bot_label=bot, followers=followers)

    def limits(self) -> Limits:
        """What the server takes; on Mastodon 300 posts in three hours and 300 requests in five minutes."""
        house = self._house()
        posts, reads = (100, 3600) if house.genuine else (None, None)
        return Limits(house.max_length, house.max_media, posts_per_hour=posts, reads_per_hour=reads)

    def length(self, text: str) -> int:
        """Characters as the server counts them: 23 for every link, the server of a person named does not count."""
        return length(text, self._house())

    def publish(self, draft: Draft, key: str) -> Receipt:
        """One request for a post, after its pictures; a thread goes on where an earlier try ended."""
        house, texts = self._house(), written(draft)
        refuse_unfit(draft, texts, house)
        public = self._begun(draft, texts) if draft.parts else []
        pictures = [self._upload(picture, house) for picture in draft.media] if not public else []
        _, visibility = heard_from(draft.in_reply_to) if draft.in_reply_to else (None, None)
        for place in range(len(public), len(texts)):
            above = str(public[-1]["id"]) if public else draft.in_reply_to and draft.in_reply_to.id
            if public and (shown := public[-1].get("visibility")) in VISIBILITIES:
                visibility = shown
            with self._server.border(write=True) as client:
                status = client.status_post(
                    texts[place],
                    in_reply_to_id=above,
                    media_ids=None if place or not pictures else pictures,
                    visibility=visibility,
                    language=draft.language.partition("-")[0].lower() if draft.language else None,
                    idempotency_key=hashlib.sha256(f"{key}\n{place}".encode()).hexdigest(),
                )
                public.append({**status, "id": name_of(status), "created_at": moment_of(status)})
        return receipt_of(public)

    def find(self, draft: Draft, since: datetime) -> Receipt | None:
        """This draft among our posts since then; a thread only if all of it is there: `publish` goes on with a part."""
        texts = written(draft)
        with reading():
            found = chain(self._ours(since), draft, texts)
        return receipt_of(found) if len(found) == len(texts) else None

    def measure(self, refs: Sequence[Ref]) -> Mapping[str, Counts]:
        """Counts now; of a thread those of its first post."""
        ids = iter(dict.fromkeys(ref.id for ref in refs if ID.fullmatch(ref.id)))
        counts: dict[str, Counts] = {}
        while some := list(islice(ids, TOGETHER)):
            with reading():
                counts |= {name_of(status): counts_of(status) for status in self._statuses(some)}
        return {name: counts[name] for name in (ref.id for ref in refs) if name in counts}

    def own_posts(self, since: datetime | None) -> Iterable[OwnPost]:
        """Our posts since then, oldest first; answers, boosts and private messages are not among them."""
        with reading():
            shown = [each for each in self._ours(since) if each.get("in_reply_to_id") is None]
            return [own_post(each) for each in reversed(shown) if each.get("visibility") != "direct"]

    def mentions(self, cursor: str | None) -> MentionPage:
        """What people said to us in public after the cursor, which is the name of a notification."""
        inbox = Inbox(self._server, self._us(), self._house().genuine)
        with reading():
            return inbox.after(cursor, self._around.clock())

    def delete(self, ref: Ref) -> None:
        """Remove a post, with the rest of its thread."""
        others = ref.extras.split() if not ref.extras.startswith("@") else []
        for name in reversed([ref.id, *others]):
            if ID.fullmatch(name):
                try:
                    with self._server.border(write=True) as client:
                        client.status_delete(name)
                except Gone:
                    continue

    @property
    def _server(self) -> Server:
        if not hasattr(self._local, "server"):
            self._local.server = Server(self._base, self._token, self._around.clock, self._timeout)
        server: Server = self._local.server
        return server

    def _house(self) -> House:
        now = self._around.clock()
        if self._known is None or not timedelta(0) <= now - self._known[0] < FRESH:
            try:
                with self._server.border() as client:
                    house = house_of(client.instance_v2())
            except Gone:  # before Mastodon 4.0, and some who speak like it
                with self._server.border() as client:
                    house = house_of(client.instance_v1())
            self._known = now, house
        return self._known[1]

    def _us(self) -> str:
        """Our id, asked once."""
        if self._own_id is None:
            with self._server.border() as client:
                self._own_id = name_of(client.account_verify_credentials())
        return self._own_id

    def _scopes(self) -> tuple[str, ...]:
        """What our login may do, where the server tells."""
        try:
            with self._server.border() as client:
                return tuple(str(scope) for scope in client.app_verify_credentials().get("scopes") or ())
        except (Rejected, AuthExpired):  # it knew us a moment ago: it just does not tell
            return ()

    def _ours(self, since: datetime | None) -> Iterator[Status]:
        """Our posts and answers, newest first, back to then."""
        us, before = self._us(), None
        for _ in range(MOST_PAGES):
            with self._server.border() as client:
                page = self._server.listed(client.account_statuses(us, exclude_reblogs=True, max_id=before, limit=PAGE))
                dated = [(moment_of(status), status) for status in page]
                before = name_of(page[-1]) if page else None
            for moment, status in dated:
                if since is not None and moment < since:
                    return
                yield status
            if before is None:
                return

    def _begun(self, draft: Draft, texts: Sequence[str]) -> list[Status]:
        """What an earlier try of this thread left behind."""
        with reading():
            return begun(self._ours(self._around.clock() - REMEMBERED), draft, texts)

    def _statuses(self, ids: list[str]) -> list[Status]:
        """These posts, as far as they are there; one by one on servers that cannot be asked about several."""
        if self._asks_together:
            try:
                with self._server.border() as client:
                    return self._server.listed(client.statuses(list(ids)))
            except Rejected:
                self._asks_together = False
        found: list[Status] = []
        for name in ids:
            try:
                with self._server.border() as client:
                    found.append(client.status(name))
            except Gone:
                continue
        return found

    def _upload(self, picture: Media, house: House) -> str:
        """Hand one picture over; gives back its name. Nothing is public until a post names it."""
        from connectors.pictures import fit  # it loads Pillow

        content, kind = fit(picture.file, house.picture_bytes, house.picture_pixels, house.picture_kinds)
        with self._server.border() as client:
            media: Mapping[str, Any] = client.media_post(
                content,
                mime_type=kind,
                description=picture.alt.strip() or None,
                file_name=f"picture.{kind.partition('/')[2]}",
            )
            name = name_of(media)
            if not media.get("url"):
                media = client.media(name)
        if not media.get("url"):
            raise Unavailable("mastodon is still at work on a picture; nothing was posted")
        return name


def connect(account: str, around: Surroundings, timeout: tuple[float, float] = TIMEOUT) -> Connector:
    """One account by its name here; raises AuthExpired where it is not connected. Asks nothing of the server."""
    name = f"mastodon/{account}"
    base, token = (around.secret(f"{name}/{part}") for part in ("instance", "access_token"))
    if not base or not token:
        raise AuthExpired(f"{name} is not connected: kairos accounts add {name}")
    try:
        return MastodonAccount(name, address_of(base), token.strip(), around, timeout)
    except ValueError as error:
        raise AuthExpired(f"{name}: {error}; kairos accounts add {name}") from None
