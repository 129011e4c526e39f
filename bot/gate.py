"""The gate: the last question before the socket, asked of every post in the transaction that commits its intent.

It puts an outbox row together with its campaign and the platform's abilities, and asks the rulebook; it holds no rule.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from bot.abilities import Abilities
from bot.campaign.schema import Campaign
from bot.policy.base import Proposal, Settings
from bot.policy.rulebook import permit
from bot.policy.tightening import settings_of
from bot.replies.addressing import inbound_of
from bot.replies.triage import TOO_OLD
from scheduler.drafts import UnreadableDraft, from_json
from scheduler.verdict import Refusal, Verdict
from storage.facts import StoredFacts
from storage.models import Post
from storage.outbox import digest_of

ASK_AGAIN = timedelta(minutes=15)
FILE = "the campaign file"


class Gate:
    """Asked `gate(session, post)`; None permits. `campaigns` by name are those of this run."""

    def __init__(
        self,
        campaigns: Mapping[str, Campaign],
        abilities: Callable[[str], Abilities],
        clock: Callable[[], datetime],
        *,
        stop_file: Path,
        live: bool,
        ours: Callable[[str], frozenset[str]],
    ) -> None:
        self._campaigns, self._abilities, self._clock = campaigns, abilities, clock
        self._stop_file, self._live, self._ours = stop_file, live, ours

    def __call__(self, session: Session, post: Post) -> Verdict | None:
        """Why this post may not go out now, or None."""
        now = self._clock()
        campaign = self._campaigns.get(post.campaign)
        if campaign is None:
            words = f"campaign {post.campaign!r} is not part of this run; start it with its file"
            return Refusal("file", FILE, words, "later", now + ASK_AGAIN)
        # A person who approves a post after its slot wants it out now.
        meant = max(post.slot_at, post.approved_at or post.slot_at)
        if post.kind == "post" and now > meant + campaign.when.late_limit:
            words = (
                f"its slot was {post.slot_at:%Y-%m-%d %H:%M} UTC, more than `late_limit` ago: dropped, not sent late"
            )
            return Refusal("late", FILE, words)
        if post.kind == "reply" and post.approved_digest is None and now > post.slot_at + TOO_OLD:
            return Refusal("late", FILE, "what it answers is more than a day old; a person should look first", "hold")
        try:
            proposal = self._proposal(session, post, campaign, now)
        except UnreadableDraft as error:
            return Refusal("file", FILE, str(error), "hold")
        return permit(proposal, StoredFacts(session, self._stop_file), self.settings(post.campaign), "gate")

    def settings(self, campaign: str) -> Settings:
        """What a campaign says to the rules."""
        found = self._campaigns.get(campaign)
        return Settings() if found is None else settings_of(found)

    def _proposal(self, session: Session, post: Post, campaign: Campaign, now: datetime) -> Proposal:
        draft = from_json(post.draft)
        able = self._abilities(post.account)
        return Proposal(
            account=post.account,
            platform=post.account.partition("/")[0],
            campaign=post.campaign,
            item=post.item,
            draft=draft,
            at=now,
            capabilities=able.capabilities,
            post_id=post.id,
            digest=digest_of(post.draft),
            approved_digest=post.approved_digest,
            needs_approval=_mode(campaign, post) != "auto",
            addressed=inbound_of(session, post, self._ours(post.account)),
            recurring=any(item.id == post.item and item.recurring is not None for item in campaign.posts),
            live=self._live,
            length=able.longest(draft),
            max_length=able.max_length,
        )


def _mode(campaign: Campaign, post: Post) -> str:
    """The mode a row stands under now; the file may have been changed since it was planned."""
    if post.kind != "reply":
        return campaign.mode
    rule = next((rule for rule in campaign.replies.rules if rule.intent == post.variant), None)
    return (rule.mode if rule is not None else None) or campaign.replies.mode or campaign.mode
