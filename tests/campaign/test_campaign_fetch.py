"""No address leads inside: every host is checked before a connection, at the first step and after each redirect."""

import gzip
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from bot.campaign.fetch import SourceError, fetch, is_public

PUBLIC = "93.184.215.14"


class Wire(httpx.BaseTransport):
    """Stands where sockets would open, and counts; answers with what it was given."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answers.pop(0)


def resolver(known: dict[str, list[str]], asked: list[str] | None = None):  # type: ignore[no-untyped-def]
    """A name server that knows these hosts and notes who was asked for."""

    def resolve(host: str, port: int) -> list[str]:
        if asked is not None:
            asked.append(host)
        if host not in known:
            raise OSError("no such host")
        return known[host]

    return resolve


INSIDE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "127.0.0.1", "127.1.2.3", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001:0:7f00:1::1", "2001:db8::1", "2002:7f00:1::1", "fc00::1",
    "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
]  # fmt: skip

URLS = [
    "http://127.0.0.1/", "http://127.0.0.1:80/", "http://127.1/", "http://127.0.1/", "http://0/", "http://2130706433/",
    "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://017700000001/", "http://127.0.0.1./",
    "http://[::1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[64:ff9b::a00:1]/",
    "http://[fe80::1%25eth0]/", "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/",
    "http://localhost/", "http://LOCALHOST/", "http://localhost./", "http://inside.example/", "http://mixed.example/",
    "http://mapped.example/", "http://nobody.example/", "http://empty.example/", "http://public.example:22/",
    "http://public.example:8080/", "https://public.example:6379/", "http://user:pw@public.example/",
    "http://public.example@127.0.0.1/", "http://127。0。0。1/", "http://①②⑦.⓪.⓪.①/", "file:///etc/passwd",
    "ftp://public.example/", "gopher://public.example/", "data:text/xml,<rss/>", "javascript:alert(1)",
    "//public.example/",     "http:///etc/passwd", "http://", "", "public.example", "http://public.example\\@127.0.0.1/",
    "http://public .example/",     "http://public.example\r\nHost: inside.example/", "http://[::1", "http://%31%32%37.0.0.1/",
    "http://public.example:99999/",
]  # fmt: skip

HOSTS = {
    "localhost": ["127.0.0.1", "::1"],
    "localhost.": ["127.0.0.1"],
    "127.0.0.1.": ["127.0.0.1"],
    "inside.example": ["10.1.2.3"],
    "mixed.example": [PUBLIC, "127.0.0.1"],
    "mapped.example": ["::ffff:192.168.1.1"],
    "empty.example": [],
    "public.example": [PUBLIC],
}


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_is_not_on_the_internet_is_refused_however_it_is_named(address: str) -> None:
    wire = Wire()
    assert not is_public(address)
    with pytest.raises(SourceError, match=r"not \(only\) on the public internet"):
        fetch("https://feed.example/x", resolve=resolver({"feed.example": [PUBLIC, address]}), transport=wire)
    assert wire.requests == []


@pytest.mark.parametrize("url", URLS)
def test_no_socket_opens_for_an_unsafe_address(url: str) -> None:
    wire = Wire()
    with pytest.raises(SourceError) as caught:
        fetch(url, resolve=resolver(HOSTS), transport=wire)
    assert wire.requests == []
    assert str(caught.value).isprintable()
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("url", [url for url in URLS if url.startswith("http") and "public .ex" not in url])
def test_a_redirect_is_checked_like_the_first_address(url: str) -> None:
    wire = Wire(httpx.Response(302, headers={b"location": url.encode().split(b"\r")[0]}))
    known = {**HOSTS, "public.example": ["10.0.0.1"]}
    with pytest.raises(SourceError):
        fetch("https://feed.example/", resolve=resolver({**known, "feed.example": [PUBLIC]}), transport=wire)
    assert len(wire.requests) == 1


@pytest.mark.parametrize("address", ["8.8.8.8", PUBLIC, "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


def test_the_connection_goes_to_the_checked_address_and_the_host_is_asked_for_once() -> None:
    asked: list[str] = []
    wire = Wire(httpx.Response(200, stream=httpx.ByteStream(b"ok"), headers={"content-type": "text/xml"}))
    got = fetch("https://feed.example/x?y=1", resolve=resolver({"feed.example": [PUBLIC]}, asked), transport=wire)
    request = wire.requests[0]
    assert (request.url.host, request.headers["host"]) == (PUBLIC, "feed.example")
    assert request.extensions["sni_hostname"] == "feed.example"
    assert asked == ["feed.example"]
    assert (got.body, got.content_type, got.url) == (b"ok", "text/xml", "https://feed.example/x?y=1")


def test_a_name_that_changes_its_address_between_steps_is_checked_again() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    wire = Wire(httpx.Response(301, headers={"location": "/again"}))
    with pytest.raises(SourceError, match="public internet"):
        fetch("http://feed.example/", resolve=lambda host, port: next(answers), transport=wire)
    assert len(wire.requests) == 1


def test_three_redirects_are_followed_and_a_fourth_is_not() -> None:
    hop = [httpx.Response(302, headers={"location": f"/{n}"}) for n in range(4)]
    resolve = resolver({"feed.example": [PUBLIC]})
    assert (
        fetch(
            "http://feed.example/",
            resolve=resolve,
            transport=Wire(*hop[:3], httpx.Response(200, stream=httpx.ByteStream(b""))),
        ).body
        == b""
    )
    wire = Wire(*hop, httpx.Response(200))
    with pytest.raises(SourceError, match="more than 3 redirects"):
        fetch("http://feed.example/", resolve=resolve, transport=wire)
    assert len(wire.requests) == 4


BOMB = gzip.compress(b"\0" * 50_000_000)


@pytest.mark.parametrize(
    ("headers", "body", "words"),
    [
        ({}, b"x" * 1001, "larger than 1,000 bytes"),
        ({"content-encoding": "gzip"}, BOMB, "larger than 1,000 bytes"),
        ({"content-encoding": "deflate"}, zlib.compress(b"x" * 1001), "larger than 1,000 bytes"),
        ({"content-encoding": "gzip"}, b"not packed", "packed wrongly"),
        ({"content-encoding": "gzip"}, gzip.compress(b"hello" * 50)[:-12], "cut off"),
        ({"content-encoding": "br"}, b"x", "packed as 'br'"),
    ],
)
def test_large_and_wrongly_packed_answers_are_refused(headers: dict[str, str], body: bytes, words: str) -> None:
    wire = Wire(httpx.Response(200, headers=headers, stream=httpx.ByteStream(body)))
    with pytest.raises(SourceError, match=words):
        fetch("http://f.example/", resolve=resolver({"f.example": [PUBLIC]}), transport=wire, max_bytes=1000)


def test_a_bomb_is_never_unpacked_as_a_whole() -> None:
    wire = Wire(httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(BOMB)))
    tracemalloc.start()
    try:
        with pytest.raises(SourceError):
            fetch("http://f.example/", resolve=resolver({"f.example": [PUBLIC]}), transport=wire, max_bytes=1000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


def test_a_bad_status_is_one_line_without_the_query() -> None:
    with pytest.raises(SourceError, match=r"^http://f.example/feed: the server answered 404$"):
        fetch(
            "http://f.example/feed?key=1",
            resolve=resolver({"f.example": [PUBLIC]}),
            transport=Wire(httpx.Response(404)),
        )


class Page(BaseHTTPRequestHandler):
    """A small web server on this machine."""

    def do_GET(self) -> None:
        if self.path == "/old":
            self.send_response(302)
            self.send_header("Location", "/new")
            self.end_headers()
            return
        body = gzip.compress(f"{self.path} {self.headers['Host']}".encode())
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_a_real_answer_comes_over_a_real_socket_only_when_private_addresses_are_allowed(port: int) -> None:
    resolve = resolver({"feed.example": ["127.0.0.1"]})
    got = fetch(f"http://feed.example:{port}/old", resolve=resolve, allow_private=True)
    assert got.body == f"/new feed.example:{port}".encode()
    with pytest.raises(SourceError):
        fetch(f"http://feed.example:{port}/old", resolve=resolve)


def test_a_closed_port_is_one_line(port: int) -> None:
    with pytest.raises(SourceError, match=r"^http://127.0.0.1/x: "):
        fetch("http://127.0.0.1:1/x", allow_private=True)
