"""Delivery: each due post goes out once, and what may be public is never sent blindly again."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.errors import AuthExpired, OutcomeUnknown, RateLimited, Rejected, Unavailable
from scheduler.lookout import GRACE, KEY_KEPT, SECOND_LOOK, SKEW
from scheduler.verdict import Refusal
from storage import decisions, outbox
from storage.models import Post, State

LEASE = timedelta(minutes=5)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def test_a_due_post_is_published_once(stage: Any) -> None:
    (post_id,) = stage.plan()
    deliverer = stage.deliverer()
    assert deliverer.tick() == 1
    assert deliverer.tick() == 0
    post = stage.post(post_id)
    assert (post.state, post.ref, post.extras, post.attempts) == (State.PUBLISHED, "0", "x", 1)
    assert post.url == "https://fake.example/0"
    assert stage.platform.calls == ["p0"]
    assert stage.told() == ["post.published"]


def test_a_post_that_is_not_due_waits_for_its_slot(stage: Any) -> None:
    stage.plan(after=timedelta(minutes=3))
    deliverer = stage.deliverer()
    assert deliverer.tick() == 0
    assert deliverer.next_moment() == stage.clock() + timedelta(minutes=3)
    stage.later(minutes=3)
    assert deliverer.tick() == 1


def test_a_thousand_posts_of_one_instant_all_go_out_once_in_few_commits(stage: Any) -> None:
    stage.plan(1000)
    commits = []
    write = stage.db.write

    class Counted:
        read = stage.db.read

        def write(self) -> Any:
            commits.append(1)
            return write()

    stage.db = Counted()
    assert stage.deliverer(pool_size=8).tick() == 1000
    assert sorted(stage.platform.calls) == sorted(f"p{place}" for place in range(1000))
    assert stage.states() == {"published": 1000}
    assert len(commits) < 250


def test_the_intent_is_committed_before_the_platform_is_called(stage: Any) -> None:
    (post_id,) = stage.plan()
    seen = []
    stage.platform.script.append(lambda: seen.append((stage.post(post_id).state, stage.post(post_id).attempts)))
    stage.deliverer().tick()
    assert seen == [(State.SENDING, 1)]


def test_no_transaction_is_open_while_a_platform_is_called(stage: Any) -> None:
    stage.plan()

    def write_something() -> None:
        with stage.db.write() as session:
            outbox.recover(session, stage.clock(), LEASE)

    stage.platform.script.append(write_something)
    assert stage.deliverer().tick() == 1


def test_the_gate_is_asked_in_the_transaction_that_commits_the_intent(stage: Any) -> None:
    stage.plan(3)
    seen = []

    def allow(session: Any, post: Post) -> None:
        seen.append(outbox.count_by_state(session).get(State.SENDING, 0))

    stage.allow = allow
    stage.deliverer().tick()
    assert seen == [0, 1, 2]


@pytest.mark.parametrize(("then", "state"), [("cancel", State.CANCELLED), ("hold", State.HELD)])
def test_what_the_gate_refuses_is_not_sent_and_the_refusal_is_logged(stage: Any, then: Any, state: State) -> None:
    (post_id,) = stage.plan()
    stage.verdicts["*"] = Refusal("R2", "the rules of the platform", "already said this week", then)
    stage.deliverer().tick()
    post = stage.post(post_id)
    assert stage.platform.calls == []
    assert (post.state, post.rule, post.reason) == (state, "R2", "already said this week")
    with stage.db.read() as session:
        (row,) = decisions.refusals(session, EPOCH)
    assert (row.rule, row.source, row.stage, row.post_id) == ("R2", "the rules of the platform", "gate", post_id)
    assert stage.told() == [f"post.{'cancelled' if then == 'cancel' else 'held'}"]
    assert stage.events[0].rule == "R2"


def test_a_refusal_for_now_is_asked_again_at_its_time_and_logged_once(stage: Any) -> None:
    (post_id,) = stage.plan()
    hour = stage.clock() + timedelta(hours=1)
    stage.verdicts["*"] = Refusal("S4", "caps", "two posts this hour", "later", hour)
    deliverer = stage.deliverer()
    deliverer.tick()
    assert (stage.post(post_id).state, stage.post(post_id).not_before) == (State.PLANNED, hour)
    stage.later(hours=1)
    deliverer.tick()
    assert len(stage.asked) == 2
    with stage.db.read() as session:
        assert len(decisions.refusals(session, EPOCH)) == 1
    stage.verdicts.clear()
    stage.later(minutes=2)
    deliverer.tick()
    assert stage.post(post_id).state == State.PUBLISHED


def test_a_kill_switch_thrown_between_claim_and_send_stops_the_post(stage: Any) -> None:
    stage.plan(8)
    stop = Refusal("S1", "kill switch", "stopped by a person", "hold")
    # The first call throws the switch: with a pool of one, nothing else has been permitted yet.
    stage.platform.script.append(lambda: stage.verdicts.update({"*": stop}))
    stage.deliverer(pool_size=1).tick()
    assert stage.platform.calls == ["p0"]
    assert stage.states() == {"published": 1, "held": 7}


def test_a_post_cancelled_after_its_claim_is_not_sent(stage: Any) -> None:
    first, second = stage.plan(2)

    def allow(session: Any, post: Post) -> None:
        stage.asked.append(post.draft["text"])
        if post.id == first:
            assert outbox.cancel(session, second, reason="changed my mind", now=stage.clock())

    stage.allow = allow
    stage.deliverer().tick()
    assert stage.platform.calls == ["p0"]
    assert stage.asked == ["p0"]
    assert stage.post(second).state == State.CANCELLED


def test_a_rate_limited_post_is_tried_again_after_the_reset(stage: Any) -> None:
    (post_id,) = stage.plan()
    reset = stage.clock() + timedelta(minutes=10)
    stage.platform.script.append(RateLimited("too many posts", reset))
    deliverer = stage.deliverer()
    deliverer.tick()
    assert (stage.post(post_id).state, stage.post(post_id).reason) == (State.PLANNED, "too many posts")
    assert stage.post(post_id).not_before >= reset
    stage.clock.advance_to(reset - timedelta(seconds=1))
    deliverer.tick()
    assert len(stage.platform.calls) == 1
    stage.later(minutes=1)
    deliverer.tick()
    assert stage.post(post_id).state == State.PUBLISHED
    assert stage.told() == ["post.retry", "post.published"]


def test_an_absent_platform_is_tried_again_less_and_less_often(stage: Any) -> None:
    (post_id,) = stage.plan()
    stage.platform.script.extend(Unavailable("no answer") for _ in range(6))
    deliverer, waits = stage.deliverer(), []
    for _ in range(6):
        deliverer.tick()
        waits.append(stage.post(post_id).not_before - stage.clock())
        stage.clock.advance_to(stage.post(post_id).not_before)
    assert waits == sorted(waits)
    assert waits[-1] > 8 * waits[0]
    deliverer.tick()
    assert stage.post(post_id).state == State.PUBLISHED
    assert stage.account().paused_reason is None


def test_a_rejected_post_fails_with_the_platforms_words_and_stays_failed(stage: Any) -> None:
    (post_id,) = stage.plan()
    stage.platform.script.append(Rejected("too long by 12 characters"))
    deliverer = stage.deliverer()
    deliverer.tick()
    stage.later(hours=5)
    deliverer.tick()
    assert (stage.post(post_id).state, stage.post(post_id).reason) == (State.FAILED, "too long by 12 characters")
    assert len(stage.platform.calls) == 1


def test_a_lost_login_holds_the_post_and_pauses_the_account(stage: Any) -> None:
    (post_id,) = stage.plan()
    stage.platform.script.append(AuthExpired("token expired"))
    stage.deliverer().tick()
    assert stage.post(post_id).state == State.HELD
    assert "token expired" in stage.post(post_id).reason
    assert "token expired" in stage.account().paused_reason
    assert stage.told() == ["post.held", "account.paused"]


def test_three_failures_in_a_row_pause_an_account_and_only_that_one(stage: Any) -> None:
    stage.platforms["fake/other"] = type(stage.platform)(stage.clock)
    stage.plan(3)
    stage.plan(2, account="fake/other")
    stage.platform.script.extend([Rejected("no"), Rejected("no"), Rejected("spam")])
    stage.platforms["fake/other"].script.extend([Rejected("no"), Rejected("no")])
    stage.deliverer().tick()
    assert "spam" in stage.account().paused_reason
    assert stage.account("fake/other").paused_reason is None


def test_a_success_between_failures_keeps_the_account_open(stage: Any) -> None:
    stage.plan(5)
    stage.platform.script.extend([Rejected("no"), Rejected("no"), lambda: None, Rejected("no"), Rejected("no")])
    stage.deliverer(pool_size=1).tick()
    assert stage.states() == {"failed": 4, "published": 1}
    assert stage.account().paused_reason is None


def test_a_post_whose_answer_was_lost_is_found_and_not_sent_again(stage: Any) -> None:
    (post_id,) = stage.plan()
    stage.platform.script.append("lost")
    deliverer = stage.deliverer()
    deliverer.tick()
    assert (stage.post(post_id).state, stage.post(post_id).reason) == (State.UNKNOWN, "the answer was lost")
    deliverer.tick()
    assert stage.platform.looked == []
    assert deliverer.next_moment() == stage.clock() + GRACE
    stage.later(seconds=GRACE.total_seconds())
    deliverer.tick()
    assert stage.post(post_id).state == State.PUBLISHED
    assert stage.platform.calls == ["p0"]
    assert stage.platform.looked == [stage.post(post_id).intent_at - SKEW]


def test_a_connector_that_raises_anything_else_leaves_the_post_unknown(stage: Any) -> None:
    (post_id,) = stage.plan(text="a secret wording")
    stage.platform.script.append(ZeroDivisionError("a secret wording"))
    stage.deliverer().tick()
    assert stage.post(post_id).state == State.UNKNOWN
    assert "ZeroDivisionError" in stage.post(post_id).reason
    assert "secret" not in str(stage.events)


def test_a_post_not_found_twice_without_idempotency_waits_for_a_person_and_is_never_resent(stage: Any) -> None:
    (post_id,) = stage.plan()
    stage.platform.script.append(OutcomeUnknown("timed out"))
    deliverer = stage.deliverer()
    deliverer.tick()
    stage.later(seconds=31)
    deliverer.tick()
    assert len(stage.platform.looked) == 1
    stage.later(minutes=9)
    deliverer.tick()
    assert len(stage.platform.looked) == 1
    stage.later(minutes=2)
    deliverer.tick()
    assert len(stage.platform.looked) == 2
    assert "look on the platform yourself" in stage.post(post_id).reason
    assert stage.told() == ["post.unknown", "post.parked"]
    for _ in range(30):
        stage.later(hours=1)
        deliverer.tick()
    assert stage.post(post_id).state == State.UNKNOWN
    assert stage.platform.calls == ["p0"]
    assert len(stage.platform.looked) == 2
    assert deliverer.next_moment() is None


def test_a_timeline_that_lags_is_believed_at_the_second_look(stage: Any) -> None:
    (post_id,) = stage.plan()
    stage.platform.script.append("lost")
    stage.platform.looks.append("lagging")
    deliverer = stage.deliverer()
    deliverer.tick()
    for _ in range(2):
        stage.later(seconds=SECOND_LOOK.total_seconds() + 31)
        deliverer.tick()
    assert stage.post(post_id).state == State.PUBLISHED
    assert stage.platform.calls == ["p0"]


def test_with_native_idempotency_a_missing_post_is_sent_again_with_the_same_key(stage: Any) -> None:
    (post_id,) = stage.plan()
    stage.platforms["fake/main"] = type(stage.platform)(stage.clock, native=True)
    stage.platform.script.append("lost")
    stage.platform.looks.append("lagging")
    deliverer = stage.deliverer()
    deliverer.tick()
    stage.later(seconds=31)
    deliverer.tick()
    assert stage.platform.calls == ["p0", "p0"]
    assert len(stage.platform.timeline) == 1
    assert stage.post(post_id).state == State.PUBLISHED


def test_a_stopped_gate_also_stops_sending_again(stage: Any) -> None:
    (post_id,) = stage.plan()
    stage.platforms["fake/main"] = type(stage.platform)(stage.clock, native=True)
    stage.platform.script.append(OutcomeUnknown("timed out"))
    deliverer = stage.deliverer()
    deliverer.tick()
    stage.verdicts["*"] = Refusal("S1", "kill switch", "stopped", "hold")
    stage.later(minutes=1)
    deliverer.tick()
    assert stage.platform.calls == ["p0"]
    assert stage.post(post_id).state == State.UNKNOWN


def test_each_further_try_with_the_same_key_is_looked_for_later(stage: Any) -> None:
    stage.plan()
    stage.platforms["fake/main"] = type(stage.platform)(stage.clock, native=True)
    stage.platform.script.extend([OutcomeUnknown("timed out")] * 3)
    deliverer = stage.deliverer()
    waits = []
    for _ in range(3):
        deliverer.tick()
        deliverer.tick()
        waits.append(deliverer.next_moment() - stage.clock())
        stage.clock.advance_to(deliverer.next_moment())
    assert waits == [GRACE, 2 * GRACE, 4 * GRACE]


def test_a_key_the_platform_may_have_forgotten_is_not_relied_on(stage: Any) -> None:
    (post_id,) = stage.plan()
    stage.platforms["fake/main"] = type(stage.platform)(stage.clock, native=True)
    stage.platform.script.append(OutcomeUnknown("timed out"))
    deliverer = stage.deliverer()
    deliverer.tick()
    stage.later(seconds=KEY_KEPT.total_seconds() + 1)
    deliverer.tick()
    stage.later(minutes=11)
    deliverer.tick()
    assert stage.platform.calls == ["p0"]
    assert "look on the platform yourself" in stage.post(post_id).reason


def test_keys_are_not_relied_on_an_hour_after_the_first_try_however_many_followed(stage: Any) -> None:
    stage.plan()
    stage.platforms["fake/main"] = type(stage.platform)(stage.clock, native=True)
    stage.platform.script.extend([OutcomeUnknown("timed out")] * 99)
    deliverer = stage.deliverer()
    last = stage.clock()
    for _ in range(400):
        before = len(stage.platform.calls)
        deliverer.tick()
        if len(stage.platform.calls) > before:
            last = stage.clock()
        stage.later(seconds=30)
    assert len(stage.platform.calls) > 2
    assert last - stage.post(1).slot_at < KEY_KEPT


def test_another_post_that_reads_the_same_is_not_taken_for_the_lost_one(stage: Any) -> None:
    stage.plan(text="same")
    deliverer = stage.deliverer()
    deliverer.tick()
    stage.later(minutes=2)
    (lost,) = stage.plan(text="same")
    stage.platform.script.append(OutcomeUnknown("timed out"))
    deliverer.tick()
    stage.later(minutes=1)
    deliverer.tick()
    assert stage.post(lost).state == State.UNKNOWN


def test_two_lost_posts_that_read_the_same_do_not_both_claim_the_one_that_is_public(stage: Any) -> None:
    ids = stage.plan(2, text="same")
    stage.platform.script.extend(["lost", OutcomeUnknown("timed out")])
    deliverer = stage.deliverer()
    for _ in range(4):
        deliverer.tick()
        stage.later(minutes=11)
    assert sorted(stage.post(post_id).state for post_id in ids) == [State.PUBLISHED, State.UNKNOWN]
    assert len(stage.platform.timeline) == 1


def test_a_look_that_fails_is_repeated_and_teaches_nothing(stage: Any) -> None:
    (post_id,) = stage.plan()
    stage.platform.script.append("lost")
    stage.platform.looks.extend([Unavailable("down"), AuthExpired("log in"), Unavailable("down")])
    deliverer = stage.deliverer()
    deliverer.tick()
    for _ in range(4):
        stage.later(minutes=16)
        deliverer.tick()
    assert stage.post(post_id).state == State.PUBLISHED
    assert stage.platform.calls == ["p0"]


def test_a_broken_draft_or_connector_fails_without_a_call(stage: Any) -> None:
    (post_id,) = stage.plan(account="fake/nobody")
    stage.deliverer().tick()
    assert stage.post(post_id).state == State.FAILED
    assert stage.platform.calls == []


def test_claims_of_a_dead_worker_are_released_after_the_lease_and_its_sends_looked_for(stage: Any) -> None:
    claimed, sent = stage.plan(2)
    with stage.db.write() as session:
        assert len(outbox.claim_due(session, stage.clock(), "dead", 2)) == 2
        assert outbox.intend(session, sent, "dead", stage.clock())
    stage.platform.timeline.append(("p1", "fake/main-x", stage.clock()))
    deliverer = stage.deliverer()
    assert deliverer.tick() == 0
    stage.later(minutes=6)
    deliverer.tick()
    deliverer.tick()
    assert stage.platform.calls == ["p0"]
    assert stage.post(claimed).state == stage.post(sent).state == State.PUBLISHED
    assert "posts.recovered" in stage.told()


def test_taking_over_does_not_wait_for_the_lease(stage: Any) -> None:
    stage.plan()
    with stage.db.write() as session:
        outbox.claim_due(session, stage.clock(), "dead", 1)
    deliverer = stage.deliverer()
    deliverer.take_over()
    assert deliverer.tick() == 1


def test_a_process_that_slept_past_its_lease_does_not_send(stage: Any) -> None:
    (post_id,) = stage.plan()
    asleep = stage.connectors

    def connectors(account: str) -> Any:
        if not stage.platform.calls and stage.post(post_id).attempts == 1:
            stage.later(minutes=6)  # the machine sleeps between the intent and the socket
        return asleep(account)

    stage.connectors = connectors
    deliverer = stage.deliverer()
    deliverer.tick()
    assert stage.told() == ["post.put_back"]
    assert stage.platform.calls == []
    stage.later(seconds=1)
    deliverer.tick()
    assert stage.platform.calls == ["p0"]
    assert stage.asked == ["p0", "p0"]
    assert stage.post(post_id).state == State.PUBLISHED


def test_a_hanging_call_does_not_hold_up_other_accounts(stage: Any) -> None:
    stage.platforms["fake/other"] = type(stage.platform)(stage.clock)
    (stuck,) = stage.plan()
    free = threading.Event()
    stage.platform.script.append(lambda: free.wait(20))
    deliverer = stage.deliverer(patience=0.02)
    deliverer.tick()
    others = stage.plan(5, account="fake/other")
    deliverer.tick()
    assert all(stage.post(post_id).state == State.PUBLISHED for post_id in others)
    assert stage.post(stuck).state == State.SENDING
    free.set()
    assert deliverer.drain(10)
    assert stage.post(stuck).state == State.PUBLISHED


def test_drain_waits_for_what_is_out_and_puts_back_what_was_not_sent(stage: Any) -> None:
    deliverer = stage.deliverer(pool_size=1, patience=0.05)
    stage.plan(40)
    deliverer.tick()
    stage.later(minutes=1)
    ids = stage.plan(4)
    free = threading.Event()
    stage.platform.script.append(lambda: free.wait(20))
    deliverer.tick()
    assert [stage.post(post_id).state for post_id in ids] == [State.SENDING] * 4
    threading.Timer(0.1, free.set).start()
    assert deliverer.drain(10)
    assert [stage.post(post_id).state for post_id in ids] == [State.PUBLISHED, *[State.PLANNED] * 3]


def test_a_tick_in_progress_claims_nothing_more_once_the_drain_has_begun(stage: Any) -> None:
    stage.plan(5)
    started, free = threading.Event(), threading.Event()

    def hang() -> None:
        started.set()
        free.wait(20)

    stage.platform.script.append(hang)
    deliverer = stage.deliverer(pool_size=1)
    tick = threading.Thread(target=deliverer.tick)
    tick.start()
    assert started.wait(20)
    drain = threading.Thread(target=deliverer.drain)
    drain.start()
    drain.join(0.3)
    free.set()
    for thread in (tick, drain):
        thread.join(20)
    assert stage.states() == {"published": 1, "planned": 4}


def test_after_a_drain_nothing_is_sent_and_nothing_looked_for(stage: Any) -> None:
    stage.plan()
    stage.platform.script.append("lost")
    deliverer = stage.deliverer()
    deliverer.tick()
    assert deliverer.drain(10)
    stage.plan(after=timedelta(minutes=1))
    stage.later(hours=1)
    assert deliverer.tick() == 0
    assert stage.platform.looked == []
    assert stage.states() == {"unknown": 1, "planned": 1}


def test_a_look_that_hangs_is_not_begun_twice(stage: Any) -> None:
    stage.plan()
    free = threading.Event()
    stage.platform.script.append("lost")
    stage.platform.looks.append(lambda: free.wait(20))
    deliverer = stage.deliverer(patience=0.02)
    deliverer.tick()
    stage.later(minutes=1)
    for _ in range(3):
        deliverer.tick()
    free.set()
    assert deliverer.drain(10)
    assert len(stage.platform.looked) == 1
    assert stage.states() == {"published": 1}


def test_drain_gives_up_in_time_and_the_next_start_looks_for_what_was_out(stage: Any) -> None:
    (post_id,) = stage.plan()
    free = threading.Event()
    stage.platform.script.append(lambda: free.wait(20))
    deliverer = stage.deliverer(patience=0.02)
    deliverer.tick()
    assert not deliverer.drain(0.05)
    assert stage.post(post_id).state == State.SENDING
    free.set()
    assert deliverer.drain(10)
    assert stage.post(post_id).state == State.PUBLISHED


def test_a_receipt_survives_a_database_that_is_full_for_a_while(stage: Any) -> None:
    (post_id,) = stage.plan()
    real = stage.db
    full = {"now": False}

    class Full:
        read = real.read

        def write(self) -> Any:
            if full["now"]:
                raise OSError("disk full")
            return real.write()

    stage.platform.script.append(lambda: full.update(now=True))
    stage.db = Full()
    deliverer = stage.deliverer()
    with pytest.raises(OSError, match="disk full"):
        deliverer.tick()
    full["now"] = False
    stage.db = real
    assert stage.post(post_id).state == State.SENDING
    assert deliverer.tick() == 1
    assert stage.post(post_id).state == State.PUBLISHED
    assert stage.platform.calls == ["p0"]


def test_two_deliverers_on_one_outbox_send_each_post_once(stage: Any) -> None:
    stage.plan(60)
    one, two = stage.deliverer(worker="one"), stage.deliverer(worker="two")
    threads = [threading.Thread(target=deliverer.tick) for deliverer in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(stage.platform.calls) == sorted(f"p{place}" for place in range(60))
    assert stage.states() == {"published": 60}
