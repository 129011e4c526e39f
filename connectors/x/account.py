"""One account on X behind the common verbs, through tweepy; errors, credentials and reading posts live beside it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import tweepy

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
from connectors.errors import AuthExpired, OutcomeUnknown, Rejected, Unavailable
from connectors.prices import PRICES
from connectors.x import pictures, posts
from connectors.x.door import TIMEOUT, border
from connectors.x.keys import Keys
from connectors.x.text import MAX_LENGTH, alike, length, without_names_before

AT_ONCE = 100
"""Most posts X tells of in one answer."""
MOST_PAGES = 35
"""X shows the last 3200 of our posts and 800 mentions."""
PRIVATE_FOR = timedelta(days=29)
"""X tells clicks for 30 days; one is margin."""
FIRST_LOOK = timedelta(days=2)
"""How far back mentions go when there is no cursor: each costs money."""
RESUMED = timedelta(days=6)
"""How far back the parts of a broken thread are looked for; the same words may come again after a week."""
POSTS_PER_HOUR = 400
_ID = re.compile(r"[0-9]{1,19}")


class XAccount:
    """One account; safe to use from several threads, as every call opens a client of its own."""

    def __init__(
        self, account: str, around: Surroundings, base: str | None = None, timeout: tuple[float, float] = TIMEOUT
    ) -> None:
        self._clock = around.clock
        self._keys = Keys(account, around, base, timeout)
        self._us: str | None = None
        self._renamed = True

    @property
    def capabilities(self) -> Capabilities:
        """What X can do; the costs are those of the dated price table."""
        price = PRICES["x"]
        return Capabilities(
            alt_text=True,
            impressions=True,
            reply_only_when_mentioned=True,
            length_unit="weighted",
            cost_per_post_usd=price.post,
            cost_per_link_post_usd=price.link_post,
            cost_per_reply_usd=price.reply,
        )

    def check(self) -> Identity:
        """Who X says we are. It has a label for automated accounts, but does not tell it here."""
        told = self._ask("GET", "/2/users/me", {"user.fields": "public_metrics,username"})
        with border(self._clock):
            person = told["data"]
            self._us = str(person["id"])
            followers = (person.get("public_metrics") or {}).get("followers_count")
            return Identity(self._us, person["username"], self._keys.scopes, followers=followers)

    def limits(self) -> Limits:
        """What X allows an account without a subscription: 100 posts in 15 minutes."""
        return Limits(max_length=MAX_LENGTH, max_media=4, posts_per_hour=POSTS_PER_HOUR)

    def length(self, text: str) -> int:
        """X's weighted length: most letters one, wide ones and emoji two, a link 23."""
        return length(text)

    def publish(self, draft: Draft, key: str) -> Receipt:
        """One write request for each text that is not public yet; `key` is of no use to X.

        Where a thread broke off, its first parts are looked for before anything is sent.
        """
        texts = _texts(draft)
        _refuse(draft, texts)
        done = self._standing(draft, texts, self._clock() - RESUMED) if len(texts) > 1 else []
        media = [pictures.upload(picture, self._upload) for picture in draft.media] if not done else []
        for place, text in enumerate(texts[len(done) :], start=len(done)):
            before = done[-1] if done else draft.in_reply_to.id if draft.in_reply_to else None
            try:
                done.append(self._post(text, before, media if place == 0 else []))
            except (Rejected, Unavailable, OutcomeUnknown, AuthExpired) as error:
                if not done:
                    raise
                told = f"part {place + 1} of {len(texts)}, with {place} public ({_url(done[0])}): {error}"
                raise type(error)(told) from None
        return _receipt(done)

    def find(self, draft: Draft, since: datetime) -> Receipt | None:
        """Look for this draft among our own posts since then; a thread is found when all of it is there."""
        texts = _texts(draft)
        done = self._standing(draft, texts, since)
        return _receipt(done) if len(done) == len(texts) else None

    def measure(self, refs: Sequence[Ref]) -> Mapping[str, Counts]:
        """Counts now, with clicks where X still tells them. X says `errors` for what is gone."""
        wanted = list(dict.fromkeys(ref.id for ref in refs if _ID.fullmatch(ref.id)))
        young = [one for one in wanted if posts.moment({"id": one}) > self._clock() - PRIVATE_FOR]
        found = self._counts(young, posts.PRIVATE)
        return found | self._counts([one for one in wanted if one not in found], "")

    def own_posts(self, since: datetime | None) -> Iterable[OwnPost]:
        """Our posts since then with counts; answers, and so the later parts of threads, are not among them."""
        shown = [post for post in self._timeline(since) if not posts.answered(post) and not posts.is_repost(post)]
        counted = self.measure([Ref(post["id"]) for post in shown])
        with border(self._clock):
            return [posts.own(post, counted.get(post["id"], Counts()), _url(post["id"])) for post in shown]

    def mentions(self, cursor: str | None) -> MentionPage:
        """What was said to us since the post whose id is the cursor."""
        if cursor is not None and not _ID.fullmatch(cursor):
            raise Rejected("x: the cursor of mentions is none of X's ids")
        since = {"since_id": cursor} if cursor else {"start_time": _stamp(self._clock() - FIRST_LOOK)}
        us = self._me()
        people: dict[str, str] = {}
        told = self._pages(f"/2/users/{us}/mentions", since, people)
        with border(self._clock):
            heard = [posts.mention(post, people, us) for post in told]
        return MentionPage(tuple(heard), heard[-1].ref.id if heard else cursor)

    def delete(self, ref: Ref) -> None:
        """Remove a post, and of a thread of ours all parts, the last one first."""
        for one in reversed([ref.id, *ref.extras.split()]):
            if _ID.fullmatch(one):
                try:
                    self._ask("DELETE", f"/2/tweets/{one}", write=True)
                except _Gone:
                    continue

    def _post(self, text: str, before: str | None, media: list[str]) -> str:
        made: dict[str, Any] = {"text": text}
        if before is not None:
            made["reply"] = {"in_reply_to_tweet_id": before}
        if media:
            made["media"] = {"media_ids": media}
        told = self._ask("POST", "/2/tweets", made=made, write=True)
        with border(self._clock, write=True):
            number = str(told["data"]["id"])
            posts.moment({"id": number})
            return number

    def _standing(self, draft: Draft, texts: Sequence[str], since: datetime) -> list[str]:
        """Ids of the first parts of this draft that are public, in order."""
        ours = self._timeline(since)
        done: list[str] = []
        for text in texts:
            before = done[-1] if done else draft.in_reply_to.id if draft.in_reply_to else None
            same = (post["id"] for post in ours if posts.answered(post) == before and _says(post, text, before))
            found = next(same, None)
            if found is None:
                break
            done.append(found)
        return done

    def _timeline(self, since: datetime | None) -> list[dict[str, Any]]:
        asked = {} if since is None else {"start_time": _stamp(since)}
        told = self._pages(f"/2/users/{self._me()}/tweets", asked, {})
        with border(self._clock):
            return [post for post in told if since is None or posts.moment(post) >= since.replace(microsecond=0)]

    def _pages(self, route: str, asked: Mapping[str, str], people: dict[str, str]) -> list[dict[str, Any]]:
        """All posts of a timeline, oldest first; fills in who said them."""
        found: dict[str, dict[str, Any]] = {}
        page: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            told = self._read(route, {"max_results": str(AT_ONCE), **asked, **page}, posts.ASKED, posts.ASKED_BEFORE)
            with border(self._clock):
                found |= {post["id"]: post for post in told.get("data") or ()}
                included = (told.get("includes") or {}).get("users") or ()
                people |= {str(person["id"]): person["username"] for person in included}
                following = (told.get("meta") or {}).get("next_token")
            if not following:
                break
            page = {"pagination_token": following}
        with border(self._clock):
            return sorted(found.values(), key=lambda post: int(post["id"]))

    def _counts(self, wanted: Sequence[str], private: str) -> dict[str, Counts]:
        found: dict[str, Counts] = {}
        for start in range(0, len(wanted), AT_ONCE):
            asked = {"ids": ",".join(wanted[start : start + AT_ONCE])}
            now, before = (
                {name: fields + private for name, fields in names.items()}
                for names in (posts.COUNTED, posts.COUNTED_BEFORE)
            )
            told = self._read("/2/tweets", asked, now, before)
            with border(self._clock):
                found |= {post["id"]: posts.counts(post) for post in told.get("data") or ()}
        return found

    def _me(self) -> str:
        """Our id: as it was stored when the account was connected, else X is asked once."""
        if self._us is None:
            self._us = self._keys.secret("user_id") or self.check().account_id
        return self._us

    def _read(
        self, route: str, asked: Mapping[str, str], now: Mapping[str, str], before: Mapping[str, str]
    ) -> dict[str, Any]:
        """Ask by the names X understands: by the renamed ones until X refuses them."""
        if self._renamed:
            try:
                return self._ask("GET", route, {**asked, **now})
            except Rejected:
                told = self._ask("GET", route, {**asked, **before})
                self._renamed = False
                return told
        return self._ask("GET", route, {**asked, **before})

    def _upload(self, method: str, route: str, json: dict[str, Any] | None = None) -> dict[str, Any]:
        told = self._ask(method, route, made=json)
        with border(self._clock):
            return told | {"data": told.get("data") or {}}

    def _ask(
        self,
        method: str,
        route: str,
        asked: Mapping[str, str] | None = None,
        made: Mapping[str, Any] | None = None,
        write: bool = False,
    ) -> dict[str, Any]:
        """One request. Its answer is an object; raises `connectors.errors` alone."""
        with ExitStack() as stack:
            with border(self._clock):
                client, signs = stack.enter_context(self._keys.open())
            with border(self._clock, write=write):
                try:
                    answer = client.request(method, route, params=asked, json=made, user_auth=signs)
                except tweepy.NotFound as error:
                    if method == "DELETE":
                        raise _Gone("X has no such post") from error
                    raise
                told = answer.json()
                if not isinstance(told, dict):
                    raise TypeError("no object")
                return told


class _Gone(Rejected):
    """There is nothing to remove."""


def connect(
    account: str, around: Surroundings, *, base: str | None = None, timeout: tuple[float, float] = TIMEOUT
) -> Connector:
    """The entry point; `base` and `timeout` are for tests. Asks X nothing; raises AuthExpired without credentials."""
    keys = Keys(account, around)
    if not keys.known:
        raise keys.missing()
    return XAccount(account, around, base, timeout)


def _texts(draft: Draft) -> list[str]:
    """What is sent, one text for each request: a link that the words do not hold stands after them."""
    first = draft.text
    if draft.link and draft.link not in "\n".join((draft.text, *draft.parts)):
        first = f"{draft.text} {draft.link}".strip()
    return [first, *draft.parts]


def _refuse(draft: Draft, texts: Sequence[str]) -> None:
    for text in texts:
        if not text.strip():
            raise Rejected("x: a post needs a text")
        if length(text) > MAX_LENGTH:
            raise Rejected(f"x: {length(text)} characters as X counts them; it takes at most {MAX_LENGTH}")
    if len(draft.media) > 4:
        raise Rejected(f"x: {len(draft.media)} pictures; X takes at most 4")
    if draft.in_reply_to is not None and not _ID.fullmatch(draft.in_reply_to.id):
        raise Rejected("x: the post to answer has none of X's ids")


def _says(post: Mapping[str, Any], text: str, before: str | None) -> bool:
    told = posts.words(post)
    if alike(told) == alike(text):
        return True
    return before is not None and alike(without_names_before(told)) == alike(without_names_before(text))


def _receipt(done: Sequence[str]) -> Receipt:
    """`extras` are the ids of a thread's later parts."""
    return Receipt(Ref(done[0], " ".join(done[1:])), posts.moment({"id": done[0]}), _url(done[0]))


def _url(number: str) -> str:
    return f"https://x.com/i/status/{number}"


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
