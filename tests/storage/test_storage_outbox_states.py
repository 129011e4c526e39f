"""Whatever workers, people and new plans do in whatever order: what may be public is never handed out a second time."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import delete, select

from storage import outbox
from storage.database import Database
from storage.models import History, Post, State

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEASE = timedelta(minutes=5)
ACCOUNT = "fake/main"
WORKERS = st.sampled_from(["w1", "w2"])
SPAN = st.integers(0, 400).map(lambda seconds: timedelta(seconds=seconds))

UNTRIED = (State.PLANNED, State.HELD, State.CLAIMED)


class Expected:
    """What the words of the outbox promise about one post, written down without any SQL."""

    def __init__(self, post: Post) -> None:
        self.state: State | None = State.PLANNED
        """None once a new plan has withdrawn it."""
        self.not_before = post.not_before
        self.claimed_by: str | None = None
        self.claimed_at = self.intent_at = NOON
        self.attempts = 0
        self.in_doubt = self.approved = self.public = False

    def give_back(self, state: State, out_of: tuple[State, ...]) -> bool:
        """A try that wrote nothing; where an earlier one may have, nothing frees the post."""
        if self.state not in out_of:
            return False
        if self.state is State.SENDING and self.in_doubt:
            self.state = State.UNKNOWN
            return False
        self.state, self.claimed_by = state, None
        return True


class Outbox(RuleBasedStateMachine):
    """Posts driven through every move in any order, beside a model that knows only what the docstrings say."""

    db: Database
    rows: Any

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.model: dict[int, Expected] = {}

    posts = Bundle("posts")

    @initialize()
    def an_empty_outbox(self) -> None:
        with self.db.write() as session:
            session.exec(delete(History))
            session.exec(delete(Post))

    @rule(target=posts, count=st.integers(1, 3))
    def add(self, count: int) -> Any:
        made = [self.rows.post(slot_at=self.now, not_before=self.now) for _ in range(count)]
        with self.db.write() as session:
            added = outbox.add(session, made)
        assert len(added) == count
        self.model |= {post.id: Expected(post) for post in added if post.id is not None}
        return multiple(*(post.id for post in added))

    @rule(span=SPAN)
    def time_passes(self, span: timedelta) -> None:
        self.now += span

    @rule(worker=WORKERS, limit=st.integers(1, 3))
    def claim(self, worker: str, limit: int) -> None:
        due = sorted(
            (post.not_before, post_id)
            for post_id, post in self.model.items()
            if post.state is State.PLANNED and post.not_before <= self.now
        )
        with self.db.write() as session:
            claimed = [post.id for post in outbox.claim_due(session, self.now, worker, limit)]
        assert claimed == [post_id for _, post_id in due[:limit]]
        for post_id in claimed:
            assert post_id is not None
            post = self.model[post_id]
            post.state, post.claimed_by, post.claimed_at = State.CLAIMED, worker, self.now

    @rule(post_id=posts, worker=WORKERS)
    def intend(self, post_id: int, worker: str) -> None:
        post = self.model[post_id]
        with self.db.write() as session:
            may_call = outbox.intend(session, post_id, worker, self.now)
        assert may_call == (post.state is State.CLAIMED and post.claimed_by == worker)
        if may_call:
            assert not post.in_doubt, "sent blindly although an earlier call may have been heard"
            assert not post.public, "sent although it is public"
            post.state, post.attempts, post.intent_at = State.SENDING, post.attempts + 1, self.now

    @rule(post_id=posts, worker=WORKERS)
    def intend_again(self, post_id: int, worker: str) -> None:
        post = self.model[post_id]
        with self.db.write() as session:
            may_call = outbox.intend_again(session, post_id, worker, self.now)
        assert may_call == (post.state is State.UNKNOWN)
        if may_call:
            post.state, post.attempts, post.intent_at = State.SENDING, post.attempts + 1, self.now
            post.claimed_by = worker

    @rule(post_id=posts)
    def published(self, post_id: int) -> None:
        with self.db.write() as session:
            outbox.published(session, post_id, ref=f"r{post_id}", published_at=self.now, now=self.now)
        post = self.model[post_id]
        if post.state is not None:
            post.state, post.in_doubt, post.public = State.PUBLISHED, False, True

    @rule(post_id=posts, span=SPAN)
    def retry(self, post_id: int, span: timedelta) -> None:
        with self.db.write() as session:
            outbox.retry(session, post_id, not_before=self.now + span, reason="busy", now=self.now)
        if self.model[post_id].give_back(State.PLANNED, (State.CLAIMED, State.SENDING)):
            self.model[post_id].not_before = self.now + span

    @rule(post_id=posts)
    def failed(self, post_id: int) -> None:
        with self.db.write() as session:
            outbox.failed(session, post_id, reason="refused", now=self.now)
        self.model[post_id].give_back(State.FAILED, (State.CLAIMED, State.SENDING))

    @rule(post_id=posts)
    def hold(self, post_id: int) -> None:
        with self.db.write() as session:
            outbox.hold(session, post_id, rule="S5", reason="look", now=self.now)
        self.model[post_id].give_back(State.HELD, (State.PLANNED, State.CLAIMED, State.SENDING))

    @rule(post_id=posts)
    def unknown(self, post_id: int) -> None:
        with self.db.write() as session:
            outbox.unknown(session, post_id, reason="lost", now=self.now)
        post = self.model[post_id]
        if post.state in (State.SENDING, State.UNKNOWN):
            post.state, post.in_doubt = State.UNKNOWN, True

    @rule(post_id=posts)
    def cancel(self, post_id: int) -> None:
        post = self.model[post_id]
        with self.db.write() as session:
            assert outbox.cancel(session, post_id, reason="no", now=self.now) == (post.state in UNTRIED)
        if post.state in UNTRIED:
            post.state = State.CANCELLED

    @rule(post_id=posts, text=st.sampled_from([None, "better"]))
    def approve(self, post_id: int, text: str | None) -> None:
        post = self.model[post_id]
        with self.db.write() as session:
            done = outbox.approve(session, post_id, self.now, text)
        assert done == (post.state in (State.PLANNED, State.HELD))
        if done:
            post.state, post.approved = State.PLANNED, True

    @rule(lease=st.sampled_from([timedelta(0), LEASE]))
    def recover(self, lease: timedelta) -> None:
        with self.db.write() as session:
            outbox.recover(session, self.now, lease)
        for post in self.model.values():
            if post.state is State.CLAIMED and post.claimed_at <= self.now - lease:
                post.state, post.claimed_by = State.PLANNED, None
            elif post.state is State.SENDING and post.intent_at <= self.now - lease:
                post.state, post.in_doubt = State.UNKNOWN, True

    @rule()
    def plan_anew(self) -> None:
        with self.db.write() as session:
            outbox.replace_planned(session, "launch", ACCOUNT, [], NOON - LEASE)
            left = set(session.exec(select(Post.id)).all())
        for post in self.model.values():
            if post.state in (State.PLANNED, State.HELD) and not post.approved and not post.attempts:
                post.state = None
        assert left == {post_id for post_id, post in self.model.items() if post.state is not None}

    @invariant()
    def every_post_stands_where_the_words_say(self) -> None:
        with self.db.read() as session:
            posts = session.exec(select(Post)).all()
            told = session.exec(select(History.post_id)).all()
        stands = {post.id: (post.state, post.attempts, post.in_doubt, post.not_before) for post in posts}
        assert stands == {
            post_id: (post.state, post.attempts, post.in_doubt, post.not_before)
            for post_id, post in self.model.items()
            if post.state is not None
        }
        assert sorted(post_id or 0 for post_id in told) == [
            post_id for post_id, post in self.model.items() if post.public
        ]
        for post in posts:
            assert (post.state is State.PUBLISHED) == (post.ref is not None)
            assert post.state is not State.PLANNED or not post.in_doubt


def test_no_order_of_events_sends_again_what_may_be_public(db: Database, rows: Any) -> None:
    class Here(Outbox):
        pass

    Here.db, Here.rows = db, rows
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
