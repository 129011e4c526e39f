"""A draft as the outbox keeps it and as connectors take it: the one place where one becomes the other."""

from collections.abc import Mapping
from typing import Any

from connectors.base import Draft, Media, Ref

_PLAIN = ("title", "link", "target", "language")
_KEYS = frozenset({"text", "kind", "media", "in_reply_to", "parts", *_PLAIN})


class UnreadableDraft(ValueError):
    """A stored draft that this version cannot read; the words say what is wrong with it, not what it says."""


def to_json(draft: Draft) -> dict[str, Any]:
    """The draft as plain JSON. What is empty is left out, so the digest of a draft outlives new fields."""
    stored: dict[str, Any] = {"text": draft.text, "kind": draft.kind}
    stored |= {name: value for name in _PLAIN if (value := getattr(draft, name)) is not None}
    if draft.media:
        stored["media"] = [{"file": picture.file, "alt": picture.alt} for picture in draft.media]
    if draft.in_reply_to is not None:
        stored["in_reply_to"] = {"id": draft.in_reply_to.id, "extras": draft.in_reply_to.extras}
    if draft.parts:
        stored["parts"] = list(draft.parts)
    return stored


def from_json(stored: Mapping[str, Any]) -> Draft:
    """The draft that `to_json` wrote; raises UnreadableDraft rather than send less than was approved."""
    unknown = set(stored) - _KEYS
    if unknown:
        raise UnreadableDraft(f"the stored draft has parts this version does not know: {', '.join(sorted(unknown))}")
    try:
        answered = stored.get("in_reply_to")
        return Draft(
            text=stored["text"],
            kind=stored.get("kind", "text"),
            **{name: stored.get(name) for name in _PLAIN},
            media=tuple(Media(picture["file"], picture["alt"]) for picture in stored.get("media", ())),
            in_reply_to=None if answered is None else Ref(answered["id"], answered.get("extras", "")),
            parts=tuple(stored.get("parts", ())),
        )
    except (KeyError, TypeError) as error:
        raise UnreadableDraft(f"the stored draft is incomplete: {type(error).__name__} {error}") from error
