"""Archives give every sound row, name each broken one by its line, and leave out what is not a public post of ours."""

import csv
import gzip
import io
import json
import os
import tarfile
import zipfile
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.archives import Archive, ArchiveError, BadRow, LeftOut, Row, open_archive
from connectors.archives.mastodon import plain
from connectors.base import Counts, OwnPost, Ref

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MORNING = datetime(2026, 3, 1, 9, tzinfo=UTC)
HEADER = "platform,account,post_id,created_at,text,kind,likes,replies,shares,score,impressions,split"
in_a_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=5,
)


def line(number: int, account: str = "brand", **other: object) -> str:
    """A row of a table: a sound one, but for the cells given."""
    cells = {
        "platform": "fake", "account": account, "post_id": f"p{number}", "created_at": "2026-03-01T09:00:00Z",
        "text": f"Number {number}", "kind": "link", "likes": 3, "replies": 2, "shares": 1, "score": 9,
        "impressions": "", "split": "train", **other,
    }  # fmt: skip
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(cells.values())
    return written.getvalue().removesuffix("\n")


def table(folder: Path, *lines: str, header: str = HEADER, name: str = "posts.csv") -> Path:
    file = folder / name
    file.write_text("".join(f"{text}\n" for text in (header, *lines)), encoding="utf-8", newline="")
    return file


def tweet(number: int, **other: object) -> dict[str, Any]:
    """An entry of X's tweets.js: a sound one, but for the fields given."""
    return {
        "tweet": {
            "retweeted": False,
            "id_str": f"{number}",
            "full_text": f"Number {number}",
            "created_at": "Sun Mar 01 09:00:00 +0000 2026",
            "favorite_count": "3",
            "retweet_count": "1",
            "entities": {"urls": [], "user_mentions": [{"id_str": "99", "indices": ["0", "3"]}]},
            **other,
        }
    }


def tweets(folder: Path, *entries: object, name: str = "tweets.js", kind: str = "tweets", part: int = 0) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"window.YTD.{kind}.part{part} = {json.dumps(entries, indent=2)}", encoding="utf-8")
    return file


ME = "https://social.example/users/brand"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


def toot(number: int, **other: object) -> dict[str, Any]:
    """An entry of Mastodon's outbox.json: a sound one, but for the fields given of the note."""
    uri = f"{ME}/statuses/{number}"
    note = {
        "id": uri,
        "type": "Note",
        "summary": None,
        "inReplyTo": None,
        "published": "2026-03-01T09:00:00Z",
        "to": [PUBLIC],
        "cc": [f"{ME}/followers"],
        "content": f"<p>Number {number}</p>",
        "attachment": [],
        "replies": {"id": f"{uri}/replies", "type": "Collection", "first": {"type": "CollectionPage"}},
        **other,
    }
    return {"id": f"{uri}/activity", "type": "Create", "actor": ME, "object": note}


def outbox(folder: Path, *entries: object) -> Path:
    file = folder / "outbox.json"
    context = {"@context": ["https://www.w3.org/ns/activitystreams", {"toot": "http://joinmastodon.org/ns#"}]}
    whole = {**context, "id": "outbox.json", "type": "OrderedCollection", "totalItems": 1, "orderedItems": entries}
    file.write_text(json.dumps(whole, separators=(",", ":")), encoding="utf-8")
    return file


def posts(archive: Archive) -> list[OwnPost]:
    return [entry.post for entry in archive if isinstance(entry, Row)]


def ids(archive: Archive) -> list[str]:
    return [post.ref.id for post in posts(archive)]


def bad(archive: Archive) -> list[str]:
    return [str(entry) for entry in archive if isinstance(entry, BadRow)]


def left_out(archive: Archive) -> Counter[str]:
    return Counter(entry.why for entry in archive if isinstance(entry, LeftOut))


# A table


def test_a_row_of_a_table_is_read_whole(tmp_path: Path) -> None:
    text = 'Two lines,\nand "quotes"'
    archive = open_archive(
        table(tmp_path, line(1, text=text, impressions=500, created_at="2026-03-01T10:00+01:00")), NOW
    )
    post = OwnPost(Ref("p1"), text, MORNING, "link", Counts(likes=3, replies=2, shares=1, impressions=500))
    assert (archive.format, list(archive)) == ("csv", [Row("fake/brand", post)])


def test_only_id_time_and_text_are_needed_and_unknown_columns_are_ignored(tmp_path: Path) -> None:
    file = table(tmp_path, "Hi,blue,1,2026-03-01T09:00:00Z", header="Text , colour,POST_ID,created_at")
    assert list(open_archive(file, NOW, "fake/me")) == [Row("fake/me", OwnPost(Ref("1"), "Hi", MORNING))]


def test_a_count_left_empty_is_unknown_and_never_zero(tmp_path: Path) -> None:
    file = table(tmp_path, line(1, likes="", replies="", shares=" ", score=""), line(2, likes="2454.0", shares="0"))
    assert [post.counts for post in posts(open_archive(file, NOW))] == [Counts(), Counts(2454, 2, 0)]


def test_the_score_stands_in_for_likes_only_where_there_are_none(tmp_path: Path) -> None:
    file = table(tmp_path, line(1, likes="", score=7), line(2, likes=0, score=7))
    assert [post.counts.likes for post in posts(open_archive(file, NOW))] == [7, 0]


@pytest.mark.parametrize("packed", [False, True])
def test_a_table_reads_the_same_packed_under_any_name_and_from_any_system(tmp_path: Path, packed: bool) -> None:
    body = "\r\n".join((HEADER, line(1), "", line(2), "")).encode("utf-8-sig")
    file = tmp_path / "history"
    file.write_bytes(gzip.compress(body) if packed else body)
    assert (ids(open_archive(file, NOW)), bad(open_archive(file, NOW))) == (["p1", "p2"], [])


BROKEN = {
    "no text": line(7, text="  "),
    "no post_id": line(7, post_id=""),
    "no created_at": line(7, created_at=""),
    "no account": line(7, account=""),
    "no platform": line(7, platform=""),
    "created_at 'yesterday' is not a time; write it as 2027-03-01T09:00:00Z": line(7, created_at="yesterday"),
    "created_at '2026-03-01 09:00' has no zone; end it with Z for UTC, or with its offset as +02:00": line(
        7, created_at="2026-03-01 09:00"
    ),
    "created_at 2026-11-24T12:00:01+00:00 is still to come": line(7, created_at="2026-11-24T12:00:01Z"),
    "created_at 0001-01-01T00:00:00+14:00 is out of range": line(7, created_at="0001-01-01T00:00:00+14:00"),
    "likes -1 is below zero": line(7, likes=-1),
    "shares 'many' is not a whole number": line(7, shares="many"),
    "shares '1.5' is not a whole number": line(7, shares="1.5"),
    "likes 9999999999 is more than can be": line(7, likes=9_999_999_999),
    "platform 'two words' is not a platform's name, such as mastodon": line(7, platform="two words"),
    "account 'a\\nb' is not a name": line(7, account="a\nb"),
    "11 cells, the header has 12": line(7).rpartition(",")[0],
    "13 cells, the header has 12": line(7) + ",",
    "text holds a NUL byte": line(7, text="a\0b"),
    "a quote is opened and not closed": line(7, kind="").replace("Number", '"Number'),
    "not a row of a CSV table: ',' expected after '\"'": 'fake,"brand"x' + line(7)[10:],
    "not a row of a CSV table: field larger than field limit (131072)": line(7, text="x" * 140_000),
}


@pytest.mark.parametrize("why", BROKEN)
def test_a_broken_row_is_named_with_its_line_and_costs_no_other(tmp_path: Path, why: str) -> None:
    archive = open_archive(table(tmp_path, line(1), line(2), BROKEN[why], line(3), line(4)), NOW)
    assert bad(archive) == [f"posts.csv:4: {why}"]
    assert ids(archive) == ["p1", "p2", "p3", "p4"]


def test_a_row_that_is_not_utf_8_costs_no_other(tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    file.write_bytes("\n".join((HEADER, line(1), line(2, text="café"), line(3))).encode("latin-1"))
    archive = open_archive(file, NOW)
    assert (ids(archive), bad(archive)) == (["p1", "p3"], ["posts.csv:3: text is not UTF-8 text"])


@in_a_folder
@given(st.lists(st.sampled_from([*BROKEN.values(), None]), max_size=12))
def test_every_sound_row_is_read_whatever_breaks_between(tmp_path: Path, between: list[str | None]) -> None:
    rows = [line(100 + at) if broken is None else broken for at, broken in enumerate(between)]
    sound = [f"p{100 + at}" for at, broken in enumerate(between) if broken is None]
    archive = open_archive(table(tmp_path, *rows, line(1, kind='"quoted"'), line(2)), NOW)
    assert ids(archive) == [*sound, "p1", "p2"]


@pytest.mark.parametrize("damage", ["cut short", "damaged"])
def test_of_a_packed_file_that_breaks_off_the_rows_before_are_read(tmp_path: Path, damage: str) -> None:
    packed = gzip.compress("\n".join((HEADER, *(line(at) for at in range(2000)))).encode())
    file = tmp_path / "posts.csv.gz"
    file.write_bytes(packed[: len(packed) // 2] if damage == "cut short" else packed[:-8] + b"\0" * 8)
    archive = open_archive(file, NOW)
    assert len(ids(archive)) > 500
    (why,) = bad(archive)
    assert why.endswith(f"the file breaks off here: the packed data is {damage}")


def test_of_rows_about_the_same_post_the_last_counts_and_the_others_are_told(tmp_path: Path) -> None:
    lines = [line(1, likes=1), line(1, "other"), line(2), line(1, likes=5), line(1, likes=-5)]
    archive = open_archive(table(tmp_path, *lines), NOW)
    assert [(post.ref.id, post.counts.likes) for post in posts(archive)] == [("p1", 3), ("p2", 3), ("p1", 5)]
    assert left_out(archive) == {"earlier rows of the same post": 1}
    assert archive.accounts() == {"fake/brand": 2, "fake/other": 1}


def test_a_bad_row_says_whose_it_is_where_that_can_be_read(tmp_path: Path) -> None:
    archive = open_archive(table(tmp_path, line(1, "a", text=""), line(2, "b", platform="")), NOW)
    assert [entry.account for entry in archive] == ["fake/a", None]


def test_a_table_without_platforms_takes_the_one_of_the_account(tmp_path: Path) -> None:
    file = table(tmp_path, "a,1,2026-03-01T09:00:00Z,Hi", header="account,post_id,created_at,text")
    assert open_archive(file, NOW, "x/a").accounts() == {"x/a": 1}


def test_rows_of_another_platform_than_the_account_s_are_bad(tmp_path: Path) -> None:
    file = table(tmp_path, "x,1,2026-03-01T09:00:00Z,Hi", header="platform,post_id,created_at,text")
    assert bad(open_archive(file, NOW, "fake/me")) == ["posts.csv:2: platform 'x' is not fake, the account's"]


@pytest.mark.parametrize("missing", [8, 1])
def test_of_a_short_packed_file_without_its_end_every_row_is_read(tmp_path: Path, missing: int) -> None:
    file = tmp_path / "posts.csv.gz"
    file.write_bytes(gzip.compress("\n".join((HEADER, line(1), line(2), "")).encode())[:-missing])
    archive = open_archive(file, NOW)
    assert ids(archive) == ["p1", "p2"]
    assert bad(archive) == ["posts.csv.gz:4: the file breaks off here: the packed data is cut short"]


# X


def test_a_tweet_is_read_as_people_saw_it(tmp_path: Path) -> None:
    entry = tweet(
        5,
        full_text="Tea &amp; cake https://t.co/abc https://t.co/pic",
        entities={
            "urls": [{"url": "https://t.co/abc", "expanded_url": "https://e.example/?a=1&copy=2"}],
            "media": [{"url": "https://t.co/pic", "type": "photo"}],
        },
        extended_entities={"media": [{"url": "https://t.co/pic", "type": "video"}]},
    )
    text = "Tea & cake https://e.example/?a=1&copy=2"
    archive = open_archive(tweets(tmp_path, entry), NOW, "brand")
    post = OwnPost(Ref("5"), text, MORNING, "video", Counts(likes=3, shares=1))
    assert (archive.format, list(archive)) == ("x", [Row("x/brand", post)])


def test_the_kind_of_a_tweet_is_what_it_shows(tmp_path: Path) -> None:
    photo = {"urls": [], "media": [{"url": "https://t.co/pic", "type": "photo"}]}
    entries = [tweet(1), tweet(2, full_text="See https://e.example"), tweet(3, entities=photo)]
    assert [post.kind for post in posts(open_archive(tweets(tmp_path, *entries), NOW, "brand"))] == [
        "text",
        "link",
        "photo",
    ]


def test_retweets_and_replies_to_others_are_left_out_but_not_our_own_threads(tmp_path: Path) -> None:
    wordless = {"urls": [], "media": [{"url": "https://t.co/pic", "type": "photo"}]}
    entries = [
        tweet(3, in_reply_to_status_id_str="2", in_reply_to_user_id_str="77"),
        tweet(2),
        tweet(4, full_text="RT @someone: hello"),
        tweet(5, in_reply_to_status_id_str="1000", in_reply_to_user_id_str="8"),
        tweet(6, full_text="@someone hello", in_reply_to_user_id_str="8"),
        tweet(7, full_text="https://t.co/pic", entities=wordless),
    ]
    archive = open_archive(tweets(tmp_path, *entries), NOW, "x/brand")
    assert ids(archive) == ["3", "2"]
    assert left_out(archive) == {"reposts of others": 1, "replies to others": 2, "without words": 1}


def test_the_unpacked_folder_tells_the_account_and_goes_on_in_further_parts(tmp_path: Path) -> None:
    data = tmp_path / "data"
    tweets(data, {"account": {"username": "brand", "accountId": "77"}}, name="account.js", kind="account")
    tweets(data, tweet(1), tweet(2, in_reply_to_status_id_str="9000", in_reply_to_user_id_str="77"))
    tweets(data, tweet(3, in_reply_to_status_id_str="1"), tweet(4, full_text=""), name="tweets-part1.js", part=1)
    for folder in (tmp_path, data):
        archive = open_archive(folder, NOW)
        assert archive.accounts() == {"x/brand": 3}
        assert ids(archive) == ["1", "2", "3"]
        (why,) = bad(archive)
        assert (why[:16], why[-12:]) == ("tweets-part1.js:", "no full_text")
    assert open_archive(data / "tweets.js", NOW, "x/other").accounts() == {"x/other": 2}


def test_the_oldest_archives_are_read_too(tmp_path: Path) -> None:
    file = tweets(tmp_path, tweet(1)["tweet"], tweet(2)["tweet"], name="tweet.js", kind="tweet")
    assert ids(open_archive(file, NOW, "brand")) == ids(open_archive(tmp_path, NOW, "brand")) == ["1", "2"]


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("created_at", "2026-03-01", "created_at '2026-03-01' is not a time such as Wed Oct 10 20:19:24 +0000 2018"),
        ("created_at", "Sun Mar 01 09:00:00 +0000 2027", "created_at 2027-03-01T09:00:00+00:00 is still to come"),
        ("favorite_count", "-3", "favorite_count -3 is below zero"),
        ("id_str", None, "no id_str"),
        ("full_text", "\ud83d", "full_text is not UTF-8 text"),
        ("full_text", ["a"], "full_text \"['a']\" is not text"),
    ],
)
def test_a_broken_tweet_is_named_with_its_line(tmp_path: Path, field: str, value: object, why: str) -> None:
    file = tweets(tmp_path, tweet(1), tweet(2, **{field: value}), tweet(3))
    at = 1 + file.read_text().split('"tweet"')[1].count("\n") + 1
    archive = open_archive(file, NOW, "brand")
    assert (ids(archive), bad(archive)) == (["1", "3"], [f"tweets.js:{at}: {why}"])


def test_torn_entries_cost_themselves_alone(tmp_path: Path) -> None:
    file = tweets(tmp_path, *(tweet(at) for at in range(1, 7)))
    body = file.read_text().replace('"Number 2"', '"Number 2').replace('"full_text": "Number 3",', "")
    file.write_text(body.replace('"Number 5",', '"Number 5"'))
    archive = open_archive(file, NOW, "brand")
    assert ids(archive) == ["1", "4", "6"]
    assert [why.partition(": ")[2][:12] for why in bad(archive)] == ["broken JSON:", "no full_text", "broken JSON:"]


def test_an_archive_longer_than_what_is_held_at_once_is_read_whole(tmp_path: Path) -> None:
    long = "x" * 200_000
    file = tweets(tmp_path, *(tweet(at, source=long) for at in range(30)))
    archive = open_archive(file, NOW, "brand")
    assert ids(archive) == [str(at) for at in range(30)]
    file.write_text(file.read_text()[:5_000_000])
    torn = open_archive(file, NOW, "brand")
    assert (len(ids(torn)), len(bad(torn))) == (24, 1)
    file.write_bytes(gzip.compress(file.read_bytes())[:-100])
    packed = open_archive(file, NOW, "brand")
    assert (len(ids(packed)), len(bad(packed))) == (24, 1)


# Mastodon


def test_a_toot_is_read_as_people_saw_it(tmp_path: Path) -> None:
    content = (
        "<p>Tea &amp; cake<br>today</p><p><a href='https://e.example/a'><span class='invisible'>https://</span>"
        "<span class='ellipsis'>e.exam</span><span class='invisible'>ple/a</span></a></p>"
    )
    (tmp_path / "actor.json").write_text('{"preferredUsername": "brand"}')
    archive = open_archive(outbox(tmp_path, toot(5, content=content)), NOW)
    post = OwnPost(Ref("5"), "Tea & cake\ntoday\n\nhttps://e.example/a", MORNING, "link", Counts())
    assert (archive.format, list(archive)) == ("mastodon", [Row("mastodon/brand", post)])
    assert list(open_archive(tmp_path, NOW)) == list(archive)


def test_counts_are_taken_only_where_the_server_tells_them(tmp_path: Path) -> None:
    told = toot(2, likes={"type": "Collection", "totalItems": 4}, shares={"type": "Collection", "totalItems": 0})
    archive = open_archive(outbox(tmp_path, toot(1, likes=f"{ME}/likes"), told), NOW, "brand")
    assert [post.counts for post in posts(archive)] == [Counts(), Counts(likes=4, shares=0)]


def test_boosts_replies_to_others_and_what_was_not_public_are_left_out(tmp_path: Path) -> None:
    entries = [
        toot(1, inReplyTo=f"{ME}/statuses/0"),
        toot(2, to=[f"{ME}/followers"], cc=[PUBLIC]),
        {"id": f"{ME}/3/activity", "type": "Announce", "actor": ME, "object": "https://o.example/1"},
        toot(4, inReplyTo="https://o.example/users/o/statuses/1"),
        toot(5, inReplyTo=f"{ME}2/statuses/1"),
        toot(6, to=["https://o.example/users/o"], cc=[]),
        toot(7, to=f"{ME}/followers", cc=[]),
        toot(8, content="<p></p>"),
        {"id": f"{ME}/9", "type": "Update", "actor": ME, "object": {"type": "Person"}},
    ]
    archive = open_archive(outbox(tmp_path, *entries), NOW, "mastodon/brand")
    assert ids(archive) == ["1", "2"]
    assert left_out(archive) == {
        "reposts of others": 1,
        "replies to others": 2,
        "not public": 2,
        "without words": 1,
        "not posts": 1,
    }


def test_kind_and_warning_of_a_toot_are_kept(tmp_path: Path) -> None:
    entries = [
        toot(1, type="Question"),
        toot(2, attachment=[{"type": "Document", "mediaType": "image/png"}]),
        toot(3, attachment=[{"type": "Document", "mediaType": "video/mp4"}]),
        toot(4, summary="Spoilers", content="<p>He wins</p>"),
    ]
    read = posts(open_archive(outbox(tmp_path, *entries), NOW, "brand"))
    assert [post.kind for post in read] == ["poll", "photo", "video", "text"]
    assert read[3].text == "Spoilers\n\nHe wins"


def test_broken_toots_cost_themselves_alone(tmp_path: Path) -> None:
    entries = [toot(1), toot(2, published="soon"), toot(3, content="<![x["), "https://e.example", toot(4), toot(5)]
    file = outbox(tmp_path, *entries)
    file.write_text(file.read_text().replace('"content":"<p>Number 4', '"content":'))
    archive = open_archive(file, NOW, "brand")
    assert ids(archive) == ["1", "5"]
    assert [why.partition(": ")[2] for why in bad(archive)] == [
        "published 'soon' is not a time; write it as 2027-03-01T09:00:00Z",
        "content is not HTML (unknown status keyword 'x' in marked section)",
        "not a post",
        "broken JSON: an entry cannot be read, or the file breaks off",
    ]


# What cannot be read at all


def test_what_holds_no_history_is_refused_in_one_line(tmp_path: Path) -> None:
    def file(name: str, body: bytes | str) -> Path:
        (tmp_path / name).write_bytes(body if isinstance(body, bytes) else body.encode())
        return tmp_path / name

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("data/tweets.js", "window.YTD.tweets.part0 = []")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.add(file("inner", "x"), "outbox.json")
    (tmp_path / "empty folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    refused = {
        tmp_path / "nowhere.csv": "cannot be read (No such file or directory)",
        tmp_path / "empty folder": "a folder without tweets.js or outbox.json; name a file, or an unpacked archive",
        tmp_path / "pipe": "no file; save what comes from it to one, since it is read twice",
        tmp_path / "a.zip": "a packed archive; unpack it, then name its folder",
        tmp_path / "a.tar.gz": "a packed archive; unpack it, then name its folder",
        file("empty", " \n"): "the file is empty",
        file("utf16.csv", HEADER.encode("utf-16")): "UTF-16 text; save it as UTF-8",
        file("binary", b"\0\1\2"): "no text file; a CSV table, tweets.js or outbox.json is needed",
        file("cut.gz", gzip.compress(HEADER.encode())[:5]): "the packed data is cut short; fetch the file again",
        file("bad.gz", b"\x1f\x8b\0\0\0\0\0\0\0\0\0\0"): "the packed data is damaged; fetch the file again",
        file("page", "<html>"): "neither a CSV table nor tweets.js of X nor outbox.json of Mastodon",
        file("list", "[1]"): "neither a CSV table nor tweets.js of X nor outbox.json of Mastodon",
        file("outbox.json", "{}"): "holds no list of posts; in an archive of Mastodon they are in outbox.json",
        file("like.js", "window.YTD.like.part0 = []"): "holds no posts; in an archive of X they are in tweets.js",
        file("notes", "a;b\n1;2\n"): "no column post_id and no column created_at and no column text; "
        "its first line reads 'a;b'",
        file("twice", "post_id,created_at,text,text\n"): "the column text is there twice",
        file("quote", 'post_id,created_at,"text\n'): "the first line is no table's header: "
        "a quote is opened and not closed",
        file("mine", "post_id,created_at,text\n"): "no column platform; name the account as platform/name, "
        "such as mastodon/me",
    }
    for path, why in refused.items():
        with pytest.raises(ArchiveError) as told:
            open_archive(path, NOW)
        assert str(told.value) == f"{path}: {why}"


@pytest.mark.parametrize(
    ("account", "why"),
    [
        (None, "does not say whose posts these are; name the account as x/name"),
        ("mastodon/brand", "these are posts on x; name their account as x/name"),
    ],
)
def test_an_archive_without_a_name_asks_for_one_of_its_platform(tmp_path: Path, account: str | None, why: str) -> None:
    file = tweets(tmp_path, tweet(1))
    with pytest.raises(ArchiveError) as told:
        open_archive(file, NOW, account)
    assert str(told.value) == f"{file}: {why}"


def readable(file: Path) -> None:
    """Opening and reading end in entries or in one line, whatever the file holds."""
    try:
        entries = list(open_archive(file, NOW, "x/brand" if file.suffix == ".js" else "mastodon/brand"))
    except ArchiveError as error:
        entries, said = [], [str(error)]
    else:
        said = [str(entry) for entry in entries if isinstance(entry, BadRow)]
    assert all(words.isprintable() for words in said)
    for entry in entries:
        if isinstance(entry, Row):
            assert entry.post.text.encode()
            assert entry.post.created_at <= NOW
            assert all(value is None or value >= 0 for value in vars(entry.post.counts).values())


BEGINNINGS = (
    b"",
    b"window.YTD.tweets.part0 = [",
    b'{"orderedItems":[',
    b"post_id,created_at,text\n",
    b"\x1f\x8b\x08\0",
)


@in_a_folder
@given(st.sampled_from(BEGINNINGS), st.binary(max_size=200))
def test_no_bytes_stop_a_reader_with_anything_but_one_line(tmp_path: Path, start: bytes, rest: bytes) -> None:
    (tmp_path / "file").write_bytes(start + rest)
    readable(tmp_path / "file")


@in_a_folder
@given(st.sampled_from(sorted(tweet(1)["tweet"])), anything, anything)
def test_no_value_in_a_tweet_stops_a_reader(tmp_path: Path, field: str, value: Any, entry: Any) -> None:
    more = {"in_reply_to_status_id_str": entry, "entities": {"urls": [{"url": value}], "media": [value, {}]}}
    readable(tweets(tmp_path, tweet(1, **{field: value}), tweet(2, **more), entry))


@in_a_folder
@given(st.sampled_from(sorted(toot(1)["object"])), anything, anything)
def test_no_value_in_a_toot_stops_a_reader(tmp_path: Path, field: str, value: Any, entry: Any) -> None:
    readable(outbox(tmp_path, toot(1, **{field: value}), toot(2, likes={"totalItems": value}), entry))


@given(st.text(alphabet="<>/!&;[]abp \n\"'="))
def test_no_markup_stops_a_reader(markup: str) -> None:
    with suppress(ValueError):
        assert "\n\n\n" not in plain(markup)


def test_the_real_table_is_read_to_its_last_row(shared_data: Path) -> None:
    archive = open_archive(shared_data / "posts" / "reddit.csv.gz", NOW)
    assert sum(archive.accounts().values()) == 17_381
    assert (len(archive.accounts()), bad(archive)) == (19, [])
    assert max(post.created_at for post in posts(archive)) < NOW - timedelta(days=4000)
