"""The composition root: builds a world out of storage, connectors, the scheduler and the rooms of bot; decides nothing.

There are two worlds. In the dry one every account is served by the sandbox network, on a clock that jumps, with a
database of its own into which the true history is copied. In the live one accounts reach their platforms. Which one it
is, is a matter of what is plugged in here; nothing further down asks.
"""

import os
import secrets
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
from sqlmodel import Session

from bot.abilities import Abilities
from bot.attention.encoder import StaticEncoder
from bot.campaign.schema import Campaign
from bot.connecting import Accounts
from bot.gate import Gate
from bot.keys import SealingKey, key_file
from bot.replies.triage import Triage
from bot.secrets import Secrets
from bot.settings import Settings
from connectors import registry
from connectors.audience import AudienceSettings
from connectors.base import Connector, Embed, Surroundings
from connectors.sandbox import SandboxNetwork
from scheduler.clock import Clock, LapseClock, system_clock
from scheduler.collect import backfill, collect_due
from scheduler.deliver import Deliverer
from scheduler.events import OnEvent, unheard
from scheduler.listen import listen
from scheduler.ticks import Tick
from storage import engagement, mentions, notes
from storage.database import Database, install_id, open_database
from storage.rehearsal import refresh

SANDBOX_CLOCK = "sandbox_clock"
"""Note that holds the moment to which the dry world's clock has come."""
KEEP_WORDS = timedelta(days=30)
"""How long words and handles of other people are kept at most."""
SCALED_FROM = 20
"""Measured posts from which on the sandbox counts on the scale of the account's own history."""


@dataclass
class World:
    """One world and what runs in it. `connect` gives an account's connector and is called from many threads."""

    settings: Settings
    db: Database
    clock: Clock
    connect: Callable[[str], Connector]
    embed: Embed
    live: bool
    on_event: OnEvent = unheard
    rng: np.random.Generator = field(default_factory=np.random.default_rng)
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    _abilities: dict[str, Abilities] = field(default_factory=dict)
    _ours: dict[str, str] = field(default_factory=dict)

    @cached_property
    def install(self) -> str:
        """The name of this installation."""
        with self.db.read() as session:
            return install_id(session)

    @cached_property
    def seed(self) -> int:
        """Where the planner's fixed coins come from: different on every installation, the same for ever on one."""
        return zlib.crc32(self.install.encode())

    @cached_property
    def hash_key(self) -> bytes:
        """The key under which other people's names are hashed; made at first use, readable by the owner alone."""
        return key_file(self.settings.folder / "hash.key")

    @property
    def accounts(self) -> list[str]:
        """Accounts of this run's campaigns, each once."""
        return list(dict.fromkeys(name for campaign in self.campaigns.values() for name in campaign.accounts))

    @property
    def ages(self) -> list[timedelta]:
        """Ages at which posts are measured: all that some campaign asks for."""
        return sorted({age for campaign in self.campaigns.values() for age in campaign.snapshots})

    def enlist(self, campaigns: Iterable[Campaign]) -> None:
        """Make these the campaigns of this run, and meet their accounts; raises ConnectorError or UnknownPlatform."""
        self.campaigns = {campaign.name: campaign for campaign in campaigns}
        for account in self.accounts:
            self.abilities(account)
            self.ours(account)
        with self.db.write() as session:
            for account in self.accounts:
                engagement.ensure_account(session, account, self.clock())

    def abilities(self, account: str) -> Abilities:
        """What the account's platform can do, asked at first use."""
        if account not in self._abilities:
            connector = self.connect(account)
            limits = connector.limits()
            self._abilities[account] = Abilities(connector.capabilities, limits.max_length, connector.length)
        return self._abilities[account]

    def ours(self, account: str) -> frozenset[str]:
        """Our own names, hashed like those of other people, of every account met: none of ours answers another."""
        if account not in self._ours:
            platform = account.partition("/")[0]
            ourselves = self.connect(account).check()
            self._ours[account] = mentions.author_hash(self.hash_key, platform, ourselves.account_id)
        return frozenset(self._ours.values())

    def gate(self) -> Gate:
        """The gate for this run's campaigns."""
        return Gate(
            self.campaigns,
            self.abilities,
            self.clock,
            stop_file=self.settings.stop_file,
            live=self.live,
            ours=self.ours,
        )

    def triage(self) -> Triage:
        """What becomes of each new mention."""
        return Triage(
            list(self.campaigns.values()),
            self.embed,
            self.clock,
            abilities=self.abilities,
            ours=self.ours,
            stop_file=self.settings.stop_file,
            live=self.live,
            install=self.install,
        )

    def deliverer(self, *, patience: float | None = 0.5) -> Deliverer:
        """What carries out the outbox."""
        return Deliverer(
            self.db,
            self.connect,
            self.gate(),
            self.clock,
            worker=f"{os.getpid()}-{secrets.token_hex(3)}",
            on_event=self.on_event,
            patience=patience,
            rng=self.rng,
        )

    def backfill(self) -> None:
        """Take in what each account published before Kairos met it, once."""
        with self.db.read() as session:
            known = {row.id for row in engagement.accounts(session) if row.backfilled_at is not None}
        for account in self.accounts:
            if account not in known:
                backfill(self.db, self.connect, account, self.clock, None, self.on_event)

    def ticks(self, deliverer: Deliverer, plan: Callable[[], object]) -> list[Tick]:
        """Everything done again and again, in the order in which it is done at one moment."""
        answers = [campaign for campaign in self.campaigns.values() if campaign.replies.rules]
        answering = [name for name in self.accounts if any(name in campaign.accounts for campaign in answers)]
        triage = self.triage()

        def hear() -> None:
            listen(self.db, self.connect, answering, self.clock, self.hash_key, triage, self.on_event)

        def measure() -> None:
            collect_due(self.db, self.connect, self.clock, self.ages, self.on_event)

        def forget() -> None:
            with self.db.write() as session:
                forgotten = mentions.forget_old(session, self.clock(), KEEP_WORDS)
            if forgotten and self.live:
                self.db.scrub()

        ticks = [
            Tick("collect", timedelta(minutes=5) if self.live else timedelta(seconds=1), measure),
            Tick("plan", timedelta(hours=6) if self.live else timedelta(days=1), plan),
            Tick("deliver", timedelta(seconds=1), deliverer.tick),
            Tick("forget", timedelta(days=1), forget),
        ]
        if answering:
            ticks.insert(0, Tick("listen", timedelta(minutes=2) if self.live else timedelta(hours=1), hear))
        return ticks

    def close(self) -> None:
        """Let go of the database."""
        self.db.close()


def open_live(settings: Settings, environment: Mapping[str, str], on_event: OnEvent = unheard) -> World:
    """The true world: platforms through the registry, accounts' own secrets, the machine's clock."""
    embed = StaticEncoder.load().encode
    db = open_database(settings.truth_url)
    secret = _secrets(settings, db, environment)
    around = Surroundings(system_clock, settings.folder / "live", secret.secret, embed, secret.keep)
    known: dict[str, Connector] = {}

    def connect(account: str) -> Connector:
        if account not in known:
            platform, _, name = account.partition("/")
            known[account] = registry.load(platform)(name, around)
        return known[account]

    return World(settings, db, system_clock, connect, embed, True, on_event)


def open_accounts(settings: Settings, environment: Mapping[str, str], *, migrate: bool = True) -> Accounts:
    """The live world's accounts and what connects them, without anything that runs; raises StorageError."""
    db = open_database(settings.truth_url, migrate=migrate)
    return Accounts(db, _secrets(settings, db, environment), system_clock, settings.folder / "live")


def open_dry(settings: Settings, now: datetime, on_event: OnEvent = unheard) -> World:
    """The rehearsal: the sandbox network for every account, a clock that jumps, the true history copied in."""
    embed = StaticEncoder.load().encode
    db = open_database(settings.rehearsal_url)
    truth = open_database(settings.truth_url)
    try:
        refresh(truth, db)
    finally:
        truth.close()
    with db.read() as session:
        clock = LapseClock(max(now, reached(session) or now))
    networks: dict[str, Connector] = {}

    def connect(account: str) -> Connector:
        if account not in networks:
            with db.read() as session:
                past = engagement.history(session, account, clock())
            network = SandboxNetwork(
                clock,
                embed,
                seed=zlib.crc32(account.encode()),
                path=settings.folder / "dry" / "sandbox.db",
                settings=audience_like(past),
            )
            networks[account] = network.connector(account)
        return networks[account]

    return World(settings, db, clock, connect, embed, False, on_event)


def reached(session: Session) -> datetime | None:
    """The moment to which this world's simulated clock has come; None where it has none, or has not started."""
    told = notes.note(session, SANDBOX_CLOCK)
    return None if told is None else datetime.fromisoformat(told)


def remember_clock(world: World) -> None:
    """Let the next rehearsal begin where this one has come to."""
    with world.db.write() as session:
        notes.set_note(session, SANDBOX_CLOCK, world.clock().isoformat(), world.clock())


def audience_like(past: Iterable[engagement.MeasuredPost]) -> AudienceSettings:
    """A simulated audience whose counts are on the scale of this history; everything else about it is invented."""
    likes = np.log1p([post.likes for post in past if post.likes is not None])
    if len(likes) < SCALED_FROM:
        return AudienceSettings()
    return AudienceSettings(level=float(likes.mean()), spread=float(max(likes.std(), 0.3)))


def _secrets(settings: Settings, db: Database, environment: Mapping[str, str]) -> Secrets:
    with db.read() as session:
        install = install_id(session)
    return Secrets(db, environment, SealingKey(settings.folder, install), system_clock)
