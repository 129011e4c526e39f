"""A wire to a server on loopback that counts requests and can be cut before a write, after it, or by an odd answer."""

import http.client
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

WRITES = ("com.atproto.repo.applyWrites", "com.atproto.repo.deleteRecord")
HOP = {"connection", "transfer-encoding", "content-encoding", "content-length", "keep-alive"}
JSON = "application/json; charset=utf-8"
ANSWERS: dict[str, tuple[int, str, bytes]] = {
    "500": (500, JSON, b'{"error":"InternalServerError","message":"Internal Server Error"}'),
    "502 page": (502, "text/html", b"<html><body>Bad gateway</body></html>"),
    "503": (503, JSON, b'{"error":"NotEnoughResources","message":"try later"}'),
    "page": (200, "text/html", b"<html><body>Welcome to our hotel</body></html>"),
    "half": (200, JSON, b'{"results":[{"uri":"at:'),
    "list": (200, JSON, b"[]"),
    "empty": (200, JSON, b"{}"),
    "error list": (500, JSON, b"[1]"),
    "400": (400, JSON, b'{"error":"InvalidRequest","message":"Invalid\\n record eyJhbGciOiJIUzI1.abc_def"}'),
    "401": (401, JSON, b'{"error":"AuthenticationRequired","message":"no"}'),
    "expired": (400, JSON, b'{"error":"ExpiredToken","message":"Token has expired"}'),
    "403": (403, "text/html", b"<html>go away</html>"),
    "409": (409, JSON, b'{"error":"Conflict"}'),
    "redirect": (307, JSON, b"{}"),
}
"""Answers given in place of the server's."""


class Wire:
    """Listens on loopback and passes everything on to `target`, except for the faults that were asked for."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        self.counted: Counter[str] = Counter()
        self._faults: list[tuple[str, str, bool]] = []
        self.headers: dict[str, str] = {}
        self.slow = 1.0
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.open()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fail(self, fault: str, *methods: str, written: bool = False) -> None:
        """Let the next request of these methods (writes) end this way; with `written` the server has carried it out."""
        self.open()
        self._faults += [(method, fault, written) for method in methods or WRITES[:1]]

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
        self.headers.clear()
        self._faults.clear()
        self.slow = 1.0

    def fault_of(self, method: str) -> tuple[str, bool] | None:
        with self._lock:
            self.counted[method] += 1
            for place, (wanted, fault, written) in enumerate(self._faults):
                if wanted == method:
                    del self._faults[place]
                    return fault, written
        return None


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

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = wire.fault_of(self.path.partition("?")[0].rpartition("/")[2])
            if fault is None:
                self._answer(*self._pass_on(body))
                return
            kind, written = fault
            passed = self._pass_on(body) if written else None
            if kind == "slow":
                time.sleep(wire.slow)
                self._answer(*(passed or self._pass_on(body)))
            elif kind == "429":
                self._answer(429, JSON, b'{"error":"RateLimitExceeded","message":"Rate Limit Exceeded"}')
            elif kind in ANSWERS:
                self._answer(*ANSWERS[kind])
            elif kind == "half-closed":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")
            else:
                assert kind == "drop"  # no answer at all
            self.close_connection = True

        def _pass_on(self, body: bytes) -> tuple[int, str, bytes]:
            connection = http.client.HTTPConnection(str(wire.target.hostname), wire.target.port, timeout=30)
            try:
                headers = {name: value for name, value in self.headers.items() if name.lower() not in (*HOP, "host")}
                headers["Accept-Encoding"] = "identity"
                connection.request(self.command, self.path, body or None, headers)
                answer = connection.getresponse()
                return answer.status, answer.headers.get("Content-Type", JSON), answer.read()
            finally:
                connection.close()

        def _answer(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            for name, value in wire.headers.items():
                self.send_header(name, value)
            if status == 307:
                self.send_header("Location", self.path + "?again")
            self.end_headers()
            self.wfile.write(content)

    return Handler
