"""A round of planning: look at sources, let each account's best forecaster speak, plan, write into the outbox.

How a plan is made is the planner's; here it meets the world, and what a round costs is paid once where it can be.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlmodel import Session

from bot import attention
from bot.accounts import account_named
from bot.app import World
from bot.attention.baselines import HourAndKind, rivals
from bot.attention.choice import Choice, choose
from bot.attention.forecast import Forecaster
from bot.campaign.fetch import SourceError
from bot.campaign.schema import Campaign, PostItem, Source
from bot.campaign.sources import look
from bot.planner import paper
from bot.planner.apply import apply
from bot.planner.base import Desk, Plan
from bot.planner.desk import desk
from bot.planner.past import past_posts
from bot.planner.plan import plan
from bot.words import counted
from scheduler.events import Event
from storage import history, sources
from storage.models import Post

CHOOSE_AGAIN = 20
"""After so many more measured posts it is asked anew which forecaster is best for an account."""


@dataclass(frozen=True)
class Wish:
    """What was asked for on the command line about planning."""

    account: str | None = None
    """Plan for this account instead of the campaigns' own."""
    days: int = 7
    baseline: bool = False
    plan_file: Path | None = None


class Rounds:
    """Plans a world's campaigns again and again. `campaigns` are those of the run, their accounts already settled."""

    def __init__(
        self, world: World, campaigns: Sequence[Campaign], wish: Wish, model: Forecaster | None = None
    ) -> None:
        self.world, self.wish = world, wish
        self.campaigns = list(campaigns)
        if wish.account is not None:
            with world.db.read() as session:
                account = account_named(session, wish.account, (name for one in campaigns for name in one.accounts))
            self.campaigns = [campaign.on_account(account) for campaign in campaigns]
        self.paper = None if wish.plan_file is None else paper.read(wish.plan_file)
        if self.paper is not None:
            named = next((c for c in self.campaigns if c.name == self.paper.campaign), None)
            paper.check_drift(self.paper, named, world.clock())
        world.enlist(self.campaigns)
        self._model = model
        self._choices: dict[str, tuple[int, Choice]] = {}

    def look(self) -> Iterator[Plan]:
        """Plans as they would be made now, campaign by campaign; nothing is written and no address is opened."""
        for campaign in self.campaigns:
            with self.world.db.read() as session:
                items = self._items(session, campaign, self._news(session, campaign, addresses=False))
                yield plan(campaign, self._desk(session, campaign, items))

    def carry_out(self) -> None:
        """Plan every campaign and write it into the outbox; a source that cannot be read now is told and left out.

        With a plan's file nothing else is planned, however often this is called.
        """
        for campaign in self.campaigns:
            if campaign.mode == "draft":
                continue
            if self.paper is not None:
                self._write(campaign, self.paper if self.paper.campaign == campaign.name else None)
                continue
            with self.world.db.read() as session:
                news = self._news(session, campaign, addresses=True)
            now = self.world.clock()
            with self.world.db.write() as session:
                for source, guid, item in news:
                    sources.mark_seen(session, campaign.name, source, guid, item.model_dump(mode="json"), now)
            with self.world.db.read() as session:
                items = self._items(session, campaign, [])
                made = plan(campaign, self._desk(session, campaign, items))
            self._write(campaign, made)

    def choice(self, session: Session, account: str) -> Choice:
        """The forecaster that has earned it on this account, and why in words."""
        rows = history.history(session, account, until=self.world.clock())
        measured = sum(row.age_s is not None for row in rows)
        known = self._choices.get(account)
        if known is None or measured >= known[0] + CHOOSE_AGAIN:
            made = self._choose(account, rows)
            self._choices[account] = known = (measured, made)
        return known[1]

    def reasons(self) -> dict[str, str]:
        """For each account planned so far, who decides there and why."""
        return {account: choice.words for account, (_, choice) in self._choices.items()}

    def _choose(self, account: str, rows: Sequence[history.MeasuredPost]) -> Choice:
        if self.wish.baseline:
            return Choice(HourAndKind(), "as asked, a table of hours and kinds decides", {})
        if self._model is None:
            self._model = attention.load()
        return choose(past_posts(account, rows), [self._model, *rivals(self.world.embed)])

    def _desk(self, session: Session, campaign: Campaign, items: Sequence[PostItem]) -> Desk:
        world = self.world
        now = world.clock()
        return desk(
            session,
            campaign,
            now=now,
            until=now + timedelta(days=self.wish.days),
            forecaster=lambda account: self.choice(session, account).forecaster,
            abilities=world.abilities,
            seed=world.seed,
            items=items,
            stop_file=world.settings.stop_file,
            live=world.live,
        )

    def _news(self, session: Session, campaign: Campaign, *, addresses: bool) -> list[tuple[str, str, PostItem]]:
        """Items of sources that were not seen yet: source, guid, post."""
        found = []
        for source in campaign.sources:
            if _is_address(source) and not addresses:
                continue
            known = sources.seen(session, campaign.name, source.name)
            try:
                found += [(source.name, new.guid, new.item) for new in look(source, campaign.folder, known)]
            except SourceError as error:
                self.world.on_event(Event("source.failed", self.world.clock(), words=str(error)))
        return found

    def _items(self, session: Session, campaign: Campaign, news: Sequence[tuple[str, str, PostItem]]) -> list[PostItem]:
        """Everything the sources gave so far, then the news."""
        taken = [
            PostItem.model_validate(item)
            for source in campaign.sources
            for item in sources.seen(session, campaign.name, source.name).values()
        ]
        return [*taken, *(item for _, _, item in news)]

    def _write(self, campaign: Campaign, made: Plan | None) -> list[Post]:
        if made is None:
            return []
        with self.world.db.write() as session:
            added = apply(session, made, campaign, self.world.clock(), self.world.install)
        if added:
            words = f"{campaign.name}: {counted(len(added), 'post')} placed"
            self.world.on_event(Event("plan.made", self.world.clock(), words=words))
        return added


def _is_address(source: Source) -> bool:
    return source.rss is not None and "://" in source.rss
