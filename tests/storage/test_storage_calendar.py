"""Looking at the outbox: what waits, what comes, what is unknown."""

from datetime import UTC, datetime, timedelta
from typing import Any

from storage import outbox
from storage.database import Database
from storage.models import Post, State

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
COMING = {State.PLANNED, State.CLAIMED}


def put(db: Database, *posts: Post) -> None:
    with db.write() as session:
        assert len(outbox.add(session, posts)) == len(posts)


def items(posts: list[Post]) -> list[str]:
    return [post.item for post in posts]


def test_unknown_posts_come_oldest_intent_first(db: Database, rows: Any) -> None:
    put(
        db,
        rows.post(item="new", state=State.UNKNOWN, intent_at=NOON + HOUR),
        rows.post(item="old", state=State.UNKNOWN, intent_at=NOON),
        rows.post(item="public", state=State.PUBLISHED, intent_at=NOON),
    )
    with db.read() as session:
        assert items(outbox.unknowns(session)) == ["old", "new"]


def test_the_queue_is_what_waits_for_a_person_oldest_slot_first(db: Database, rows: Any) -> None:
    put(
        db,
        rows.post(item="late", state=State.HELD, slot_at=NOON + HOUR),
        rows.post(item="early", state=State.HELD),
        rows.post(item="planned"),
    )
    with db.read() as session:
        assert items(outbox.queue(session)) == ["early", "late"]


def test_a_new_plan_must_respect_every_post_that_is_not_given_up(db: Database, rows: Any) -> None:
    put(db, *(rows.post(item=state, state=state) for state in State))
    put(
        db,
        rows.post(item="answer", kind="reply"),
        rows.post(item="elsewhere", account="fake/other"),
        rows.post(item="other", campaign="other", slot_at=NOON - HOUR),
    )
    given_up = {State.FAILED, State.CANCELLED}
    ours = set(State) - given_up
    with db.read() as session:
        assert set(items(outbox.standing(session))) == ours | {"elsewhere", "other"}
        assert items(outbox.standing(session))[0] == "other"
        assert set(items(outbox.standing(session, account="fake/main"))) == ours | {"other"}
        assert set(items(outbox.standing(session, campaign="launch"))) == ours | {"elsewhere"}
        assert set(items(outbox.standing(session, "launch", "fake/main"))) == ours


def test_upcoming_is_what_goes_out_before_then_overdue_included(db: Database, rows: Any) -> None:
    put(db, *(rows.post(item=state, state=state) for state in State))
    put(
        db,
        rows.post(item="overdue", slot_at=NOON - 3 * HOUR),
        rows.post(item="too late", slot_at=NOON + HOUR),
        rows.post(item="elsewhere", account="fake/other"),
        rows.post(item="held and missed", state=State.HELD, slot_at=NOON - HOUR),
    )
    with db.read() as session:
        found = outbox.upcoming(session, NOON, NOON + HOUR)
        assert set(items(found)) == {"overdue", "elsewhere", State.HELD, *COMING}
        assert found[0].item == "overdue"
        assert set(items(outbox.upcoming(session, NOON, NOON + HOUR, "fake/other"))) == {"elsewhere"}


def test_the_next_due_post_is_the_earliest_planned_one(db: Database, rows: Any) -> None:
    with db.read() as session:
        assert outbox.next_due(session) is None
    put(db, rows.post(not_before=NOON + HOUR), rows.post(not_before=NOON, state=State.HELD))
    with db.read() as session:
        assert outbox.next_due(session) == NOON + HOUR


def test_every_state_is_counted_those_without_posts_too(db: Database, rows: Any) -> None:
    put(db, rows.post(), rows.post(), rows.post(state=State.UNKNOWN))
    with db.read() as session:
        counts = outbox.count_by_state(session)
    assert counts == {**dict.fromkeys(State, 0), State.PLANNED: 2, State.UNKNOWN: 1}
    assert all(isinstance(state, State) for state in counts)


def test_a_post_is_found_by_its_id_or_not_at_all(db: Database, rows: Any) -> None:
    put(db, post := rows.post())
    with db.read() as session:
        found = outbox.standing(session)[0]
        assert found.id is not None
        assert outbox.get(session, found.id) == found
        assert outbox.get(session, found.id + 1) is None
    assert found.key == post.key
