"""Real exchanges with a Mastodon server (4.6.4), recorded by its SDK's tests, replayed; and its document."""

import gzip
import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image
from ruamel.yaml import YAML

from connectors.base import Connector, Counts, Draft, Media, Ref, Surroundings
from connectors.errors import AuthExpired, Rejected
from connectors.mastodon import connect
from tests.connectors.mastodon.server import Network

DATA = Path(__file__).parents[4] / "shared" / "data"
FOLDER, SPEC = DATA / "recordings" / "mastodon", DATA / "specs" / "mastodon_openapi.json.gz"
recorded = pytest.mark.skipif(not FOLDER.exists(), reason="the recordings of Mastodon are not on this machine")
KEPT = ("content-type", "link", "date", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
ME = "/api/v1/accounts/verify_credentials"
LATER = datetime(2026, 8, 1, 14, tzinfo=UTC)
"""Soon after the recordings were made."""


class Replay:
    """Answers as the server did, by method and path, each answer once; 404 for what was not recorded."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, str, dict[str, Any]]] = []
        self.asked: list[str] = []
        replay = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = urlsplit(self.path).path.rstrip("/")
                replay.asked.append(f"{self.command} {path}")
                found = next((one for one in replay.answers if one[:2] == (self.command, path)), None)
                if found is not None:
                    replay.answers.remove(found)
                answer = found[2] if found else {"status": {"code": 404}, "headers": {}, "body": {"string": "{}"}}
                content = answer["body"]["string"].encode()
                self.send_response(answer["status"]["code"])
                for name, values in answer["headers"].items():
                    if name.lower() in KEPT and name.lower() != "date":
                        self.send_header(name, values[0])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self) -> None:
                self._serve()

            def do_POST(self) -> None:
                self._serve()

            def do_DELETE(self) -> None:
                self._serve()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def load(self, name: str, **instead: str) -> list[dict[str, Any]]:
        """Take up a recording; gives back its exchanges. `instead`: another path for one that holds a word."""
        exchanges: list[dict[str, Any]] = YAML(typ="safe").load(FOLDER / f"test_{name}.yaml")["interactions"]
        for exchange in exchanges:
            asked = exchange["request"]
            path = urlsplit(asked["uri"]).path.rstrip("/")
            path = next((other for word, other in instead.items() if word in path), path)
            self.answers.append((asked["method"], path, exchange["response"]))
        return exchanges


@pytest.fixture
def replay() -> Iterator[Replay]:
    replay = Replay()
    yield replay
    replay.server.shutdown()
    replay.server.server_close()


@pytest.fixture
def ours(replay: Replay, tmp_path: Path) -> Connector:
    """Our account on the recorded server."""
    known = {
        "mastodon/main/instance": f"http://127.0.0.1:{replay.server.server_address[1]}",
        "mastodon/main/access_token": "token",
    }
    return connect("main", Surroundings(lambda: LATER, tmp_path, known.get), timeout=(2.0, 10.0))


def said(exchange: dict[str, Any]) -> Any:
    return json.loads(exchange["response"]["body"]["string"])


def text_of(exchange: dict[str, Any]) -> str:
    """What the recorded request posted."""
    return parse_qs(exchange["request"]["body"])["status"][0]


def moment(told: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(told["created_at"])


@recorded
def test_a_recorded_account_is_who_it_was(replay: Replay, ours: Connector) -> None:
    account = said(replay.load("verify_credentials")[0])
    identity = ours.check()
    assert (identity.account_id, identity.handle) == (account["id"], account["acct"])
    assert (identity.bot_label, identity.followers) == (account["bot"], account["followers_count"])
    assert identity.scopes == ()  # not recorded, so not told


@recorded
@pytest.mark.parametrize("name", ["instance", "instance_v1"])
def test_a_recorded_server_tells_its_limits(replay: Replay, ours: Connector, name: str) -> None:
    told = said(replay.load(name)[0])["configuration"]["statuses"]
    limits = ours.limits()
    assert (limits.max_length, limits.max_media) == (told["max_characters"], told["max_media_attachments"])
    assert ours.capabilities.native_idempotency
    assert ours.length("https://example.org/" + "x" * 50) == told["characters_reserved_per_url"]


@recorded
def test_a_recorded_post_is_published_measured_and_removed(replay: Replay, ours: Connector) -> None:
    replay.load("instance")
    exchanges = replay.load("status")
    status = said(exchanges[0])
    receipt = ours.publish(Draft(text_of(exchanges[0])), "k")
    assert (receipt.ref, receipt.published_at, receipt.url) == (Ref(status["id"]), moment(status), status["url"])
    counts = ours.measure([receipt.ref])
    assert counts == {status["id"]: Counts(likes=0, replies=0, shares=0)}
    ours.delete(receipt.ref)
    ours.delete(receipt.ref)  # by now the server has no answer left but 404
    assert replay.asked.count(f"DELETE /api/v1/statuses/{status['id']}") == 2


@recorded
def test_a_recorded_post_that_is_missing_is_absent(replay: Replay, ours: Connector) -> None:
    replay.load("status_missing")
    assert ours.measure([Ref("0")]) == {}
    assert "GET /api/v1/statuses/0" in replay.asked


@recorded
def test_a_recorded_refusal_is_told_in_the_servers_words(replay: Replay, ours: Connector) -> None:
    replay.load("instance")
    words = said(replay.load("status_empty")[0])["error"]
    with pytest.raises(Rejected) as caught:
        ours.publish(Draft("x"), "k")
    assert words in str(caught.value)
    assert "422" in str(caught.value)


@recorded
def test_a_recorded_token_that_is_no_longer_valid_asks_for_a_new_login(replay: Replay, ours: Connector) -> None:
    replay.load("unauthed_home_tl_throws", timelines=ME)
    with pytest.raises(AuthExpired):
        ours.check()


@recorded
def test_a_recorded_answer_stands_under_what_it_answers(replay: Replay, ours: Connector) -> None:
    replay.load("instance")
    exchanges = replay.load("status_reply")
    question, answer = said(exchanges[0]), said(exchanges[2])
    replay.answers.remove(next(one for one in replay.answers if one[0] == "POST"))  # somebody else asked
    above = Ref(question["id"], f"@{question['account']['acct']} public")
    receipt = ours.publish(Draft(text_of(exchanges[2]), in_reply_to=above), "k")
    assert (receipt.ref.id, receipt.published_at) == (answer["id"], moment(answer))


@recorded
def test_recorded_pictures_go_up_before_the_post(replay: Replay, ours: Connector, tmp_path: Path) -> None:
    exchanges = replay.load("media_post_multiple")
    Image.new("RGB", (40, 40), "red").save(tmp_path / "p.png")
    pictures = (Media(str(tmp_path / "p.png"), "red"),) * 2
    receipt = ours.publish(Draft("two pictures", media=pictures), "k")
    assert receipt.ref.id == said(exchanges[4])["id"]
    assert replay.asked[-3:] == ["POST /api/v2/media", "POST /api/v2/media", "POST /api/v1/statuses"]


@recorded
@pytest.mark.parametrize("name", ["notifications_mentions_only", "notifications"])
def test_recorded_mentions_are_heard(replay: Replay, ours: Connector, name: str) -> None:
    replay.load("instance")
    replay.load("verify_credentials")
    pages = [said(each) for each in replay.load(name) if each["request"]["uri"].split("?")[0].endswith("notifications")]
    newest, oldest = pages[0][0], pages[0][-1]
    heard = ours.mentions("1")
    mention = heard.mentions[0]
    assert heard.cursor == newest["id"]
    assert (mention.ref.id, mention.author) == (oldest["status"]["id"], oldest["account"]["acct"])
    assert (mention.created_at, mention.address) == (moment(oldest["status"]), "mention")
    assert "<" not in mention.text


@recorded
def test_recorded_posts_are_ours_and_found(replay: Replay, ours: Connector) -> None:
    replay.load("verify_credentials")
    status = said(replay.load("status")[0])
    page = {"status": {"code": 200}, "headers": {}, "body": {"string": json.dumps([status])}}
    none = page | {"body": {"string": "[]"}}
    path = f"/api/v1/accounts/{said(replay.load('verify_credentials')[0])['id']}/statuses"
    replay.answers += [("GET", path, answer) for answer in (page, none, page, none)]
    (post,) = ours.own_posts(None)
    assert (post.ref.id, post.created_at, post.kind) == (status["id"], moment(status), "text")
    receipt = ours.find(Draft(post.text), moment(status))
    assert receipt is not None
    assert receipt.ref == post.ref


@pytest.mark.skipif(not SPEC.exists(), reason="the OpenAPI document of Mastodon is not on this machine")
def test_every_address_we_ask_is_in_the_document(net: Network, clock: Any, tmp_path: Path) -> None:
    spec = json.loads(gzip.decompress(SPEC.read_bytes()))["paths"]
    ours = net.open(clock, tmp_path)
    Image.new("RGB", (40, 40), "red").save(tmp_path / "p.png")
    net.person("grace").status_post("@ada hello")
    ask: list[Callable[[], object]] = [
        ours.check,
        lambda: ours.publish(Draft("x", media=(Media(str(tmp_path / "p.png"), "red"),), parts=("y",)), "k"),
        lambda: net.person("grace").status_post("@ada hm", in_reply_to_id=next(iter(ours.own_posts(None))).ref.id),
        lambda: ours.mentions(None),
        lambda: ours.measure([post.ref for post in ours.own_posts(None)]),
        lambda: [ours.delete(post.ref) for post in ours.own_posts(None)],
    ]
    for each in ask:
        each()
    known = {
        f"{method.upper()} {re.sub(r'{[^}]*}', '*', path)}"
        for path, methods in spec.items()
        for method in methods
        if method in ("get", "post", "put", "delete")
    }
    asked = {re.sub(r"/\d+", "/*", what.rstrip("/")) for what in net.wire.counted}
    assert asked <= known
    assert len(asked) > 8
