"""A small Reddit on loopback, as praw's recordings of the real one show it; nothing of it is in the product.

The real SDK speaks to it under Reddit's own addresses: sessions made here lead every request to this machine.
"""

import base64
import hashlib
import json
import re
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import requests
from requests.adapters import HTTPAdapter

US, US_ID = "tester", "75u2lqkb"
WRITES = re.compile(r"/api/(submit/|submit_gallery_post\.json|submit_poll_post|comment/|del/)")
NEEDS = {
    "/api/v1/me": "identity",
    "/api/submit": "submit",
    "/api/comment": "submit",
    "/api/media": "submit",
    "/api/v1/": "submit",
    "/api/del": "edit",
    "/api/info": "read",
    "/comments/": "read",
    "/user/": "history",
    "/message/": "privatemessages",
    "/r/": "flair",
}
"""Scope by the beginning of a path, as Reddit's documentation says."""

Body = dict[str, Any] | list[Any]


class Lead(HTTPAdapter):
    """Leads every request to the stand-in, or to a port where nobody listens."""

    def __init__(self, reddit: "StandIn") -> None:
        super().__init__(max_retries=0)
        self._reddit = reddit

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        asked = urlsplit(request.url or "")
        request.headers["Host"] = asked.netloc
        port = self._reddit.port
        if self._reddit.refusing and WRITES.match(asked.path):
            self._reddit.refusing -= 1
            port = self._reddit.dead.getsockname()[1]
        request.url = f"http://127.0.0.1:{port}{asked.path}" + (f"?{asked.query}" if asked.query else "")
        return super().send(request, *args, **kwargs)


class StandIn:
    """Reddit with one account of ours, any community, and a person who answers."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.things: dict[str, dict[str, Any]] = {}
        self.inbox: dict[str, list[str]] = {"comments": [], "selfreply": [], "mentions": []}
        self.requirements: dict[str, Any] = {}
        self.flairs: list[dict[str, str]] = []
        self.errors: deque[tuple[int, Body]] = deque()
        """Answers to the next writes instead of the usual one."""
        self.faults: deque[tuple[str, bool]] = deque()
        self.read_faults: deque[tuple[str, bool]] = deque()
        self.refusing = 0
        self.chatter: timedelta | None = None
        self.remaining = "99.0"
        self.lifetime = 3600
        self.rotates = False
        self.passwords = {"password": "hunter2-canary", "refresh_token": "refresh-canary", "code": "code-canary"}
        self.asked: list[tuple[str, str]] = []
        self.forms: list[dict[str, Any]] = []
        """What writes carried."""
        self.agents: set[str] = set()
        self.uploads: list[bytes] = []
        self.socket_says: dict[str, Any] | None = None
        self.patience = threading.Event()
        """Slow answers come when it is over."""
        self._tokens: dict[str, set[str]] = {}
        self._number, self._lock = 50_000_000, threading.RLock()
        self.dead = socket.socket()
        self.dead.bind(("127.0.0.1", 0))
        self._server = _Server(("127.0.0.1", 0), type("Bound", (_Handler,), {"reddit": self}))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.patience.set()
        self._server.shutdown()
        self._server.server_close()
        self.dead.close()

    def session(self) -> requests.Session:
        """What the connector is given instead of a plain session."""
        session = requests.Session()
        session.mount("https://", Lead(self))
        return session

    def fail(self, fault: str, *, written: bool = False) -> None:
        """Let the next write fail: drop, half, 429, 500, 401, malformed, html, slow, redirect ..."""
        self.faults.append((fault, written))

    def refuse(self) -> None:
        """Let nobody listen at the next write."""
        self.refusing += 1

    def writes(self) -> int:
        """Requests that may have made something public, however they ended."""
        return sum(method == "POST" and WRITES.match(path) is not None for method, path in self.asked)

    def counted(self) -> Counter[str]:
        """Requests by path."""
        return Counter(path for _, path in self.asked)

    def say(self, text: str, how: str = "mentions", above: str = "t3_abc", who: str = "someone", **more: Any) -> str:
        """Somebody says something to us; gives back its name."""
        with self._lock:
            return self._listen(self._comment(text, above, who, **more), how)

    # --- what is asked ----------------------------------------------------------------------------------------------

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, Body]:
        kind = form["grant_type"]
        given = {"password": "password", "refresh_token": "refresh_token", "authorization_code": "code"}[kind]
        app = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        if app != "app-id:app-secret-canary":
            return 401, {"message": "Unauthorized", "error": 401}
        if form[given] != self.passwords[given]:
            return (
                (200, {"error": "invalid_grant"})
                if kind == "password"
                else (400, {"error": "invalid_grant", "message": "Bad Request"})
            )
        granted = "edit flair history identity privatemessages read submit"
        scopes = form.get("scope", "*" if kind == "password" else granted)
        token = f"access-canary-{len(self._tokens)}"
        self._tokens[token] = set(scopes.split())
        answer = {"access_token": token, "token_type": "bearer", "expires_in": self.lifetime, "scope": scopes}
        if kind == "authorization_code" or self.rotates:
            self.passwords["refresh_token"] = f"refresh-canary-{len(self._tokens)}"
            answer["refresh_token"] = self.passwords["refresh_token"]
        return 200, answer

    def answer(self, method: str, path: str, query: dict[str, str], form: dict[str, Any]) -> tuple[int, Body]:
        """The answer of oauth.reddit.com to somebody who is let in."""
        with self._lock:
            if method == "POST" and WRITES.match(path):
                self.forms.append(form)
                if self.errors:
                    return self.errors.popleft()
            match [method, *path.strip("/").split("/")]:
                case ["GET", "api", "v1", "me"]:
                    return 200, {"id": US_ID, "name": US, "subreddit": {"display_name": f"u_{US}", "subscribers": 7}}
                case ["GET", "api", "v1", _, "post_requirements"]:
                    return 200, self.requirements
                case ["POST", "r", _, "api", "flairselector"]:
                    return 200, {"current": {}, "choices": self.flairs}
                case ["POST", "api", "media", "asset.json"]:
                    number = self._next()
                    fields = [{"name": "key", "value": f"rte_images/{number}"}]
                    lease = {"action": "//reddit-uploaded-media.s3-accelerate.amazonaws.com", "fields": fields}
                    return 200, {"args": lease, "asset": {"asset_id": number}}
                case ["POST", "api", "submit" | "submit_gallery_post.json" | "submit_poll_post" as how]:
                    return 200, self._submit(how, form)
                case ["POST", "api", "comment"]:
                    made = self._comment(form["text"], form["thing_id"], US)
                    return 200, {"json": {"errors": [], "data": {"things": [{"kind": "t1", "data": made}]}}}
                case ["POST", "api", "del"]:
                    if form["id"] in self.things:
                        self.things[form["id"]] |= {"author": "[deleted]", "selftext": "[deleted]", "body": "[deleted]"}
                    return 200, {}
                case ["GET", "comments", number]:
                    found = self.things.get(f"t3_{number}")
                    if found is None:
                        return 404, {"message": "Not Found", "error": 404}
                    return 200, [self._listing([found], {}), self._listing([], {})]
                case ["GET", "api", "info"]:
                    found_all = [self.things[name] for name in query["id"].split(",") if name in self.things]
                    return 200, self._listing(found_all, {})
                case ["GET", "user", who, "submitted" | "comments" as which]:
                    kind = "t3_" if which == "submitted" else "t1_"
                    ours = [
                        each for name, each in self.things.items() if name.startswith(kind) and each["author"] == who
                    ]
                    return 200, self._listing(ours[::-1], query)
                case ["GET", "message", which]:
                    heard = [self.things[name] for name in self.inbox[which]]
                    now = self.clock().timestamp()
                    shown = sorted(
                        (each for each in heard if each["created_utc"] <= now), key=lambda each: each["created_utc"]
                    )
                    return 200, self._listing(shown[::-1], query)
        return 404, {"message": "Not Found", "error": 404}

    def lets_in(self, authorization: str, path: str) -> tuple[int, dict[str, str], Body] | None:
        """What is answered to somebody without a token, or without the scope."""
        scopes = self._tokens.get(authorization.removeprefix("bearer "))
        if scopes is None:
            return (
                401,
                {"www-authenticate": 'Bearer realm="reddit", error="invalid_token"'},
                {"message": "Unauthorized"},
            )
        needed = next(scope for start, scope in NEEDS.items() if path.startswith(start))
        if not scopes & {needed, "*"}:
            return (
                403,
                {"www-authenticate": 'Bearer realm="reddit", error="insufficient_scope"'},
                {"message": "Forbidden"},
            )
        return None

    # --- what it makes ----------------------------------------------------------------------------------------------

    def _submit(self, how: str, form: dict[str, Any]) -> Body:
        title = " ".join(form["title"].split())
        if not title or len(title) > 300 or len(form.get("text", "")) > 40_000:
            return {"json": {"errors": [["TOO_LONG" if title else "NO_TEXT", "this is too long", "title"]]}}
        number = self._next()
        link = f"/r/{form['sr']}/comments/{number}/{re.sub('[^a-z0-9]+', '_', title.lower())[:50].strip('_')}/"
        address = f"https://www.reddit.com{link}"
        kind = form.get("kind", how)
        made = {
            "id": number,
            "name": f"t3_{number}",
            "author": US,
            "subreddit": form["sr"],
            "title": title,
            "selftext": form.get("text", "").strip(),
            "url": form["url"] if kind == "link" else address,
            "is_self": kind in ("self", "submit_poll_post"),
            "domain": "i.redd.it" if kind == "image" else "",
            "post_hint": "image" if kind == "image" else None,
            "score": 1,
            "hide_score": False,
            "num_comments": 0,
            "num_crossposts": 0,
            "permalink": link,
            "created_utc": float(int(self.clock().timestamp())),
            "link_flair_template_id": form.get("flair_id"),
        }
        if how == "submit_gallery_post.json":
            made |= {"is_gallery": True}
        if how == "submit_poll_post":
            options = [{"id": str(place), "text": text} for place, text in enumerate(form["options"])]
            made |= {"poll_data": {"options": options, "voting_end_timestamp": 0}}
            made["selftext"] += f"\n\n[View Poll](https://www.reddit.com/poll/{number})"
        self.things[made["name"]] = made
        if self.chatter is not None:
            said = self._comment("what a thought", made["name"], "someone", after=self.chatter)
            self._listen(said, "selfreply")
        if kind == "image":
            where = f"ws://127.0.0.1:{self.port}/socket/{number}"
            return {"json": {"errors": [], "data": {"user_submitted_page": "", "websocket_url": where}}}
        named = f"t3_{number}" if how != "submit" else number
        return {"json": {"errors": [], "data": {"url": address, "id": named, "name": f"t3_{number}"}}}

    def _comment(self, text: str, above: str, who: str, after: timedelta = timedelta(0), **more: Any) -> dict[str, Any]:
        number = self._next()
        made = {
            "id": number,
            "name": f"t1_{number}",
            "author": who,
            "author_fullname": f"t2_{who}",
            "subreddit": "test",
            "body": text.strip(),
            "parent_id": above,
            "link_id": above if above.startswith("t3_") else "t3_abc",
            "score": 1,
            "score_hidden": False,
            "permalink": f"/r/test/comments/abc/_/{number}/",
            "created_utc": float(int((self.clock() + after).timestamp())),
        } | more
        self.things[made["name"]] = made
        return made

    def _listen(self, comment: dict[str, Any], how: str) -> str:
        kind = {"comments": "comment_reply", "selfreply": "post_reply", "mentions": "username_mention"}[how]
        comment |= {"type": kind, "context": f"/r/test/comments/abc/_/{comment['id']}/?context=3", "was_comment": True}
        self.inbox[how].append(comment["name"])
        return str(comment["name"])

    def _listing(self, things: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
        """A page of at most 100, as Reddit's are."""
        names = [each["name"] for each in things]
        start = names.index(query["after"]) + 1 if query.get("after") in names else 0
        size = min(int(query.get("limit", 100)), 100)
        page = things[start : start + size]
        after = page[-1]["name"] if page and start + size < len(things) else None
        children = [{"kind": each["name"][:2], "data": each} for each in page]
        return {"kind": "Listing", "data": {"after": after, "before": None, "dist": len(page), "children": children}}

    def _next(self) -> str:
        self._number += 1
        number, digits = self._number, ""
        while number:
            number, place = divmod(number, 36)
            digits = "0123456789abcdefghijklmnopqrstuvwxyz"[place] + digits
        return digits


class _Server(ThreadingHTTPServer):
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    reddit: StandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.startswith("/socket/"):
            return self._socket()
        return self._take()

    def do_POST(self) -> None:
        self._take()

    def _take(self) -> None:
        reddit, asked = self.reddit, urlsplit(self.path)
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        host, path = self.headers["Host"], asked.path
        reddit.asked.append((self.command, path))
        reddit.agents.add(self.headers["User-Agent"])
        self.close_connection = True
        if "amazonaws" in host:
            reddit.uploads.append(sent)
            return self._send(201, {}, b"<PostResponse/>")
        query = dict(parse_qsl(asked.query))
        writes = self.command == "POST" and WRITES.match(path) is not None
        faults = reddit.faults if writes else reddit.read_faults
        fault, written = faults.popleft() if faults else ("", True)

        def whole() -> tuple[int, dict[str, str], bytes]:
            if host == "www.reddit.com":
                status, told = reddit.token(dict(parse_qsl(sent.decode())), self.headers["Authorization"])
                return status, {}, json.dumps(told).encode()
            stopped = reddit.lets_in(self.headers["Authorization"], path)
            if stopped is not None:
                return stopped[0], stopped[1], json.dumps(stopped[2]).encode()
            status, told = reddit.answer(self.command, path, query, self._form(sent))
            return status, {}, json.dumps(told).encode()

        status, headers, told = whole() if written else (200, {}, b"{}")
        match fault:
            case "":
                return self._send(status, headers, told)
            case "drop":
                return self.connection.shutdown(socket.SHUT_RDWR)
            case "slow":
                reddit.patience.wait(20)
                return self._send(status, headers, told)
            case "half":
                return self._send(status, headers, told[: len(told) // 2], len(told))
            case "malformed":
                return self._send(200, headers, told[: len(told) // 2])
            case "empty":
                return self._send(200, headers, b"{}")
            case "html":
                return self._send(200, {"Content-Type": "text/html"}, b"<html><body>hello</body></html>")
            case "redirect":
                return self._send(302, {"Location": "https://www.reddit.com/login/"}, b"")
            case "bare 401":
                return self._send(401, {}, b"")
            case "429":
                return self._send(429, {"x-ratelimit-reset": "120", "x-ratelimit-remaining": "0"}, b"Too Many Requests")
            case "429 dated":
                return self._send(429, {"retry-after": "Tue, 24 Nov 2026 13:00:00 GMT"}, b"")
            case _:
                return self._send(int(fault), {}, b"<html><h1>broken</h1></html>")

    def _form(self, sent: bytes) -> dict[str, Any]:
        if self.headers.get("Content-Type", "").startswith("application/json"):
            form: dict[str, Any] = json.loads(sent)
            return form
        return {name: values[0] for name, values in parse_qs(sent.decode(), keep_blank_values=True).items()}

    def _send(self, status: int, headers: dict[str, str], told: bytes, length: int | None = None) -> None:
        limits = {"x-ratelimit-remaining": self.reddit.remaining, "x-ratelimit-used": "1", "x-ratelimit-reset": "300"}
        said = {"Content-Type": "application/json", "Connection": "close"} | limits | headers
        try:
            self.send_response(status)
            for name, value in said.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told) if length is None else length))
            self.end_headers()
            self.wfile.write(told)
        except OSError:
            pass  # who asked has gone

    def _socket(self) -> None:
        """The socket that tells where a picture's post came to stand."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        made = self.reddit.things[f"t3_{self.path.rpartition('/')[2]}"]
        where = {"type": "success", "payload": {"redirect": f"https://www.reddit.com{made['permalink']}"}}
        told = json.dumps(self.reddit.socket_says or where).encode()
        if told != b"{}":
            self.wfile.write(
                bytes([0x81, 126, *len(told).to_bytes(2, "big")]) + told
                if len(told) > 125
                else bytes([0x81, len(told)]) + told
            )
        self.close_connection = True
