"""An import stores each post of the account meant once, tells what became of every row, and may be done again."""

import csv
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.imports import AT_ONCE, EVERY, ImportReport, import_history
from connectors.archives import ArchiveError
from storage.database import Database, open_database
from storage.engagement import ImportOutcome, MeasuredPost, accounts, history, posts_by_account

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
COLUMNS = ("platform", "account", "post_id", "created_at", "text", "likes")

Cells = tuple[object, ...]


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with all tables, to be copied: making one takes longer than most tests."""
    file = tmp_path_factory.mktemp("empty") / "kairos.db"
    open_database(file).close()
    return file


@pytest.fixture
def db(tmp_path: Path, empty_file: Path) -> Iterator[Database]:
    database = open_database(Path(shutil.copy(empty_file, tmp_path)))
    yield database
    database.close()


def row(number: int, account: str = "brand", *, platform: str = "fake", text: str = "Hi", likes: object = 3) -> Cells:
    at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=number)
    return platform, account, f"p{number}", at.isoformat(), text, likes


def table(folder: Path, *rows: Cells) -> Path:
    file = folder / "posts.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows((COLUMNS, *rows))
    return file


def stored(db: Database, account: str = "fake/brand") -> list[MeasuredPost]:
    with db.read() as session:
        return history(session, account, limit=None)


def likes(db: Database, account: str = "fake/brand") -> dict[str, int | None]:
    return {post.ref: post.likes for post in stored(db, account)}


def refusal(db: Database, file: Path, account: str | None) -> str:
    with pytest.raises(ArchiveError) as told:
        import_history(db, file, account, NOW)
    with db.read() as session:
        assert accounts(session) == []
    return str(told.value).removeprefix(f"{file}: ")


def test_the_rows_of_the_account_meant_become_its_history(db: Database, tmp_path: Path) -> None:
    file = table(tmp_path, row(1), row(2, "other"), row(3, text="Bye", likes=""))
    report = import_history(db, file, "brand", NOW)
    assert report == ImportReport("csv", {"fake/brand": ImportOutcome(2, 0, 0)}, (), {"posts of other accounts": 1})
    first, second = stored(db)
    assert (first.ref, first.text, first.kind, first.likes, first.source) == ("p1", "Hi", "text", 3, "import:csv")
    assert (second.ref, second.text, second.likes, second.age_s) == ("p3", "Bye", None, None)
    with db.read() as session:
        assert posts_by_account(session) == {"fake/brand": 2}


@pytest.mark.parametrize("account", ["brand", "fake/brand"])
def test_an_account_may_be_named_with_its_platform_or_without(db: Database, tmp_path: Path, account: str) -> None:
    file = table(tmp_path, row(1), row(2, "r/brand"), row(3, "brand2"))
    assert list(import_history(db, file, account, NOW).accounts) == ["fake/brand"]


def test_an_account_with_a_slash_in_its_name_is_found(db: Database, tmp_path: Path) -> None:
    file = table(tmp_path, row(1), row(2, "r/brand"))
    assert list(import_history(db, file, "r/brand", NOW).accounts) == ["fake/r/brand"]


def test_a_file_of_one_account_needs_no_name(db: Database, tmp_path: Path) -> None:
    assert import_history(db, table(tmp_path, row(1)), None, NOW).accounts == {"fake/brand": ImportOutcome(1, 0, 0)}


def test_every_account_of_a_file_can_be_taken_at_once(db: Database, tmp_path: Path) -> None:
    file = table(tmp_path, row(1), row(2, "other"), row(1, platform="x"))
    import_history(db, file, EVERY, NOW)
    with db.read() as session:
        assert posts_by_account(session) == {"fake/brand": 1, "fake/other": 1, "x/brand": 1}


def test_several_accounts_without_a_name_are_listed(db: Database, tmp_path: Path) -> None:
    file = table(tmp_path, *(row(at, f"brand{at:02}") for at in range(12)))
    listed = ", ".join(f"fake/brand{at:02}" for at in range(10))
    words = f"holds posts of 12 accounts; name one of them, or '*' for all: {listed} and 2 more"
    assert refusal(db, file, None) == words


def test_a_name_that_is_not_there_gets_the_nearest_one(db: Database, tmp_path: Path) -> None:
    file = table(tmp_path, row(1, "natgeo"), row(2, "bbcnews"))
    assert refusal(db, file, "natgoe") == "holds no post of natgoe, did you mean 'fake/natgeo'?"
    assert refusal(db, file, "x/natgeo") == "holds no post of x/natgeo, did you mean 'fake/natgeo'?"
    assert refusal(db, file, "zzz") == "holds no post of zzz; it holds fake/bbcnews, fake/natgeo"


def test_a_name_on_two_platforms_must_be_given_in_full(db: Database, tmp_path: Path) -> None:
    file = table(tmp_path, row(1), row(1, platform="x"))
    assert refusal(db, file, "brand") == "brand may be fake/brand or x/brand; name it in full"


def test_importing_again_changes_nothing(db: Database, tmp_path: Path) -> None:
    file = table(tmp_path, row(1), row(2, likes=""), row(1, likes=5))
    import_history(db, file, None, NOW)
    before = stored(db)
    again = import_history(db, file, None, LATER)
    assert again.accounts == {"fake/brand": ImportOutcome(0, 2, 0)}
    assert again.left_out == {"earlier rows of the same post": 1}
    assert stored(db) == before


def test_new_counts_of_a_known_post_are_added_beside_the_old_ones(db: Database, tmp_path: Path) -> None:
    import_history(db, table(tmp_path, row(1), row(2)), None, NOW)
    report = import_history(db, table(tmp_path, row(1, likes=4), row(2), row(3)), None, LATER)
    assert report.accounts == {"fake/brand": ImportOutcome(1, 1, 1)}
    assert likes(db) == {"p1": 4, "p2": 3, "p3": 3}
    with db.read() as session:
        assert {post.ref: post.likes for post in history(session, "fake/brand", until=NOW)}["p1"] == 3


def test_bad_rows_of_the_account_meant_are_told_and_no_others(db: Database, tmp_path: Path) -> None:
    file = table(tmp_path, row(1), row(2, text=""), row(3, "other", text=""), ("fake", "brand", "p4"))
    report = import_history(db, file, "brand", NOW)
    assert list(map(str, report.bad)) == ["posts.csv:3: no text", "posts.csv:5: 3 cells, the header has 6"]
    assert report.left_out == {}


def test_a_report_can_be_written_as_plain_values(db: Database, tmp_path: Path) -> None:
    report = import_history(db, table(tmp_path, row(1), row(1), row(2, text="")), None, NOW)
    assert json.loads(json.dumps(asdict(report))) == {
        "format": "csv",
        "accounts": {"fake/brand": {"added": 1, "unchanged": 0, "updated": 0}},
        "bad": [{"file": "posts.csv", "line": 4, "why": "no text", "account": "fake/brand"}],
        "left_out": {"earlier rows of the same post": 1},
    }


def test_a_post_still_to_come_is_not_taken(db: Database, tmp_path: Path) -> None:
    file = table(tmp_path, row(1), row(2))
    report = import_history(db, file, None, datetime(2026, 3, 1, 0, 1, 30, tzinfo=UTC))
    assert (list(likes(db)), [bad.line for bad in report.bad]) == (["p1"], [3])


def test_an_archive_of_x_is_stored_under_the_name_given(db: Database, tmp_path: Path) -> None:
    told = {"created_at": "Sun Mar 01 09:00:00 +0000 2026", "favorite_count": "3", "retweet_count": "1"}
    entries = [
        {"tweet": {"id_str": "1", "full_text": "Hi", **told}},
        {"tweet": {"id_str": "2", "full_text": "RT @other: Hi", **told}},
    ]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tweets.js").write_text(f"window.YTD.tweets.part0 = {json.dumps(entries)}")
    report = import_history(db, tmp_path, "x/brand", NOW)
    assert report == ImportReport("x", {"x/brand": ImportOutcome(1, 0, 0)}, (), {"reposts of others": 1})
    (post,) = stored(db, "x/brand")
    assert (post.ref, post.likes, post.shares, post.replies, post.source) == ("1", 3, 1, None, "import:x")


def test_an_outbox_of_mastodon_without_counts_is_stored_unmeasured(db: Database, tmp_path: Path) -> None:
    note = {"id": "https://m.example/users/me/statuses/7", "type": "Note", "content": "<p>Hi</p>", "to": ["as:Public"]}
    items = [{"type": "Create", "object": {**note, "published": "2026-03-01T09:00:00Z"}}]
    (tmp_path / "outbox.json").write_text(json.dumps({"type": "OrderedCollection", "orderedItems": items}))
    import_history(db, tmp_path / "outbox.json", "me", NOW)
    (post,) = stored(db, "mastodon/me")
    assert (post.ref, post.text, post.likes, post.age_s, post.source) == ("7", "Hi", None, None, "import:mastodon")


def test_an_archive_without_a_post_of_ours_still_tells_what_it_holds(db: Database, tmp_path: Path) -> None:
    entries = [{"tweet": {"id_str": "2", "full_text": "RT @other: Hi"}}, {"tweet": {"id_str": "3"}}]
    (tmp_path / "tweets.js").write_text(f"window.YTD.tweets.part0 = {json.dumps(entries)}")
    report = import_history(db, tmp_path, "x/brand", NOW)
    assert (report.accounts, report.left_out) == ({}, {"reposts of others": 1})
    assert [bad.why for bad in report.bad] == ["no full_text"]


def test_progress_goes_up_to_what_there_is_to_store(db: Database, tmp_path: Path) -> None:
    file = table(tmp_path, *(row(at) for at in range(AT_ONCE + 10)), row(1), row(2, "other"))
    steps: list[tuple[int, int]] = []
    import_history(db, file, "brand", NOW, lambda done, total: steps.append((done, total)))
    assert steps == [(AT_ONCE, AT_ONCE + 10), (AT_ONCE + 10, AT_ONCE + 10)]


def test_an_import_that_was_killed_is_completed_by_doing_it_again(db: Database, tmp_path: Path) -> None:
    count = 2 * AT_ONCE + 10
    file = table(tmp_path, *(row(at, likes=at) for at in range(count)))
    code = f"""
import os, pathlib, signal
from datetime import UTC, datetime
from bot.imports import import_history
from storage.database import open_database

def killed(done, total):
    if done > {AT_ONCE}:
        os.kill(os.getpid(), signal.SIGKILL)

import_history(open_database({db.place!r}), pathlib.Path({str(file)!r}), None, {NOW!r}, killed)
""".replace("datetime.timezone.utc", "UTC").replace("datetime.datetime(", "datetime(")
    child = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert child.returncode == -signal.SIGKILL
    with db.read() as session:
        assert posts_by_account(session) == {"fake/brand": 2 * AT_ONCE}
    report = import_history(db, file, None, NOW)
    assert report.accounts == {"fake/brand": ImportOutcome(10, 2 * AT_ONCE, 0)}
    assert likes(db) == {f"p{at}": at for at in range(count)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from("ab"), st.sampled_from(["", 0, 1, 2]))),
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from("ab"), st.sampled_from([0, 1, 2]))),
)
def test_history_holds_what_the_last_file_says_of_each_post(
    tmp_path: Path, empty_file: Path, old: list[tuple[int, str, int | str]], new: list[tuple[int, str, int | str]]
) -> None:
    database = open_database(Path(shutil.copy(empty_file, tmp_path)))
    expected: dict[tuple[str, str], int | None] = {}
    for days, rows in enumerate((old, new)):
        file = table(tmp_path, *(row(number, name, likes=count) for number, name, count in rows))
        said = {(f"fake/{name}", f"p{number}"): count for number, name, count in rows}
        expected |= {place: None if count == "" else int(count) for place, count in said.items()}
        for _ in range(2):
            report = import_history(database, file, EVERY, NOW + timedelta(days=days))
            assert sum(o.added + o.unchanged + o.updated for o in report.accounts.values()) == len(said)
        assert all(outcome.added == outcome.updated == 0 for outcome in report.accounts.values())
    found = {(name, ref): n for name in ("fake/a", "fake/b") for ref, n in likes(database, name).items()}
    database.close()
    assert found == expected


def test_one_page_of_the_real_table_is_taken_out_of_many(shared_data: Path, db: Database) -> None:
    report = import_history(db, shared_data / "posts" / "facebook.csv.gz", "natgeo", NOW)
    assert report.accounts == {"facebook/natgeo": ImportOutcome(1232, 0, 0)}
    assert [bad.why for bad in report.bad] == ["no text"] * 2
    assert sum(post.likes is not None for post in stored(db, "facebook/natgeo")) == 1232
