"""Gives one account's posts their places in turn; what is due, free, permitted or best is asked of the files beside."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.attention.forecast import Candidate
from bot.campaign.schema import Campaign
from bot.planner.base import Desk, Option, PlannedPost, Removed, Unplaced
from bot.planner.choice import Tried, bonuses, choose, fixed_coin
from bot.planner.due import Due
from bot.planner.past import past_posts
from bot.planner.reasons import refused, why
from bot.planner.room import Room, open_slots
from bot.planner.scores import Expected, expect, known_weights
from bot.planner.wordings import Voice, Wording
from bot.policy.ahead import Ahead
from bot.policy.rulebook import split
from bot.policy.tightening import settings_of
from scheduler.slots import Slot


class Placing:
    """One account while a plan is made. Every post placed takes its room and counts in policy's facts from then on."""

    def __init__(self, campaign: Campaign, desk: Desk, account: str, ahead: Ahead) -> None:
        self._campaign, self._desk, self._account, self._ahead = campaign, desk, account, ahead
        self._voice = Voice(account, desk.abilities(account), desk.live)
        self._forecaster = desk.forecaster(account)
        self._rules = settings_of(campaign)
        self._slots = open_slots(campaign, desk)
        self._room = Room(campaign, desk, account)
        self._history = past_posts(account, desk.past(account))
        self._weights = known_weights(campaign.objective.weights, self._history)
        self._tried = Tried(self._history, campaign.timezone)
        self._reached = desk.now
        self._expected: dict[tuple[str, datetime], Expected] = {}

    def room_for(self, waiting: Sequence[Due]) -> int:
        """How many of those waiting are worth a look: all that are bound to a time, and as many more as may fit."""
        return sum(each.bound for each in waiting) + self._room.left(self._slots)

    def full(self) -> str:
        """Why there is no room for more, in words."""
        return self._room.full(self._slots)

    def score(self, batch: Sequence[Due]) -> None:
        """Forecast all candidates of these posts at once."""
        free = self._room.free(self._slots)
        wanted = {
            (wording.digest, slot.at): Candidate(self._platform, wording.words, wording.draft.kind, slot.at)
            for each in batch
            for slot in (each.exact or free)
            for wording in each.wordings
        }
        expected = expect(self._forecaster, self._history, self._weights, list(wanted.values()))
        self._expected |= dict(zip(wanted, expected, strict=True))

    def place(self, due: Due, behind: int) -> tuple[list[PlannedPost], list[Unplaced]]:
        """Give the post a place, and where it recurs its following ones too; `behind` it so many others wait."""
        placed: list[PlannedPost] = []
        coming: Due | None = due
        while coming is not None:
            post = self._place(coming, behind)
            if isinstance(post, Unplaced):
                return placed, [] if placed else [post]
            placed.append(post)
            coming = coming.following(post.variant, post.slot.at)
        return placed, []

    def _place(self, due: Due, behind: int) -> PlannedPost | Unplaced:
        removed: list[Removed] = []
        looked: list[Slot] = []
        for group in due.groups(self._slots, self._campaign):
            looked += group
            free = self._free(due, group, behind)
            kept, no = self._permitted(due, [(wording, slot) for slot in free for wording in due.turn])
            removed += no
            if kept:
                post = self._chosen(due, kept, removed)
                if not due.bound and not _kept_back(kept[0][1], removed):
                    self._reached = post.slot.at
                return post
        if removed:
            return Unplaced(self._account, due.item.id, refused(removed, len(removed)))
        return Unplaced(self._account, due.item.id, self._room.full(looked, exact=bool(due.exact)))

    def _free(self, due: Due, group: Sequence[Slot], behind: int) -> list[Slot]:
        """Slots of the group it may have: a free post comes after its forerunners and leaves room for its followers."""
        if due.bound:
            return [slot for slot in group if self._room.refusal(slot, exact=bool(due.exact)) is None]
        reached = self._reached if due.told is None else max(self._reached, due.told)
        return self._room.leaving([slot for slot in self._room.free(group) if slot.at > reached], behind)

    def _permitted(
        self, due: Due, candidates: Sequence[tuple[Wording, Slot]]
    ) -> tuple[list[tuple[Wording, Slot]], list[Removed]]:
        proposals = [self._voice.propose(self._campaign, due.item, wording, slot) for wording, slot in candidates]
        of = {id(proposal): candidate for proposal, candidate in zip(proposals, candidates, strict=True)}
        judged = split(proposals, self._ahead, self._rules, "plan")
        removed = [
            Removed(wording.variant, slot, no.rule, no.words)
            for (wording, slot), no in ((of[id(proposal)], no) for proposal, no in judged.removed)
        ]
        return [of[id(proposal)] for proposal in judged.kept], removed

    def _chosen(self, due: Due, kept: Sequence[tuple[Wording, Slot]], removed: Sequence[Removed]) -> PlannedPost:
        campaign, desk = self._campaign, self._desk
        key = (desk.seed, self._account, campaign.name, due.item.id, len(due.before))
        expected = [self._expected[wording.digest, slot.at] for wording, slot in kept]
        values = [one.value for one in expected]
        raised = [0.0] * len(values)
        if desk.explore and self._tried.measured:
            raised = bonuses(values, [self._tried.near(slot.at) for _, slot in kept])
        tickets = [fixed_coin(*key, wording.variant, slot.local) for wording, slot in kept]
        choice = choose(values, raised, tickets, campaign.when.holdout, fixed_coin(*key))
        options = tuple(
            Option(
                variant=wording.variant,
                text=wording.words,
                kind=wording.draft.kind,
                slot=slot,
                score=score,
                mean=one.value,
                sd=one.sd,
                low=one.low,
                high=one.high,
                propensity=propensity,
            )
            for (wording, slot), one, score, propensity in zip(
                kept, expected, choice.scores, choice.propensities, strict=True
            )
        )
        wording, slot = kept[choice.chosen]
        self._room.take(slot)
        self._ahead.choose(self._voice.propose(campaign, due.item, wording, slot))
        return PlannedPost(
            account=self._account,
            campaign=campaign.name,
            item=due.item.id,
            variant=wording.variant,
            draft=wording.draft,
            slot=slot,
            zone=campaign.timezone,
            recurring=due.item.recurring is not None,
            late_by=campaign.when.late_limit,
            holdout=choice.holdout,
            propensity=choice.propensities[choice.chosen],
            options=options,
            chosen=choice.chosen,
            removed=tuple(removed),
            attended=expected[choice.chosen].looked(self._history),
            reason=why(
                choice,
                expected,
                slot,
                self._tried,
                self._weights,
                self._forecaster.name,
                wordings=len({wording.variant for wording, _ in kept}),
            ),
            model=f"{self._forecaster.name} {self._forecaster.version}".strip(),
            weights=self._weights,
            seed=desk.seed,
        )

    @property
    def _platform(self) -> str:
        return self._account.partition("/")[0]


def _kept_back(first: Slot, removed: Sequence[Removed]) -> bool:
    """Whether rules, not the pace, keep a post from going out for a day or more; others need not wait for it."""
    return any(first.at - one.slot.at >= timedelta(days=1) for one in removed)
