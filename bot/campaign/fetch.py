"""Gets a stranger's address safely: public addresses only, ports 80 and 443, few redirects, small answers; no parsing.

A host is resolved once, every address it has must be public, and the connection goes to the very address checked,
so neither a redirect nor a second answer of the name server leads inside. No proxy or .netrc of the machine is used.
"""

import ipaddress
import re
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx

Resolve = Callable[[str, int], list[str]]
"""Host and port -> every address of the host; raises OSError."""

MAX_BYTES = 5_000_000
MAX_REDIRECTS = 3
TIMEOUT_S = 10.0
DEADLINE_S = 30.0
PORTS = (80, 443)

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NEVER = tuple(
    map(
        ipaddress.ip_network,
        (
            "::/96",
            "64:ff9b:1::/48",
            "100::/64",
            "2001::/32",
            "2002::/16",
            "fec0::/10",
            "192.0.0.0/24",
            "192.88.99.0/24",
        ),
    )
)
"""Ranges that count as public by name but lead to other addresses or nowhere."""


class SourceError(ValueError):
    """A source cannot be read now; the message is one line for a person."""


@dataclass(frozen=True)
class Fetched:
    """An answer's body, decompressed, the type it claims, and the address it came from in the end."""

    body: bytes
    content_type: str
    url: str


def resolve_host(host: str, port: int) -> list[str]:
    """Every address the machine's resolver knows for a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an IP address lies on the public internet, looking through mapped and translated ones."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id:
            return False
        if ip.ipv4_mapped:
            return is_public(str(ip.ipv4_mapped))
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    if any(ip in network for network in _NEVER if network.version == ip.version):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def fetch(
    url: str,
    *,
    resolve: Resolve = resolve_host,
    transport: httpx.BaseTransport | None = None,
    allow_private: bool = False,
    max_bytes: int = MAX_BYTES,
    timeout: float = TIMEOUT_S,
) -> Fetched:
    """GET an address; raises SourceError for whatever is unsafe, too large (bytes), too slow (seconds) or broken.

    `resolve` and `transport` are seams for tests; `allow_private` lifts the rule on addresses and ports.
    """
    deadline = time.monotonic() + max(DEADLINE_S, timeout)
    with httpx.Client(transport=transport, trust_env=False, follow_redirects=False, timeout=timeout) as client:
        here = _parse(url)
        for _ in range(MAX_REDIRECTS + 1):
            addresses = _addresses(here, resolve, allow_private)
            try:
                answer = _get(client, here, addresses, max_bytes, deadline)
            except httpx.TimeoutException:
                raise SourceError(f"{_shown(here)}: no answer within {timeout:g} s") from None
            except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
                raise SourceError(f"{_shown(here)}: {error or type(error).__name__}") from error
            if isinstance(answer, Fetched):
                return answer
            here = _parse(str(here.join(answer.url)))
    raise SourceError(f"{_shown(_parse(url))}: more than {MAX_REDIRECTS} redirects")


@dataclass(frozen=True)
class _Redirect:
    url: str


def _parse(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url.strip())
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise SourceError(f"{url!r:.100} is not an address: {error}") from error
    if parsed.scheme not in ("http", "https"):
        raise SourceError(f"{_shown(parsed)}: only http and https addresses are read")
    if not parsed.host:
        raise SourceError(f"{_shown(parsed)}: the address names no host")
    if parsed.userinfo:
        raise SourceError(f"{_shown(parsed)}: an address with a user name or password is not read")
    return parsed


def _shown(url: httpx.URL) -> str:
    """An address for messages, without what may be secret in it."""
    return f"{url.scheme}://{url.host}{url.path}"[:120]


def _addresses(url: httpx.URL, resolve: Resolve, allow_private: bool) -> list[str]:
    """Every address of the host, all of them checked."""
    port = url.port or (443 if url.scheme == "https" else 80)
    if port not in PORTS and not allow_private:
        raise SourceError(f"{_shown(url)}: port {port} is not read, only 80 and 443")
    host = url.host
    try:
        found = [str(ipaddress.ip_address(host))]
    except ValueError:
        if re.fullmatch(r"(0x[0-9a-f]*|[0-9]+)", host.rstrip(".").rpartition(".")[2].lower()) or "%" in host:
            raise SourceError(f"{_shown(url)}: {host} is neither a name nor a plain IP address") from None
        try:
            found = resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise SourceError(f"{_shown(url)}: the host {host} is not known here") from error
    if not found:
        raise SourceError(f"{_shown(url)}: the host {host} has no address")
    if not allow_private and not all(map(is_public, found)):
        raise SourceError(f"{_shown(url)}: {host} is not (only) on the public internet, it is not read")
    return found


def _get(
    client: httpx.Client, url: httpx.URL, addresses: list[str], max_bytes: int, deadline: float
) -> Fetched | _Redirect:
    """One request, to the first of the checked addresses that takes the connection."""
    for place, address in enumerate(addresses):
        request = client.build_request(
            "GET",
            url.copy_with(host=address),
            headers={
                "Host": url.netloc.decode("ascii"),
                "Accept": "application/rss+xml, application/atom+xml, application/xml;q=0.9, */*;q=0.5",
                "Accept-Encoding": "gzip",
                # One connection each: names that share an address must not share a TLS session.
                "Connection": "close",
                "User-Agent": "kairos-bot (feed reader)",
            },
            extensions={"sni_hostname": url.host},
        )
        try:
            response = client.send(request, stream=True)
        except httpx.ConnectError:
            if place + 1 == len(addresses):
                raise
            continue
        try:
            if response.is_redirect:
                return _Redirect(response.headers["location"])
            if response.status_code != httpx.codes.OK:
                raise SourceError(f"{_shown(url)}: the server answered {response.status_code}")
            body = b"".join(_body(response, url, max_bytes, deadline))
            return Fetched(body, response.headers.get("content-type", ""), str(url))
        finally:
            response.close()
    raise AssertionError("a host without addresses was refused before")


def _body(response: httpx.Response, url: httpx.URL, max_bytes: int, deadline: float) -> Iterator[bytes]:
    """Pieces of the body, decompressed by small steps so that a bomb stops at the limit."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise SourceError(f"{_shown(url)}: the answer is packed as {encoding[:20]!r}, which is not read")
    unpack = zlib.decompressobj(47) if encoding not in ("identity", "") else None
    size = 0
    for chunk in response.iter_raw():
        if time.monotonic() > deadline:
            raise SourceError(f"{_shown(url)}: the answer takes too long")
        try:
            piece = unpack.decompress(chunk, max_bytes - size + 1) if unpack else chunk
        except zlib.error as error:
            raise SourceError(f"{_shown(url)}: the answer is packed wrongly") from error
        size += len(piece)
        if size > max_bytes or (unpack and unpack.unconsumed_tail):
            raise SourceError(f"{_shown(url)}: the answer is larger than {max_bytes:,} bytes")
        yield piece
    if unpack and not unpack.eof:
        raise SourceError(f"{_shown(url)}: the answer was cut off")
