"""A desk for replies: a real database, a clock set by hand, campaigns as a file says them, a platform that accepts."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from bot.abilities import Abilities
from bot.attention.encoder import StaticEncoder
from bot.campaign.schema import Campaign
from bot.policy.base import Proposal, Refused, Settings
from bot.policy.rulebook import permit
from bot.replies.addressing import inbound_of
from bot.replies.triage import Triage
from connectors.base import Capabilities, Draft, Receipt, Ref
from scheduler.clock import LapseClock
from scheduler.deliver import Deliverer
from scheduler.drafts import from_json
from storage import decisions, engagement, mentions, outbox
from storage.database import Database, open_database
from storage.facts import StoredFacts
from storage.models import Inbound, Post, Refusal

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MAIN = "fake/main"
PRICING = {
    "intent": "pricing",
    "link": "https://lanternfish.example/license",
    "examples": [
        "how much does it cost",
        "is there a free plan",
        "is it free for commercial use",
        "what is the price",
        "do I have to pay for a license",
    ],
    "answer": "It is free: {link}",
}
DOCS = {
    "intent": "docs",
    "examples": ["where is the documentation", "do you have docs", "is there a tutorial", "is there an API reference"],
    "answer": "Everything is in the documentation.",
}


def _campaign(*rules: Mapping[str, Any], name: str = "launch", **changes: Any) -> Campaign:
    replies = {"rules": list(rules) or [PRICING, DOCS]} | changes.pop("replies", {})
    plain = {"version": 1, "name": name, "accounts": [MAIN], "timezone": "UTC", "mode": "auto", "replies": replies}
    return Campaign.model_validate(plain | changes)


class Platform:
    """A connector that accepts every reply and remembers under which text it stands."""

    capabilities = Capabilities(native_idempotency=True, simulated=True)

    def __init__(self, clock: Callable[[], datetime], name: str = "main") -> None:
        self.clock, self.name = clock, name
        self.public: list[tuple[Draft, Ref]] = []

    def publish(self, draft: Draft, key: str) -> Receipt:
        ref = Ref(f"{self.name}-{len(self.public)}")
        self.public.append((draft, ref))
        return Receipt(ref, self.clock())


class Desk:
    """One installation, with short verbs for tests."""

    def __init__(self, db: Database, clock: LapseClock, folder: Path) -> None:
        self.db, self.clock, self.stop_file = db, clock, folder / "STOP"
        self.campaigns: list[Campaign] = [_campaign()]
        self.capabilities = Capabilities(simulated=True)
        self.max_length = 500
        self.platforms = {MAIN: Platform(clock)}
        self.ours: dict[str, frozenset[str]] = {MAIN: frozenset({"us"})}
        self.heard = 0
        self.at_work: Triage | None = None

    @property
    def platform(self) -> Platform:
        return self.platforms[MAIN]

    def abilities(self, account: str) -> Abilities:
        return Abilities(self.capabilities, self.max_length, len)

    def triage(self) -> Triage:
        return Triage(
            self.campaigns,
            StaticEncoder.load().encode,
            self.clock,
            abilities=self.abilities,
            ours=lambda account: self.ours.get(account, frozenset()),
            stop_file=self.stop_file,
            live=False,
            install="here",
        )

    def hear(self, text: str, *, person: str = "ann", account: str = MAIN, **changes: Any) -> Inbound:
        """Somebody says this to us: stored and settled as `listen` does it."""
        self.at_work = self.at_work or self.triage()
        self.heard += 1
        row = Inbound(
            account=account,
            ref=changes.pop("ref", f"m{self.heard}"),
            extras="opaque",
            author_hash=person,
            author=f"@{person}",
            text=text,
            address=changes.pop("address", "mention"),
            created_at=changes.pop("created_at", self.clock() - timedelta(minutes=3)),
            seen_at=self.clock(),
            **changes,
        )
        with self.db.write() as session:
            engagement.ensure_account(session, account, self.clock())
            (new,) = mentions.add_mentions(session, [row])
            self.at_work(session, new)
        return self.mention(new.id)

    def mention(self, mention_id: int | None) -> Inbound:
        with self.db.read() as session:
            return session.exec(select(Inbound).where(Inbound.id == mention_id)).one()

    def reply(self, inbound: Inbound) -> Post | None:
        assert inbound.id is not None
        with self.db.read() as session:
            return mentions.reply_to(session, inbound.id)

    def rows(self) -> list[Post]:
        with self.db.read() as session:
            return list(session.exec(select(Post)).all())

    def refusals(self) -> list[Refusal]:
        with self.db.read() as session:
            return decisions.refusals(session, EPOCH)

    def allow(self, session: Session, post: Post) -> Refused | None:
        """The gate as the composition root builds it: the row, its mention, the rulebook."""
        draft = from_json(post.draft)
        proposal = Proposal(
            account=post.account,
            platform=post.account.partition("/")[0],
            campaign=post.campaign,
            item=post.item,
            draft=draft,
            at=self.clock(),
            capabilities=self.capabilities,
            post_id=post.id,
            digest=outbox.digest_of(post.draft),
            approved_digest=post.approved_digest,
            addressed=inbound_of(session, post, frozenset().union(*self.ours.values())),
        )
        return permit(proposal, StoredFacts(session, self.stop_file), Settings(), "gate")

    def deliver(self, connectors: Callable[[str], Any] | None = None) -> None:
        """Send what is due."""
        made = Deliverer(
            self.db, connectors or self.platforms.__getitem__, self.allow, self.clock, worker="test", patience=None
        )
        made.tick()
        made.drain(5)

    def later(self, **by: float) -> None:
        self.clock.advance_to(self.clock() + timedelta(**by))


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database file with all tables, to be copied: migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("empty") / "kairos.db"
    open_database(file).close()
    return file


@pytest.fixture
def new_desk(tmp_path: Path, empty: Path) -> Iterator[Callable[[], Desk]]:
    """Makes desks at noon, each an installation of its own."""
    made: list[Desk] = []
    clock = LapseClock(NOON)

    def make() -> Desk:
        folder = tmp_path / f"desk{len(made)}"
        folder.mkdir()
        desk = Desk(open_database(Path(shutil.copy(empty, folder)), migrate=False), clock, folder)
        made.append(desk)
        return desk

    yield make
    for desk in made:
        desk.db.close()


@pytest.fixture
def desk(new_desk: Callable[[], Desk]) -> Desk:
    """A desk with one campaign that answers two questions by itself."""
    return new_desk()


@pytest.fixture
def campaign() -> Callable[..., Campaign]:
    """A campaign that answers, with changes by keyword; without rules it has pricing and docs."""
    return _campaign


@pytest.fixture
def pricing() -> dict[str, Any]:
    """The rule about prices, as in a file."""
    return dict(PRICING)


@pytest.fixture
def docs() -> dict[str, Any]:
    """The rule about documentation, as in a file."""
    return dict(DOCS)
