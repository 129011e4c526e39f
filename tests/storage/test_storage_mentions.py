"""What people said to us: each text once, and nothing of a person stays but a keyed hash and a wish for silence."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from storage import engagement, mentions, outbox
from storage.database import Database
from storage.models import Account, Inbound, State

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ACCOUNT = "fake/main"
MONTH = timedelta(days=30)


def hear(db: Database, *said: Inbound) -> list[int]:
    with db.write() as session:
        return [row.id for row in mentions.add_mentions(session, said) if row.id is not None]


def texts(session: Session) -> list[str]:
    return [row.text for row in session.exec(select(Inbound).order_by(Inbound.id)).all()]  # type: ignore[arg-type]


def test_a_persons_hash_depends_on_the_key_the_platform_and_the_person() -> None:
    one = mentions.author_hash(b"key", "x", "ann")
    assert one == mentions.author_hash(b"key", "x", "ann")
    others = {
        mentions.author_hash(*args) for args in [(b"key2", "x", "ann"), (b"key", "y", "ann"), (b"key", "x", "bo")]
    }
    assert len(others | {one}) == 4
    assert "ann" not in one
    assert mentions.author_hash(b"key", "x", "yann") != mentions.author_hash(b"key", "xy", "ann")


def test_a_text_is_heard_once_by_each_account(db: Database, rows: Any) -> None:
    assert len(hear(db, rows.mention(ref="m1"), rows.mention(ref="m2"))) == 2
    assert len(hear(db, rows.mention(ref="m2"), rows.mention(ref="m3"), rows.mention(ref="m3"))) == 1
    assert len(hear(db, rows.mention(ref="m1", account="fake/other"))) == 1


def test_what_waits_is_new_or_held_oldest_first(db: Database, rows: Any) -> None:
    hear(
        db,
        rows.mention(ref="late", outcome="held", created_at=NOON + DAY),
        rows.mention(ref="early"),
        *(rows.mention(outcome=outcome) for outcome in ("answered", "refused", "ignored")),
        rows.mention(ref="elsewhere", account="fake/other"),
    )
    with db.read() as session:
        assert [row.ref for row in mentions.pending(session)] == ["early", "elsewhere", "late"]
        assert [row.ref for row in mentions.pending(session, ACCOUNT)] == ["early", "late"]


def test_what_became_of_a_mention_is_written_with_its_reason(db: Database, rows: Any) -> None:
    (heard,) = hear(db, rows.mention(text="how much?"))
    with db.write() as session:
        mentions.settle(session, heard, "held", rule="R1", reason="no rule matches", intent="price", similarity=0.4)
        mentions.settle(session, heard, "refused", rule="R4", reason="too deep")
        mentions.settle(session, 999, "answered")
    with db.read() as session:
        row = session.get_one(Inbound, heard)
    assert (row.outcome, row.rule, row.reason, row.intent, row.similarity) == (
        "refused",
        "R4",
        "too deep",
        "price",
        0.4,
    )
    assert (row.text, row.author) == ("how much?", "@ann")
    with db.write() as session:
        mentions.settle(session, heard, "ignored", forget_text=True)
    with db.read() as session:
        row = session.get_one(Inbound, heard)
    assert (row.text, row.author, row.author_hash) == ("", "", "ann")


def test_outcomes_are_listed_by_when_they_were_seen(db: Database, rows: Any) -> None:
    hear(
        db,
        rows.mention(ref="new", seen_at=NOON + DAY),
        rows.mention(ref="old", seen_at=NOON),
        rows.mention(seen_at=NOON - DAY),
    )
    with db.read() as session:
        assert [row.ref for row in mentions.outcomes(session, NOON)] == ["old", "new"]


def test_where_to_listen_on_is_kept_by_account(db: Database) -> None:
    with db.write() as session:
        engagement.ensure_account(session, ACCOUNT, NOON)
        mentions.set_cursor(session, ACCOUNT, "c1")
        mentions.set_cursor(session, "fake/nobody", "c2")
    with db.read() as session:
        assert session.get_one(Account, ACCOUNT).mention_cursor == "c1"


def test_a_wish_for_silence_is_kept_for_good(db: Database) -> None:
    with db.write() as session:
        assert not mentions.is_do_not_contact(session, "ann")
        mentions.do_not_contact(session, "ann", "fake", "said stop", NOON)
        mentions.do_not_contact(session, "ann", "fake", "said stop again", NOON + DAY)
        assert mentions.is_do_not_contact(session, "ann")
        assert not mentions.is_do_not_contact(session, "bob")


# --- forgetting -----------------------------------------------------------------------------------------------------


def test_what_is_settled_is_forgotten_and_what_waits_is_not(db: Database, rows: Any) -> None:
    hear(
        db,
        rows.mention(text="new"),
        rows.mention(text="held", outcome="held"),
        *(rows.mention(text=outcome, outcome=outcome) for outcome in ("answered", "refused", "ignored")),
    )
    with db.write() as session:
        assert mentions.forget_old(session, NOON, MONTH) == 3
        assert texts(session) == ["new", "held", "", "", ""]
        assert mentions.forget_old(session, NOON, MONTH) == 0


@pytest.mark.parametrize("state", list(State))
def test_a_text_stays_as_long_as_its_answer_is_not_over(db: Database, rows: Any, state: State) -> None:
    (heard,) = hear(db, rows.mention(text="how much?", outcome="answered"))
    with db.write() as session:
        outbox.add(session, [rows.post(kind="reply", mention_id=heard, state=state)])
        mentions.forget_old(session, NOON, MONTH)
        over = state in (State.PUBLISHED, State.FAILED, State.CANCELLED)
        assert texts(session) == ([""] if over else ["how much?"])


def test_a_mention_still_called_held_is_forgotten_once_its_answer_is_over(db: Database, rows: Any) -> None:
    (heard,) = hear(db, rows.mention(outcome="held"))
    with db.write() as session:
        outbox.add(session, [rows.post(kind="reply", mention_id=heard, state=State.PUBLISHED)])
        assert mentions.forget_old(session, NOON, MONTH) == 1


def test_nothing_outlives_its_time_whatever_waits(db: Database, rows: Any) -> None:
    (heard, _) = hear(db, rows.mention(text="old", outcome="held"), rows.mention(text="new", seen_at=NOON + DAY))
    with db.write() as session:
        outbox.add(session, [rows.post(kind="reply", mention_id=heard, state=State.HELD)])
        assert mentions.forget_old(session, NOON + MONTH - timedelta(seconds=1), MONTH) == 0
        assert mentions.forget_old(session, NOON + MONTH, MONTH) == 1
        assert texts(session) == ["", "new"]
        forgotten = session.get_one(Inbound, heard)
        assert (forgotten.author, forgotten.author_hash, forgotten.outcome) == ("", "ann", "held")
