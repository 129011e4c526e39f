"""Mastodon posts: threads that go on where they broke, pictures, answers, links and lengths, and who is told what."""

import io
import json
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from PIL import Image

from connectors.base import Connector, Draft, Media, Ref
from connectors.errors import ConnectorError, OutcomeUnknown, RateLimited, Rejected, Unavailable
from connectors.mastodon.house import House, house_of
from connectors.mastodon.posts import length, written
from tests.connectors.mastodon.server import Network
from tests.connectors.mastodon.wire import POST

THREAD = Draft("first, a beginning", parts=("then a middle", "and an end"))
INSTANCE, MEDIA = "GET /api/v2/instance", "POST /api/v2/media"


def posted(net: Network) -> list[dict[str, list[str]]]:
    """What was sent to be posted, in order."""
    return [parse_qs(body.decode()) for what, _, body in net.wire.sent if what == POST]


# --- one post -------------------------------------------------------------------------------------------------------


def test_the_key_makes_the_idempotency_key(net: Network, ours: Connector) -> None:
    for key in ("one", "one", "two — with any sign\n"):
        ours.publish(Draft("hello"), key)
    keys = [headers["Idempotency-Key"] for what, headers, _ in net.wire.sent if what == POST]
    assert keys[0] == keys[1] != keys[2]
    assert len(net.ours()) == 2


def test_a_post_carries_its_language_and_no_visibility_of_ours(net: Network, ours: Connector) -> None:
    ours.publish(Draft("hallo", language="de-AT"), "k")
    (sent,) = posted(net)
    assert sent["language"] == ["de"]
    assert "visibility" not in sent  # the account's own default holds


def test_a_link_that_the_words_do_not_hold_follows_them(net: Network, ours: Connector) -> None:
    draft = Draft("read this", link="https://example.org/a")
    receipt = ours.publish(draft, "k")
    assert net.ours() == ["read this\n\nhttps://example.org/a"]
    assert ours.find(draft, receipt.published_at) == receipt
    assert written(Draft("see https://example.org/a now", link="https://example.org/a")) == [
        "see https://example.org/a now"
    ]


@pytest.mark.parametrize(
    "draft",
    [
        Draft("x", kind="poll"),
        Draft("x", parts=("",)),
        Draft("x", parts=("y" * 501,)),
        Draft("x" * 490, link="https://example.org/a"),
        Draft("x", media=(Media("a.png", ""),) * 5),
        Draft("x", media=(Media("a.png", "a" * 1501),)),
        Draft("x", media=(Media("/nowhere/a.png", ""),)),
        Draft("x", in_reply_to=Ref("no post there")),
    ],
)
def test_what_the_server_would_not_take_is_refused_before_anything_is_sent(
    net: Network, ours: Connector, draft: Draft
) -> None:
    with pytest.raises(Rejected):
        ours.publish(draft, "k")
    assert not any(what.startswith("POST") for what in net.wire.counted)


def test_connecting_asks_nothing_of_anybody(net: Network, clock: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(socket, "socket", lambda *_, **__: pytest.fail("a socket was opened"))
    net.open(clock, tmp_path)


# --- length ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "long"),
    [
        ("", 0),
        ("hello", 5),
        ("über", 4),
        ("👩‍👩‍👧 and 🇩🇪", 7),
        ("https://example.org/" + "x" * 300, 23),
        ("see https://example.org, and http://example.org/x.", 4 + 23 + 6 + 23 + 1),
        ("example.org alone is no link", 28),
        ("@alice@other.example hello", 12),
        ("@alice hello", 12),
        ("me@other.example", 16),
        ("#tag", 4),
    ],
)
def test_length_is_the_platforms_own(text: str, long: int) -> None:
    assert length(text, House(genuine=True)) == long


def test_where_other_software_counts_every_character_counts() -> None:
    text = "see https://example.org/" + "x" * 30 + " 👩‍👩‍👧"
    assert length(text, House(genuine=False)) == len(text)


# --- servers --------------------------------------------------------------------------------------------------------


def test_a_servers_limits_are_asked_once_a_day(net: Network, ours: Connector, clock: Any) -> None:
    for _ in range(3):
        limits = ours.limits()
        assert ours.capabilities.native_idempotency
        ours.length("hello")
    assert (limits.max_length, limits.max_media, limits.reads_per_hour) == (500, 4, 3600)
    assert net.wire.counted[f"{INSTANCE}/"] == 1
    clock.later(hours=25)
    ours.limits()
    assert net.wire.counted[f"{INSTANCE}/"] == 2


def test_gotosocial_has_its_own_limits_and_no_keys(net: Network, ours: Connector) -> None:
    net.wire.fail("gotosocial", INSTANCE)
    assert (ours.limits().max_length, ours.limits().max_media) == (5000, 6)
    assert not ours.capabilities.native_idempotency
    ours.mentions("1")
    ours.publish(Draft("hello"), "k")
    assert net.ours() == ["hello"]


def test_a_server_that_cannot_be_asked_is_not_trusted_with_keys(net: Network, ours: Connector) -> None:
    net.wire.fail("drop", INSTANCE)
    assert not ours.capabilities.native_idempotency


def test_an_older_server_is_asked_in_the_old_way(net: Network, ours: Connector) -> None:
    net.wire.fail("404", INSTANCE)
    assert ours.limits().max_length == 500
    assert net.wire.counted["GET /api/v1/instance/"] == 1


@pytest.mark.parametrize(
    ("version", "genuine"),
    [
        ("4.6.4", True),
        ("4.6.0-alpha.1+glitch", True),
        ("3.5.3", True),
        ("2.7.2 (compatible; Pleroma 2.9.0)", False),
        ("4.2.0 (compatible; Sharkey 2025.1)", False),
        ("0.19.1+git-1a2b", False),
        ("snapshot", False),
        ("", False),
    ],
)
def test_only_mastodon_itself_is_trusted_with_keys(version: str, genuine: bool) -> None:
    assert house_of({"version": version}).genuine is genuine


def test_what_a_server_does_not_tell_is_as_on_mastodon() -> None:
    assert house_of({"max_toot_chars": 5000, "configuration": None}).max_length == 5000
    assert house_of({}) == House()


# --- threads --------------------------------------------------------------------------------------------------------


def test_a_thread_is_posted_part_under_part_and_found_and_removed_whole(net: Network, ours: Connector) -> None:
    receipt = ours.publish(THREAD, "k")
    assert net.ours() == ["and an end", "then a middle", "first, a beginning"]
    sent = posted(net)
    assert "in_reply_to_id" not in sent[0]
    assert [each["in_reply_to_id"][0] for each in sent[1:]] == [receipt.ref.id, receipt.ref.extras.split()[0]]
    assert ours.find(THREAD, receipt.published_at) == receipt
    assert [post.text for post in ours.own_posts(None)] == ["first, a beginning"]
    assert list(ours.measure([receipt.ref])) == [receipt.ref.id]
    ours.delete(receipt.ref)
    assert net.ours() == []


@pytest.mark.parametrize("keys", [True, False])
@pytest.mark.parametrize(
    ("fault", "taken", "error"),
    [
        ("drop", True, OutcomeUnknown),
        ("drop", False, OutcomeUnknown),
        ("500", False, OutcomeUnknown),
        ("malformed", True, OutcomeUnknown),
        ("429", False, RateLimited),
    ],
)
def test_a_thread_goes_on_where_it_broke(
    net: Network,
    clock: Any,
    tmp_path: Path,
    keys: bool,
    fault: str,
    taken: bool,
    error: type[ConnectorError],
) -> None:
    if not keys:
        net.wire.kept_back.add("idempotency-key")  # a server that forgets them
        net.wire.fail("gotosocial", INSTANCE)
    ours = net.open(clock, tmp_path)
    ours.limits()
    net.wire.fail("slow")  # the first part gets through
    net.wire.slow = 0.0
    net.wire.fail(fault, written=taken)
    with pytest.raises(error):
        ours.publish(THREAD, "k")
    assert ours.find(THREAD, clock() - timedelta(days=1)) is None  # not whole: publish, not find, is next
    before = net.wire.counted[POST]
    receipt = net.open(clock, tmp_path).publish(THREAD, "k")  # after a restart
    assert net.ours() == ["and an end", "then a middle", "first, a beginning"]
    assert net.wire.counted[POST] - before == (1 if taken else 2)
    assert ours.find(THREAD, clock() - timedelta(days=1)) == receipt


def test_a_thread_that_is_whole_is_no_beginning_of_another(net: Network, ours: Connector) -> None:
    first = ours.publish(THREAD, "monday")
    assert ours.publish(THREAD, "tuesday").ref != first.ref
    assert len(net.ours()) == 6


def test_an_old_beginning_is_left_alone(net: Network, ours: Connector, clock: Any) -> None:
    ours.publish(Draft(THREAD.text), "alone")
    clock.later(days=30)
    ours.publish(THREAD, "k")
    assert net.ours().count(THREAD.text) == 2


# --- pictures -------------------------------------------------------------------------------------------------------


@pytest.fixture
def picture(tmp_path: Path) -> str:
    exif = Image.Exif()
    exif[0x010F] = "Camera of a person"
    noise = np.random.default_rng(0).integers(0, 255, (60, 90, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "p.jpg", exif=exif)
    return str(tmp_path / "p.jpg")


def test_a_picture_goes_up_without_its_camera_and_with_its_description(
    net: Network, ours: Connector, picture: str
) -> None:
    draft = Draft("look", kind="photo", media=(Media(picture, "A cat on a roof"), Media(picture, "")))
    receipt = ours.publish(draft, "k")
    assert (net.wire.counted[MEDIA], net.wire.counted[POST]) == (2, 1)
    shown = net.person("grace").status(receipt.ref.id).media_attachments
    assert [each.description for each in shown] == ["A cat on a roof", None]
    content = net.wire.reply("GET", shown[0].url.partition("/media/")[2].join(("/media/", "")), {}, b"")[2]
    assert b"person" not in content
    assert Image.open(io.BytesIO(content)).size == (90, 60)
    assert ours.find(draft, receipt.published_at) == receipt
    assert ours.find(Draft("look"), receipt.published_at) is None
    assert [post.kind for post in ours.own_posts(None)] == ["photo"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("drop", Unavailable),
        ("500", Unavailable),
        ("malformed", Unavailable),
        ("nameless", Unavailable),
        ("429", RateLimited),
        ("422", Rejected),
    ],
)
def test_nothing_is_posted_when_a_picture_does_not_arrive(
    net: Network, ours: Connector, picture: str, fault: str, error: type[ConnectorError]
) -> None:
    net.wire.fail(fault, MEDIA)
    with pytest.raises(error):
        ours.publish(Draft("look", media=(Media(picture, "a cat"),)), "k")
    assert (net.wire.counted[MEDIA], net.wire.counted[POST]) == (1, 0)


def test_nothing_is_posted_while_the_server_is_at_work_on_a_picture(
    net: Network, ours: Connector, picture: str
) -> None:
    net.wire.fail("working", MEDIA)
    net.wire.fail("working", "GET /api/v1/media/5")
    with pytest.raises(Unavailable, match="at work"):
        ours.publish(Draft("look", media=(Media(picture, "a cat"),)), "k")
    assert net.wire.counted[POST] == 0


# --- what people say, and answers -----------------------------------------------------------------------------------


def test_an_answer_names_its_reader_and_is_shown_no_wider_than_the_question(net: Network, ours: Connector) -> None:
    grace = net.person("grace")
    for visibility in ("public", "unlisted", "private"):
        grace.status_post(f"@ada {visibility}?", visibility=visibility)
    grace.status_post("@ada a secret", visibility="direct")
    heard = ours.mentions(None).mentions
    assert [mention.text for mention in heard] == ["@ada public?", "@ada unlisted?", "@ada private?"]
    assert {(mention.author, mention.author_is_bot, mention.address) for mention in heard} == {
        ("grace", False, "mention")
    }
    for mention in heard:
        ours.publish(Draft("yes", in_reply_to=mention.ref), mention.ref.id)
    sent = posted(net)
    assert [each["status"][0] for each in sent] == ["@grace yes"] * 3
    assert [each.get("visibility") for each in sent] == [None, ["unlisted"], ["private"]]
    assert len(grace.notifications(types=["mention"])) == 3
    for mention in heard:
        assert ours.find(Draft("yes", in_reply_to=mention.ref), heard[0].created_at) is not None


def test_private_messages_do_not_hold_up_what_follows(net: Network, ours: Connector) -> None:
    grace = net.person("grace")
    grace.status_post("@ada one")
    cursor = ours.mentions(None).cursor
    grace.status_post("@ada a secret", visibility="direct")
    page = ours.mentions(cursor)
    assert page.mentions == ()
    assert page.cursor != cursor
    grace.status_post("@ada two")
    assert [mention.text for mention in ours.mentions(page.cursor).mentions] == ["@ada two"]


def test_a_reply_names_its_thread_and_a_quote_is_told_apart(net: Network, ours: Connector) -> None:
    grace, alan = net.person("grace"), net.person("alan")
    root = ours.publish(Draft("what do you think?"), "k")
    first = grace.status_post("@ada I think so", in_reply_to_id=root.ref.id)
    aside = alan.status_post("@grace @ada me too", in_reply_to_id=first["id"])
    heard = {mention.ref.id: mention for mention in ours.mentions(None).mentions}
    reply, other = heard[str(first["id"])], heard[str(aside["id"])]
    assert (reply.address, reply.in_reply_to, reply.thread) == ("reply", Ref(root.ref.id), Ref(root.ref.id))
    assert (other.address, other.thread, other.author_is_bot) == ("mention", Ref(root.ref.id), True)


def test_more_than_a_page_of_mentions_is_read_in_order_and_once(net: Network, ours: Connector) -> None:
    grace = net.person("grace")
    cursor = ours.mentions(None).cursor or "1"
    for place in range(45):
        grace.status_post(f"@ada {place}")
    texts: list[str] = []
    for _ in range(3):
        page = ours.mentions(cursor)
        texts += [mention.text for mention in page.mentions]
        cursor = page.cursor or cursor
    assert texts == [f"@ada {place}" for place in range(45)]


def test_the_first_look_goes_back_two_days_and_starts_from_there(net: Network, ours: Connector, clock: Any) -> None:
    net.person("grace").status_post("@ada long ago")
    clock.later(days=400)
    page = ours.mentions(None)
    assert page.mentions == ()
    assert page.cursor is not None


# --- counts ---------------------------------------------------------------------------------------------------------


def test_many_posts_are_measured_twenty_at_a_time(net: Network, ours: Connector) -> None:
    refs = [ours.publish(Draft(f"text {place}"), f"k{place}").ref for place in range(22)]
    net.person("grace").status_favourite(refs[0].id)
    net.person("grace").status_reblog(refs[0].id)
    net.person("grace").status_post("hm", in_reply_to_id=refs[0].id)
    counts = ours.measure([*refs, Ref("117"), refs[0]])
    assert list(counts) == [ref.id for ref in refs]
    first = counts[refs[0].id]
    assert (first.likes, first.shares, first.replies, first.clicks, first.impressions) == (1, 1, 1, None, None)
    assert net.wire.counted["GET /api/v1/statuses"] == 2


def test_a_server_that_cannot_be_asked_about_several_is_asked_one_by_one(net: Network, ours: Connector) -> None:
    refs = [ours.publish(Draft(f"text {place}"), f"k{place}").ref for place in range(2)]
    net.wire.fail("404", "GET /api/v1/statuses")
    assert set(ours.measure([*refs, Ref("117")])) == {ref.id for ref in refs}
    assert set(ours.measure(refs)) == {ref.id for ref in refs}
    assert net.wire.counted["GET /api/v1/statuses"] == 1


def test_our_profile_tells_whether_we_are_a_bot(net: Network, ours: Connector, clock: Any, tmp_path: Path) -> None:
    assert (ours.check().handle, ours.check().bot_label, ours.check().followers) == ("ada", True, 0)
    net.secrets["mastodon/main/access_token"] = "grace_token"
    assert net.open(clock, tmp_path).check().bot_label is False


def test_nothing_of_an_account_shows_its_token(ours: Connector, net: Network) -> None:
    shown = [repr(ours), str(ours), json.dumps([str(each) for each in (ours.check(), ours.limits())])]
    assert not any("ada_token" in each for each in shown)
