"""How an answer becomes an outbox row: draft, proposal to the rules, row; which answer it is, is decided elsewhere."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from bot.abilities import Abilities
from bot.policy.base import Addressed, Proposal
from connectors.base import Capabilities, Draft, Ref
from scheduler.drafts import to_json
from storage import notes, outbox
from storage.models import Inbound, Post, State

SPEAKER = "speaker:"
"""Name of the note before the account."""


@dataclass(frozen=True)
class Answer:
    """A text that wants to go out under a mention, in the name of a campaign."""

    text: str
    campaign: str
    variant: str = ""
    """The intent whose stored answer it is; empty for a person's own words."""
    by_a_person: bool = False
    """Whether a person wrote or chose exactly this text."""


def item_of(inbound: Inbound) -> str:
    """The outbox's name of the answer to a mention."""
    return f"reply:{inbound.id}"


def draft_of(inbound: Inbound, text: str) -> Draft:
    """The draft that stands under the mention."""
    return Draft(text, in_reply_to=Ref(inbound.ref, inbound.extras))


def proposal_of(
    inbound: Inbound,
    answer: Answer,
    known: Addressed,
    now: datetime,
    able: Abilities | None,
    *,
    live: bool,
    post_id: int | None = None,
) -> Proposal:
    """The answer as the rules see it; without `able` nobody asked the platform what it can do, and the gate will."""
    draft = draft_of(inbound, answer.text)
    digest = outbox.digest_of(to_json(draft))
    return Proposal(
        account=inbound.account,
        platform=known.platform,
        campaign=answer.campaign,
        item=item_of(inbound),
        draft=draft,
        at=now,
        capabilities=Capabilities() if able is None else able.capabilities,
        post_id=post_id,
        digest=digest,
        approved_digest=digest if answer.by_a_person else None,
        addressed=known,
        live=live,
        length=None if able is None else able.longest(draft),
        max_length=None if able is None else able.max_length,
    )


def put_out(
    session: Session,
    inbound: Inbound,
    answer: Answer,
    now: datetime,
    install: str,
    *,
    rule: str | None = None,
    waits: str | None = None,
    not_before: datetime | None = None,
) -> Post | None:
    """Add the answer to the outbox; None where the mention has a row already.

    With `waits` it is held for a person, for these words and perhaps a rule; else it is due at `not_before` or now.
    """
    draft = to_json(draft_of(inbound, answer.text))
    digest = outbox.digest_of(draft)
    row = Post(
        account=inbound.account,
        campaign=answer.campaign,
        item=item_of(inbound),
        variant=answer.variant,
        local_slot=f"{inbound.created_at:%Y-%m-%dT%H:%M}",
        slot_at=inbound.created_at,
        not_before=not_before or now,
        kind="reply",
        draft=draft,
        digest=digest,
        approved_digest=digest if answer.by_a_person else None,
        approved_at=now if answer.by_a_person else None,
        key=key_of(install, inbound),
        state=State.HELD if waits else State.PLANNED,
        rule=rule,
        reason=waits,
        mention_id=inbound.id,
        created_at=now,
        updated_at=now,
    )
    return next(iter(outbox.add(session, [row])), None)


def speak_for(session: Session, account: str, campaign: str, now: datetime) -> None:
    """Remember in which campaign's name a person answers on this account."""
    if speaker(session, account) != campaign:
        notes.set_note(session, SPEAKER + account, campaign, now)


def speaker(session: Session, account: str) -> str | None:
    """The campaign in whose name a person answers on this account; None where nothing was said to it yet."""
    return notes.note(session, SPEAKER + account)


def key_of(install: str, inbound: Inbound) -> str:
    """The idempotency key of the one answer a text can have from an account of this installation."""
    return hashlib.sha256(f"{install}\0reply\0{inbound.account}\0{inbound.ref}".encode()).hexdigest()[:32]
