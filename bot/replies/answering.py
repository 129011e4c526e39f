"""A person's own answer to something said to us: the same rules, the same outbox; nothing is sent here."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from bot.abilities import Abilities
from bot.policy.base import Refused, Settings
from bot.policy.rulebook import permit
from bot.replies.addressing import addressed
from bot.replies.outgoing import Answer, proposal_of, put_out, speaker
from storage import mentions, outbox
from storage.database import install_id
from storage.facts import StoredFacts
from storage.models import Inbound, Post, State

OPEN = (State.HELD, State.PLANNED)
"""States in which a row's text can still be changed."""


class CannotAnswer(ValueError):
    """This text cannot go out under this mention; `refused` says which rule is against it, where one is."""

    def __init__(self, words: str, refused: Refused | None = None) -> None:
        super().__init__(words)
        self.refused = refused


def answer(
    session: Session,
    mention_id: int,
    text: str,
    now: datetime,
    *,
    stop_file: Path,
    campaign: str | None = None,
    settings: Settings | None = None,
    able: Abilities | None = None,
    ours: Collection[str] = (),
    live: bool = False,
) -> Post:
    """Answer a mention with a person's words: a new outbox row, or the one that waits with these words instead.

    `campaign` names whose answer it is, by default one that answers on this account, and `settings` are what
    it says to the rules. Without `able` and `ours` the gate alone checks lengths, the platform's own limits and that
    we do not answer ourselves. Raises CannotAnswer.
    """
    inbound = session.get(Inbound, mention_id)
    if inbound is None:
        raise CannotAnswer(f"there is no mention {mention_id}; `kairos queue` lists those that wait")
    if not text.strip():
        raise CannotAnswer(f"mention {mention_id}: an answer needs words")
    row = mentions.reply_to(session, mention_id)
    if row is not None and row.state not in OPEN:
        raise CannotAnswer(f"mention {mention_id} has its one reply already ({row.state}); a text is answered once")
    written = Answer(text, campaign or _campaign(session, inbound, row), by_a_person=True)
    known = addressed(session, inbound, ours)
    proposal = proposal_of(inbound, written, known, now, able, live=live)
    if row is not None:
        proposal = replace(proposal, post_id=row.id)
    refused = permit(proposal, StoredFacts(session, stop_file), settings or Settings(), "reply")
    if refused is not None and refused.then != "later":
        raise CannotAnswer(f"mention {mention_id}: {refused.words} (rule {refused.rule})", refused)
    not_before = None if refused is None else refused.retry_at
    if row is None:
        row = put_out(session, inbound, written, now, install_id(session), not_before=not_before)
        assert row is not None, "reply_to saw no row in this transaction"
    else:
        assert row.id is not None
        outbox.approve(session, row.id, now, text)
    mentions.settle(session, mention_id, "answered", reason="answered by a person")
    return row


def _campaign(session: Session, inbound: Inbound, row: Post | None) -> str:
    if row is not None:
        return row.campaign
    found = speaker(session, inbound.account)
    if found is None:
        raise CannotAnswer(f"mention {inbound.id}: no campaign answers on {inbound.account}; name the one that should")
    return found
