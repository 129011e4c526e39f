"""A small app view on loopback behind the real PDS: counts and notifications about the posts that lie there.

What the network does beyond one server is its part: a reader answers each post an hour after it, and tests add more.
"""

import base64
import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from connectors.bluesky.records import cid_of, moment_of, stamp

READER = {"did": "did:plc:readerreaderreaderreader", "handle": "reader.test"}
POSTS = "app.bsky.feed.post"


class AppView:
    """Counts by post, notifications by account; whatever lies on the PDS is seen at once."""

    def __init__(self) -> None:
        self.pds = ""
        self.counts: dict[str, dict[str, int]] = {}
        self.readers: dict[str, Callable[[], datetime]] = {}
        """Accounts whose posts a reader answers -> their clock."""
        self.notes: dict[str, list[dict[str, Any]]] = {}
        self.followers = 7
        self.page = 100
        view = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                place = urlsplit(self.path)
                asked = parse_qs(place.query)
                token = self.headers.get("Authorization", "").partition(".")[2].partition(".")[0]
                did = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))["iss"]
                answer = view.answer(place.path.rpartition("/")[2], did, asked)
                content = json.dumps(answer if answer is not None else {"error": "MethodNotImplemented"}).encode()
                self.send_response(200 if answer is not None else 501)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, method: str, did: str, asked: dict[str, list[str]]) -> dict[str, Any] | None:
        match method:
            case "app.bsky.feed.getPosts":
                found = [self._post(uri) for uri in asked.get("uris", asked.get("uris[]", []))]
                return {"posts": [post for post in found if post is not None]}
            case "app.bsky.actor.getProfile":
                return {"did": asked["actor"][0], "handle": "name.test", "followersCount": self.followers}
            case "app.bsky.notification.listNotifications":
                return self._notifications(did, asked)
        return None

    def note(self, did: str, at: datetime, text: str, reason: str = "mention", **more: Any) -> dict[str, Any]:
        """Somebody says something to an account; gives back the notification."""
        record = {"$type": POSTS, "text": text, "createdAt": stamp(at)} | more.pop("record", {})
        rkey = f"3{len(self.notes.setdefault(did, [])):012}".replace("0", "a").replace("1", "b").replace("8", "c")
        note = {
            "uri": f"at://{READER['did']}/{POSTS}/{rkey.replace('9', 'd')}",
            "cid": cid_of(record),
            "author": READER,
            "reason": reason,
            "record": record,
            "isRead": False,
            "indexedAt": stamp(at),
        } | more
        self.notes[did].append(note)
        return note

    def _post(self, uri: str) -> dict[str, Any] | None:
        did, _, rkey = uri.removeprefix("at://").split("/")
        found = self._ask("getRecord", repo=did, collection=POSTS, rkey=rkey)
        if found is None:
            return None
        counts = {"likeCount": 0, "replyCount": 0, "repostCount": 0, "quoteCount": 0} | self.counts.get(uri, {})
        author = {"did": did, "handle": "name.test"}
        at = found["value"]["createdAt"]
        return {"uri": uri, "cid": found["cid"], "author": author, "record": found["value"], "indexedAt": at, **counts}

    def _notifications(self, did: str, asked: dict[str, list[str]]) -> dict[str, Any]:
        notes = [*self.notes.get(did, ()), *self._from_readers(did)]
        notes.sort(key=lambda note: (note["indexedAt"], note["uri"]), reverse=True)
        start = int(asked.get("cursor", ["0"])[0])
        end = start + min(int(asked["limit"][0]), self.page)
        more = {"cursor": str(end)} if end < len(notes) else {}
        return {"notifications": notes[start:end], **more}

    def _from_readers(self, did: str) -> list[dict[str, Any]]:
        if did not in self.readers:
            return []
        listed = self._ask("listRecords", repo=did, collection=POSTS, limit=100) or {"records": []}
        notes = []
        for post in listed["records"]:
            at = moment_of(post["value"]["createdAt"]) + timedelta(hours=1)
            if at > self.readers[did]():
                continue
            this = {"uri": post["uri"], "cid": post["cid"]}
            record = {"$type": POSTS, "text": "I see", "createdAt": stamp(at), "reply": {"root": this, "parent": this}}
            uri = f"at://{READER['did']}/{POSTS}/{post['uri'].rpartition('/')[2]}"
            note = {"uri": uri, "cid": cid_of(record), "author": READER, "reason": "reply", "record": record}
            notes.append(note | {"isRead": False, "indexedAt": stamp(at)})
        return notes

    def _ask(self, method: str, **asked: Any) -> Any:
        answer = httpx.get(f"{self.pds}/xrpc/com.atproto.repo.{method}", params=asked, timeout=10)
        return answer.json() if answer.status_code == 200 else None
