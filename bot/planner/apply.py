"""Puts a plan into the outbox with one logged decision for each new post; nothing is chosen here."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlmodel import Session

from bot.campaign.schema import Campaign
from bot.planner.base import LEAD, Plan, PlannedPost, Standing
from bot.planner.desk import standing
from scheduler.drafts import to_json
from storage import decisions, engagement, outbox
from storage.models import Decision, Post, State

ASKS_FIRST = "S3"


def apply(session: Session, plan: Plan, campaign: Campaign, now: datetime, install: str) -> list[Post]:
    """Make the outbox say what the plan says, in the caller's transaction; gives back the rows that are new.

    In mode `approve` posts wait for a person, in `auto` they are planned, in `draft` none is written. What a former
    plan placed and nobody has touched is withdrawn, except rows the plan repeats, which stay as they are. A post that
    somebody has touched since the plan was made wins over the plan.
    """
    added: list[Post] = []
    for account in plan.accounts:
        engagement.ensure_account(session, account, now)
        rows = standing(session, campaign.name, account)
        wanted = [] if campaign.mode == "draft" else [post for post in plan.posts if post.account == account]
        former = [row for row in rows if row.withdrawable(campaign.name, now + LEAD)]
        firm = [row for row in rows if row.campaign == campaign.name and not row.given_up and row not in former]
        kept: list[int] = []
        fresh: dict[str, PlannedPost] = {}
        made: list[Post] = []
        for post in wanted:
            row = _row(post, campaign, now, install)
            same = next((known.post_id for known in former if _repeats(known, row)), None)
            if same is not None:
                kept.append(same)
            elif not _stands(post, firm, campaign):
                fresh[row.key] = post
                made.append(row)
        for row in outbox.replace_planned(session, campaign.name, account, made, now + LEAD, kept):
            row.decision_id = decisions.log_decision(session, _decision(fresh[row.key], plan.at)).id
            session.add(row)
            added.append(row)
    session.flush()
    return added


def _row(post: PlannedPost, campaign: Campaign, now: datetime, install: str) -> Post:
    draft = to_json(post.draft)
    digest = outbox.digest_of(draft)
    asks = campaign.mode == "approve"
    words = f"campaign {campaign.name} asks a person first: approve or reject it"
    return Post(
        account=post.account,
        campaign=post.campaign,
        item=post.item,
        variant=post.variant,
        local_slot=post.slot.local,
        zone=post.zone,
        slot_at=post.slot.at,
        not_before=post.slot.at,
        draft=draft,
        digest=digest,
        key=_key(install, post.account, post.campaign, post.item, post.slot.local, digest),
        state=State.HELD if asks else State.PLANNED,
        rule=ASKS_FIRST if asks else None,
        reason=words if asks else None,
        holdout=post.holdout,
        created_at=now,
        updated_at=now,
    )


def _key(*parts: str) -> str:
    """The idempotency key: the same post of this installation always has the same."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _repeats(known: Standing, row: Post) -> bool:
    return (known.item, known.variant, known.local_slot, known.digest, known.state, known.holdout) == (
        row.item,
        row.variant,
        row.local_slot,
        row.digest,
        row.state,
        row.holdout,
    )


def _stands(post: PlannedPost, firm: Sequence[Standing], campaign: Campaign) -> bool:
    """Whether the post stands already, at another time perhaps: a recurring one within its own step."""
    item = next((item for item in campaign.posts if item.id == post.item), None)
    again = None if item is None else item.recurring
    rows = (row for row in firm if row.item == post.item)
    return any(again is None or abs(row.slot_at - post.slot.at) < again.every for row in rows)


def _decision(post: PlannedPost, at: datetime) -> Decision:
    return Decision(
        at=at,
        account=post.account,
        campaign=post.campaign,
        item=post.item,
        model=post.model,
        seed=post.seed,
        propensity=post.propensity,
        holdout=post.holdout,
        chosen=post.chosen,
        candidates=[
            {
                "variant": option.variant,
                "text": option.text,
                "kind": option.kind,
                "slot": option.slot.local,
                "score": option.score,
                "mean": option.mean,
                "sd": option.sd,
                "low": option.low,
                "high": option.high,
                "propensity": option.propensity,
            }
            for option in post.options
        ],
        removed=[
            {"variant": one.variant, "slot": one.slot.local, "rule": one.rule, "reason": one.reason}
            for one in post.removed
        ],
        attended=[_plain(looked) for looked in post.attended],
        reason=post.reason,
    )


def _plain(value: Any) -> dict[str, Any]:
    return asdict(value)
