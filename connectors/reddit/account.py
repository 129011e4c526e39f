"""One account on Reddit behind the common verbs, through praw; errors, credentials and reading posts live beside it."""

import mimetypes
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import praw
import requests
from praw.models import PostMedia

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
from connectors.errors import AuthExpired, ConnectorError, OutcomeUnknown, Rejected
from connectors.reddit import community, inbox, posts
from connectors.reddit.community import Form
from connectors.reddit.door import TIMEOUT
from connectors.reddit.keys import Keys, OpenSession

MOST_TITLE, MOST_TEXT, MOST_COMMENT, MOST_OPTION = 300, 40_000, 10_000, 120
MOST_PICTURES = 20
PICTURE_BYTES, PICTURE_PIXELS = 20_000_000, 8000 * 8000
PICTURE_KINDS = ("image/jpeg", "image/png", "image/gif")
POLL_DAYS = 3
READS_PER_HOUR = 100 * 60
"""Reddit's published limit: 100 requests a minute for each app."""
REMEMBERED = timedelta(hours=1)
"""How long a community's requirements are taken to hold."""
CAPABILITIES = Capabilities(polls=True, needs_target=True, needs_title=True)


class RedditAccount:
    """One account; safe to use from several threads."""

    def __init__(
        self,
        account: str,
        around: Surroundings,
        session: OpenSession = requests.Session,
        timeout: tuple[float, float] = TIMEOUT,
    ) -> None:
        self._clock, self._timeout = around.clock, timeout
        self._keys = Keys(account, around, session, timeout)
        self._rules: dict[str, tuple[datetime, Mapping[str, Any]]] = {}

    @property
    def capabilities(self) -> Capabilities:
        """What Reddit can do. It has neither descriptions of pictures nor counts of those who saw a post."""
        return CAPABILITIES

    def check(self) -> Identity:
        """Who Reddit says we are. It has no label for bots: an app that is registered takes its place."""
        with self._keys.open() as reddit:
            us = posts.told(reddit.user.me(use_cache=False))
            if us.get("is_suspended"):
                raise AuthExpired("reddit has suspended the account; only its owner can settle that, on reddit.com")
            followers = posts.told(us["subreddit"]).get("subscribers") if us.get("subreddit") else None
            who, name = str(us["id"]), str(us["name"])
        return Identity(f"t2_{who}", f"u/{name}", self._keys.scopes(), followers=followers)

    def limits(self) -> Limits:
        """What Reddit allows. How often one may post is each community's affair, and told by refusals only."""
        return Limits(max_length=MOST_TEXT, max_media=MOST_PICTURES, reads_per_hour=READS_PER_HOUR)

    def length(self, text: str) -> int:
        """Characters."""
        return len(text)

    def publish(self, draft: Draft, key: str) -> Receipt:
        """One write request; `key` is of no use to Reddit. A community's requirements are asked before."""
        if draft.in_reply_to is not None:
            return self._answer(draft, draft.in_reply_to)
        place, form = community.place_of(draft.target), form_of(draft)
        pictures = [_picture(picture.file) for picture in draft.media]
        community.refuse(self._requirements(place.name), form, place)
        with self._keys.open() as reddit:
            where = reddit.subreddit(place.name)
            flair = community.flair_of(place, where.flair.link_templates.user_selectable()) if place.flair else None
            made = self._submit(where, form, pictures, flair)
            if not isinstance(made, praw.models.Submission) or not posts.NAME.fullmatch(f"t3_{made.id}"):
                raise OutcomeUnknown("reddit does not say what it made of the post; it may be public")
        return self._told_of(made.id)

    def find(self, draft: Draft, since: datetime) -> Receipt | None:
        """Look for this draft among our newest posts or comments, as far back as then."""
        above = draft.in_reply_to
        with self._keys.open() as reddit:
            us = reddit.redditor(self._keys.username)
            if above is not None:
                text = _comment(draft)
                found = [
                    each for each in _since(us.comments.new(limit=None), since) if posts.is_answer(each, text, above.id)
                ]
            else:
                place, form = community.place_of(draft.target), form_of(draft)
                ours = _since(us.submissions.new(limit=None), since)
                found = [each for each in ours if posts.is_form(each, form, place.name)]
            return posts.receipt(found[-1]) if found else None

    def measure(self, refs: Sequence[Ref]) -> Mapping[str, Counts]:
        """Counts now. Reddit blurs votes a little on purpose."""
        names = list(dict.fromkeys(ref.id for ref in refs if posts.NAME.fullmatch(ref.id)))
        if not names:
            return {}
        with self._keys.open() as reddit:
            found = [posts.told(thing) for thing in reddit.info(fullnames=names)]
            return {posts.name_of(each): posts.counts(each) for each in found if posts.author(each) is not None}

    def own_posts(self, since: datetime | None) -> Iterable[OwnPost]:
        """Our posts since then with counts, oldest first; Reddit shows the last 1000. Comments are not among them."""
        with self._keys.open() as reddit:
            us = reddit.redditor(self._keys.username)
            return [posts.own(each) for each in _since(us.submissions.new(limit=None), since)][::-1]

    def mentions(self, cursor: str | None) -> MentionPage:
        """Mentions of our name and answers to our posts and comments; private messages are never read."""
        with self._keys.open() as reddit:
            return inbox.after(reddit, cursor)

    def delete(self, ref: Ref) -> None:
        """Remove one of our posts or comments."""
        if not posts.NAME.fullmatch(ref.id):
            return
        with self._keys.open() as reddit:
            _thing(reddit, ref).delete()

    def _answer(self, draft: Draft, above: Ref) -> Receipt:
        text = _comment(draft)
        with self._keys.open() as reddit:
            made = _thing(reddit, above).reply(text)
            if made is None:
                raise OutcomeUnknown("reddit does not show us the comment it took; it may be public")
            return posts.receipt(posts.told(made))

    def _submit(self, where: Any, form: Form, pictures: Sequence[PostMedia], flair: str | None) -> Any:
        body = form.body or None
        if form.options:
            poll = {"duration": POLL_DAYS, "options": list(form.options)}
            return where.submit(form.title, poll=poll, selftext=body, flair_id=flair)
        if len(pictures) > 1:
            return where.submit(form.title, gallery=list(pictures), selftext=body, flair_id=flair)
        if pictures:
            # Reddit tells the address of such a post by a socket of its own, a moment later.
            wait = self._timeout[1]
            return where.submit(form.title, image=pictures[0], selftext=body, flair_id=flair, timeout=wait)
        if form.link is not None:
            return where.submit(form.title, url=form.link, selftext=body, flair_id=flair)
        return where.submit(form.title, selftext=form.body, flair_id=flair)

    def _requirements(self, name: str) -> Mapping[str, Any]:
        """What a community asks of posts; nothing where it does not tell, as then Reddit's answer will."""
        name, now = name.casefold(), self._clock()
        known = self._rules.get(name)
        if known is None or known[0] + REMEMBERED <= now:
            try:
                with self._keys.open() as reddit:
                    told = reddit.subreddit(name).post_requirements()
            except Rejected:
                told = {}
            known = self._rules[name] = (now, told if isinstance(told, dict) else {})
        return known[1]

    def _told_of(self, number: str) -> Receipt:
        """A new post as Reddit shows it; should it fail to, the post is public all the same."""
        try:
            with self._keys.open() as reddit:
                post = reddit.submission(number)
                _ = post.created_utc  # the SDK asks at the first field that is not there
                return posts.receipt(posts.told(post))
        except ConnectorError:
            at = self._clock().replace(microsecond=0)
            return Receipt(Ref(f"t3_{number}"), at, f"https://www.reddit.com/comments/{number}/")


def connect(account: str, around: Surroundings) -> Connector:
    """The entry point. Asks Reddit nothing; raises AuthExpired without credentials."""
    keys = Keys(account, around)
    if not keys.known:
        raise keys.missing()
    return RedditAccount(account, around)


def form_of(draft: Draft) -> Form:
    """A draft as Reddit takes it; raises Rejected for what it would not take, before anything is sent.

    A text that only says the title again is left out. A link that the text holds stays there; any other makes a link
    post. The parts of a poll are its options; Reddit has no threads.
    """
    title, text = " ".join((draft.title or "").split()), draft.text.strip()
    if not title:
        raise Rejected("reddit: a post needs a title")
    if len(title) > MOST_TITLE:
        raise Rejected(f"reddit: a title has at most {MOST_TITLE} characters, this one {len(title)}")
    if not text:
        raise Rejected("reddit: a post needs a text; one that says the title again is left out")
    if draft.parts and draft.kind != "poll":
        raise Rejected("reddit has no threads: put all of it into one text")
    if len(draft.media) > MOST_PICTURES:
        raise Rejected(f"reddit: a post has at most {MOST_PICTURES} pictures, this one {len(draft.media)}")
    if draft.kind == "poll":
        _refuse_poll(draft)
    body = "" if text.split() == title.split() else text
    link = draft.link
    if link and (draft.media or draft.kind == "poll") and link not in body:
        body = f"{body}\n\n{link}".strip()
    if link and (draft.media or draft.kind == "poll" or (link in body and draft.kind != "link")):
        link = None
    if len(body) > MOST_TEXT:
        raise Rejected(f"reddit: a text has at most {MOST_TEXT} characters, this one {len(body)}")
    return Form(title, body, link or None, len(draft.media), draft.parts)


def _refuse_poll(draft: Draft) -> None:
    if draft.media:
        raise Rejected("reddit: a poll has no pictures")
    if not 2 <= len(draft.parts) <= 6:
        raise Rejected(f"reddit: a poll has 2 to 6 options, this one {len(draft.parts)}")
    if any(not option.strip() or len(option) > MOST_OPTION for option in draft.parts):
        raise Rejected(f"reddit: an option of a poll has 1 to {MOST_OPTION} characters")


def _comment(draft: Draft) -> str:
    """The text of an answer; raises Rejected."""
    above, text = draft.in_reply_to, draft.text.strip()
    if above is None or not posts.NAME.fullmatch(above.id):
        raise Rejected("reddit: what is to be answered is no post or comment there")
    if draft.media or draft.parts:
        raise Rejected("reddit: an answer has no pictures and is no thread")
    if not text:
        raise Rejected("reddit: an answer needs a text")
    if draft.link and draft.link not in text:
        text = f"{text}\n\n{draft.link}"
    if len(text) > MOST_COMMENT:
        raise Rejected(f"reddit: an answer has at most {MOST_COMMENT} characters, this one {len(text)}")
    return text


def _picture(file: str) -> PostMedia:
    from connectors.pictures import fit

    data, kind = fit(file, PICTURE_BYTES, PICTURE_PIXELS, PICTURE_KINDS)
    return PostMedia(data, name=f"picture{mimetypes.guess_extension(kind)}")  # a file's own name is nobody's business


def _thing(reddit: praw.Reddit, ref: Ref) -> Any:
    kind, _, number = ref.id.partition("_")
    return reddit.comment(number) if kind == "t1" else reddit.submission(number)


def _since(listed: Iterable[Any], since: datetime | None) -> Iterator[posts.Told]:
    """A list that begins with the newest, as far back as then."""
    for thing in listed:
        each = posts.told(thing)
        if since is not None and posts.moment(each) < since.replace(microsecond=0):
            return
        yield each
