"""Our public posts and their counts: taken once at each age, added and never changed, read as of any moment."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from storage import engagement, outbox
from storage.database import Database
from storage.models import History, Post, Snapshot

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
AGES = (HOUR, 6 * HOUR, DAY)
ACCOUNT = "fake/main"


def record(db: Database, *own: engagement.HistoryRow, now: datetime = NOON, source: str = "backfill") -> int:
    with db.write() as session:
        return engagement.record_history(session, ACCOUNT, own, source, now)


def measure(db: Database, history_id: int, age: timedelta, taken_at: datetime = NOON, **counts: int) -> bool:
    with db.write() as session:
        return engagement.add_snapshot(session, history_id, age, age, taken_at, **counts)


def snapshots(db: Database) -> list[tuple[int, int, int | None]]:
    with db.read() as session:
        found = session.exec(select(Snapshot).order_by(Snapshot.id)).all()  # type: ignore[arg-type]
    return [(row.due_age_s, row.age_s, row.likes) for row in found]


def only_id(db: Database, ref: str = "a") -> int:
    with db.read() as session:
        found = session.exec(select(History.id).where(History.ref == ref)).one()
    assert found is not None
    return found


def likes(db: Database, until: datetime | None = None) -> dict[str, int | None]:
    with db.read() as session:
        return {post.ref: post.likes for post in engagement.history(session, ACCOUNT, until)}


# --- accounts -------------------------------------------------------------------------------------------------------


def test_an_account_is_made_once_and_listed_by_name(db: Database) -> None:
    with db.write() as session:
        engagement.ensure_account(session, "x/brand", NOON)
        engagement.ensure_account(session, "bluesky/b.example/c", NOON)
        again = engagement.ensure_account(session, "x/brand", NOON + DAY)
        assert (again.platform, again.name, again.created_at) == ("x", "brand", NOON)
        assert [row.id for row in engagement.accounts(session)] == ["bluesky/b.example/c", "x/brand"]
        assert engagement.accounts(session)[0].name == "b.example/c"


@pytest.mark.parametrize("name", ["brand", "/brand", "x/", ""])
def test_an_account_reads_platform_and_name(db: Database, name: str) -> None:
    with db.write() as session, pytest.raises(ValueError, match="must read platform/name"):
        engagement.ensure_account(session, name, NOON)


def test_posts_are_counted_by_account(db: Database, rows: Any) -> None:
    record(db, rows.past("a"), rows.past("b"))
    with db.write() as session:
        engagement.record_history(session, "fake/other", [rows.past("a")], "backfill", NOON)
        assert engagement.posts_by_account(session) == {ACCOUNT: 2, "fake/other": 1}


# --- taking in ------------------------------------------------------------------------------------------------------


def test_a_history_is_taken_in_once(db: Database, rows: Any) -> None:
    own = [rows.past("a", likes=3), rows.past("b"), rows.past("a", likes=4)]
    with db.write() as session:
        outcome = engagement.import_rows(session, ACCOUNT, own, "import:csv", NOON)
    assert (outcome.added, outcome.unchanged, outcome.updated) == (2, 1, 0)
    assert likes(db) == {"a": 4, "b": None}
    with db.write() as session:
        outcome = engagement.import_rows(session, ACCOUNT, own, "import:csv", NOON + DAY)
    assert (outcome.added, outcome.unchanged, outcome.updated) == (0, 3, 0)
    assert len(snapshots(db)) == 1


def test_counts_that_changed_add_a_snapshot_and_change_none(db: Database, rows: Any) -> None:
    record(db, rows.past("a", likes=3))
    with db.write() as session:
        outcome = engagement.import_rows(session, ACCOUNT, [rows.past("a", likes=5)], "import:csv", NOON + DAY)
    assert (outcome.added, outcome.unchanged, outcome.updated) == (0, 0, 1)
    assert [count for _, _, count in snapshots(db)] == [3, 5]
    assert likes(db) == {"a": 5}
    assert likes(db, NOON) == {"a": 3}


def test_counts_of_unknown_age_stand_at_that_of_their_reading_or_at_a_finished_one(db: Database, rows: Any) -> None:
    record(
        db,
        rows.past("young", created_at=NOON - 2 * HOUR, likes=1),
        rows.past("old", created_at=NOON - 400 * DAY, likes=2),
        rows.past("told", created_at=NOON - 400 * DAY, likes=3, counts_age=DAY),
    )
    ages = {likes: age for _, age, likes in snapshots(db)}
    assert ages == {1: 7200, 2: int(engagement.FINISHED.total_seconds()), 3: 86400}


def test_a_post_nobody_counted_has_no_snapshot(db: Database, rows: Any) -> None:
    record(db, rows.past("a"), rows.past("b", likes=0))
    assert len(snapshots(db)) == 1
    assert likes(db) == {"a": None, "b": 0}


def test_what_kairos_published_keeps_its_row_when_a_backfill_sees_it(db: Database, rows: Any) -> None:
    with db.write() as session:
        (post,) = outbox.add(session, [rows.post()])
        assert post.id is not None
        outbox.published(session, post.id, ref="a", published_at=NOON, now=NOON)
    assert record(db, rows.past("a", text="as shown", created_at=NOON, likes=2), now=NOON + HOUR) == 0
    with db.read() as session:
        (row,) = session.exec(select(History)).all()
    assert (row.source, row.post_id) == ("kairos", post.id)
    assert likes(db) == {"a": 2}


# --- measuring ------------------------------------------------------------------------------------------------------


def test_an_age_is_measured_once_and_never_changed(db: Database, rows: Any) -> None:
    record(db, rows.past("a", created_at=NOON - HOUR))
    assert measure(db, only_id(db), HOUR, likes=3)
    assert not measure(db, only_id(db), HOUR, likes=9)
    assert snapshots(db) == [(3600, 3600, 3)]


def due(db: Database, now: datetime, limit: int = 10, **only: str) -> list[tuple[str, timedelta]]:
    with db.read() as session:
        return [(row.ref, row.due_age) for row in engagement.due_snapshots(session, now, AGES, limit, **only)]


def test_each_age_is_due_from_its_moment_until_it_is_measured(db: Database, rows: Any) -> None:
    record(db, rows.past("a", created_at=NOON))
    assert due(db, NOON + HOUR - timedelta(seconds=1)) == []
    assert due(db, NOON + HOUR) == [("a", HOUR)]
    measure(db, only_id(db), HOUR)
    assert due(db, NOON + HOUR) == []
    assert due(db, NOON + 6 * HOUR) == [("a", 6 * HOUR)]


def test_of_several_ages_that_were_missed_the_latest_is_due(db: Database, rows: Any) -> None:
    record(db, rows.past("a", created_at=NOON))
    assert due(db, NOON + 7 * HOUR) == [("a", 6 * HOUR)]
    assert due(db, NOON + DAY) == [("a", DAY)]


def test_a_count_taken_late_serves_for_the_age_it_reached(db: Database, rows: Any) -> None:
    record(db, rows.past("a", created_at=NOON))
    with db.write() as session:
        engagement.add_snapshot(session, only_id(db), HOUR, 7 * HOUR, NOON + 7 * HOUR, likes=1)
    assert due(db, NOON + 7 * HOUR) == []
    assert due(db, NOON + DAY) == [("a", DAY)]


def test_a_post_is_given_up_long_after_its_last_age(db: Database, rows: Any) -> None:
    record(db, rows.past("a", created_at=NOON))
    last = NOON + DAY + engagement.CHASE
    assert due(db, last - timedelta(seconds=1)) == [("a", DAY)]
    assert due(db, last) == []


def test_imported_posts_and_answers_are_not_measured(db: Database, rows: Any) -> None:
    record(db, rows.past("a", created_at=NOON), source="import:csv")
    record(db, rows.past("b", created_at=NOON, kind="reply"), source="kairos")
    assert due(db, NOON + HOUR) == []
    with db.read() as session:
        assert engagement.next_snapshot(session, NOON, AGES) is None


def test_due_posts_come_youngest_age_first_within_the_limit_and_by_account(db: Database, rows: Any) -> None:
    record(db, rows.past("old", created_at=NOON - 5 * HOUR), rows.past("new", created_at=NOON))
    with db.write() as session:
        engagement.record_history(session, "fake/other", [rows.past("c", created_at=NOON)], "backfill", NOON)
    everything = [("new", HOUR), ("c", HOUR), ("old", 6 * HOUR)]
    assert due(db, NOON + HOUR) == everything
    assert due(db, NOON + HOUR, limit=2) == everything[:2]
    assert due(db, NOON + HOUR, account="fake/other") == [("c", HOUR)]
    with db.read() as session:
        assert engagement.due_snapshots(session, NOON + HOUR, [], 10) == []


def test_the_next_age_to_come_is_the_earliest_of_any_post(db: Database, rows: Any) -> None:
    record(db, rows.past("old", created_at=NOON - 5 * HOUR), rows.past("new", created_at=NOON - timedelta(minutes=30)))
    with db.read() as session:
        assert engagement.next_snapshot(session, NOON, AGES) == NOON + timedelta(minutes=30)
        assert engagement.next_snapshot(session, NOON + 40 * DAY, AGES) is None


# --- reading --------------------------------------------------------------------------------------------------------


def test_the_history_as_of_a_moment_knows_nothing_later(db: Database, rows: Any) -> None:
    record(db, rows.past("a", created_at=NOON), rows.past("b", created_at=NOON + 2 * HOUR))
    measure(db, only_id(db), HOUR, NOON + HOUR, likes=3)
    measure(db, only_id(db), 6 * HOUR, NOON + 6 * HOUR, likes=8)
    assert likes(db, NOON - HOUR) == {}
    assert likes(db, NOON) == {"a": None}
    assert likes(db, NOON + HOUR) == {"a": 3}
    assert likes(db, NOON + 2 * HOUR) == {"a": 3, "b": None}
    assert likes(db) == {"a": 8, "b": None}


def test_a_snapshot_that_says_nothing_hides_no_earlier_one(db: Database, rows: Any) -> None:
    record(db, rows.past("a", created_at=NOON))
    measure(db, only_id(db), HOUR, NOON + HOUR, likes=3)
    measure(db, only_id(db), 6 * HOUR, NOON + 6 * HOUR)
    with db.read() as session:
        (post,) = engagement.history(session, ACCOUNT)
    assert (post.likes, post.age_s, post.impressions) == (3, 3600, None)


def test_the_last_posts_come_oldest_first_without_answers(db: Database, rows: Any) -> None:
    own = [rows.past(f"p{place}", created_at=NOON + place * HOUR) for place in range(5)]
    record(db, *reversed(own), rows.past("answer", created_at=NOON, kind="reply"), now=NOON + DAY)
    with db.read() as session:
        assert [post.ref for post in engagement.history(session, ACCOUNT, limit=3)] == ["p2", "p3", "p4"]
        assert len(engagement.history(session, ACCOUNT, limit=None)) == 5
        assert engagement.history(session, "fake/other") == []


def test_a_post_knows_whether_it_was_a_holdout(db: Database, rows: Any) -> None:
    def publish(post: Post, ref: str) -> None:
        with db.write() as session:
            (added,) = outbox.add(session, [post])
            assert added.id is not None
            outbox.published(session, added.id, ref=ref, published_at=NOON, now=NOON)

    publish(rows.post(holdout=True), "a")
    publish(rows.post(), "b")
    record(db, rows.past("c"))
    with db.read() as session:
        assert {post.ref: post.holdout for post in engagement.history(session, ACCOUNT)} == {
            "a": True,
            "b": False,
            "c": False,
        }


def test_posts_are_found_by_their_ids(db: Database, rows: Any) -> None:
    record(db, rows.past("a", likes=3), rows.past("b"), rows.past("c"))
    with db.read() as session:
        found = engagement.by_ids(session, [only_id(db, "a"), only_id(db, "c"), 9999])
    assert {post.ref: post.likes for post in found.values()} == {"a": 3, "c": None}
    assert all(history_id == post.history_id for history_id, post in found.items())
