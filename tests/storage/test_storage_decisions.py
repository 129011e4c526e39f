"""The log of choices and refusals, and the outcomes that lift is measured on."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from storage import decisions, engagement, outbox
from storage.database import Database
from storage.models import Post

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ACCOUNT = "fake/main"


def test_a_decision_is_kept_with_all_it_chose_from(db: Database, rows: Any) -> None:
    row = rows.decision(
        candidates=[{"text": "größe", "score": 1.5, "propensity": None}],
        removed=[{"rule": "P2"}],
        attended=[{"w": 0.5}],
    )
    with db.write() as session:
        made = decisions.log_decision(session, row)
        assert made.id is not None
    with db.read() as session:
        found = decisions.decision(session, made.id)
        assert decisions.decision(session, made.id + 1) is None
    assert found is not None
    assert found.candidates == [{"text": "größe", "score": 1.5, "propensity": None}]
    assert (found.removed, found.attended) == ([{"rule": "P2"}], [{"w": 0.5}])


def test_decisions_are_listed_oldest_first_by_account_campaign_and_time(db: Database, rows: Any) -> None:
    with db.write() as session:
        for changes in (
            {"item": "a"},
            {"item": "b", "account": "fake/other"},
            {"item": "c", "campaign": "other", "at": NOON + DAY},
        ):
            decisions.log_decision(session, rows.decision(**changes))

    def items(**only: Any) -> list[str]:
        with db.read() as session:
            return [row.item for row in decisions.decisions(session, **only)]

    assert items() == ["a", "b", "c"]
    assert items(account=ACCOUNT) == ["a", "c"]
    assert items(campaign="launch") == ["a", "b"]
    assert items(since=NOON + DAY) == ["c"]


def test_refusals_are_listed_since_a_moment(db: Database, rows: Any) -> None:
    with db.write() as session:
        assert decisions.log_refusal(session, rows.refusal(rule="P1")).id is not None
        decisions.log_refusal(session, rows.refusal(rule="P2", at=NOON + DAY))
    with db.read() as session:
        assert [row.rule for row in decisions.refusals(session)] == ["P1", "P2"]
        assert [row.rule for row in decisions.refusals(session, NOON + timedelta(seconds=1))] == ["P2"]


# --- outcomes -------------------------------------------------------------------------------------------------------


def publish(session: Session, post: Post, ref: str, at: datetime = NOON) -> None:
    (added,) = outbox.add(session, [post])
    assert added.id is not None
    outbox.published(session, added.id, ref=ref, published_at=at, now=at)


def count(session: Session, ref: str, age: timedelta, likes: int) -> None:
    (post,) = (post for post in engagement.history(session, ACCOUNT) if post.ref == ref)
    engagement.add_snapshot(session, post.history_id, age, age, NOON + age, likes=likes)


def test_the_outcome_of_a_decision_is_its_latest_counts_and_says_whether_they_are_finished(
    db: Database, rows: Any
) -> None:
    with db.write() as session:
        made = decisions.log_decision(session, rows.decision(holdout=True, propensity=0.25))
        publish(session, rows.post(decision_id=made.id), "a")
        (uncounted,) = decisions.outcomes(session)
        assert (uncounted.likes, uncounted.age_s, uncounted.finished) == (None, None, False)
        count(session, "a", DAY - timedelta(seconds=1), 3)
        (young,) = decisions.outcomes(session)
        assert (young.likes, young.finished) == (3, False)
        count(session, "a", DAY, 4)
        (done,) = decisions.outcomes(session)
    assert (done.decision_id, done.holdout, done.propensity, done.published_at) == (made.id, True, 0.25, NOON)
    assert (done.likes, done.impressions, done.age_s, done.finished) == (4, None, 86400, True)


def test_only_published_posts_that_came_from_a_decision_have_an_outcome_oldest_first(db: Database, rows: Any) -> None:
    with db.write() as session:
        made = [decisions.log_decision(session, rows.decision()) for _ in range(4)]
        publish(session, rows.post(decision_id=made[0].id), "late", NOON + DAY)
        publish(session, rows.post(decision_id=made[1].id), "early")
        publish(session, rows.post(decision_id=made[2].id, account="fake/other"), "elsewhere")
        publish(session, rows.post(), "undecided")
        outbox.add(session, [rows.post(decision_id=made[3].id)])
        ours = [outcome.decision_id for outcome in decisions.outcomes(session, ACCOUNT)]
        assert ours == [made[1].id, made[0].id]
        assert len(decisions.outcomes(session)) == 3
