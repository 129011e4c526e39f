"""What is asked of the server around a post: who is named, what is answered, what stands there; pictures go up here.

All raise what the SDK raises; the verbs of `connectors.bluesky.account` put it into our words.
"""

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from atproto_client import Client, models
from atproto_client.exceptions import BadRequestError
from atproto_client.models.utils import get_model_as_dict, get_response_model
from PIL import Image

from connectors.base import Draft, Ref
from connectors.bluesky.records import POSTS, Record, card, extras_of, handles, place_of, ref_of
from connectors.bluesky.session import error_name
from connectors.errors import Rejected

PAGE = 100


def people_of(client: Client, texts: Sequence[str]) -> dict[str, str]:
    """DIDs by handle for the handles in our texts; one that nobody has stays plain text."""
    found = {}
    for handle in handles(texts):
        try:
            found[handle] = client.com.atproto.identity.resolve_handle({"handle": handle}).did
        except BadRequestError:
            continue
    return found


def embed_of(client: Client, draft: Draft, pictures: Sequence[tuple[bytes, str]]) -> Record | None:
    """Pictures, each uploaded, with their descriptions; or else the link as a card."""
    images = []
    for (data, kind), media in zip(pictures, draft.media, strict=True):
        answer = client.invoke_procedure("com.atproto.repo.uploadBlob", content=data, headers={"Content-Type": kind})
        blob = get_response_model(answer, models.ComAtprotoRepoUploadBlob.Response).blob
        with Image.open(io.BytesIO(data)) as image:
            shape = {"width": image.width, "height": image.height}
        images.append({"alt": media.alt, "image": get_model_as_dict(blob), "aspectRatio": shape})
    if images:
        return {"$type": "app.bsky.embed.images", "images": images}
    return card(draft.link, draft.title) if draft.link else None


def reply_of(client: Client, above: Ref | None) -> Record | None:
    """What an answer points to: the post above it and the root of its thread; asked for where its extras are lost."""
    if above is None:
        return None
    if place_of(above.id) is None:
        raise Rejected("bluesky: what is to be answered is no post there")
    extras = extras_of(above)
    if "cid" not in extras:
        post = record_at(client, above.id)
        if post is None:
            raise Rejected("bluesky: the post to be answered is gone")
        extras = json.loads(ref_of(post.uri, post.cid, root_of(post.value)).extras)
    parent = {"uri": above.id, "cid": extras["cid"]}
    return {"root": extras.get("root", parent), "parent": parent}


def record_at(client: Client, uri: str) -> Any:
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


def posts_of(client: Client, did: str) -> Iterator[Any]:
    """Every post in our repository, in no order of time: their names do not tell it."""
    asked = {"repo": did, "collection": POSTS, "limit": PAGE}
    while True:
        page = client.com.atproto.repo.list_records(asked)
        yield from (post for post in page.records if isinstance(post.value, models.AppBskyFeedPost.Record))
        if not page.cursor or page.cursor == asked.get("cursor"):
            return
        asked["cursor"] = page.cursor


def parent_of(post: Any) -> str | None:
    """Address of the post this one answers."""
    return post.reply.parent.uri if post.reply is not None else None


def root_of(post: Any) -> dict[str, str] | None:
    """The root of the thread this one stands in."""
    return {"uri": post.reply.root.uri, "cid": post.reply.root.cid} if post.reply is not None else None


def kind_of(post: Any) -> str:
    """What kind of post it is, in the words campaigns use."""
    embed = str(getattr(post.embed, "py_type", "")) if post.embed is not None else ""
    for word, kind in (("images", "photo"), ("video", "video"), ("external", "link")):
        if word in embed or word in str(getattr(getattr(post.embed, "media", None), "py_type", "")):
            return kind
    features = [feature for facet in post.facets or () for feature in facet.features]
    return "link" if any(getattr(each, "py_type", "").endswith("#link") for each in features) else "text"
