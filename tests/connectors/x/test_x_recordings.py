"""Real exchanges with X, recorded by tweepy's own tests, replayed over loopback through the SDK and the connector."""

import gzip
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from connectors.base import Connector, Counts, Draft, Ref, Surroundings
from connectors.x.account import XAccount

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "recordings" / "x"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the recordings of X are not on this machine")
KEPT = ("content-type", "content-encoding", "x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset")


class Replay:
    """Answers as X did, by method and path, each answer once."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, str, int, dict[str, str], bytes]] = []
        self.asked: list[tuple[str, str]] = []
        replay = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                line = (self.command, urlsplit(self.path).path)
                replay.asked.append(line)
                found = next(one for one in replay.answers if one[:2] == line)
                replay.answers.remove(found)
                self.send_response(found[2])
                for name, value in (found[3] | {"content-length": str(len(found[4]))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(found[4])

            do_POST = do_DELETE = do_GET  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def load(self, name: str, more: dict[str, Any] | None = None) -> None:
        """The exchanges of one recording; `more` is what X tells of each post when it is asked for it."""
        told = YAML(typ="safe").load(FOLDER / f"test_client_{name}.yaml")
        for exchange in told["interactions"]:
            answer = exchange["response"]
            body = answer["body"]["string"]
            if more:
                read = json.loads(gzip.decompress(body))
                read["data"] = [post | more for post in read["data"]]
                body = gzip.compress(json.dumps(read).encode())
            headers = {key: values[0] for key, values in answer["headers"].items() if key in KEPT}
            path = urlsplit(exchange["request"]["uri"]).path
            self.answers.append((exchange["request"]["method"], path, answer["status"]["code"], headers, body))


@pytest.fixture
def replay() -> Iterator[Replay]:
    """A server for recordings."""
    made = Replay()
    yield made
    made.server.shutdown()
    made.server.server_close()


def account(replay: Replay, folder: Path, user: str = "783214") -> Connector:
    secrets = {"x/main/oauth2": json.dumps({"access_token": "none"}), "x/main/user_id": user}
    now = datetime(2022, 10, 8, tzinfo=UTC)
    base = f"http://127.0.0.1:{replay.server.server_address[1]}"
    return XAccount("main", Surroundings(lambda: now, folder, secrets.get), base, (5.0, 15.0))


def test_a_real_post_has_the_time_that_its_id_tells_and_can_be_removed(replay: Replay, tmp_path: Path) -> None:
    replay.load("create_and_delete_tweet")
    one = account(replay, tmp_path)
    receipt = one.publish(Draft("Test Tweet"), "k")
    assert receipt.ref == Ref("1456012973835788293")
    assert receipt.published_at == datetime(2021, 11, 3, 21, 38, 39, tzinfo=UTC)  # the date header of the answer
    one.delete(receipt.ref)
    assert replay.asked == [("POST", "/2/tweets"), ("DELETE", f"/2/tweets/{receipt.ref.id}")]


def test_x_says_who_we_are(replay: Replay, tmp_path: Path) -> None:
    replay.load("get_me")
    identity = account(replay, tmp_path).check()
    assert (identity.account_id, identity.handle) == ("1072250532645998596", "TweepyDev")
    assert identity.followers is None


def test_posts_without_counts_have_none(replay: Replay, tmp_path: Path) -> None:
    replay.load("get_tweets")
    refs = [Ref("1293593516040269825"), Ref("1293595870563381249")]
    assert account(replay, tmp_path).measure(refs) == {ref.id: Counts() for ref in refs}


def test_real_mentions_are_read(replay: Replay, tmp_path: Path) -> None:
    replay.load("get_users_mentions", {"author_id": "77"})
    replay.answers.append(("GET", "/2/users/783214/mentions", 200, {}, b'{"meta":{"result_count":0}}'))
    heard = account(replay, tmp_path).mentions(None).mentions
    assert len(heard) == 10
    assert sorted(heard, key=lambda mention: int(mention.ref.id)) == list(heard)
    assert all(mention.created_at.date().isoformat() == "2022-10-07" for mention in heard)
    assert all("&amp;" not in mention.text for mention in heard)
