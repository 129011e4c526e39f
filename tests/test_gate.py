"""The gate puts rows, campaigns and abilities together: what is late, foreign or unreadable does not go out."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from bot import approval
from bot.abilities import Abilities
from bot.app import World
from bot.campaign.schema import Campaign
from bot.gate import Gate
from bot.settings import Settings
from connectors.base import Capabilities
from connectors.sandbox import SandboxNetwork, hashed
from scheduler.clock import LapseClock
from storage import mentions, outbox
from storage.database import Database, open_database
from storage.models import Inbound, Post, State

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ACCOUNT = "sandbox/main"
CAMPAIGN = Campaign.model_validate(
    {
        "version": 1,
        "name": "launch",
        "accounts": [ACCOUNT],
        "timezone": "UTC",
        "mode": "auto",
        "when": {"late_limit": "2h"},
        "posts": [{"id": "hello", "text": "Hello"}],
    }
)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "kairos.db")
    yield opened
    opened.close()


def gate(now: datetime, stop_file: Path = Path("no-such-file"), ours: frozenset[str] = frozenset()) -> Gate:
    return Gate(
        {CAMPAIGN.name: CAMPAIGN},
        lambda account: Abilities(Capabilities(simulated=True), 500, len),
        lambda: now,
        stop_file=stop_file,
        live=False,
        ours=lambda account: ours,
    )


def row(**values: Any) -> Post:
    draft = values.pop("draft", {"text": "Hello", "kind": "text"})
    given = {
        "account": ACCOUNT,
        "campaign": "launch",
        "item": "hello",
        "local_slot": "2026-11-24T12:00",
        "slot_at": NOON,
        "not_before": NOON,
        "digest": outbox.digest_of(draft),
        "key": "k",
        "created_at": NOON,
        "updated_at": NOON,
        **values,
    }
    return Post(draft=draft, **given)


def asked(db: Database, post: Post, at: datetime, **how: Any) -> tuple[str, str] | None:
    """Rule and consequence of the gate's answer about a stored row."""
    with db.write() as session:
        (stored,) = outbox.add(session, [post])
        verdict = gate(at, **how)(session, stored)
    return None if verdict is None else (verdict.rule, verdict.then)


def answer(session: Session, **values: Any) -> Post:
    inbound = Inbound(
        account=ACCOUNT,
        ref="m1",
        author_hash="ann",
        text="how much?",
        address="mention",
        created_at=NOON,
        seen_at=NOON,
    )
    (heard,) = mentions.add_mentions(session, [inbound])
    draft = {"text": "It is free.", "kind": "text", "in_reply_to": {"id": "m1", "extras": ""}}
    return row(kind="reply", item=f"reply:{heard.id}", mention_id=heard.id, draft=draft, **values)


def test_a_post_goes_out_until_its_late_limit_and_is_dropped_after_it(db: Database) -> None:
    assert asked(db, row(key="a"), NOON + timedelta(hours=2)) is None
    late = row(key="b", local_slot="2026-11-24T12:01")
    assert asked(db, late, NOON + timedelta(hours=2, seconds=1)) == ("late", "cancel")


def test_a_post_of_a_campaign_that_is_not_part_of_the_run_waits(db: Database) -> None:
    assert asked(db, row(campaign="other"), NOON) == ("file", "later")


def test_a_draft_this_version_cannot_read_is_held(db: Database) -> None:
    assert asked(db, row(draft={"text": "Hello", "kind": "text", "poll": ["yes", "no"]}), NOON) == ("file", "hold")


def test_a_draft_changed_behind_its_approval_is_held(db: Database) -> None:
    assert asked(db, row(approved_digest="of other words"), NOON) == ("S3", "hold")


def test_the_stop_file_holds_everything(db: Database, tmp_path: Path) -> None:
    stop_file = tmp_path / "STOP"
    stop_file.touch()
    assert asked(db, row(), NOON, stop_file=stop_file) == ("S1", "later")


@pytest.mark.parametrize(
    ("hours", "approved", "expected"), [(23, False, None), (25, False, ("late", "hold")), (25, True, None)]
)
def test_an_answer_that_waited_a_day_needs_a_person(
    db: Database, hours: int, approved: bool, expected: tuple[str, str] | None
) -> None:
    with db.write() as session:
        reply = answer(session)
    if approved:
        reply.approved_digest = reply.digest
    assert asked(db, reply, NOON + timedelta(hours=hours)) == expected


def test_an_answer_to_one_of_our_own_accounts_is_refused(db: Database) -> None:
    with db.write() as session:
        reply = answer(session)
    assert asked(db, reply, NOON, ours=frozenset({"ann"})) == ("R4", "cancel")


def test_a_world_knows_the_names_of_all_its_accounts(db: Database, tmp_path: Path) -> None:
    network = SandboxNetwork(LapseClock(NOON), hashed)
    world = World(Settings(tmp_path), db, network.clock, network.connector, hashed, live=False)
    both = CAMPAIGN.model_copy(update={"accounts": ["sandbox/main", "sandbox/second"]})
    world.enlist([both])
    assert len(world.ours("sandbox/main")) == 2
    assert world.ours("sandbox/main") == world.ours("sandbox/second")


def test_a_post_that_a_person_approves_after_its_slot_goes_out_late(db: Database) -> None:
    late = row(approved_at=NOON + timedelta(hours=30))
    late.approved_digest = late.digest
    assert asked(db, late, NOON + timedelta(hours=31)) is None
    stale = row(key="b", local_slot="2026-11-24T12:01", approved_at=NOON + timedelta(hours=30))
    stale.approved_digest = stale.digest
    assert asked(db, stale, NOON + timedelta(hours=33)) == ("late", "cancel")


def doubtful(db: Database) -> int:
    """A post whose call was made and never answered."""
    with db.write() as session:
        (stored,) = outbox.add(session, [row()])
        assert stored.id is not None
        outbox.claim_due(session, NOON, "w", 1)
        outbox.intend(session, stored.id, "w", NOON)
        outbox.unknown(session, stored.id, reason="the answer was lost", now=NOON)
        return stored.id


def test_a_post_that_may_be_public_is_sent_again_only_on_a_persons_word(db: Database, tmp_path: Path) -> None:
    number = doubtful(db)
    told = approval.approve(db, [str(number)], NOON, tmp_path / "STOP")
    assert told.done == []
    assert "look on the platform" in told.refused[0]
    assert approval.approve(db, [str(number)], NOON, tmp_path / "STOP", again=True).refused == []
    with db.write() as session:
        (claimed,) = outbox.claim_due(session, NOON, "w", 5)
        assert (claimed.id, claimed.in_doubt) == (number, False)
        assert gate(NOON)(session, claimed) is None


def test_a_post_that_may_be_public_can_be_given_up(db: Database) -> None:
    number = doubtful(db)
    assert approval.reject(db, [str(number)], NOON, "seen there, by hand").refused == []
    with db.write() as session:
        assert outbox.claim_due(session, NOON + timedelta(days=1), "w", 5) == []
        assert session.get_one(Post, number).state is State.CANCELLED
