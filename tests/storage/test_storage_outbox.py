"""The outbox: a post is added once, claimed by one worker, and moved only from where it may be moved."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from storage import calendar, engagement, outbox
from storage.database import Database, open_database
from storage.models import History, Post, State

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
LEASE = timedelta(minutes=5)
ACCOUNT = "fake/main"


def put(db: Database, *posts: Post) -> list[int]:
    with db.write() as session:
        return [post.id for post in outbox.add(session, posts) if post.id is not None]


def at(db: Database, post_id: int) -> Post:
    with db.read() as session:
        found = outbox.get(session, post_id)
    assert found is not None
    return found


def claim(db: Database, worker: str = "w1", limit: int = 10, now: datetime = NOON) -> list[int]:
    with db.write() as session:
        return [post.id for post in outbox.claim_due(session, now, worker, limit) if post.id is not None]


def sending(db: Database, rows: Any, **changes: Any) -> int:
    """A post whose intent is committed."""
    (post_id,) = put(db, rows.post(**changes))
    assert claim(db) == [post_id]
    with db.write() as session:
        assert outbox.intend(session, post_id, "w1", NOON)
    return post_id


def tell(db: Database, post_id: int, ref: str = "r1", **changes: Any) -> None:
    said: dict[str, Any] = {"ref": ref, "published_at": NOON, "now": LATER} | changes
    with db.write() as session:
        outbox.published(session, post_id, **said)


# --- drafts ---------------------------------------------------------------------------------------------------------


def test_a_digest_is_the_same_only_for_drafts_that_look_the_same() -> None:
    draft = {"text": "größe", "kind": "text"}
    assert outbox.digest_of(draft) == outbox.digest_of({"kind": "text", "text": "größe"})
    assert outbox.digest_of(draft) != outbox.digest_of({**draft, "text": "große"})
    assert outbox.digest_of(draft) != outbox.digest_of({**draft, "link": "https://a.example"})
    assert len(outbox.digest_of(draft)) == 64


def test_the_words_of_a_draft_are_all_a_reader_sees_title_first() -> None:
    assert outbox.words_of({"title": "T", "text": "a", "parts": ["b", "c"]}) == "T a b c"
    assert outbox.words_of({"text": "a", "title": None}) == "a"


# --- adding ---------------------------------------------------------------------------------------------------------


def test_a_slot_of_an_item_is_taken_once(db: Database, rows: Any) -> None:
    first = rows.post(item="hello")
    assert len(put(db, first)) == 1
    assert put(db, rows.post(item="hello")) == []
    assert len(put(db, rows.post(item="hello", account="fake/other"))) == 1
    assert len(put(db, rows.post(item="hello", slot_at=LATER))) == 1


def test_a_key_and_a_mention_are_taken_once(db: Database, rows: Any) -> None:
    with db.write() as session:
        mention = rows.mention()
        session.add(mention)
    assert len(put(db, rows.post(key="k", mention_id=mention.id))) == 1
    assert put(db, rows.post(key="k")) == []
    assert put(db, rows.post(mention_id=mention.id)) == []


def test_ids_of_withdrawn_posts_do_not_come_back(db: Database, rows: Any) -> None:
    (first,) = put(db, rows.post())
    with db.write() as session:
        outbox.replace_planned(session, "launch", ACCOUNT, [], NOON - LEASE)
    (second,) = put(db, rows.post())
    assert second > first


# --- claiming -------------------------------------------------------------------------------------------------------


def test_only_due_posts_are_claimed_oldest_first_and_no_more_than_asked(db: Database, rows: Any) -> None:
    new, old, _ = put(
        db, rows.post(), rows.post(not_before=NOON - LEASE), rows.post(not_before=NOON + timedelta(microseconds=1))
    )
    assert claim(db, limit=1) == [old]
    assert claim(db) == [new]
    assert claim(db) == []
    post = at(db, old)
    assert (post.state, post.claimed_by, post.claimed_at, post.updated_at) == (State.CLAIMED, "w1", NOON, NOON)


@pytest.mark.parametrize("state", [state for state in State if state is not State.PLANNED])
def test_only_planned_posts_are_claimed(db: Database, rows: Any, state: State) -> None:
    put(db, rows.post(state=state))
    assert claim(db) == []


def test_many_workers_claim_each_post_once(db: Database, address: str, rows: Any) -> None:
    ids = put(db, *(rows.post() for _ in range(120)))
    claimed: dict[str, list[int]] = {}

    def work(worker: str) -> None:
        own = open_database(address, migrate=False, busy_timeout=30)
        claimed[worker] = []
        while some := claim(own, worker, 3):
            claimed[worker] += some
        own.close()

    threads = [threading.Thread(target=work, args=(f"w{place}",)) for place in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(post_id for some in claimed.values() for post_id in some) == ids
    for worker, some in claimed.items():
        assert all(at(db, post_id).claimed_by == worker for post_id in some)


# --- intent and result ----------------------------------------------------------------------------------------------


def test_an_intent_is_committed_once_and_only_by_who_claimed_it(db: Database, rows: Any) -> None:
    (post_id,) = put(db, rows.post())
    with db.write() as session:
        assert not outbox.intend(session, post_id, "w1", NOON)
    claim(db)
    with db.write() as session:
        assert not outbox.intend(session, post_id, "w2", NOON)
        assert outbox.intend(session, post_id, "w1", LATER)
        assert not outbox.intend(session, post_id, "w1", LATER)
    post = at(db, post_id)
    assert (post.state, post.attempts, post.intent_at) == (State.SENDING, 1, LATER)


def test_a_receipt_makes_it_published_with_a_row_in_the_history(db: Database, rows: Any) -> None:
    post_id = sending(db, rows, draft={"title": "T", "text": "hello", "kind": "link"})
    tell(db, post_id, extras="x", url="https://fake.example/r1")
    post = at(db, post_id)
    assert (post.state, post.ref, post.extras, post.url) == (State.PUBLISHED, "r1", "x", "https://fake.example/r1")
    assert post.published_at == NOON
    with db.read() as session:
        (row,) = session.exec(select(History)).all()
    assert (row.account, row.ref, row.text, row.kind, row.source) == (ACCOUNT, "r1", "T hello", "link", "kairos")
    assert (row.created_at, row.post_id) == (NOON, post_id)


def test_a_receipt_told_twice_changes_nothing(db: Database, rows: Any) -> None:
    post_id = sending(db, rows)
    tell(db, post_id)
    tell(db, post_id, ref="r2", published_at=LATER)
    assert (at(db, post_id).ref, at(db, post_id).published_at) == ("r1", NOON)
    with db.read() as session:
        assert [row.ref for row in session.exec(select(History)).all()] == ["r1"]


def test_a_post_a_backfill_saw_first_has_one_row_in_the_history(db: Database, rows: Any) -> None:
    post_id = sending(db, rows)
    with db.write() as session:
        engagement.record_history(session, ACCOUNT, [rows.past("r1", created_at=NOON, likes=3)], "backfill", LATER)
    tell(db, post_id)
    with db.read() as session:
        (row,) = session.exec(select(History)).all()
        assert (row.post_id, row.source) == (post_id, "kairos")
        assert [post.likes for post in engagement.history(session, ACCOUNT)] == [3]


def test_an_answer_is_a_reply_in_the_history(db: Database, rows: Any) -> None:
    tell(db, sending(db, rows, kind="reply"))
    with db.read() as session:
        assert [row.kind for row in session.exec(select(History)).all()] == ["reply"]


def test_a_try_that_wrote_nothing_is_planned_again_later(db: Database, rows: Any) -> None:
    post_id = sending(db, rows)
    with db.write() as session:
        outbox.retry(session, post_id, not_before=LATER, reason="busy", now=NOON)
    post = at(db, post_id)
    assert (post.state, post.not_before, post.reason) == (State.PLANNED, LATER, "busy")
    assert (post.claimed_by, post.claimed_at, post.attempts) == (None, None, 1)
    assert claim(db) == []
    assert claim(db, now=LATER) == [post_id]


def test_a_refused_draft_has_failed_and_a_held_one_waits(db: Database, rows: Any) -> None:
    first = sending(db, rows)
    with db.write() as session:
        outbox.failed(session, first, reason="too long", now=NOON, rule="P9")
    assert (at(db, first).state, at(db, first).reason, at(db, first).rule) == (State.FAILED, "too long", "P9")
    (second,) = put(db, rows.post())
    with db.write() as session:
        outbox.hold(session, second, rule="S5", reason="look at this", now=NOON)
    assert (at(db, second).state, at(db, second).rule, at(db, second).reason) == (State.HELD, "S5", "look at this")


# --- in doubt -------------------------------------------------------------------------------------------------------


def doubtful(db: Database, rows: Any) -> int:
    """A post whose first call was lost, and that is being sent again with its key."""
    post_id = sending(db, rows)
    with db.write() as session:
        outbox.unknown(session, post_id, reason="lost", now=NOON)
        assert outbox.intend_again(session, post_id, "w2", LATER)
    post = at(db, post_id)
    assert (post.state, post.in_doubt, post.attempts, post.claimed_by) == (State.SENDING, True, 2, "w2")
    return post_id


@pytest.mark.parametrize("how", ["retry", "failed", "hold"])
def test_what_an_earlier_try_may_have_written_stays_unknown_whatever_a_later_try_says(
    db: Database, rows: Any, how: str
) -> None:
    post_id = doubtful(db, rows)
    with db.write() as session:
        if how == "retry":
            outbox.retry(session, post_id, not_before=LATER, reason="busy", now=LATER)
        elif how == "failed":
            outbox.failed(session, post_id, reason="refused", now=LATER)
        else:
            outbox.hold(session, post_id, rule="S5", reason="log in", now=LATER)
    assert (at(db, post_id).state, at(db, post_id).in_doubt) == (State.UNKNOWN, True)


def test_only_the_platforms_word_ends_the_doubt(db: Database, rows: Any) -> None:
    post_id = doubtful(db, rows)
    tell(db, post_id)
    assert (at(db, post_id).state, at(db, post_id).in_doubt) == (State.PUBLISHED, False)


def test_only_an_unknown_post_is_sent_again(db: Database, rows: Any) -> None:
    post_id = sending(db, rows)
    with db.write() as session:
        assert not outbox.intend_again(session, post_id, "w2", NOON)
    tell(db, post_id)
    with db.write() as session:
        assert not outbox.intend_again(session, post_id, "w2", NOON)


def test_the_platform_outranks_our_books(db: Database, rows: Any) -> None:
    for place, state in enumerate(state for state in State if state is not State.PUBLISHED):
        (post_id,) = put(db, rows.post(state=state, reason="given up", rule="P2"))
        tell(db, post_id, ref=f"r{place}")
        post = at(db, post_id)
        assert (post.state, post.reason, post.rule) == (State.PUBLISHED, None, None)


# --- recovery -------------------------------------------------------------------------------------------------------


def test_what_a_dead_process_left_is_taken_back_after_its_lease_and_not_before(db: Database, rows: Any) -> None:
    lost = sending(db, rows)
    (held,) = put(db, rows.post())
    claim(db)
    for now, expected in [
        (NOON + LEASE - timedelta(seconds=1), (0, 0)),
        (NOON + LEASE, (1, 1)),
        (NOON + LEASE, (0, 0)),
    ]:
        with db.write() as session:
            assert outbox.recover(session, now, LEASE) == expected
    assert (at(db, held).state, at(db, held).claimed_by) == (State.PLANNED, None)
    assert (at(db, lost).state, at(db, lost).in_doubt) == (State.UNKNOWN, True)
    assert at(db, lost).reason == "it was being sent when Kairos ended"
    assert claim(db, now=NOON + LEASE) == [held]


# --- people ---------------------------------------------------------------------------------------------------------


def test_a_yes_is_for_exactly_this_draft(db: Database, rows: Any) -> None:
    (post_id,) = put(db, rows.post(state=State.HELD, rule="S1", reason="asks first"))
    with db.write() as session:
        assert outbox.approve(session, post_id, LATER)
    post = at(db, post_id)
    assert (post.state, post.approved_at, post.rule, post.reason) == (State.PLANNED, LATER, None, None)
    assert post.approved_digest == post.digest == outbox.digest_of(post.draft)


def test_a_yes_to_another_text_is_a_yes_to_that_text(db: Database, rows: Any) -> None:
    (post_id,) = put(db, rows.post(state=State.HELD, draft={"text": "a", "kind": "link", "link": "https://a.example"}))
    with db.write() as session:
        assert outbox.approve(session, post_id, LATER, "b")
    post = at(db, post_id)
    assert post.draft == {"text": "b", "kind": "link", "link": "https://a.example"}
    assert post.approved_digest == outbox.digest_of(post.draft)


@pytest.mark.parametrize("state", [state for state in State if state not in (State.HELD, State.PLANNED)])
def test_a_yes_can_come_too_late(db: Database, rows: Any, state: State) -> None:
    (post_id,) = put(db, rows.post(state=state, text="a"))
    with db.write() as session:
        assert not outbox.approve(session, post_id, LATER, "b")
    assert (at(db, post_id).state, at(db, post_id).draft["text"]) == (state, "a")


@pytest.mark.parametrize("state", list(State))
def test_a_no_counts_until_it_is_on_its_way(db: Database, rows: Any, state: State) -> None:
    (post_id,) = put(db, rows.post(state=state))
    with db.write() as session:
        done = outbox.reject(session, post_id, LATER, "not this")
    assert done == (state in (State.PLANNED, State.HELD, State.CLAIMED, State.UNKNOWN))
    assert at(db, post_id).state == (State.CANCELLED if done else state)
    assert at(db, post_id).reason == ("not this" if done else None)


@pytest.mark.parametrize("state", list(State))
def test_only_what_is_unknown_is_sent_again_on_a_persons_word(db: Database, rows: Any, state: State) -> None:
    (post_id,) = put(db, rows.post(state=state, in_doubt=state is State.UNKNOWN))
    with db.write() as session:
        done = outbox.send_again(session, post_id, LATER)
    assert done == (state is State.UNKNOWN)
    after = at(db, post_id)
    assert after.state == (State.PLANNED if done else state)
    assert (after.in_doubt, after.approved_digest) == (False, after.digest if done else None)


def test_nothing_happens_to_a_post_that_is_not_there(db: Database) -> None:
    with db.write() as session:
        assert not outbox.cancel(session, 999, reason="", now=NOON)
        assert not outbox.approve(session, 999, NOON)
        outbox.retry(session, 999, not_before=NOON, reason="", now=NOON)
        outbox.published(session, 999, ref="r", published_at=NOON, now=NOON)
        assert session.exec(select(History)).all() == []


# --- a new plan -----------------------------------------------------------------------------------------------------


def test_a_new_plan_replaces_what_nobody_has_touched(db: Database, rows: Any) -> None:
    put(db, rows.post(item="old"), rows.post(item="asks", state=State.HELD))
    with db.write() as session:
        made = outbox.replace_planned(session, "launch", ACCOUNT, [rows.post(item="new")], NOON - LEASE)
        assert [post.item for post in made] == ["new"]
        assert [post.item for post in session.exec(select(Post)).all()] == ["new"]


def test_a_new_plan_leaves_what_was_touched_what_is_over_and_what_is_not_its_own(db: Database, rows: Any) -> None:
    stay = [
        rows.post(item="approved", approved_digest="d"),
        rows.post(item="tried", attempts=1),
        rows.post(item="soon", slot_at=NOON - LEASE),
        rows.post(item="another", campaign="other"),
        rows.post(item="elsewhere", account="fake/other"),
        rows.post(item="answer", kind="reply"),
        *(rows.post(item=state, state=state) for state in State if state not in (State.PLANNED, State.HELD)),
    ]
    put(db, *stay)
    new = [rows.post(item="approved"), rows.post(item="rejected", state=State.PLANNED)]
    with db.write() as session:
        made = outbox.replace_planned(session, "launch", ACCOUNT, new, NOON - LEASE)
        assert [post.item for post in made] == ["rejected"]
        items = {post.item for post in session.exec(select(Post)).all()}
    assert items == {post.item for post in stay} | {"rejected"}


def test_a_rejected_slot_is_not_planned_again(db: Database, rows: Any) -> None:
    (post_id,) = put(db, rows.post(item="hello"))
    with db.write() as session:
        outbox.reject(session, post_id, NOON, "no")
        assert outbox.replace_planned(session, "launch", ACCOUNT, [rows.post(item="hello")], NOON - LEASE) == []


def test_what_went_out_last_is_shown_first(db: Database, rows: Any) -> None:
    with db.write() as session:
        added = outbox.add(session, [rows.post(), rows.post(), rows.post()])
        for hours, post in enumerate(added[:2]):
            assert post.id is not None
            at = NOON + timedelta(hours=hours)
            outbox.published(session, post.id, ref=f"r{hours}", published_at=at, now=at)
    with db.read() as session:
        assert [post.ref for post in calendar.recent(session, 5)] == ["r1", "r0"]
        assert [post.ref for post in calendar.recent(session, 1)] == ["r1"]
