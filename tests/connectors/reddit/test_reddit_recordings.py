"""What the real site said to praw, played back over loopback to our connector; the recordings are kept elsewhere."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from PIL import Image

from connectors.base import Draft, Media, Ref
from connectors.errors import Rejected
from connectors.reddit.account import RedditAccount
from tests.connectors.reddit.standin import StandIn

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "recordings" / "reddit"
NAMES = {"<TEST_SUBREDDIT>": "community", "<USERNAME>": "tester"}

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="praw's recordings are not on this machine")


class Tape(StandIn):
    """Answers as recorded, in order for each path; what a recording lacks is asked of nobody."""

    def __init__(self, clock: Callable[[], Any], *names: str) -> None:
        super().__init__(clock)
        self.left: list[tuple[str, str, str, int, Any]] = []
        for name in names:
            text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
            for masked, plain in NAMES.items():
                text = text.replace(masked, plain)
            self.left += [one for each in json.loads(text)["interactions"] if (one := _read(each)) is not None]
        self.compared: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def answer(self, method: str, path: str, query: dict[str, str], form: dict[str, Any]) -> tuple[int, Any]:
        for place, (how, where, sent, status, told) in enumerate(self.left):
            if (how, where) == (method, path):
                del self.left[place]
                if method == "POST":
                    self.compared.append((form, json.loads(sent) if sent.startswith("{") else dict(parse_qsl(sent))))
                if "user_submitted_page" in json.dumps(told):
                    told["json"]["data"]["websocket_url"] = f"ws://127.0.0.1:{self.port}/socket/16xb01r"
                    self.things["t3_16xb01r"] = {"permalink": "/r/community/comments/16xb01r/test_title_0/"}
                return status, told
        return 404, {"message": "Not Found", "error": 404}


def _read(each: dict[str, Any]) -> tuple[str, str, str, int, Any] | None:
    asked, told = each["request"], each["response"]
    where = urlsplit(asked["uri"])
    if where.netloc != "oauth.reddit.com":
        return None
    body = asked["body"] or ""
    sent = body if isinstance(body, str) else body.get("string") or ""
    return asked["method"], where.path, sent, told["status"]["code"], json.loads(told["body"]["string"] or "{}")


@pytest.fixture
def played(clock: Any, around: Any) -> Iterator[Callable[..., tuple[Tape, RedditAccount]]]:
    tapes: list[Tape] = []

    def play(*names: str) -> tuple[Tape, RedditAccount]:
        tapes.append(Tape(clock, *names))
        return tapes[-1], RedditAccount("main", around, tapes[-1].session, (10.0, 20.0))

    yield play
    for tape in tapes:
        tape.stop()


Played = Callable[..., tuple[Tape, RedditAccount]]


def alike(tape: Tape, *fields: str) -> None:
    """The last write says in these fields what praw's said."""
    ours, theirs = tape.compared[-1]
    assert {name: ours[name] for name in fields} == {name: theirs[name] for name in fields}


def draft(text: str, **more: Any) -> Draft:
    return Draft(text, **({"title": "Test Title", "target": "community"} | more))


def test_a_text(played: Played) -> None:
    tape, account = played("TestSubreddit.test_submit__selftext")
    receipt = account.publish(draft("Test text."), "k")
    assert (receipt.ref.id, receipt.published_at.timestamp()) == ("t3_4bbe4b", 1458545897)
    assert receipt.url == "https://www.reddit.com/r/community/comments/4bbe4b/test_title/"
    alike(tape, "kind", "sr", "title", "text", "resubmit", "sendreplies", "api_type")


def test_a_link(played: Played) -> None:
    tape, account = played("TestSubreddit.test_submit__url")
    link = "https://praw.readthedocs.org/en/stable/"
    assert account.publish(draft("Test Title", link=link), "k").ref.id == "t3_4bbe4m"
    alike(tape, "kind", "sr", "title", "url", "resubmit", "sendreplies", "api_type")


def test_a_poll(played: Played) -> None:
    tape, account = played("TestSubreddit.test_submit_poll")
    poll = draft("Test poll text.", title="Test Poll", kind="poll", parts=("Yes", "No", "3", "4", "5", "6"))
    assert account.publish(poll, "k").ref.id == "t3_ga3hiq"
    alike(tape, "sr", "title", "text", "options", "resubmit", "sendreplies")


def test_one_picture(played: Played, tmp_path: Path) -> None:
    tape, account = played("TestSubreddit.test_submit_image")
    Image.new("RGB", (9, 9)).save(tmp_path / "p.png")
    receipt = account.publish(
        draft("Test Title 0", title="Test Title 0", media=(Media(str(tmp_path / "p.png"), ""),)), "k"
    )
    assert (receipt.ref.id, receipt.published_at.timestamp()) == ("t3_16xb01r", 1696190094)
    alike(tape, "kind", "sr", "title", "sendreplies")
    assert tape.compared[-1][0]["url"].startswith("https://reddit-uploaded-media.s3-accelerate.amazonaws.com/")


def test_several_pictures(played: Played, tmp_path: Path) -> None:
    tape, account = played("TestSubreddit.test_submit_gallery")
    Image.new("RGB", (9, 9)).save(tmp_path / "p.png")
    receipt = account.publish(draft("Test Title", media=(Media(str(tmp_path / "p.png"), ""),) * 4), "k")
    assert receipt.ref.id == "t3_huw6vs"
    alike(tape, "sr", "title", "sendreplies", "show_error_list")
    ours, theirs = tape.compared[-1]
    assert [one["media_id"] for one in ours["items"]] == [one["media_id"] for one in theirs["items"]]


def test_a_refusal(played: Played) -> None:
    _, account = played("TestSubreddit.test_submit__verify_invalid")
    with pytest.raises(
        Rejected, match=r"^reddit refused: SUBMIT_VALIDATION_TITLE_BLACKLISTED_STRING: You may not have"
    ):
        account.publish(draft("dfgfdgfdgdf", title="dfgfdgfdgdf", link="https://www.google.com"), "k")


def test_a_communitys_requirements(played: Played) -> None:
    tape, account = played("TestSubreddit.test_post_requirements")
    with pytest.raises(Rejected, match="'dfgfdgfdgdf' in the title"):
        account.publish(draft("hello", title="dfgfdgfdgdf"), "k")
    with pytest.raises(Rejected, match=r"allows no links to fakewebsite\.com"):
        account.publish(draft("hello", link="https://www.fakewebsite.com/x"), "k")
    assert tape.writes() == 0


@pytest.mark.parametrize(
    ("name", "above", "made", "text"),
    [
        ("TestComment.test_reply", "t1_d1616q2", "t1_d1680wu", "Comment reply"),
        ("TestSubmission.test_reply", "t3_4b1tfm", "t1_d162ara", "Test reply"),
    ],
)
def test_an_answer(played: Played, name: str, above: str, made: str, text: str) -> None:
    tape, account = played(name)
    receipt = account.publish(Draft(text, in_reply_to=Ref(above)), "k")
    assert receipt.ref.id == made
    assert receipt.url == f"https://www.reddit.com/comments/4b1tfm/_/{made[3:]}/"
    alike(tape, "thing_id", "text", "api_type")


@pytest.mark.parametrize(
    ("name", "ref"), [("TestComment.test_delete", "t1_d1616q2"), ("TestSubmission.test_delete", "t3_4b1tfm")]
)
def test_a_deletion(played: Played, name: str, ref: str) -> None:
    tape, account = played(name)
    account.delete(Ref(ref))
    alike(tape, "id", "api_type")
    if ref.startswith("t1_"):
        assert account.measure([Ref(ref)]) == {}


def test_counts_of_a_comment(played: Played) -> None:
    _, account = played("TestComment.test_attributes")
    (counts,) = account.measure([Ref("t1_cklhv0f")]).values()
    assert counts.likes is not None
    assert (counts.replies, counts.shares, counts.impressions) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "address", "number"),
    [("TestInbox.test_comment_replies", "reply", 64), ("TestInbox.test_mentions", "mention", 16)],
)
def test_what_people_said(played: Played, name: str, address: str, number: int) -> None:
    tape, account = played(name)
    for path in ("/message/selfreply/", "/message/comments/", "/message/mentions"):
        tape.left.append(("GET", path, "", 200, {"kind": "Listing", "data": {"after": None, "children": []}}))
    page = account.mentions(None)
    assert len(page.mentions) == number
    assert {one.address for one in page.mentions} == {address}
    assert all(one.author_id.startswith("t2_") and one.thread and one.in_reply_to for one in page.mentions)
    assert [one.created_at for one in page.mentions] == sorted(one.created_at for one in page.mentions)
