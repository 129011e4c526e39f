"""What becomes of each thing people say to us: silence, a refusal, a person's turn, or a stored answer in the outbox.

Nothing is sent here and no rule stands here. Answers come word for word from campaign files; none is drafted from a
campaign's `knowledge`, and what no reply rule matches waits for a person.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlmodel import Session

from bot.abilities import Abilities
from bot.campaign.schema import Campaign, ReplyRule
from bot.campaign.values import Mode
from bot.policy.addressing import DO_NOT_CONTACT, NO_LOOPS, ONE_REPLY, SILENCE, WHEN_ADDRESSED
from bot.policy.base import Addressed, Refused, Rule, Settings
from bot.policy.rulebook import RULES, permit
from bot.policy.tightening import settings_of
from bot.replies.addressing import addressed
from bot.replies.intents import Intents, Match
from bot.replies.outgoing import Answer, proposal_of, put_out, speak_for
from bot.replies.silence import WORDS, keep_silent
from bot.replies.stop import asks_for_silence
from connectors.base import Embed
from scheduler.clock import Clock
from storage import decisions, mentions
from storage.facts import StoredFacts
from storage.models import Inbound, Refusal

TOO_OLD = timedelta(days=1)
"""A text older than this when it is first seen gets no answer before a person has looked."""
WHOM = (WHEN_ADDRESSED, ONE_REPLY, DO_NOT_CONTACT, NO_LOOPS)
"""The rules on whom we may answer at all, whatever the answer says."""


class Offer(NamedTuple):
    """A reply rule and the campaign it stands in."""

    campaign: Campaign
    rule: ReplyRule

    @property
    def mode(self) -> Mode:
        """The nearest word on it: the rule's own, the campaign's for replies, the campaign's."""
        return self.rule.mode or self.campaign.replies.mode or self.campaign.mode


class Triage:
    """Asked `triage(session, inbound)` about each new mention, in the transaction that stores it.

    `ours` gives the keyed hashes of our own author ids on an account's platform; `install` names this installation.
    """

    def __init__(
        self,
        campaigns: Iterable[Campaign],
        embed: Embed,
        clock: Clock,
        *,
        abilities: Callable[[str], Abilities],
        ours: Callable[[str], frozenset[str]],
        stop_file: Path,
        live: bool,
        install: str,
    ) -> None:
        self._offers: dict[str, list[Offer]] = {}
        self._accounts: set[str] = set()
        for campaign in campaigns:
            self._accounts |= set(campaign.accounts)
            for account in campaign.accounts:
                self._offers.setdefault(account, []).extend(Offer(campaign, rule) for rule in campaign.replies.rules)
        self._embed, self._clock, self._abilities = embed, clock, abilities
        self._ours, self._stop_file, self._live, self._install = ours, stop_file, live, install
        self._intents: dict[str, Intents] = {}

    def __call__(self, session: Session, inbound: Inbound) -> None:
        """Settle one mention; an answer it leads to stands in the outbox in the same transaction."""
        now = self._clock()
        if asks_for_silence(inbound.text):
            platform = inbound.account.partition("/")[0]
            keep_silent(session, inbound.author_hash, platform, f"asked for it on {inbound.created_at:%Y-%m-%d}", now)
            self._refuse(session, inbound, Refused("R3", SILENCE, WORDS), now)
            return
        if offers := self._offers.get(inbound.account):
            speak_for(session, inbound.account, offers[0].campaign.name, now)
        known = addressed(session, inbound, self._ourselves())
        refused = self._permit(session, inbound, Answer("", campaign=""), known, now, Settings(), WHOM)
        if refused is not None:
            self._refuse(session, inbound, refused, now)
            return
        match = self._match(inbound)
        if match.place is None:
            _settle(session, inbound, "held", None, _nearest(match), match)
        else:
            self._answer(session, inbound, self._offers[inbound.account][match.place], known, match, now)

    def _answer(
        self, session: Session, inbound: Inbound, offer: Offer, known: Addressed, match: Match, now: datetime
    ) -> None:
        answer = Answer(offer.rule.filled, offer.campaign.name, offer.rule.intent)
        if offer.mode == "draft":
            words = f"mode draft; {_sure(match)}; the stored answer would be: {answer.text}"
            _settle(session, inbound, "held", None, words, match)
            return
        refused = self._permit(session, inbound, answer, known, now, settings_of(offer.campaign))
        if refused is not None and refused.then == "cancel":
            self._refuse(session, inbound, refused, now, match)
            return
        if refused is not None:
            # Also where a rule says "later": an answer that comes hours after its question is a person's to send.
            self._log(session, inbound, refused, now)
        rule, waits = _waits(inbound, offer, refused, now)
        put_out(session, inbound, answer, now, self._install, rule=rule, waits=waits)
        _settle(session, inbound, "answered", rule, waits or _sure(match), match)

    def _permit(
        self,
        session: Session,
        inbound: Inbound,
        answer: Answer,
        known: Addressed,
        now: datetime,
        settings: Settings,
        rules: Iterable[Rule] = RULES,
    ) -> Refused | None:
        proposal = proposal_of(inbound, answer, known, now, self._abilities(inbound.account), live=self._live)
        return permit(proposal, StoredFacts(session, self._stop_file), settings, "reply", rules)

    def _refuse(
        self, session: Session, inbound: Inbound, refused: Refused, now: datetime, match: Match | None = None
    ) -> None:
        """No answer: logged, unless nobody spoke to us."""
        if inbound.address == "none" and refused.rule == WHEN_ADDRESSED.id:
            _settle(session, inbound, "ignored", refused.rule, refused.words, match)
            return
        self._log(session, inbound, refused, now)
        _settle(session, inbound, "refused", refused.rule, refused.words, match)

    def _log(self, session: Session, inbound: Inbound, refused: Refused, now: datetime) -> None:
        row = Refusal(
            at=now,
            account=inbound.account,
            rule=refused.rule,
            source=refused.source,
            words=refused.words,
            stage="reply",
            mention_id=inbound.id,
        )
        decisions.log_refusal(session, row)

    def _match(self, inbound: Inbound) -> Match:
        """The best match over the rules of all campaigns on this account; they are learnt when the first text comes."""
        if inbound.account not in self._intents:
            rules = [offer.rule for offer in self._offers.get(inbound.account, ())]
            self._intents[inbound.account] = Intents(rules, self._embed)
        return self._intents[inbound.account].match(inbound.text)

    def _ourselves(self) -> frozenset[str]:
        """All our accounts: they do not answer each other either."""
        return frozenset().union(*(self._ours(account) for account in self._accounts))


def _waits(inbound: Inbound, offer: Offer, refused: Refused | None, now: datetime) -> tuple[str | None, str | None]:
    """The rule and the words for which an answer waits for a person; no words where it does not."""
    if refused is not None:
        return refused.rule, refused.words
    if offer.mode == "approve":
        return "S3", f"campaign {offer.campaign.name} asks a person before it answers {offer.rule.intent}"
    age = now - inbound.created_at
    if age > TOO_OLD:
        return (
            None,
            f"the question is {age.days} day{'s' if age.days > 1 else ''} old; please look before it is answered",
        )
    return None, None


def _settle(
    session: Session, inbound: Inbound, outcome: str, rule: str | None, words: str, match: Match | None
) -> None:
    assert inbound.id is not None
    mentions.settle(
        session,
        inbound.id,
        outcome,
        rule=rule,
        reason=words,
        intent=None if match is None else match.intent,
        similarity=None if match is None else round(match.similarity, 3),
    )


def _sure(match: Match) -> str:
    return f"matches {match.nearest} {_short(match.similarity)}"


def _nearest(match: Match) -> str:
    if not match.nearest:
        return "no rule matches"
    return f"no rule matches; nearest: {match.nearest} {_short(match.similarity)}"


def _short(share: float) -> str:
    """0.413 -> .41"""
    return f"{share:.2f}".removeprefix("0")
