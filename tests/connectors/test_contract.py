"""What every connector promises, asked of each one that is registered: a new platform adds one line to STAGES."""

import inspect
import threading
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.base import Capabilities, Connector, Counts, Draft, Identity, Mention, OwnPost, Receipt, Ref
from connectors.errors import ConnectorError, OutcomeUnknown, RateLimited, Rejected, Unavailable
from connectors.sandbox import SandboxNetwork, hashed
from tests.connectors.stages.bluesky import bluesky
from tests.connectors.stages.mastodon import mastodon
from tests.connectors.stages.reddit import reddit
from tests.connectors.stages.x import x

VERBS = {"capabilities", "check", "limits", "length", "publish", "find", "measure", "own_posts", "mentions", "delete"}


@dataclass
class Stage:
    """One account on a platform that can be made to misbehave."""

    connector: Connector
    clock: Any
    lose_answer: Callable[[], object]
    refuse_connection: Callable[[], object]
    limit_rate: Callable[[], object]
    inbound: Callable[[str], Ref] = Ref
    """A text of somebody else that can be answered, by a name."""

    def publish(self, text: str, key: str | None = None, **draft: Any) -> Receipt:
        return self.connector.publish(Draft(text, **draft), key or f"key of {text}")

    def shown(self) -> list[OwnPost]:
        return list(self.connector.own_posts(None))


def sandbox(folder: Path, clock: Any) -> Stage:
    network = SandboxNetwork(clock, hashed, path=folder / "sandbox.db")
    return Stage(
        network.connector("main"),
        clock,
        lambda: network.faults.fail_next("lost_answer"),
        lambda: network.faults.fail_next("unavailable"),
        lambda: network.faults.fail_next("rate_limit"),
    )


STAGES: dict[str, Callable[[Path, Any], Stage]] = {
    "sandbox": sandbox,
    "bluesky": lambda folder, clock: Stage(*bluesky(folder, clock)),
    "mastodon": lambda folder, clock: Stage(*mastodon(folder, clock)),
    "reddit": lambda folder, clock: Stage(*reddit(folder, clock)),
    "x": lambda folder, clock: Stage(*x(folder, clock)),
}


@pytest.fixture(params=sorted(STAGES))
def stage(request: pytest.FixtureRequest, tmp_path: Path, clock: Any) -> Stage:
    """Each platform in turn."""
    return STAGES[request.param](tmp_path, clock)


def test_every_connector_that_is_registered_is_asked() -> None:
    ours = {name for name, distribution in registry.platforms().items() if distribution == "kairos-bot"}
    assert ours == set(STAGES)


# --- who we are and what we may -------------------------------------------------------------------------------------


def test_it_says_who_we_are(stage: Stage) -> None:
    identity = stage.connector.check()
    assert isinstance(identity, Identity)
    assert identity.account_id
    assert identity.handle


def test_what_it_can_do_is_data(stage: Stage) -> None:
    capabilities = stage.connector.capabilities
    assert isinstance(capabilities, Capabilities)
    assert capabilities == stage.connector.capabilities
    assert capabilities.length_unit in ("characters", "graphemes", "weighted")


def test_the_longest_text_is_taken_and_one_longer_is_refused_before_it_is_public(stage: Stage) -> None:
    most = stage.connector.limits().max_length
    text = "x" * most
    assert stage.connector.length(text) == most
    stage.publish(text)
    with pytest.raises(Rejected):
        stage.publish(text + "x")
    assert [post.text for post in stage.shown()] == [text]


def test_an_empty_text_is_refused(stage: Stage) -> None:
    with pytest.raises(Rejected):
        stage.publish("  ")


# --- publishing and looking -----------------------------------------------------------------------------------------


def test_what_was_published_is_shown_measured_and_found(stage: Stage) -> None:
    receipt = stage.publish("hello world", kind="text")
    assert receipt.published_at.utcoffset() == timedelta(0)
    (post,) = stage.shown()
    assert (post.ref, post.text, post.created_at) == (receipt.ref, "hello world", receipt.published_at)
    assert stage.connector.find(Draft("hello world"), receipt.published_at) == receipt
    assert list(stage.connector.measure([receipt.ref])) == [receipt.ref.id]


def test_a_look_finds_only_this_draft_and_only_since_then(stage: Stage) -> None:
    find, start = stage.connector.find, stage.clock()
    assert find(Draft("hello"), start - timedelta(days=1)) is None
    receipt = stage.publish("hello")
    assert find(Draft("hello!"), start) is None
    assert find(Draft("hello", in_reply_to=stage.inbound("m1")), start) is None
    assert find(Draft("hello"), receipt.published_at + timedelta(seconds=1)) is None


def test_an_answer_is_found_under_what_it_answers_and_is_no_post(stage: Stage) -> None:
    receipt = stage.publish("thank you", in_reply_to=stage.inbound("m1"))
    assert stage.connector.find(Draft("thank you", in_reply_to=stage.inbound("m1")), stage.clock()) == receipt
    assert stage.connector.find(Draft("thank you"), stage.clock()) is None
    assert stage.connector.find(Draft("thank you", in_reply_to=stage.inbound("m2")), stage.clock()) is None


def test_a_lost_answer_is_said_to_be_one_and_a_look_settles_it(stage: Stage) -> None:
    stage.lose_answer()
    with pytest.raises(OutcomeUnknown):
        stage.publish("hello")
    receipt = stage.connector.find(Draft("hello"), stage.clock() - timedelta(minutes=5))
    assert receipt is not None
    assert [post.ref for post in stage.shown()] == [receipt.ref]


def test_a_platform_with_idempotency_keys_drops_a_repetition(stage: Stage) -> None:
    if not stage.connector.capabilities.native_idempotency:
        pytest.skip("this platform has no idempotency keys")
    stage.lose_answer()
    with pytest.raises(OutcomeUnknown):
        stage.publish("hello", "k1")
    first = stage.publish("hello", "k1")
    assert stage.publish("hello", "k1") == first
    assert stage.publish("hello", "k2") != first
    assert len(stage.shown()) == 2


def test_what_could_not_be_sent_is_not_public(stage: Stage) -> None:
    stage.refuse_connection()
    with pytest.raises(Unavailable):
        stage.publish("hello")
    stage.limit_rate()
    with pytest.raises(RateLimited) as caught:
        stage.publish("hello")
    assert caught.value.reset_at.utcoffset() is not None
    assert caught.value.reset_at > stage.clock()
    assert stage.shown() == []
    stage.publish("hello")
    assert len(stage.shown()) == 1


def test_many_threads_publish_and_nothing_is_lost(stage: Stage) -> None:
    threads = [threading.Thread(target=stage.publish, args=(f"text {place}",)) for place in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(post.text for post in stage.shown()) == sorted(f"text {place}" for place in range(16))
    assert len({post.ref for post in stage.shown()}) == 16


# --- reading --------------------------------------------------------------------------------------------------------


def test_own_posts_come_oldest_first_and_since_a_moment(stage: Stage) -> None:
    receipts = []
    for place in range(4):
        receipts.append(stage.publish(f"text {place}"))
        stage.clock.later(hours=1)
    stage.publish("an answer", in_reply_to=stage.inbound("m1"))
    assert [post.ref for post in stage.shown()] == [receipt.ref for receipt in receipts]
    since = receipts[2].published_at
    assert [post.ref for post in stage.connector.own_posts(since)] == [receipt.ref for receipt in receipts[2:]]


def test_counts_are_whole_numbers_or_not_told(stage: Stage) -> None:
    receipt = stage.publish("hello")
    stage.clock.later(days=3)
    counts = stage.connector.measure([receipt.ref])[receipt.ref.id]
    assert isinstance(counts, Counts)
    told = {field.name: getattr(counts, field.name) for field in fields(counts)}
    assert all(value is None or (isinstance(value, int) and value >= 0) for value in told.values())
    assert told["impressions"] is not None or not stage.connector.capabilities.impressions
    assert [post.counts for post in stage.shown()] == [counts]


def test_what_is_gone_or_never_was_is_absent_from_the_counts(stage: Stage) -> None:
    receipt = stage.publish("hello")
    strangers = [
        Ref("no such post"),
        Ref("999999999"),
        Ref("sandbox-999"),
        Ref("sandbox-"),
        Ref("sandbox-x"),
        Ref(""),
        Ref("-1"),
        Ref("9" * 40),
    ]
    assert set(stage.connector.measure([receipt.ref, *strangers])) == {receipt.ref.id}
    assert stage.connector.measure([]) == {}


def test_what_is_deleted_is_gone_and_may_be_deleted_again(stage: Stage) -> None:
    kept, gone = stage.publish("kept"), stage.publish("gone")
    stage.connector.delete(gone.ref)
    stage.connector.delete(gone.ref)
    stage.connector.delete(Ref("no such post"))
    assert [post.ref for post in stage.shown()] == [kept.ref]
    assert stage.connector.find(Draft("gone"), gone.published_at) is None
    assert stage.connector.measure([gone.ref]) == {}


def test_mentions_come_oldest_first_each_once_and_the_cursor_goes_on(stage: Stage) -> None:
    cursor: str | None = None
    heard: list[Mention] = []
    for _ in range(40):
        stage.publish(f"what do you think of number {len(heard)}?", f"k{stage.clock()}")
        stage.clock.later(hours=9)
        page = stage.connector.mentions(cursor)
        cursor = page.cursor
        heard += page.mentions
        assert stage.connector.mentions(cursor).mentions == ()
    assert len(heard) > 10
    assert len({mention.ref.id for mention in heard}) == len(heard)
    assert all(one.created_at <= other.created_at for one, other in pairwise(heard))
    assert all(mention.created_at.utcoffset() == timedelta(0) for mention in heard)
    assert {mention.address for mention in heard} <= {"mention", "reply", "quote", "comment", "none"}


def test_a_cursor_that_is_none_of_ours_is_an_error_of_ours(stage: Stage) -> None:
    with pytest.raises(ConnectorError):
        stage.connector.mentions("what is this?")


# --- what no connector can do ---------------------------------------------------------------------------------------


def test_the_seam_has_these_verbs_and_no_other() -> None:
    assert {name for name in vars(Connector) if not name.startswith("_")} == VERBS


def test_no_connector_can_like_follow_vote_or_open_a_direct_message(stage: Stage) -> None:
    assert {name for name in dir(stage.connector) if not name.startswith("_")} == VERBS


def test_every_verb_takes_what_the_seam_says(stage: Stage) -> None:
    for verb in VERBS - {"capabilities"}:
        promised = inspect.signature(getattr(Connector, verb))
        given = inspect.signature(getattr(type(stage.connector), verb))
        assert list(given.parameters) == list(promised.parameters), verb


def test_no_answer_holds_a_naive_time(stage: Stage) -> None:
    stage.publish("hello")
    stage.clock.later(days=2)
    times: list[datetime] = [post.created_at for post in stage.shown()]
    times += [mention.created_at for mention in stage.connector.mentions(None).mentions]
    assert times
    assert all(moment.tzinfo is not None for moment in times)
