"""The planner's words: what it looks at, what it weighed, the plan it made; no choice is made here.

Of an option, `mean`, `low` and `high` are in points of the campaign's objective: its weights times typical counts, at
the expected outcome and at the worst and best tenth of each action (actions of one post rise and fall together). Where
the objective is one action, a point is one count of it times its weight. `sd` is the doubt about the action that
contributes most, in standardised units of its logarithm. `score` is what options are ordered by: `mean`, and with
exploration the bonus of a rarely tried hour on top.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.abilities import Abilities
from bot.attention.forecast import Forecaster
from bot.campaign.schema import PostItem
from bot.policy.base import Facts
from connectors.base import Draft
from scheduler.drafts import to_json
from scheduler.slots import Slot
from storage.history import MeasuredPost
from storage.models import State

LEAD = timedelta(minutes=5)
"""Nothing is placed nearer than this, and what stands nearer is left alone: it is about to go out."""


@dataclass(frozen=True)
class Looked:
    """A past post that moved the forecast, and its share of what all past posts added (0 .. 1)."""

    history_id: int
    weight: float


@dataclass(frozen=True)
class Option:
    """A wording in a slot that policy permitted, and what the forecast says of it; units in the module's docstring."""

    variant: str
    text: str
    kind: str
    slot: Slot
    score: float
    mean: float
    sd: float
    low: float
    high: float
    propensity: float
    """Probability with which this option was to be chosen; over the options of one post they sum to 1."""


@dataclass(frozen=True)
class Removed:
    """A wording in a slot that a rule refused, and why in words."""

    variant: str
    slot: Slot
    rule: str
    reason: str


@dataclass(frozen=True)
class PlannedPost:
    """One post of a plan with all it was chosen from. `options[chosen]` is the one that goes out."""

    account: str
    campaign: str
    item: str
    variant: str
    draft: Draft
    slot: Slot
    zone: str
    recurring: bool
    late_by: timedelta
    """How late it may still go out."""
    holdout: bool
    propensity: float
    options: tuple[Option, ...]
    chosen: int
    removed: tuple[Removed, ...]
    attended: tuple[Looked, ...]
    reason: str
    model: str
    """Name and version of the forecaster that decided."""
    weights: Mapping[str, float]
    """The objective by plural action, as it was forecast."""
    seed: int


@dataclass(frozen=True)
class Unplaced:
    """A post that got no slot in this plan, and why in words."""

    account: str
    item: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """What one campaign would do until a moment; posts in order of their slots."""

    campaign: str
    fingerprint: str
    at: datetime
    until: datetime
    posts: tuple[PlannedPost, ...]
    unplaced: tuple[Unplaced, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of what would become public: the campaign's fingerprint, and each post's place, wording and slot."""
        posts = [
            (post.account, post.item, post.variant, post.slot.local, post.slot.at.isoformat(), to_json(post.draft))
            for post in self.posts
        ]
        canonical = json.dumps([self.fingerprint, posts], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class Standing:
    """A post the outbox holds: what a new plan must respect, may withdraw, or should know was given up."""

    post_id: int
    campaign: str
    account: str
    item: str
    variant: str
    local_slot: str
    slot_at: datetime
    at: datetime
    """When it went out, or may."""
    state: State
    digest: str
    untouched: bool
    """Planned or held, and neither a person nor a worker has had it in hand."""
    holdout: bool = False
    rule: str | None = None
    reason: str | None = None

    @property
    def given_up(self) -> bool:
        """Whether it was cancelled or refused by the platform."""
        return self.state in (State.CANCELLED, State.FAILED)

    def withdrawable(self, campaign: str, after: datetime) -> bool:
        """Whether a new plan of this campaign may take it back: a slot after `after`, and nobody has touched it."""
        return self.campaign == campaign and self.untouched and self.slot_at > after

    def stays(self, campaign: str, after: datetime) -> bool:
        """Whether a new plan of this campaign must respect it."""
        return not self.given_up and not self.withdrawable(campaign, after)


@dataclass(frozen=True)
class Desk:
    """Everything the planner looks at. There is no database in it except behind `facts`."""

    now: datetime
    until: datetime
    facts: Facts
    standing: Sequence[Standing]
    """What the outbox holds on the accounts, of every campaign."""
    past: Callable[[str], Sequence[MeasuredPost]]
    """Account -> its public posts with their counts, oldest first."""
    forecaster: Callable[[str], Forecaster]
    """Account -> what forecasts for it."""
    abilities: Callable[[str], Abilities]
    """Account -> what its platform can do and how it counts length."""
    seed: int
    """The installation's: where fixed coins come from."""
    items: Sequence[PostItem] = ()
    """What the campaign's sources gave, after its own posts."""
    live: bool = False
    explore: bool = False
    """Raise rarely tried hours. Off: it cost more than it found in every simulated comparison so far."""
