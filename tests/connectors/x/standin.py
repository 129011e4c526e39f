"""A small X on loopback: accounts, posts, pictures, mentions and tokens, judged by X's own document if here."""

import base64
import html
import json
import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from tests.connectors.x.spec import spec

US, US_NAME = "4001", "kairos_tester"
EPOCH = 1_288_834_974_657
ME = {"id": US, "name": "Kairos Tester", "username": US_NAME}
PEOPLE = {US: ME, "77": {"id": "77", "name": "Ada", "username": "ada"}}
FULL = 30


@dataclass
class Said:
    """One post."""

    id: str
    author: str
    text: str
    at: datetime
    answers: str | None = None
    quotes: str | None = None
    media: tuple[str, ...] = ()
    urls: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


class StandIn:
    """The state and the wire. `renamed` says which of the two sets of names it understands."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock, self.renamed, self.delay = clock, True, 0.5
        self.posts: dict[str, Said] = {}
        self.pictures: dict[str, dict[str, Any]] = {}
        self.asked: list[Asked] = []
        self.breaches: list[str] = []
        self.faults: list[tuple[str, bool, str]] = []
        self.tokens = {"token-1"}
        self.refreshes = {"refresh-1"}
        self.chatter: timedelta | None = None
        self._heard = clock()
        self._lock = threading.RLock()
        self._number = self._handled = 0
        spec()  # reading it takes longer than some of the timeouts
        self._listen(0)

    # --- the wire

    def _listen(self, port: int) -> None:
        standin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do(self) -> None:
                standin._serve(self)

            def do_GET(self) -> None:
                self.do()

            def do_POST(self) -> None:
                self.do()

            def do_DELETE(self) -> None:
                self.do()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = _Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.open = True

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        if self.open:
            self.open = False
            self.server.shutdown()
            self.server.server_close()

    def refuse(self) -> None:
        """Take no connections until the next fault is asked for."""
        self.stop()

    def fail(self, kind: str, *, written: bool = False, on: str = "POST /2/tweets") -> None:
        """Fail the next request whose method and path begin so, a pattern; `written` fails it after it took effect."""
        if not self.open:
            self._listen(self.port)
        self.faults.append((kind, written, on))

    def requests(self, begins: str) -> list[Asked]:
        return [one for one in self.asked if re.match(begins, f"{one.method} {one.path}")]

    def settle(self, requests: int) -> None:
        """Wait until that many requests have arrived and taken effect, where a caller gave up before."""
        while self._handled < requests:
            time.sleep(0.005)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        raw = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        asked = urlsplit(handler.path)
        form = "form-urlencoded" in handler.headers.get("Content-Type", "")
        body = (dict(parse_qsl(raw.decode())) if form else json.loads(raw)) if raw else None
        got = Asked(handler.command, asked.path, dict(parse_qsl(asked.query)), body, dict(handler.headers))
        line = f"{got.method} {got.path}"
        with self._lock:
            self.asked.append(got)
            fault = next((one for one in self.faults if re.match(one[2], line)), None)
            if fault:
                self.faults.remove(fault)
            status, told = (0, {}) if fault and not fault[1] and fault[0] != "slow" else self._answer(got)
            self._handled += 1
        if fault:
            self._misbehave(handler, fault[0], status, told)
        else:
            _send(handler, status, json.dumps(told))

    def _misbehave(self, handler: BaseHTTPRequestHandler, kind: str, status: int, told: Any) -> None:
        handler.close_connection = True
        reset = str(int(self.clock().timestamp()) + 600)
        match kind:
            case "drop":
                with suppress(OSError):
                    handler.connection.shutdown(socket.SHUT_RDWR)
            case "half":
                handler.wfile.write(b'HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{"data":{"id":"1')
                handler.wfile.flush()
            case "slow" | "hang":
                time.sleep(self.delay)
                with suppress(OSError):
                    _send(handler, status or 200, json.dumps(told))
            case "json":
                _send(handler, 201, '{"data":{"id":')
            case "shape":
                _send(handler, 201, '{"meta":{}}')
            case "html":
                _send(handler, 201, "<html><body>One moment please</body></html>", "text/html")
            case "html503":
                _send(handler, 503, "<html><body><h1>Over capacity</h1></body></html>", "text/html")
            case "redirect":
                _send(handler, 307, "", headers={"Location": f"{self.base}/2/elsewhere"})
            case "429":
                limits = {"x-rate-limit-limit": "100", "x-rate-limit-remaining": "0", "x-rate-limit-reset": reset}
                _send(handler, 429, json.dumps(_problem(429, "Too Many Requests")), headers=limits)
            case "429bare":
                _send(handler, 429, "slow down", "text/plain")
            case "429odd":
                _send(handler, 429, "{}", headers={"x-rate-limit-reset": "soon"})
            case _:
                _send(handler, int(kind), json.dumps(_problem(int(kind), WORDS.get(kind, "Something is wrong"))))

    # --- what it answers

    def _answer(self, got: Asked) -> tuple[int, Any]:
        if got.path == "/2/oauth2/token":
            return self._token(got)
        if got.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens and not got.headers.get(
            "Authorization", ""
        ).startswith("OAuth "):
            return 401, {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}
        judge = spec() if self.renamed else None
        wrong = judge.request(got.method, got.path, got.query, got.body) if judge else []
        foreign = "tweet.fields" if self.renamed else "post.fields"
        if foreign in got.query:
            wrong = [f"The query parameter [{foreign}] is not one of those known"]
        elif wrong:
            self.breaches += wrong
        if wrong:
            told = _problem(400, wrong[0]) | {"type": "https://api.x.com/2/problems/invalid-request"}
            return 400, told
        status, told = self._act(got)
        if judge:
            self.breaches += judge.answer(got.method, got.path, status, told)
        return status, told

    def _token(self, got: Asked) -> tuple[int, Any]:
        given = got.body or {}
        allowed = given.get("grant_type") == "authorization_code" and given.get("code") == "code-1"
        if given.get("grant_type") == "refresh_token" and given.get("refresh_token") in self.refreshes:
            self.refreshes.discard(given["refresh_token"])
            allowed = True
        if not allowed:
            return 400, {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
        self._number += 1
        access, refresh = f"fresh-access-{self._number}", f"fresh-refresh-{self._number}"
        self.tokens.add(access)
        self.refreshes.add(refresh)
        scope = "tweet.read tweet.write users.read media.write offline.access"
        told = {"token_type": "bearer", "expires_in": 7200, "access_token": access, "scope": scope}
        return 200, told | {"refresh_token": refresh}

    def _act(self, got: Asked) -> tuple[int, Any]:
        parts = got.path.strip("/").split("/")[1:]
        match got.method, parts:
            case "GET", ["users", "me"]:
                counted = {"followers_count": 12, "following_count": 3, "post_count": 9, "listed_count": 0}
                return 200, {"data": ME | {"public_metrics": counted}}
            case "POST", ["tweets"]:
                return self._create(got.body)
            case "DELETE", ["tweets", number]:
                return 200, {"data": {"deleted": self.posts.pop(number, None) is not None}}
            case "GET", ["tweets"]:
                return 200, self._lookup(got.query)
            case "GET", ["users", who, "tweets"]:
                return 200, self._page([one for one in self.posts.values() if one.author == who], got.query)
            case "GET", ["users", _, "mentions"]:
                self._talk()
                heard = [one for one in self.posts.values() if f"@{US_NAME}" in one.text and one.author != US]
                return 200, self._page(heard, got.query)
            case "POST", ["media", "upload", "initialize"]:
                number = self._id()
                self.pictures[number] = {"bytes": b"", "told": got.body}
                return 200, {"data": {"id": number, "expires_after_secs": 86400}}
            case "POST", ["media", "upload", number, "append"]:
                self.pictures[number]["bytes"] += base64.b64decode(got.body["media"], validate=True)
                return 200, {"data": {"expires_at": 1}}
            case "POST", ["media", "upload", number, "finalize"]:
                return 200, {"data": {"id": number, "size": len(self.pictures[number]["bytes"])}}
            case "POST", ["media", "metadata"]:
                self.pictures[got.body["id"]]["alt"] = got.body["metadata"]["alt_text"]["text"]
                return 200, {"data": {"id": got.body["id"]}}
        return 404, _problem(404, "Not Found")

    def _create(self, made: dict[str, Any]) -> tuple[int, Any]:
        text, answers = made["text"], made.get("reply", {}).get("in_reply_to_tweet_id")
        fresh = self.clock() - timedelta(hours=6)
        ours = (one for one in self.posts.values() if one.author == US and one.at > fresh)
        if any(html.unescape(_long(one)) == text and one.answers == answers for one in ours):
            return 403, _refusal("You are not allowed to create a Tweet with duplicate content.")
        if answers is not None and answers not in self.posts:
            return 403, _refusal("You attempted to reply to a Tweet that is deleted or not visible to you.")
        media = tuple(made.get("media", {}).get("media_ids", ()))
        said = self.say(text, US, answers, media=media)
        return 201, {"data": {"id": said.id, "text": said.text}}

    def say(
        self, text: str, author: str = "77", answers: str | None = None, quotes: str | None = None, **more: Any
    ) -> Said:
        """Let somebody post. Links become short ones, markup is escaped, as X does."""
        with self._lock:
            urls: list[dict[str, Any]] = []

            def short(found: re.Match[str]) -> str:
                urls.append({"url": f"https://t.co/{len(urls)}abc", "expanded_url": found[0], "start": 0, "end": 0})
                return str(urls[-1]["url"])

            shown = html.escape(re.sub(r"https?://\S+", short, text), quote=False)
            if more.get("media"):
                urls.append({"url": "https://t.co/pic", "expanded_url": "https://x.com/p/1", "media_key": "3_1"})
                urls[-1] |= {"start": 0, "end": 0}
                shown += " https://t.co/pic"
            answered = self.posts.get(answers or "")
            if answered is not None and answered.author != author and author == US:
                shown = f"@{PEOPLE[answered.author]['username']} {shown}"
            said = Said(self._id(), author, shown, self.clock(), answers, quotes, more.get("media", ()), urls)
            self.posts[said.id] = said
            return said

    def _talk(self) -> None:
        while self.chatter is not None and self._heard + self.chatter <= self.clock():
            self._heard += self.chatter
            now, self.clock = self.clock, lambda: self._heard
            self.say(f"@{US_NAME} what is this, number {len(self.posts)}?")
            self.clock = now

    def _id(self) -> str:
        self._number += 1
        return str((int(self.clock().timestamp() * 1000) - EPOCH << 22) + self._number)

    def _lookup(self, query: dict[str, str]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        gone = []
        for number in query["ids"].split(","):
            if number in self.posts:
                told.setdefault("data", []).append(self._shown(self.posts[number], query))
            else:
                problem = "https://api.x.com/2/problems/resource-not-found"
                words = f"Could not find tweet with ids: [{number}]."
                gone.append({"type": problem, "title": "Not Found Error", "detail": words, "resource_type": "tweet"})
        return told | ({"errors": gone} if gone else {})

    def _page(self, found: list[Said], query: dict[str, str]) -> dict[str, Any]:
        since = int(query.get("since_id", 0))
        start = query.get("start_time")
        after = datetime.fromisoformat(start) if start else datetime.min.replace(tzinfo=UTC)
        kept = [one for one in found if int(one.id) > since and one.at >= after]
        kept.sort(key=lambda one: -int(one.id))
        first = int(query.get("pagination_token", "0"))
        page = kept[first : first + min(FULL, int(query.get("max_results", 10)))]
        meta: dict[str, Any] = {"result_count": len(page)}
        if first + len(page) < len(kept):
            meta["next_token"] = str(first + len(page))
        if not page:
            return {"meta": meta}
        authors = sorted({one.author for one in page})
        told = {"data": [self._shown(one, query) for one in page], "meta": meta}
        return told | ({"includes": {"users": [PEOPLE[one] for one in authors]}} if "expansions" in query else {})

    def _shown(self, said: Said, query: dict[str, str]) -> dict[str, Any]:
        asked = set((query.get("post.fields") or query.get("tweet.fields") or "").split(","))
        expanded = set(query.get("expansions", "").split(","))
        history = "edit_history_post_ids" if self.renamed else "edit_history_tweet_ids"
        told: dict[str, Any] = {"id": said.id, "text": said.text, history: [said.id]}
        if "created_at" in asked:
            told["created_at"] = f"{said.at:%Y-%m-%dT%H:%M:%S}.000Z"
        if "conversation_id" in asked:
            told["conversation_id"] = said.answers or said.id
        if "lang" in asked:
            told["lang"] = "en"
        if "attachments" in asked and said.media:
            told["attachments"] = {"media_keys": ["3_1"]}
        if "entities" in asked:
            names = [
                {
                    "start": found.start(),
                    "end": found.end(),
                    "username": found[1],
                    "id": US if found[1] == US_NAME else "5",
                }
                for found in re.finditer(r"@(\w+)", said.text)
            ]
            told["entities"] = {"urls": said.urls, "mentions": names}
        if "author_id" in expanded | asked:
            told["author_id"] = said.author
        referenced = [
            {"type": how, "id": number}
            for how, number in (("replied_to", said.answers), ("quoted", said.quotes))
            if number
        ]
        if referenced and ("referenced_posts" in expanded or "referenced_tweets" in asked):
            told["referenced_posts" if self.renamed else "referenced_tweets"] = referenced
        hours = int((self.clock() - said.at).total_seconds() // 3600)
        if "public_metrics" in asked:
            reposts = "repost_count" if self.renamed else "retweet_count"
            counted = {"like_count": 3 * hours, "reply_count": hours // 9, "quote_count": hours // 20}
            told["public_metrics"] = counted | {
                reposts: hours // 5,
                "bookmark_count": 1,
                "impression_count": 90 * hours,
            }
        if "non_public_metrics" in asked and hours < 30 * 24:
            told["non_public_metrics"] = {"impression_count": 90 * hours, "url_link_clicks": 2 * hours}
        return told


WORDS = {
    "402": "Your enrolled account does not have any credits to fulfill this request.",
    "403": "You are not permitted to perform this action.",
}


def _long(said: Said) -> str:
    text = re.sub(r"^@\w+ ", "", said.text) if said.answers else said.text
    for url in said.urls:
        text = text.replace(url["url"], url["expanded_url"])
    return text


def _problem(status: int, words: str) -> dict[str, Any]:
    return {"title": words[:30], "type": "about:blank", "status": status, "detail": words}


def _refusal(words: str) -> dict[str, Any]:
    return {
        "type": "https://api.x.com/2/problems/not-authorized-for-resource",
        "title": "Forbidden",
        "detail": words,
        "status": 403,
        "resource_type": "tweet",
    }


def _send(
    handler: BaseHTTPRequestHandler,
    status: int,
    text: str,
    kind: str = "application/json",
    headers: dict[str, str] | None = None,
) -> None:
    data = text.encode()
    handler.send_response(status)
    for name, value in ({"Content-Type": kind, "Content-Length": str(len(data))} | (headers or {})).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)


def query_of(address: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
