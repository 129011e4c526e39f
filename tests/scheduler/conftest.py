"""A stage for the scheduler's tests: a real database in a folder, a clock set by hand, a platform that does as told."""

import shutil
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from connectors.base import Capabilities, Connector, Counts, Draft, Identity, Limits, MentionPage, OwnPost, Receipt, Ref
from connectors.errors import OutcomeUnknown
from scheduler.clock import LapseClock
from scheduler.deliver import Deliverer
from scheduler.drafts import to_json
from scheduler.events import Event
from scheduler.verdict import Refusal
from storage import engagement, outbox
from storage.database import Database, open_database
from storage.models import Account, Post

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ACCOUNT = "fake/main"


class Platform:
    """A connector that accepts everything, or behaves as its `script` says, one entry a call.

    An exception in the script is raised before anything is written; "lost" writes and loses the answer; a function is
    called first.
    """

    def __init__(self, clock: Callable[[], datetime], *, native: bool = False) -> None:
        self.clock = clock
        self.capabilities = Capabilities(native_idempotency=native)
        self.script: deque[Exception | str | Callable[[], object]] = deque()
        self.looks: deque[Exception | str | Callable[[], object]] = deque()
        self.timeline: list[tuple[str, str, datetime]] = []
        self.calls: list[str] = []
        self.looked: list[datetime] = []
        self.cursors: list[str | None] = []
        self.pages: dict[str | None, MentionPage] = {}
        self.own: list[OwnPost] = []
        self.counts: dict[str, Counts] = {}
        self.measured: list[list[str]] = []
        self.broken: Exception | None = None
        self._lock = threading.Lock()

    def publish(self, draft: Draft, key: str) -> Receipt:
        with self._lock:
            self.calls.append(draft.text)
            step = self.script.popleft() if self.script else None
        if isinstance(step, Exception):
            raise step
        if callable(step):
            step()
        with self._lock:
            known = [place for place, (_, used, _) in enumerate(self.timeline) if used == key]
            if known and self.capabilities.native_idempotency:
                return self._receipt(known[0])
            self.timeline.append((draft.text, key, self.clock()))
            receipt = self._receipt(len(self.timeline) - 1)
        if step == "lost":
            raise OutcomeUnknown("the answer was lost")
        return receipt

    def find(self, draft: Draft, since: datetime) -> Receipt | None:
        self.looked.append(since)
        step = self.looks.popleft() if self.looks else None
        if isinstance(step, Exception):
            raise step
        if step == "lagging":
            return None
        if callable(step):
            step()
        for place, (text, _, at) in enumerate(self.timeline):
            if text == draft.text and at >= since:
                return self._receipt(place)
        return None

    def _receipt(self, place: int) -> Receipt:
        return Receipt(Ref(str(place), "x"), self.timeline[place][2], f"https://fake.example/{place}")

    def check(self) -> Identity:
        return Identity("1", "main")

    def limits(self) -> Limits:
        return Limits(max_length=500)

    def length(self, text: str) -> int:
        return len(text)

    def measure(self, refs: Sequence[Ref]) -> Mapping[str, Counts]:
        self.measured.append([ref.id for ref in refs])
        if self.broken:
            raise self.broken
        return {ref.id: self.counts[ref.id] for ref in refs if ref.id in self.counts}

    def own_posts(self, since: datetime | None) -> Iterator[OwnPost]:
        yield from self.own
        if self.broken:
            raise self.broken

    def mentions(self, cursor: str | None) -> MentionPage:
        self.cursors.append(cursor)
        if self.broken:
            raise self.broken
        return self.pages.get(cursor, MentionPage((), cursor))

    def delete(self, ref: Ref) -> None:
        raise NotImplementedError


class Stage:
    """Everything a delivery needs, with short verbs for tests."""

    def __init__(self, db: Database, clock: LapseClock) -> None:
        self.db, self.clock = db, clock
        self.platforms = {ACCOUNT: Platform(clock)}
        self.events: list[Event] = []
        self.verdicts: dict[str, Refusal] = {}
        self.asked: list[str] = []
        self.open: list[Deliverer] = []

    @property
    def platform(self) -> Platform:
        return self.platforms[ACCOUNT]

    def connectors(self, account: str) -> Connector:
        return self.platforms[account]

    def allow(self, session: Session, post: Post) -> Refusal | None:
        self.asked.append(post.draft["text"])
        return self.verdicts.get(post.draft["text"]) or self.verdicts.get("*")

    def deliverer(self, **options: Any) -> Deliverer:
        options = dict[str, Any](worker="test", pool_size=4, patience=None, on_event=self.events.append) | options
        made = Deliverer(self.db, self.connectors, self.allow, options.pop("clock", self.clock), **options)
        self.open.append(made)
        return made

    def plan(
        self, count: int = 1, *, account: str = ACCOUNT, after: timedelta = timedelta(0), text: str = ""
    ) -> list[int]:
        """Ids of so many posts, all due `after` from now, with the texts `p0`, `p1` ..."""
        slot = self.clock() + after
        posts = []
        for place in range(count):
            draft = to_json(Draft(text or f"p{place}"))
            posts.append(
                Post(
                    account=account,
                    campaign="c",
                    item=f"i{place}",
                    local_slot=f"{slot:%Y-%m-%dT%H:%M}",
                    slot_at=slot,
                    not_before=slot,
                    draft=draft,
                    digest=outbox.digest_of(draft),
                    key=f"{account}-{slot:%m%dT%H%M}-{place}",
                    created_at=self.clock(),
                    updated_at=self.clock(),
                )
            )
        with self.db.write() as session:
            engagement.ensure_account(session, account, self.clock())
            return [post.id for post in outbox.add(session, posts) if post.id is not None]

    def post(self, post_id: int) -> Post:
        with self.db.read() as session:
            found: Post | None = session.get(Post, post_id)
        assert found is not None
        return found

    def account(self, account: str = ACCOUNT) -> Account:
        with self.db.read() as session:
            found: Account | None = session.get(Account, account)
        assert found is not None
        return found

    def states(self) -> dict[str, int]:
        with self.db.read() as session:
            return {str(state): count for state, count in outbox.count_by_state(session).items() if count}

    def told(self) -> list[str]:
        return [event.name for event in self.events]

    def later(self, **by: float) -> None:
        self.clock.advance_to(self.clock() + timedelta(**by))


@pytest.fixture
def stage(tmp_path: Path, empty: Path) -> Iterator[Stage]:
    """A stage at noon."""
    db = open_database(Path(shutil.copy(empty, tmp_path)), migrate=False)
    made = Stage(db, LapseClock(NOON))
    yield made
    for deliverer in made.open:
        deliverer.drain(5)
    db.close()
