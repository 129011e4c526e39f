"""Lays out the planner's desk from an open session: what stands in the outbox, what was measured; decides nothing."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from bot.abilities import Abilities
from bot.attention.forecast import Forecaster
from bot.campaign.schema import Campaign, PostItem
from bot.planner.base import Desk, Standing
from storage import engagement, outbox
from storage.facts import StoredFacts
from storage.models import Post, State


def desk(
    session: Session,
    campaign: Campaign,
    *,
    now: datetime,
    until: datetime,
    forecaster: Callable[[str], Forecaster],
    abilities: Callable[[str], Abilities],
    seed: int,
    items: Sequence[PostItem] = (),
    stop_file: Path | None = None,
    live: bool = False,
    explore: bool = False,
) -> Desk:
    """The desk for planning a campaign, usable while the session is open."""
    past = {account: engagement.history(session, account, until=now) for account in campaign.accounts}
    held = [post.account for post in outbox.standing(session, campaign.name)]
    accounts = dict.fromkeys([*campaign.accounts, *held])
    return Desk(
        now=now,
        until=until,
        facts=StoredFacts(session, stop_file),
        standing=[row for account in accounts for row in standing(session, campaign.name, account)],
        past=past.__getitem__,
        forecaster=forecaster,
        abilities=abilities,
        seed=seed,
        items=items,
        live=live,
        explore=explore,
    )


def standing(session: Session, campaign: str, account: str) -> list[Standing]:
    """What the outbox holds on an account: posts of every campaign, and what this one's were given up."""
    posts = [*outbox.standing(session, account=account), *outbox.given_up(session, campaign, account)]
    return [_standing(post) for post in posts]


def _standing(post: Post) -> Standing:
    assert post.id is not None
    waiting = post.state in (State.PLANNED, State.HELD)
    return Standing(
        post_id=post.id,
        campaign=post.campaign,
        account=post.account,
        item=post.item,
        variant=post.variant,
        local_slot=post.local_slot,
        slot_at=post.slot_at,
        at=post.published_at or post.not_before,
        state=post.state,
        digest=post.digest,
        untouched=waiting and post.approved_digest is None and post.attempts == 0,
        holdout=post.holdout,
        rule=post.rule,
        reason=post.reason,
    )
