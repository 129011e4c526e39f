"""Posts and comments as Reddit tells them, read into our values, and whether one is our draft; nothing is asked here.

A thing's fields are taken as they came: the SDK asks Reddit again for a field that is not there.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.base import Address, Counts, Mention, OwnPost, Receipt, Ref
from connectors.reddit.community import Form

Told = Mapping[str, Any]

NAME = re.compile(r"t[13]_[0-9a-z]{1,13}")
"""The full name of a comment (t1) or a post (t3)."""
REASONS: dict[str, Address] = {"username_mention": "mention", "comment_reply": "reply", "post_reply": "comment"}
_THREAD = re.compile(r"/comments/([0-9a-z]{1,13})/")
_POLL = re.compile(r"\s*\[View Poll\]\(\S+\)\s*\Z")
_BOT = re.compile(r"AutoModerator|.*(?:Bot|[-_]bot|-ModTeam)", re.ASCII)
"""Reddit does not say who is a bot; by custom their names do."""


def told(thing: Any) -> Told:
    """A thing's fields as they came."""
    fields: Told = vars(thing)
    return fields


def moment(thing: Told) -> datetime:
    """When it became public, UTC, whole seconds."""
    return datetime.fromtimestamp(int(thing["created_utc"]), UTC)


def author(thing: Told) -> str | None:
    """Who said it; None for what was removed by its author."""
    person = thing.get("author")
    return None if person is None or str(person) == "[deleted]" else str(person)


def is_form(post: Told, form: Form, community: str) -> bool:
    """Whether a post of ours is this one."""
    if str(post["subreddit"]).casefold() != community.casefold() or not _alike(post["title"], form.title):
        return False
    if not _alike(_body(post), form.body):
        return False
    if form.pictures:
        return bool(post.get("is_gallery")) if form.pictures > 1 else _kind(post) == "photo"
    if form.options:
        poll = post.get("poll_data")
        asked = [str(option.text) for option in poll.options] if poll else []
        return [one.split() for one in asked] == [one.split() for one in form.options]
    if form.link is not None:
        return not post.get("is_self") and _address(str(post.get("url"))) == _address(form.link)
    return bool(post.get("is_self")) and not post.get("poll_data")


def is_answer(comment: Told, text: str, above: str) -> bool:
    """Whether a comment of ours is this one."""
    return comment.get("parent_id") == above and _alike(comment["body"], text)


def counts(thing: Told) -> Counts:
    """What Reddit counts, None where it does not say. Likes are votes up less votes down, never below zero."""
    hidden = thing.get("hide_score") or thing.get("score_hidden")
    score = thing.get("score")
    return Counts(
        likes=None if hidden or score is None else max(int(score), 0),
        replies=thing.get("num_comments"),
        shares=thing.get("num_crossposts"),
    )


def own(post: Told) -> OwnPost:
    """One of our posts; its text is the title and what stands under it."""
    words = f"{post['title']} {_body(post)}".strip()
    return OwnPost(Ref(name_of(post)), words, moment(post), _kind(post), counts(post), url_of(post))


def receipt(thing: Told) -> Receipt:
    """Reddit's word that something of ours is public."""
    return Receipt(Ref(name_of(thing)), moment(thing), url_of(thing))


def mention(comment: Told) -> Mention | None:
    """What somebody said to us; None where its author is gone."""
    who = author(comment)
    if who is None:
        return None
    thread = _THREAD.search(str(comment.get("context") or ""))
    above = comment.get("parent_id")
    return Mention(
        ref=Ref(name_of(comment)),
        author_id=str(comment.get("author_fullname") or who),
        author=f"u/{who}",
        text=str(comment["body"]),
        created_at=moment(comment),
        address=REASONS.get(str(comment.get("type")), "none"),
        in_reply_to=Ref(above) if above else None,
        thread=Ref(f"t3_{thread[1]}") if thread else None,
        author_is_bot=_BOT.fullmatch(who) is not None,
    )


def name_of(thing: Told) -> str:
    """Its full name; ValueError where it has none of Reddit's."""
    name = str(thing["name"])
    if not NAME.fullmatch(name):
        raise ValueError("no full name")
    return name


def url_of(thing: Told) -> str | None:
    """Where it can be seen. Old answers to a new comment do not say; the post above it is known."""
    link = thing.get("permalink")
    if link:
        return f"https://www.reddit.com{link}"
    above = str(thing.get("link_id") or "")
    return f"https://www.reddit.com/comments/{above[3:]}/_/{thing['id']}/" if NAME.fullmatch(above) else None


def _body(post: Told) -> str:
    text = str(post.get("selftext") or "")
    return _POLL.sub("", text) if post.get("poll_data") else text


def _kind(post: Told) -> str:
    """What kind of post it is, in the words campaigns use."""
    if post.get("poll_data"):
        return "poll"
    if post.get("is_gallery") or post.get("post_hint") == "image" or post.get("domain") == "i.redd.it":
        return "photo"
    if post.get("is_video"):
        return "video"
    return "text" if post.get("is_self") else "link"


def _alike(one: str, other: str) -> bool:
    """Reddit trims spaces and breaks lines its own way."""
    return one.split() == other.split()


def _address(link: str) -> tuple[str, ...]:
    parts = urlsplit(link)
    return (parts.netloc.lower(), parts.path.rstrip("/"), parts.query, parts.fragment)
