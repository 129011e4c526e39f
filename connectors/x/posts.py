"""Posts as X tells them, under the old and the renamed field names, read into our values; nothing is asked here."""

import html
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.base import Address, Counts, Mention, OwnPost, Ref
from connectors.x.text import has_link

Told = Mapping[str, Any]

ASKED = {
    "post.fields": "attachments,conversation_id,created_at,entities,lang,note_post,text",
    "expansions": "author_id,in_reply_to_user_id,referenced_posts",
    "user.fields": "username",
}
"""How whole posts are asked for, by the names of X's OpenAPI document 2.167 and later."""
ASKED_BEFORE = {
    "tweet.fields": (
        "attachments,author_id,conversation_id,created_at,entities,in_reply_to_user_id,lang,note_tweet,"
        "referenced_tweets,text"
    ),
    "expansions": "author_id",
    "user.fields": "username",
}
"""The same by the names before the renaming."""
COUNTED = {"post.fields": "public_metrics"}
COUNTED_BEFORE = {"tweet.fields": "public_metrics"}
PRIVATE = ",non_public_metrics"
"""Added for our own posts of the last 30 days: clicks on links."""

_EPOCH = 1_288_834_974_657


def moment(post: Told) -> datetime:
    """When it became public, UTC, whole seconds: as X says, else by its id, whose upper bits are milliseconds."""
    told = post.get("created_at")
    if isinstance(told, str):
        return datetime.fromisoformat(told).astimezone(UTC).replace(microsecond=0)
    return datetime.fromtimestamp(((int(post["id"]) >> 22) + _EPOCH) // 1000, UTC)


def words(post: Told) -> str:
    """Its text as it was written: links in full, no markup, without the short link X adds for a picture."""
    note = post.get("note_post") or post.get("note_tweet") or {}
    text = str(note.get("text") or post.get("text") or "")
    for link in ((note or post).get("entities") or {}).get("urls") or ():
        short, meant = link.get("url"), link.get("expanded_url")
        if short and link.get("media_key"):
            text = text.replace(short, "")
        elif short and meant:
            text = text.replace(short, meant)
    return html.unescape(text).strip()


def answered(post: Told) -> str | None:
    """The id of the post it answers."""
    return _refers(post, "replied_to")


def is_repost(post: Told) -> bool:
    """Whether it only passes on another's post."""
    return _refers(post, "retweeted") is not None


def counts(post: Told) -> Counts:
    """What X counts, None where it does not say; shares are reposts and quotes."""
    told, private = post.get("public_metrics") or {}, post.get("non_public_metrics") or {}
    reposts = told.get("repost_count", told.get("retweet_count"))
    quotes = told.get("quote_count")
    return Counts(
        likes=told.get("like_count"),
        replies=told.get("reply_count"),
        shares=None if reposts is None and quotes is None else (reposts or 0) + (quotes or 0),
        clicks=private.get("url_link_clicks"),
        impressions=told.get("impression_count"),
    )


def own(post: Told, counted: Counts, url: str) -> OwnPost:
    """One of our posts with its counts."""
    text = words(post)
    return OwnPost(Ref(post["id"]), text, moment(post), _kind(post, text), counted, url)


def mention(post: Told, people: Mapping[str, str], us: str) -> Mention:
    """What somebody said; `people` are handles by id."""
    answers, author = answered(post), str(post["author_id"])
    thread = post.get("conversation_id")
    return Mention(
        ref=Ref(post["id"]),
        author_id=author,
        author=people.get(author, author),
        text=words(post),
        created_at=moment(post),
        address=_address(post, us),
        in_reply_to=Ref(answers) if answers else None,
        thread=Ref(thread) if thread else None,
        language=post.get("lang") if post.get("lang") not in (None, "und", "zxx") else None,
    )


def _address(post: Told, us: str) -> Address:
    """A name X puts before an answer by itself is no mention; one the author wrote is."""
    if answered(post) is None:
        return "quote" if _refers(post, "quoted") and not _names(post, us, after=0) else "mention"
    text = str(post.get("text") or "")
    before = 0
    for word in text.split(" "):
        if not word.startswith("@"):
            break
        before += len(word) + 1
    if _names(post, us, after=before):
        return "mention"
    return "reply"


def _names(post: Told, us: str, after: int) -> bool:
    named = (post.get("entities") or {}).get("mentions") or ()
    return any(str(one.get("id")) == us and one.get("start", 0) >= after for one in named)


def _refers(post: Told, how: str) -> str | None:
    for one in post.get("referenced_posts") or post.get("referenced_tweets") or ():
        if one.get("type") == how:
            return str(one["id"])
    return None


def _kind(post: Told, text: str) -> str:
    if (post.get("attachments") or {}).get("media_keys"):
        return "photo"
    return "link" if has_link(text) else "text"
