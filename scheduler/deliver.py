"""Due posts go out, each at most once: claim, gate and intent in one commit, call, result; not what is said or why.

The order is the whole point. The intent is committed before the call, so after a crash nothing is sent that may be
public already: such a post is `unknown`, and is looked for on the platform before anything else. All writes to the
database are made by the thread that ticks; the pool's threads only call platforms, outside of any transaction.
"""

import threading
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from scheduler.backoff import next_try
from scheduler.breaker import Breaker
from scheduler.clock import Clock
from scheduler.events import Event, OnEvent, unheard
from scheduler.lookout import Lookout, Next, look_since
from scheduler.results import belongs_to_another, identity, park, pause, refuse, reread, write
from scheduler.sending import Connectors, End, Outcome, look, send
from scheduler.verdict import Allow
from storage import outbox
from storage.database import Database
from storage.models import Post, State

__all__ = ["Allow", "Connectors", "Deliverer", "Event"]

FRESH = timedelta(seconds=1)
"""How old a committed intent may be at the socket: a kill switch holds a second later, whatever hangs in the pool."""
WIDEST = 256
"""Most posts between intent and result at one time."""
LINGER = 0.01
"""Seconds in which calls that come back together are recorded together."""
LOOK_AGAIN = timedelta(minutes=15)
"""After a look that failed for a reason waiting does not heal."""


@dataclass(frozen=True)
class _Call:
    """A call in the pool, and how it ended if it never began or broke in a way nobody foresaw."""

    post: Post
    cancelled: End
    broken: End

    def outcome(self, future: Future[Outcome]) -> Outcome:
        if future.cancelled():
            return Outcome(self.post, self.cancelled, "put back: Kairos was stopping")
        error = future.exception()
        if error is not None:
            return Outcome(self.post, self.broken, f"the connector broke off: {type(error).__name__}")
        return future.result()


@dataclass(frozen=True)
class _Landed:
    """An outcome and what was made of it, once, however often its commit is tried."""

    outcome: Outcome
    next: Next | None
    pause: str | None


class Deliverer:
    """Carries out the outbox: one tick claims what is due, asks the gate, publishes and records.

    `connectors` is called from the pool's threads. `patience` is how many seconds a tick waits for a call that does not
    come back before it returns (the call is picked up by a later tick); None waits for all, as simulated time must.
    """

    def __init__(
        self,
        db: Database,
        connectors: Connectors,
        allow: Allow,
        clock: Clock,
        *,
        worker: str,
        pool_size: int = 8,
        lease: timedelta = timedelta(minutes=5),
        on_event: OnEvent = unheard,
        patience: float | None = 0.5,
        rng: np.random.Generator | None = None,
    ) -> None:
        self._db, self._connectors, self._allow, self._clock = db, connectors, allow, clock
        self._worker, self._pool_size, self._lease = worker, pool_size, lease
        self._on_event, self._patience = on_event, patience
        self._rng = rng if rng is not None else np.random.default_rng()
        self._lookout, self._breaker = Lookout(), Breaker()
        self._pool = ThreadPoolExecutor(pool_size, thread_name_prefix="deliver")
        self._flying: dict[Future[Outcome], _Call] = {}
        self._landed: list[_Landed] = []
        self._window = pool_size
        self._closing = threading.Event()
        self._turn = threading.Lock()

    def tick(self) -> int:
        """Carry out what is due now; gives back how many calls were recorded. After `drain` it does nothing."""
        with self._turn:
            recorded = self._record()
            if self._closing.is_set():
                return recorded
            self._recover(self._lease)
            self._look()
            while not self._closing.is_set():
                more = self._start()
                if self._flying:
                    done, _ = wait(self._flying, timeout=self._patience, return_when=FIRST_COMPLETED)
                    if not done:
                        break
                    wait(self._flying, timeout=LINGER)
                    recorded += self._record()
                elif not more:
                    break
            return recorded

    def take_over(self) -> None:
        """Release what a former process left behind without waiting for its lease.

        Only for a caller who knows that no other process delivers from this database.
        """
        with self._turn:
            self._recover(timedelta(0))

    def next_moment(self) -> datetime | None:
        """When this next has something to do: the next due post or the next look."""
        with self._db.read() as session:
            due = outbox.next_due(session)
        return min((moment for moment in (due, self._lookout.next_moment()) if moment is not None), default=None)

    def drain(self, timeout: float = 30.0) -> bool:
        """Claim nothing more, put back what was not yet sent, wait for what is; False when something is still out.

        What is still out keeps its committed intent: the next start looks for it before anything else.
        """
        self._closing.set()
        with self._turn:
            for future in list(self._flying):
                future.cancel()
            wait(self._flying, timeout=timeout)
            self._record()
            self._pool.shutdown(wait=False)
            return not self._flying

    def _recover(self, lease: timedelta) -> None:
        now = self._clock()
        with self._db.write() as session:
            released, lost = outbox.recover(session, now, lease)
        if released or lost:
            words = f"left behind by a process that ended: {released} not yet sent, {lost} that may be public"
            self._on_event(Event("posts.recovered", now, words=words))

    def _start(self) -> int:
        """Claim, ask the gate, commit intents and hand to the pool; gives back how many were claimed."""
        room = self._window - len(self._flying)
        if room <= 0:
            return 0
        with self._db.write() as session:
            claimed = outbox.claim_due(session, self._clock(), self._worker, room)
        if claimed:
            self._launch(self._intend(claimed))
        return len(claimed)

    def _intend(self, claimed: list[Post]) -> list[Post]:
        """Ask the gate about each claimed post as it stands now and commit the intents of those it permits."""
        permitted, events = [], []
        now = self._clock()
        with self._db.write() as session:
            for post in reread(session, claimed):
                if post.state != State.CLAIMED or post.claimed_by != self._worker:
                    continue  # cancelled or edited since it was claimed
                verdict = self._allow(session, post)
                if verdict is not None:
                    events.append(refuse(session, post, verdict, now))
                elif outbox.intend(session, identity(post), self._worker, now):
                    permitted.append(post)
            intended = reread(session, permitted)
        self._tell(events)
        return intended

    def _launch(self, posts: list[Post]) -> None:
        fresh_until = self._clock() + FRESH
        for post in posts:
            deadline = min(fresh_until, (post.claimed_at or fresh_until) + self._lease)
            future = self._pool.submit(send, post, self._connectors, self._clock, deadline)
            self._flying[future] = _Call(post, cancelled=End.UNSENT, broken=End.UNKNOWN)

    def _look(self) -> None:
        """Look for posts of unknown outcome, a few at a time so that hanging looks leave room for posts."""
        now = self._clock()
        with self._db.read() as session:
            unknown = outbox.unknowns(session)
        self._lookout.keep({identity(post) for post in unknown})
        busy = {call.post.id for call in self._flying.values()}
        wanted = [post for post in unknown if post.id not in busy and self._lookout.due(post, now)]
        for post in wanted[: max(1, self._pool_size // 2)]:
            future = self._pool.submit(look, post, self._connectors, look_since(post))
            self._flying[future] = _Call(post, cancelled=End.UNSEEN, broken=End.UNSEEN)

    def _record(self) -> int:
        """Commit everything that came back in one transaction; gives back how many calls that were.

        What came back stays here until the commit has succeeded: a full disk loses no receipt.
        """
        now = self._clock()
        for future in [future for future in self._flying if future.done()]:
            self._landed.append(self._land(self._flying.pop(future).outcome(future), now))
        if not self._landed:
            return 0
        events: list[Event | None] = []
        with self._db.write() as session:
            for landed in self._landed:
                post = landed.outcome.post
                events.append(write(session, landed.outcome, now, self._rng))
                if landed.next is Next.PARK:
                    events.append(park(session, post, now))
                if landed.pause is not None:
                    events.append(pause(session, post.account, landed.pause, now))
        repeat = [landed.outcome.post for landed in self._landed if landed.next is Next.RESEND]
        recorded, self._landed = len(self._landed), []
        self._pace()
        self._tell(events)
        if repeat and not self._closing.is_set():
            self._launch(self._intend_again(repeat))
        return recorded

    def _land(self, outcome: Outcome, now: datetime) -> _Landed:
        """Make up our mind about an outcome: memory only, apart from one question about a post that was found."""
        post = outcome.post
        if outcome.end is End.PUBLIC and outcome.receipt is not None and post.state == State.UNKNOWN:
            with self._db.read() as session:
                taken = belongs_to_another(session, post, outcome.receipt)
            if taken or any(landed.outcome.finds(post.account, outcome.receipt) for landed in self._landed):
                outcome = replace(outcome, end=End.MISSING, receipt=None)
        following = None
        if outcome.end is End.MISSING:
            following = self._lookout.missed(post, now, outcome.may_repeat)
        elif outcome.end is End.UNSEEN:
            again = None if outcome.error is None else next_try(post.attempts, outcome.error, now, self._rng)
            self._lookout.failed(post, again or now + LOOK_AGAIN)
        return _Landed(outcome, following, self._breaker.hear(outcome))

    def _intend_again(self, posts: list[Post]) -> list[Post]:
        """Commit new intents for unknown posts that the platform itself keeps from doubling, if the gate permits.

        They never pass through `planned`: a stop of some hours there would outlive the platform's memory of the key.
        """
        now = self._clock()
        with self._db.write() as session:
            permitted = [
                post
                for post in reread(session, posts)
                if post.state == State.UNKNOWN
                and self._allow(session, post) is None
                and outbox.intend_again(session, identity(post), self._worker, now)
            ]
            ready = reread(session, permitted)
        for post in ready:
            self._lookout.sent_again(post)
        return ready

    def _pace(self) -> None:
        """Let intents run further ahead while calls come back as fast as they are handed out, less as soon as not."""
        if 4 * len(self._flying) <= self._window:
            self._window = min(2 * self._window, WIDEST)
        else:
            self._window = max(self._window // 2, self._pool_size)

    def _tell(self, events: Iterable[Event | None]) -> None:
        for event in events:
            if event is not None:
                self._on_event(event)
