"""A wire to a server on loopback: it counts requests, and can be cut before a write, after it, or by an odd answer."""

import http.client
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

POST = "POST /api/v1/statuses"
HOP = {"connection", "transfer-encoding", "content-encoding", "content-length", "keep-alive", "date", "server"}
JSON, HTML = "application/json; charset=utf-8", "text/html"
ANSWERS: dict[str, tuple[int, str, bytes]] = {
    "500": (500, JSON, b'{"error":"Something went wrong"}'),
    "502": (502, HTML, b"<html><body>Bad gateway</body></html>"),
    "503": (503, JSON, b'{"error":"Remote SSL certificate could not be verified"}'),
    "504": (504, HTML, b""),
    "507": (507, HTML, b""),
    "408": (408, HTML, b""),
    "page": (200, HTML, b"<html><body>Welcome to our hotel</body></html>"),
    "malformed": (200, JSON, b'{"id":"11702'),
    "list": (200, JSON, b"[]"),
    "word": (200, JSON, b'"yes"'),
    "empty": (200, JSON, b"{}"),
    "nothing": (200, JSON, b""),
    "nameless": (200, JSON, b'{"id":null,"created_at":"2026-08-01T13:53:15.378Z"}'),
    "timeless": (200, JSON, b'{"id":"117","created_at":null}'),
    "working": (202, JSON, b'{"id":"5","type":"image","url":null}'),
    "gotosocial": (
        200,
        JSON,
        b'{"domain":"gts.example","version":"0.19.1+git-1a2b","source_url":"https://codeberg.org/superseriousbusiness/'
        b'gotosocial","configuration":{"statuses":{"max_characters":5000,"max_media_attachments":6,'
        b'"characters_reserved_per_url":25},"media_attachments":{"supported_mime_types":["image/jpeg","image/png"],'
        b'"image_size_limit":41943040,"image_matrix_limit":2147483647}}}',
    ),
    "redirect": (307, JSON, b"{}"),
    "429": (429, JSON, b'{"error":"Too many requests"}'),
    "401": (401, JSON, b'{"error":"The access token was revoked"}'),
    "400": (400, JSON, b'{"error":"Bad request"}'),
    "403": (403, JSON, b'{"error":"Your login is currently <b>disabled</b>\\n ada_token"}'),
    "403 page": (403, HTML, b"<html>go away</html>"),
    "404": (404, JSON, b'{"error":"Record not found"}'),
    "410": (410, JSON, b'{"error":"Gone"}'),
    "413": (413, HTML, b"<html>too large</html>"),
    "422": (422, JSON, b'{"error":"Validation failed: Text character limit of 500 exceeded"}'),
}
"""Answers given in place of the server's."""


class Wire:
    """Listens on loopback and passes everything on to `target`, except for the faults that were asked for."""

    def __init__(self, target: str = "") -> None:
        self.target = urlsplit(target)
        self.counted: Counter[str] = Counter()
        self.sent: list[tuple[str, dict[str, str], bytes]] = []
        self.headers: dict[str, str] = {}
        self.kept_back: set[str] = set()
        self.slow = 1.0
        self._faults: list[tuple[str, str, bool]] = []
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.open()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fail(self, fault: str, what: str = POST, *, written: bool = False) -> None:
        """Let the next request of this kind end this way; with `written` the server has carried it out before."""
        self.open()
        self._faults.append((what, fault, written))

    def refuse(self) -> None:
        """Nobody listens any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def open(self) -> None:
        """Listen again, on the same port."""
        if self._server is None:
            self._server = _Server(("127.0.0.1", self.port), _handler(self))
            self.port = self._server.server_address[1]
            threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def mend(self) -> None:
        """As new: nothing counted, nothing wrong."""
        self.open()
        self.counted.clear()
        self.sent.clear()
        self.headers.clear()
        self.kept_back.clear()
        self._faults.clear()
        self.slow = 1.0

    def fault_of(self, what: str, headers: dict[str, str], body: bytes) -> tuple[str, bool] | None:
        with self._lock:
            self.counted[what] += 1
            self.sent.append((what, headers, body))
            for place, (wanted, fault, written) in enumerate(self._faults):
                if what.startswith(wanted):
                    del self._faults[place]
                    return fault, written
        return None

    def reply(
        self, command: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """What the server behind says."""
        connection = http.client.HTTPConnection(str(self.target.hostname), self.target.port, timeout=30)
        try:
            passed = {name: value for name, value in headers.items() if name.lower() not in HOP | self.kept_back}
            connection.request(command, path, body or None, passed | {"Accept-Encoding": "identity"})
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


class _Server(ThreadingHTTPServer):
    allow_reuse_address = True
    request_queue_size = 64
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what these tests are about."""


def _handler(wire: Wire) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = dict(self.headers.items())
            fault = wire.fault_of(f"{self.command} {self.path.partition('?')[0]}", headers, body)
            self.close_connection = True
            if fault is None:
                self._answer(*wire.reply(self.command, self.path, headers, body))
                return
            kind, written = fault
            passed = wire.reply(self.command, self.path, headers, body) if written else None
            if kind == "slow":
                time.sleep(wire.slow)
                self._answer(*(passed or wire.reply(self.command, self.path, headers, body)))
            elif kind in ANSWERS:
                status, form, content = ANSWERS[kind]
                self._answer(status, [("Content-Type", form)], content)
            elif kind == "half":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")
            else:
                assert kind == "drop"  # no answer at all

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def do_DELETE(self) -> None:
            self._serve()

        def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response(status)
            for name, value in (*headers, *wire.headers.items()):
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            if status == 307:
                self.send_header("Location", self.path + "?again")
            self.end_headers()
            self.wfile.write(content)

    return Handler
