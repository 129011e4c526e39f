"""What the rules may know of a mention and of the reply to it, read from the tables; the rules are in `bot.policy`."""

from collections.abc import Collection
from typing import cast

from sqlmodel import Session

from bot.policy.base import Addressed
from connectors.base import Address
from storage.facts import StoredFacts
from storage.models import Inbound, Post


def addressed(session: Session, inbound: Inbound, ours: Collection[str]) -> Addressed:
    """A stored mention as the rules see it. `ours` are the keyed hashes of our own author ids, of all our accounts."""
    assert inbound.id is not None
    return Addressed(
        mention_id=inbound.id,
        platform=inbound.account.partition("/")[0],
        ref=inbound.ref,
        author_hash=inbound.author_hash,
        author_is_bot=inbound.author_is_bot,
        author_is_us=inbound.author_hash in ours,
        address=cast(Address, inbound.address),
        thread=inbound.thread,
        depth=StoredFacts(session).replies_above(inbound.account, inbound.ref),
    )


def inbound_of(session: Session, post: Post, ours: Collection[str]) -> Addressed | None:
    """The mention an outbox row answers; None for a row that answers nobody, or whose mention is gone."""
    inbound = None if post.mention_id is None else session.get(Inbound, post.mention_id)
    return None if inbound is None else addressed(session, inbound, ours)
