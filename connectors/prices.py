"""What platforms ask for their programming interfaces, as dated data; no request is made here and nothing is spent."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Price:
    """Prices of one platform in US dollars: per write request, and per post that is read; `source` says who says so.

    `own_read` and `other_read` are for one post read, ours or another's; `person_read` for one profile.
    """

    as_of: date
    source: str
    post: float = 0.0
    link_post: float = 0.0
    reply: float = 0.0
    own_read: float = 0.0
    other_read: float = 0.0
    person_read: float = 0.0


PRICES: dict[str, Price] = {
    "x": Price(
        as_of=date(2026, 8, 28),
        source=(
            "X developer docs, pay-per-usage pricing: content create 0.015, with URL 0.200, summoned reply 0.010, "
            "owned read 0.001, post read 0.005, user read 0.010; a resource read again on the same UTC day is not "
            "charged again"
        ),
        post=0.015,
        link_post=0.200,
        reply=0.010,
        own_read=0.001,
        other_read=0.005,
        person_read=0.010,
    ),
    "mastodon": Price(as_of=date(2026, 8, 28), source="Mastodon docs: the API is part of every server; no price"),
    "bluesky": Price(as_of=date(2026, 8, 28), source="Bluesky docs: no price for the API; rate limits only"),
    "reddit": Price(
        as_of=date(2026, 8, 28),
        source="Reddit Developer Terms: no price for approved non-commercial use; business use needs an agreement",
    ),
}
"""By platform, as the platform's own pages said on the day given. A platform that is absent is not known to cost."""
