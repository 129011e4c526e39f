"""Rule R3 carried out: a person who wants silence is never written to again, and what was on its way is taken back."""

from datetime import datetime

from sqlmodel import Session

from storage import mentions, outbox

R3 = "R3"
WORDS = "this person asked not to be contacted; that holds for good and for every campaign"


def keep_silent(session: Session, author: str, platform: str, why: str, now: datetime) -> int:
    """Write to this person (a keyed hash) never again; gives back how many replies were taken back.

    A reply that is being sent at this moment cannot be taken back; everything before that is.
    """
    mentions.do_not_contact(session, author, platform, why, now)
    taken_back = 0
    for inbound in mentions.by_author(session, author):
        assert inbound.id is not None
        reply = mentions.reply_to(session, inbound.id)
        if reply is None:
            over = inbound.outcome in mentions.PENDING
        else:
            assert reply.id is not None
            over = outbox.cancel(session, reply.id, rule=R3, reason=WORDS, now=now)
            taken_back += over
        if over:
            mentions.settle(session, inbound.id, "refused", rule=R3, reason=WORDS)
    return taken_back
