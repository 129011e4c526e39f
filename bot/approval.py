"""What waits for a person, and a person's yes and no to it; nothing is shown or sent here.

Posts and replies go by their number, mentions without an answer as m1, m2 ...
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session

from bot.replies.answering import CannotAnswer, answer
from storage import calendar, mentions, outbox
from storage.database import Database
from storage.models import Inbound, State

EVERYTHING = "all"
_NUMBER = re.compile(r"(?P<mention>m?)(?P<number>[0-9]{1,18})")


@dataclass(frozen=True)
class WaitingPost:
    """A post or reply that waits for a yes, or whose outcome only a person can tell (state `unknown`)."""

    id: str
    account: str
    kind: str
    state: str
    campaign: str
    item: str
    slot: datetime
    timezone: str
    draft: dict[str, Any]
    rule: str | None
    reason: str
    answers: str | None
    """What it answers, in the words of whoever said it."""


@dataclass(frozen=True)
class WaitingMention:
    """Something said to us that no stored answer fits."""

    id: str
    account: str
    text: str
    at: datetime
    reason: str


@dataclass
class Settled:
    """Lines about what was done, and about what could not be."""

    done: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def waiting_posts(session: Session) -> list[WaitingPost]:
    """Oldest slot first, those of unknown outcome last."""
    found = []
    for post in [*calendar.queue(session), *calendar.unknowns(session)]:
        answered = None if post.mention_id is None else session.get(Inbound, post.mention_id)
        found.append(
            WaitingPost(
                str(post.id),
                post.account,
                post.kind,
                post.state.value,
                post.campaign,
                post.item,
                post.slot_at,
                post.zone,
                post.draft,
                post.rule,
                post.reason or "",
                None if answered is None else answered.text,
            )
        )
    return found


def waiting_mentions(session: Session) -> list[WaitingMention]:
    """Oldest first."""
    return [
        WaitingMention(f"m{row.id}", row.account, row.text, row.created_at, row.reason or "")
        for row in mentions.pending(session)
    ]


def approve(
    db: Database, ids: Sequence[str], now: datetime, stop_file: Path, text: str | None = None, *, again: bool = False
) -> Settled:
    """Yes to posts as they are, or with another text; mentions are answered with `text`. All in one transaction.

    `again` is a person's word that a post of unknown outcome is not public: it is sent once more.
    """

    def post(session: Session, number: int) -> str | None:
        if again and outbox.send_again(session, number, now):
            return f"{number}: is sent again"
        return f"{number}: approved" if outbox.approve(session, number, now, text) else None

    def mention(session: Session, number: int) -> str:
        if text is None:
            raise CannotAnswer(f"m{number} needs your words: --text '...'")
        made = answer(session, number, text, now, stop_file=stop_file)
        return f"m{number}: answered with your words (post {made.id})"

    return _settle(db, ids, post, mention)


def reject(db: Database, ids: Sequence[str], now: datetime, why: str) -> Settled:
    """No to posts; mentions are left unanswered."""

    def post(session: Session, number: int) -> str | None:
        return f"{number}: rejected" if outbox.reject(session, number, now, why) else None

    def mention(session: Session, number: int) -> str:
        mentions.settle(session, number, "ignored", reason=why, forget_text=True)
        return f"m{number}: left unanswered"

    return _settle(db, ids, post, mention)


def _settle(
    db: Database,
    ids: Sequence[str],
    post: Callable[[Session, int], str | None],
    mention: Callable[[Session, int], str],
) -> Settled:
    settled = Settled()
    with db.write() as session:
        for name in _named(session, ids):
            found = _NUMBER.fullmatch(name)
            if found is None:
                settled.refused.append(f"{name}: not a number of `kairos queue`")
            elif found["mention"]:
                _settle_mention(session, int(found["number"]), mention, settled)
            else:
                _settle_post(session, int(found["number"]), post, settled)
    return settled


def _named(session: Session, ids: Sequence[str]) -> list[str]:
    if list(ids) == [EVERYTHING]:
        return [str(row.id) for row in calendar.queue(session)]
    return list(ids)


def _settle_mention(session: Session, number: int, say: Callable[[Session, int], str], settled: Settled) -> None:
    found = session.get(Inbound, number)
    if found is None:
        settled.refused.append(f"m{number}: there is no such mention")
        return
    if found.outcome not in mentions.PENDING:
        settled.refused.append(f"m{number}: too late, it is {found.outcome}")
        return
    try:
        settled.done.append(say(session, number))
    except CannotAnswer as error:
        settled.refused.append(str(error))


def _settle_post(session: Session, number: int, say: Callable[[Session, int], str | None], settled: Settled) -> None:
    found = calendar.get(session, number)
    line = None if found is None else say(session, number)
    if line is not None:
        settled.done.append(line)
    elif found is None:
        settled.refused.append(f"{number}: there is no such post")
    elif found.state is State.UNKNOWN:
        settled.refused.append(
            f"{number}: it may be public; look on the platform, then `approve {number} --again` or `reject {number}`"
        )
    else:
        settled.refused.append(f"{number}: too late, it is {found.state.value}")
