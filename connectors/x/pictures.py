"""A picture and its description on their way to X; the post they belong to is not made here."""

import base64
from collections.abc import Callable
from typing import Any

from connectors.base import Media
from connectors.errors import Rejected
from connectors.pictures import fit

MOST_BYTES = 5_000_000
MOST_PIXELS = 4096 * 4096
KINDS = ("image/jpeg", "image/png", "image/webp")
MOST_ALT = 1000
PIECE = 3_000_000
"""Bytes of one piece: four million characters in base64, below X's five."""

Ask = Callable[..., dict[str, Any]]


def upload(media: Media, ask: Ask) -> str:
    """Hand one picture over; gives back X's id for it. Nothing is public until a post names it."""
    data, mime = fit(media.file, MOST_BYTES, MOST_PIXELS, KINDS)
    begun = {"media_category": "tweet_image", "media_type": mime, "total_bytes": len(data)}
    number = str(ask("POST", "/2/media/upload/initialize", json=begun)["data"]["id"])
    for place, start in enumerate(range(0, len(data), PIECE)):
        piece = base64.b64encode(data[start : start + PIECE]).decode()
        ask("POST", f"/2/media/upload/{number}/append", json={"media": piece, "segment_index": place})
    done = ask("POST", f"/2/media/upload/{number}/finalize")["data"]
    if (done.get("processing_info") or {}).get("state") == "failed":
        raise Rejected(f"X could not use the picture {media.file}")
    if media.alt.strip():
        described = {"alt_text": {"text": media.alt.strip()[:MOST_ALT]}}
        ask("POST", "/2/media/metadata", json={"id": number, "metadata": described})
    return number
