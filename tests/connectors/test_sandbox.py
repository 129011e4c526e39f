"""The sandbox network: what goes wrong on request, what outlives a restart, and what it keeps from the bot."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.audience import Audience
from connectors.base import Counts, Draft, Ref
from connectors.errors import AuthExpired, ConnectorError, OutcomeUnknown, RateLimited, Rejected, Unavailable
from connectors.ledger import Ledger
from connectors.sandbox import MAX_LENGTH, SandboxNetwork, hashed

ROOT = Path(__file__).parent.parent.parent
DAY = timedelta(days=1)


def kept(clock: Any, file: Path | None, **options: Any) -> SandboxNetwork:
    return SandboxNetwork(clock, hashed, **{"seed": 3, "path": file} | options)


def counts(network: SandboxNetwork, account: str = "main") -> dict[str, Counts]:
    return {post.text: post.counts for post in network.connector(account).own_posts(None)}


# --- the same numbers -----------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_counts_in_whatever_order_posts_arrived(clock: Any) -> None:
    def run(texts: list[str]) -> dict[str, Counts]:
        network = kept(clock, None)
        for text in texts:
            network.connector("main").publish(Draft(text), text)
        clock.now += DAY
        seen = counts(network)
        clock.now -= DAY
        return seen

    assert run(["one", "two", "three"]) == run(["three", "one", "two"])
    assert len({str(count) for count in run(["one", "two", "three"]).values()}) == 3


def test_counts_grow_until_they_are_finished_and_never_fall(network: SandboxNetwork, clock: Any) -> None:
    connector = network.connector("main")
    ref = connector.publish(Draft("hello world"), "k").ref
    seen = []
    for _ in range(60):
        seen.append(connector.measure([ref])[ref.id].impressions or 0)
        clock.later(hours=2)
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert len(set(seen)) > 10
    half = seen[3]  # six hours
    assert half == pytest.approx(seen[-1] / 2, rel=0.02)


def test_a_tired_audience_likes_the_next_post_less(clock: Any) -> None:
    def final(*before: str) -> int:
        network = kept(clock, None)
        network.seed_history("main", [(clock() - timedelta(hours=1), text, "text") for text in before])
        ref = network.connector("main").publish(Draft("hello world"), "k").ref
        clock.now += 30 * DAY
        likes = network.connector("main").measure([ref])[ref.id].likes or 0
        clock.now -= 30 * DAY
        return likes

    assert final("something else", "and more") < final("something else") < final()


def test_accounts_do_not_tire_each_others_audience_and_do_not_see_each_others_posts(
    network: SandboxNetwork, clock: Any
) -> None:
    one, other = network.connector("one"), network.connector("other")
    receipt = one.publish(Draft("hello"), "k")
    assert list(other.own_posts(None)) == []
    assert other.measure([receipt.ref]) == {}
    assert other.find(Draft("hello"), clock()) is None
    other.delete(receipt.ref)
    assert len(list(one.own_posts(None))) == 1
    assert network.shown("other", clock() + DAY) == []


def test_an_earlier_history_is_there_with_its_counts(network: SandboxNetwork, clock: Any) -> None:
    network.seed_history("main", [(clock() - place * DAY, f"text {place}", "photo") for place in range(300, 0, -1)])
    own = list(network.connector("main").own_posts(None))
    assert [post.text for post in own] == [f"text {place}" for place in range(300, 0, -1)]
    assert own[0].kind == "photo"
    assert all(post.counts.likes is not None for post in own)
    assert own[0].created_at == clock() - 300 * DAY


def test_a_deleted_post_has_been_read_all_the_same(network: SandboxNetwork, clock: Any) -> None:
    connector = network.connector("main")
    first = connector.publish(Draft("hello world"), "k1")
    clock.later(hours=1)
    connector.delete(first.ref)
    assert [shown.text for shown in network.shown("main", clock())] == ["hello world"]


# --- what goes wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error", "public"),
    [
        ("rate_limit", RateLimited, 0),
        ("auth", AuthExpired, 0),
        ("reject", Rejected, 0),
        ("unavailable", Unavailable, 0),
        ("lost_answer", OutcomeUnknown, 1),
    ],
)
def test_a_write_fails_as_it_is_told_and_only_a_lost_answer_is_public(
    network: SandboxNetwork, fault: Any, error: type[ConnectorError], public: int
) -> None:
    connector = network.connector("main")
    network.faults.fail_next(fault)
    with pytest.raises(error):
        connector.publish(Draft("hello"), "k")
    assert len(list(connector.own_posts(None))) == public
    connector.publish(Draft("hello"), "k")
    assert len(list(connector.own_posts(None))) == 1
    assert network.ledger.requests("main", "k") == 2


def test_a_slow_answer_takes_its_time_and_is_public(clock: Any) -> None:
    slept: list[float] = []
    network = kept(clock, None, sleep=slept.append)
    network.faults.delay = 0.7
    network.faults.fail_next("slow", times=2)
    for key in ("a", "b", "c"):
        network.connector("main").publish(Draft(key), key)
    assert slept == [0.7, 0.7]


def failures(network: SandboxNetwork, keys: list[str]) -> dict[str, str]:
    found = {}
    for key in keys:
        try:
            network.connector("main").publish(Draft(key), key)
        except ConnectorError as error:
            found[key] = type(error).__name__
    return found


def test_a_share_of_writes_fails_the_same_ones_in_whatever_order(clock: Any) -> None:
    keys = [f"k{place}" for place in range(400)]

    def run(order: list[str], seed: int = 3) -> dict[str, str]:
        network = kept(clock, None, seed=seed)
        network.faults.rates({"unavailable": 0.2, "lost_answer": 0.1})
        return failures(network, order)

    failed = run(keys)
    assert failed == run(keys[::-1])
    assert failed != run(keys, seed=4)
    kinds = list(failed.values())
    assert 50 < kinds.count("Unavailable") < 110
    assert 20 < kinds.count("OutcomeUnknown") < 60


def test_a_try_that_failed_may_succeed_the_next_time(clock: Any) -> None:
    network = kept(clock, None)
    network.faults.rates({"unavailable": 0.5})
    keys = [f"k{place}" for place in range(40)]
    first = failures(network, keys)
    assert 0 < len(first) < 40
    assert len(failures(network, list(first))) < len(first)


def test_without_idempotency_keys_a_repetition_is_public_twice(clock: Any) -> None:
    network = kept(clock, None, native_idempotency=False)
    connector = network.connector("main")
    assert not connector.capabilities.native_idempotency
    connector.publish(Draft("hello"), "k")
    connector.publish(Draft("hello"), "k")
    assert len(list(connector.own_posts(None))) == 2


def test_a_thread_fits_in_each_of_its_parts(network: SandboxNetwork) -> None:
    connector = network.connector("main")
    with pytest.raises(Rejected, match=str(MAX_LENGTH)):
        connector.publish(Draft("hello", parts=("x" * (MAX_LENGTH + 1),)), "k")
    connector.publish(Draft("hello", parts=("world",)), "k")


# --- restarts -------------------------------------------------------------------------------------------------------


def test_what_was_accepted_outlives_a_restart_with_its_counts(clock: Any, file: Path) -> None:
    network = kept(clock, file)
    receipt = network.connector("main").publish(Draft("hello"), "k")
    network.connector("main").publish(Draft("gone"), "k2")
    network.connector("main").delete(Ref("sandbox-2"))
    clock.later(days=2)
    before = counts(network)
    again = kept(clock, file)
    assert counts(again) == before
    assert list(before) == ["hello"]
    assert again.connector("main").publish(Draft("hello"), "k") == receipt
    assert again.ledger.requests("main", "k") == 2


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from connectors.base import Draft
from connectors.sandbox import SandboxNetwork, hashed

network = SandboxNetwork(lambda: datetime(2026, 11, 24, 12, tzinfo=UTC), hashed, path=Path(sys.argv[1]))
network.connector("main").publish(Draft("hello"), "k")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_accepted_outlives_the_death_of_its_process(clock: Any, file: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(file)], cwd=ROOT, check=False)
    assert list(counts(kept(clock, file))) == ["hello"]


def test_two_processes_on_one_file_accept_a_key_once(clock: Any, file: Path) -> None:
    ledgers = [Ledger(file), Ledger(file)]
    given: list[set[tuple[str, int]]] = [set(), set()]
    together = threading.Barrier(2)

    def write(place: int) -> None:
        for number in range(100):
            key = f"k{number}"
            together.wait(60)
            given[place].add((key, ledgers[place].write("main", key, key, "text", clock(), None, once=True).number))

    threads = [threading.Thread(target=write, args=(place,)) for place in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert given[0] == given[1]
    assert len(ledgers[0].posts("main", None, clock())) == 100


@pytest.mark.parametrize("spoil", [lambda file: file.mkdir(), lambda file: file.write_text("no database " * 200)])
def test_a_file_that_cannot_be_used_is_told_in_one_line(
    clock: Any, file: Path, spoil: Callable[[Path], object]
) -> None:
    file.parent.mkdir()
    spoil(file)
    with pytest.raises(Unavailable, match=str(file)) as caught:
        kept(clock, file)
    assert "\n" not in str(caught.value)


def test_a_file_another_process_keeps_locked_lets_nothing_half_way_in(clock: Any, file: Path) -> None:
    network = kept(clock, file)
    network.ledger._connection.execute("pragma busy_timeout = 20")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(Unavailable):
        network.connector("main").publish(Draft("hello"), "k")
    other.execute("rollback")
    other.close()
    assert counts(network) == {}
    network.connector("main").publish(Draft("hello"), "k")


# --- the truth ------------------------------------------------------------------------------------------------------


def test_the_truth_cannot_be_reached_from_what_a_connector_shows(network: SandboxNetwork, clock: Any) -> None:
    connector = network.connector("main")
    receipt = connector.publish(Draft("hello?"), "k")
    clock.later(days=2)
    shown: list[Any] = [getattr(connector, name) for name in dir(connector) if not name.startswith("_")]
    shown += [receipt, *connector.own_posts(None), *connector.mentions(None).mentions, connector.check()]
    shown += [connector.measure([receipt.ref]), connector.limits()]
    for value in shown:
        assert not isinstance(value, SandboxNetwork | Audience | Ledger)
        public = vars(value) if hasattr(value, "__dict__") else {}
        assert not {"truth", "final", "category", "faults"} & set(public)


def test_everything_it_counts_is_marked_as_simulated(network: SandboxNetwork) -> None:
    assert network.connector("main").capabilities.simulated
