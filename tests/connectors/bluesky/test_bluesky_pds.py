"""Bluesky against the reference PDS: what stands there after we published, what is read back, what is taken away."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from connectors.base import Connector, Counts, Draft, Media, Mention, Ref, Surroundings
from connectors.bluesky import connect
from connectors.bluesky.inbox import OVERLAP
from connectors.bluesky.records import extras_of, stamp
from connectors.errors import ConnectorError, Rejected, Unavailable
from tests.connectors.bluesky.appview import READER
from tests.connectors.bluesky.server import Network, Person, network
from tests.connectors.stages.bluesky import inbound

WRITE = "com.atproto.repo.applyWrites"


@pytest.fixture
def net() -> Network:
    """The network, mended."""
    return network()


@pytest.fixture
def person(net: Network) -> Person:
    """A new account."""
    return net.person()


@pytest.fixture
def connector(person: Person, tmp_path: Path, clock: Any) -> Connector:
    """The account, connected."""
    return connect("main", Surroundings(clock, tmp_path, person.secrets.get, keep=person.keep))


@pytest.fixture
def picture(tmp_path: Path) -> Callable[[str], Media]:
    """A picture by a colour."""

    def make(colour: str) -> Media:
        file = tmp_path / f"{colour}.png"
        Image.new("RGB", (60, 40), colour).save(file)
        return Media(str(file), f"a {colour} field")

    return make


def plain(value: Any) -> Any:
    """The same without the names of types."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items() if name != "$type"}
    return [plain(part) for part in value] if isinstance(value, list) else value


# --- what stands there ----------------------------------------------------------------------------------------------


def test_a_text_stands_there_with_its_links_language_and_moment(
    connector: Connector, net: Network, person: Person, clock: Any
) -> None:
    other = net.person()
    text = f"👋 @{other.handle} and @nobody.test: https://example.com/ä #größe"
    receipt = connector.publish(Draft(text, language="de"), "k")
    (post,) = net.posts(person.did)
    value = post["value"]
    assert (post["uri"], value["text"], value["langs"]) == (receipt.ref.id, text, ["de"])
    assert value["createdAt"] == stamp(clock())
    assert receipt.published_at == clock()
    assert receipt.url == f"https://bsky.app/profile/{person.did}/post/{post['uri'].rpartition('/')[2]}"
    pieces = [
        (text.encode()[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode(), facet["features"][0])
        for facet in value["facets"]
    ]
    assert [(piece, next(what for name, what in feature.items() if name != "$type")) for piece, feature in pieces] == [
        (f"@{other.handle}", other.did),
        ("https://example.com/ä", "https://example.com/ä"),
        ("#größe", "größe"),
    ]
    assert extras_of(receipt.ref) == {"cid": post["cid"]}


def test_a_link_is_a_card(connector: Connector, net: Network, person: Person) -> None:
    connector.publish(Draft("read this", kind="link", link="https://example.com/a", title="A title"), "k")
    (post,) = net.posts(person.did)
    external = post["value"]["embed"]["external"]
    assert (external["uri"], external["title"]) == ("https://example.com/a", "A title")
    assert [own.kind for own in connector.own_posts(None)] == ["link"]


def test_pictures_stand_there_with_their_descriptions(
    connector: Connector, net: Network, person: Person, picture: Callable[[str], Media]
) -> None:
    draft = Draft("two fields", kind="photo", media=(picture("red"), picture("blue")), parts=("and a word",))
    receipt = connector.publish(draft, "k")
    post = next(post for post in net.posts(person.did) if post["uri"] == receipt.ref.id)
    images = post["value"]["embed"]["images"]
    assert [image["alt"] for image in images] == ["a red field", "a blue field"]
    assert [plain(image["aspectRatio"]) for image in images] == [{"width": 60, "height": 40}] * 2
    assert all(image["image"]["mimeType"].startswith("image/") for image in images)
    assert net.wire.counted[WRITE] == 1
    assert [own.kind for own in connector.own_posts(None)] == ["photo"]
    assert hangs_together(net, person)


def test_a_picture_that_is_not_there_publishes_nothing(connector: Connector, net: Network, person: Person) -> None:
    with pytest.raises(Rejected):
        connector.publish(Draft("no field", media=(Media("/nowhere/a.png", "a"),)), "k")
    assert net.posts(person.did) == []
    assert not net.wire.counted


def test_an_upload_that_is_lost_is_no_lost_post(
    connector: Connector, net: Network, person: Person, picture: Callable[[str], Media]
) -> None:
    net.wire.fail("drop", "com.atproto.repo.uploadBlob", written=True)
    with pytest.raises(Unavailable):
        connector.publish(Draft("a field", media=(picture("red"),)), "k")
    assert net.wire.counted == {"com.atproto.repo.uploadBlob": 1}
    assert net.posts(person.did) == []


def test_an_answer_points_to_what_it_answers_and_to_the_root(
    connector: Connector, net: Network, person: Person
) -> None:
    above = inbound("above")
    receipt = connector.publish(Draft("thank you", in_reply_to=above), "k1")
    root = {"uri": above.id, "cid": extras_of(above)["cid"]}
    (post,) = net.posts(person.did)
    assert plain(post["value"]["reply"]) == {"root": root, "parent": root}
    connector.publish(Draft("once more", in_reply_to=receipt.ref), "k2")
    again = next(post for post in net.posts(person.did) if post["value"]["text"] == "once more")
    assert plain(again["value"]["reply"]) == {"root": root, "parent": {"uri": receipt.ref.id, "cid": post["cid"]}}
    assert list(connector.own_posts(None)) == []


def test_what_an_answer_must_know_is_asked_for_where_it_was_lost(
    connector: Connector, net: Network, person: Person
) -> None:
    first = connector.publish(Draft("first"), "k1")
    connector.publish(Draft("second", in_reply_to=Ref(first.ref.id)), "k2")
    second = next(post for post in net.posts(person.did) if post["value"]["text"] == "second")
    assert plain(second["value"]["reply"]["parent"]) == {"uri": first.ref.id, "cid": extras_of(first.ref)["cid"]}


@pytest.mark.parametrize("above", ["m1", "at://did:plc:me/app.bsky.feed.like/3k"])
def test_what_is_no_post_cannot_be_answered(connector: Connector, net: Network, person: Person, above: str) -> None:
    with pytest.raises(Rejected):
        connector.publish(Draft("hello", in_reply_to=Ref(above)), "k")
    assert net.wire.counted[WRITE] == 0


# --- threads --------------------------------------------------------------------------------------------------------


def hangs_together(net: Network, person: Person) -> bool:
    """Whether each post of a thread names the one before by the fingerprint the server gave it."""
    posts = net.posts(person.did)
    parents = [plain(post["value"]["reply"]["parent"]) for post in posts[1:]]
    return parents == [{"uri": post["uri"], "cid": post["cid"]} for post in posts[:-1]]


def test_a_thread_is_one_write_and_hangs_together(
    connector: Connector, net: Network, person: Person, clock: Any
) -> None:
    draft = Draft(
        "one https://example.com", language="en", link="https://example.com", parts=("two #tag", "drei ü 👋", "4")
    )
    receipt = connector.publish(draft, "k")
    assert net.wire.counted[WRITE] == 1
    assert [post["value"]["text"] for post in net.posts(person.did)] == [draft.text, *draft.parts]
    assert hangs_together(net, person)
    assert connector.find(draft, clock()) == receipt
    assert [own.ref.id for own in connector.own_posts(None)] == [receipt.ref.id]
    shorter = Draft(draft.text, parts=("two #tag", "something else"))
    assert connector.find(shorter, clock()) is None


def test_a_thread_with_a_bad_part_is_not_there_at_all(connector: Connector, net: Network, person: Person) -> None:
    connector.publish(Draft("other"), "k")
    net.wire.mend()
    with pytest.raises(Rejected):
        connector.publish(Draft("one", language="no language!", parts=("two",)), "k2")
    assert net.wire.counted[WRITE] == 1
    assert [post["value"]["text"] for post in net.posts(person.did)] == ["other"]


def test_a_thread_is_taken_away_whole(connector: Connector, net: Network, person: Person) -> None:
    kept = connector.publish(Draft("kept"), "k1")
    thread = connector.publish(Draft("one", parts=("two", "three")), "k2")
    connector.delete(thread.ref)
    connector.delete(thread.ref)
    assert [post["uri"] for post in net.posts(person.did)] == [kept.ref.id]


def test_the_posts_of_others_are_left_alone(connector: Connector, net: Network, tmp_path: Path, clock: Any) -> None:
    other = net.person()
    theirs = connect("main", Surroundings(clock, tmp_path, other.secrets.get)).publish(Draft("theirs"), "k")
    net.wire.mend()
    connector.delete(theirs.ref)
    assert net.wire.counted["com.atproto.repo.deleteRecord"] == 0
    assert len(net.posts(other.did)) == 1


# --- the same key ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [(), ("two", "three")])
def test_one_key_is_one_post_for_ever(
    connector: Connector, net: Network, person: Person, clock: Any, parts: tuple[str, ...]
) -> None:
    first = connector.publish(Draft("one", parts=parts), "k")
    clock.later(days=40)
    assert connector.publish(Draft("one", parts=parts), "k") == first
    assert len(net.posts(person.did)) == 1 + len(parts)
    with pytest.raises(Rejected, match="another text"):
        connector.publish(Draft("other", parts=parts), "k")
    assert len(net.posts(person.did)) == 1 + len(parts)


# --- counts ---------------------------------------------------------------------------------------------------------


def test_counts_are_the_app_views_and_what_it_does_not_tell_is_not_told(connector: Connector, net: Network) -> None:
    ref = connector.publish(Draft("hello"), "k").ref
    net.view.counts[ref.id] = {"likeCount": 5, "replyCount": 4, "repostCount": 2, "quoteCount": 1}
    assert connector.measure([ref]) == {ref.id: Counts(likes=5, replies=4, shares=3)}
    assert [own.counts for own in connector.own_posts(None)] == [Counts(likes=5, replies=4, shares=3)]


def fill(net: Network, person: Person, clock: Any, many: int) -> None:
    """Let the account have posted before."""
    record = {"$type": "app.bsky.feed.post", "text": "hello", "createdAt": stamp(clock())}
    write = {"$type": f"{WRITE}#create", "collection": "app.bsky.feed.post", "value": record}
    net.ask(WRITE, {"repo": person.did, "writes": [write] * many}, person.token)


def test_thirty_posts_are_counted_in_two_requests(
    connector: Connector, net: Network, person: Person, clock: Any
) -> None:
    fill(net, person, clock, 30)
    refs = [Ref(post["uri"]) for post in net.posts(person.did)]
    assert set(connector.measure(refs)) == {ref.id for ref in refs}
    assert net.wire.counted["app.bsky.feed.getPosts"] == 2


def test_a_long_history_is_read_page_by_page(connector: Connector, net: Network, person: Person, clock: Any) -> None:
    fill(net, person, clock, 101)
    assert connector.find(Draft("something else"), clock()) is None
    assert net.wire.counted["com.atproto.repo.listRecords"] == 3  # it takes an empty page to know the end


# --- what people say ------------------------------------------------------------------------------------------------


def heard(connector: Connector, cursor: str | None = None) -> tuple[list[Mention], str | None]:
    page = connector.mentions(cursor)
    return list(page.mentions), page.cursor


def test_what_people_say_comes_with_who_said_it_and_under_what(
    connector: Connector, net: Network, person: Person, clock: Any
) -> None:
    mine = connector.publish(Draft("hello"), "k").ref
    this = {"uri": mine.id, "cid": extras_of(mine)["cid"]}
    theirs = {"uri": inbound("x").id, "cid": extras_of(inbound("x"))["cid"]}
    say = net.view.note
    say(person.did, clock() + timedelta(minutes=1), "hey", record={"langs": ["de"]})
    say(person.did, clock() + timedelta(minutes=2), "to you", "reply", record={"reply": {"root": this, "parent": this}})
    say(
        person.did,
        clock() + timedelta(minutes=3),
        "to another",
        "reply",
        record={"reply": {"root": this, "parent": theirs}},
    )
    label = {"src": READER["did"], "uri": READER["did"], "val": "bot", "cts": stamp(clock())}
    say(person.did, clock() + timedelta(minutes=4), "beep", "quote", author={**READER, "labels": [label]})
    like = {"$type": "app.bsky.feed.like", "subject": this, "createdAt": stamp(clock())}
    say(person.did, clock() + timedelta(minutes=5), "", "like", record=like)
    mentions, _ = heard(connector)
    assert [(each.text, each.address) for each in mentions] == [
        ("hey", "mention"),
        ("to you", "reply"),
        ("to another", "none"),
        ("beep", "quote"),
    ]
    hey, to_you, _, beep = mentions
    assert (hey.author_id, hey.author, hey.language) == (READER["did"], "@reader.test", "de")
    assert (hey.in_reply_to, hey.thread, hey.author_is_bot) == (None, Ref(hey.ref.id), False)
    assert to_you.in_reply_to is not None
    assert (to_you.in_reply_to.id, to_you.thread) == (mine.id, Ref(mine.id))
    assert beep.author_is_bot
    connector.publish(Draft("thank you", in_reply_to=to_you.ref), "k2")
    answer = next(post for post in net.posts(person.did) if post["value"]["text"] == "thank you")
    assert plain(answer["value"]["reply"]["root"]) == this
    assert plain(answer["value"]["reply"]["parent"]) == {"uri": to_you.ref.id, "cid": extras_of(to_you.ref)["cid"]}


def test_what_comes_in_late_is_heard_and_nothing_twice(
    connector: Connector, net: Network, person: Person, clock: Any
) -> None:
    net.view.page = 2
    for minute in range(7):
        net.view.note(person.did, clock() + timedelta(minutes=minute), f"text {minute}")
    mentions, cursor = heard(connector)
    assert [each.text for each in mentions] == [f"text {minute}" for minute in range(7)]
    assert heard(connector, cursor) == ([], cursor)
    net.view.note(person.did, clock() + timedelta(minutes=3), "late")
    net.view.note(person.did, clock() + timedelta(minutes=6), "at the same moment")
    mentions, later = heard(connector, cursor)
    assert [each.text for each in mentions] == ["late", "at the same moment"]
    assert heard(connector, later) == ([], later)
    assert heard(connector, cursor)[0] == mentions
    net.view.note(person.did, clock() + timedelta(minutes=7) + OVERLAP, "long after")
    assert [each.text for each in heard(connector, later)[0]] == ["long after"]


@pytest.mark.parametrize("cursor", ["", "{}", "[]", '{"at":"yesterday","seen":[]}', '{"at":"2026-11-24T12:00:00Z"}'])
def test_a_cursor_that_is_none_of_ours_is_refused(connector: Connector, cursor: str) -> None:
    with pytest.raises(ConnectorError, match="none of ours"):
        connector.mentions(cursor)
