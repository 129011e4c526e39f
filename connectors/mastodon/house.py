"""What one server takes: how long a text may be, which pictures, and whether it is Mastodon itself; asks nothing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PICTURE_KINDS = ("image/jpeg", "image/png", "image/gif", "image/webp")


@dataclass(frozen=True)
class House:
    """A server's limits; where it does not tell one, Mastodon's own."""

    genuine: bool = False
    """Mastodon or a fork of it. Other software speaks like it, but may forget idempotency keys (GoToSocial does)."""
    max_length: int = 500
    max_media: int = 4
    url_length: int = 23
    """What a link counts for, however long it is; on Mastodon and its forks."""
    picture_bytes: int = 8_388_608
    picture_pixels: int = 16_777_216
    picture_kinds: tuple[str, ...] = PICTURE_KINDS
    alt_length: int = 1500


def house_of(told: Mapping[str, Any]) -> House:
    """Out of a server's description of itself, old (v1) or new (v2)."""
    configured = told.get("configuration") or {}
    texts = configured.get("statuses") or {}
    media = configured.get("media_attachments") or {}
    plain = House()
    kinds = tuple(kind for kind in PICTURE_KINDS if kind in (media.get("supported_mime_types") or PICTURE_KINDS))
    return House(
        genuine=_genuine(f"{told.get('version') or ''}", f"{told.get('source_url') or ''}"),
        max_length=int(texts.get("max_characters") or told.get("max_toot_chars") or plain.max_length),
        max_media=int(texts.get("max_media_attachments") or plain.max_media),
        url_length=int(texts.get("characters_reserved_per_url") or plain.url_length),
        picture_bytes=int(media.get("image_size_limit") or plain.picture_bytes),
        picture_pixels=int(media.get("image_matrix_limit") or plain.picture_pixels),
        picture_kinds=kinds,
        alt_length=int(media.get("description_limit") or plain.alt_length),
    )


def _genuine(version: str, source: str) -> bool:
    """Others write `2.7.2 (compatible; Pleroma 2.9.0)` or, like GoToSocial, a version and a source of their own."""
    number = re.match(r"(\d+)\.\d+", version)
    other = "compatible" in version or "gotosocial" in f"{version} {source}".lower()
    return number is not None and int(number[1]) >= 3 and not other
