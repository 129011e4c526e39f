"""The deliverer is killed with SIGKILL at every step and at random, and started again until it is done.

Run as a program this file is the nursery: it forks real processes that deliver from a real SQLite file to a platform
whose ledger is a file, kills them, and prints what became of the posts. Forking keeps a death as cheap as a restart.
"""

import fcntl
import functools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session

from connectors.base import Capabilities, Draft, Receipt, Ref
from connectors.errors import OutcomeUnknown, Unavailable
from scheduler.clock import LapseClock
from scheduler.deliver import Deliverer
from scheduler.drafts import from_json, to_json
from storage import engagement, outbox
from storage.database import Database, open_database
from storage.models import Post, State

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOT = Path(__file__).parent.parent.parent
ACCOUNT = "fake/main"
DAWN = timedelta(minutes=6)
"""Between a death and the next start: longer than the lease."""

Step = Callable[[str], None]


@dataclass
class Ledger:
    """A platform kept in a file: what is written there is public, whoever died meanwhile."""

    file: Path
    clock: LapseClock
    step: Step
    native: bool
    trouble: random.Random | None = None

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(native_idempotency=self.native)

    @contextmanager
    def rows(self) -> Iterator[list[dict[str, str]]]:
        with self.file.open("a+") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX)
            opened.seek(0)
            rows = [json.loads(line) for line in opened]
            before = len(rows)
            yield rows
            opened.write("".join(json.dumps(row) + "\n" for row in rows[before:]))
            opened.flush()

    def publish(self, draft: Draft, key: str) -> Receipt:
        self.step("the call begins")
        luck = self.trouble.random() if self.trouble else 1.0
        if luck < 0.05:
            raise Unavailable("no route")
        with self.rows() as rows:
            known = [row for row in rows if row["key"] == key] if self.native else []
            row = known[0] if known else {"id": str(len(rows)), "key": key, "text": draft.text, "at": str(self.clock())}
            if not known:
                rows.append(row)
        self.step("the platform has it, the answer is on its way")
        if 0.05 <= luck < 0.15:
            raise OutcomeUnknown("the answer was lost")
        return self.receipt(row)

    def find(self, draft: Draft, since: datetime) -> Receipt | None:
        self.step("the look")
        with self.rows() as rows:
            found = [row for row in rows if row["text"] == draft.text and datetime.fromisoformat(row["at"]) >= since]
        return self.receipt(found[0]) if found else None

    @staticmethod
    def receipt(row: dict[str, str]) -> Receipt:
        return Receipt(Ref(row["id"]), datetime.fromisoformat(row["at"]))


class Mortal:
    """A database that passes a step before and after each commit."""

    def __init__(self, db: Database, step: Step) -> None:
        self.db, self.step = db, step
        self.read = db.read

    @contextmanager
    def write(self) -> Iterator[Session]:
        with self.db.write() as session:
            yield session
            self.step("before a commit")
        self.step("after a commit")


class Naive:
    """The order of any queue's default: lease, send, mark; what was leased by the dead is sent again."""

    def __init__(self, db: Any, ledger: Ledger, clock: LapseClock, worker: str) -> None:
        self.db, self.ledger, self.clock, self.worker = db, ledger, clock, worker

    def tick(self) -> int:
        with self.db.write() as session:
            outbox.recover(session, self.clock(), timedelta(minutes=5))
            claimed = outbox.claim_due(session, self.clock(), self.worker, 2)
        for post in claimed:
            assert post.id is not None
            receipt = self.ledger.publish(from_json(post.draft), post.key)
            with self.db.write() as session:
                outbox.intend(session, post.id, self.worker, self.clock())
                outbox.published(
                    session,
                    post.id,
                    ref=receipt.ref.id,
                    extras="",
                    url=None,
                    published_at=receipt.published_at,
                    now=self.clock(),
                )
        return len(claimed)

    def next_moment(self) -> datetime | None:
        with self.db.read() as session:
            return outbox.next_due(session)


def live(folder: Path, order: str, native: bool, step: Step, seed: int | None, pool: int) -> None:
    """One life: deliver until nothing is left to do, on a clock that outlives us in a file."""
    kept = folder / "clock"
    clock = LapseClock(datetime.fromisoformat(kept.read_text()) + DAWN)

    def advance(moment: datetime) -> None:
        clock.advance_to(max(moment, clock() + timedelta(seconds=1)))
        (folder / "clock.new").write_text(clock().isoformat())
        (folder / "clock.new").replace(kept)

    db = open_database(folder / "kairos.db", migrate=False)
    mortal: Any = Mortal(db, step)
    trouble = None if seed is None else random.Random(seed)
    ledger: Any = Ledger(folder / "ledger", clock, step, native, trouble)

    def allow(session: Session, post: Post) -> None:
        step("the gate")

    worker = f"worker-{os.getpid()}"
    deliverer: Any
    if order == "naive":
        deliverer = Naive(mortal, ledger, clock, worker)
    else:
        deliverer = Deliverer(
            mortal,
            lambda account: ledger,
            allow,
            clock,
            worker=worker,
            pool_size=pool,
            patience=None,
            rng=np.random.default_rng(seed),
        )
    while True:
        deliverer.tick()
        with db.read() as session:
            left = outbox.count_by_state(session)
        moment = deliverer.next_moment()
        if moment is None and not left.get(State.CLAIMED) and not left.get(State.SENDING):
            return
        advance(moment if moment is not None else clock() + DAWN)


def born(folder: Path, posts: int) -> None:
    """A folder with so many posts due at noon."""
    folder.mkdir(parents=True)
    db = open_database(folder / "kairos.db")
    rows = []
    for place in range(posts):
        draft = to_json(Draft(f"p{place}"))
        rows.append(
            Post(
                account=ACCOUNT,
                campaign="c",
                item=f"i{place}",
                local_slot="2026-11-24T12:00",
                slot_at=NOON,
                not_before=NOON,
                draft=draft,
                digest=outbox.digest_of(draft),
                key=f"k{place}",
                created_at=NOON,
                updated_at=NOON,
            )
        )
    with db.write() as session:
        engagement.ensure_account(session, ACCOUNT, NOON)
        outbox.add(session, rows)
    db.close()
    (folder / "clock").write_text(NOON.isoformat())
    (folder / "ledger").touch()


def fork(life: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            life()
            code = 0
        finally:
            os._exit(code)
    return child


def die_at(place: int) -> Step:
    """Death at the n-th step passed, whichever thread passes it."""
    count, lock = [0], threading.Lock()

    def step(name: str) -> None:
        with lock:
            count[0] += 1
            if count[0] == place:
                os.kill(os.getpid(), signal.SIGKILL)

    return step


def told(folder: Path) -> dict[str, int]:
    """What became of the posts: on the platform and in our own books."""
    public = Counter(json.loads(line)["text"] for line in (folder / "ledger").read_text().splitlines())
    db = open_database(folder / "kairos.db", migrate=False)
    with db.read() as session:
        rows = [session.get(Post, place + 1) for place in range(sum(outbox.count_by_state(session).values()))]
    db.close()
    posts = [row for row in rows if row is not None]
    parked = [row for row in posts if row.state == State.UNKNOWN and "look on the platform" in (row.reason or "")]
    return {
        "posts": len(posts),
        "doubled": sum(count - 1 for count in public.values()),
        "published": sum(row.state == State.PUBLISHED and public[row.draft["text"]] >= 1 for row in posts),
        "parked": sum(not public[row.draft["text"]] for row in parked),
    }


def quietly(step: str) -> None:
    """A step at which nobody dies."""


def at_every_step(home: Path, order: str, native: bool) -> dict[str, int]:
    """One death at each step of a run, each in a world of its own."""
    born(home / "seed", 2)
    total: Counter[str] = Counter()
    place = 0
    while True:
        place += 1
        folder = home / f"{order}-{native}-{place}"
        shutil.copytree(home / "seed", folder)
        _, status = os.waitpid(fork(lambda: live(folder, order, native, die_at(place), None, 2)), 0)  # noqa: B023
        if os.WIFSIGNALED(status):
            total["kills"] += 1
            _, again = os.waitpid(fork(lambda: live(folder, order, native, quietly, None, 2)), 0)  # noqa: B023
            assert again == 0
        total.update(told(folder))
        shutil.rmtree(folder)
        if os.WIFEXITED(status):
            assert status == 0
            return dict(total)


def at_random(home: Path, native: bool, seed: int, kills: int) -> dict[str, int]:
    """Many deaths of one run, by a hand from outside, on a platform that drops calls and loses answers.

    Each life is killed after it has come a random way, not after a random time: a fast machine dies as often as a slow
    one. Where exactly it stands when the signal arrives is chance, between two steps or in the middle of one.
    """
    luck = random.Random(seed)
    folder = home / "random"
    born(folder, 80)
    done = 0
    while True:
        heard, told_by = os.pipe()
        life = functools.partial(live, folder, "ours", native, telling(told_by), luck.randrange(2**32), 4)
        child = fork(life)
        os.close(told_by)
        if done < kills and came_so_far(heard, luck.randint(1, 12)):
            os.kill(child, signal.SIGKILL)
        came_so_far(heard, None)
        os.close(heard)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            done += 1
            continue
        assert status == 0
        return told(folder) | {"kills": done}


def telling(pipe: int) -> Step:
    """Tells a listener of each step."""

    def step(name: str) -> None:
        os.write(pipe, b".")

    return step


def came_so_far(pipe: int, steps: int | None) -> bool:
    """Listen for so many steps, or to the end of that life for None; False when it ended before."""
    heard = 0
    while steps is None or heard < steps:
        some = os.read(pipe, 1 if steps is not None else 65536)
        if not some:
            return False
        heard += len(some)
    return True


def nursery(home: Path, way: str, order: str, native: str) -> None:
    if way == "every step":
        outcome = at_every_step(home, order, native == "native")
    else:
        outcome = at_random(home, native == "native", seed=11, kills=40)
    sys.stdout.write(json.dumps(outcome))


def run_nursery(home: Path, *words: str) -> dict[str, int]:
    shown = subprocess.run(
        [sys.executable, __file__, str(home), *words],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
    )
    assert shown.returncode == 0, shown.stderr[-2000:]
    outcome: dict[str, int] = json.loads(shown.stdout)
    return outcome


@pytest.mark.parametrize("native", ["native", "by looking"])
def test_killed_at_every_step_nothing_is_doubled_and_nothing_lost(tmp_path: Path, native: str) -> None:
    outcome = run_nursery(tmp_path, "every step", "ours", native)
    assert outcome["doubled"] == 0
    assert outcome["published"] + outcome.get("parked", 0) == outcome["posts"]
    assert outcome["kills"] > 12
    if native == "native":
        assert outcome["published"] == outcome["posts"]


@pytest.mark.parametrize("native", ["native", "by looking"])
def test_killed_at_random_with_lost_answers_nothing_is_doubled_and_nothing_lost(tmp_path: Path, native: str) -> None:
    outcome = run_nursery(tmp_path, "random", "ours", native)
    assert outcome["doubled"] == 0
    assert outcome["published"] + outcome["parked"] == outcome["posts"] == 80
    assert outcome["kills"] > 20


def test_the_order_of_ordinary_queues_doubles_in_the_same_nursery(tmp_path: Path) -> None:
    outcome = run_nursery(tmp_path, "every step", "naive", "by looking")
    assert outcome["published"] == outcome["posts"]
    assert outcome["doubled"] > 0


if __name__ == "__main__":
    nursery(Path(sys.argv[1]), *sys.argv[2:])
