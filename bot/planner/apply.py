"""Puts a plan into the outbox with one logged decision for each new post; nothing is chosen here."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

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
    plan placed and nobody has touched is withdrawn, on accounts that the campaign no longer names too, except rows the
    plan repeats, which stay as they are. A post that somebody has touched since the plan was made wins over the plan.
    """
    added: list[Post] = []
    held = [post.account for post in outbox.standing(session, campaign.name)]
    for account in dict.fromkeys([*(post.account for post in plan.posts), *held]):
        engagement.ensure_account(session, account, now)
        rows = standing(session, campaign.name, account)
        wanted = [] if campaign.mode == "draft" else [post for post in plan.posts if post.account == account]
        former = [row for row in rows if row.withdrawable(campaign.name, now + LEAD)]
        firm = [row for row in rows if row.campaign == campaign.name and row.stays(campaign.name, now + LEAD)]
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
    return any(again is None or _apart(row, post) < again.every for row in firm if row.item == post.item)


def _apart(row: Standing, post: PlannedPost) -> timedelta:
    """Time between two slots, by the clock or by the wall, whichever is more: clocks that change take nothing away."""
    walls = [datetime.fromisoformat(local) for local in (row.local_slot, post.slot.local)]
    return max(abs(row.slot_at - post.slot.at), abs(walls[0] - walls[1]))


def _decision(post: PlannedPost, at: datetime) -> Decision:
    return Decision(
        at=at,
        account=post.account,
        campaign=post.campaign,
        item=post.item,
        model=post.model,
        weights=dict(post.weights),
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
        attended=[asdict(looked) for looked in post.attended],
        reason=post.reason,
    )
