"""The way to a Bluesky server: a client with timeouts, a session that is kept, errors in our words; no posts here."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import regex
from atproto_client import Client, Session, SessionEvent
from atproto_client.exceptions import LoginRequiredError, RateLimitExceededError, RequestErrorBase
from atproto_client.models.common import XrpcError
from atproto_client.request import Request, Response
from atproto_core.exceptions import AtProtocolError
from atproto_server.exceptions import InvalidTokenError

from connectors.base import Clock, Surroundings
from connectors.errors import AuthExpired, ConnectorError, OutcomeUnknown, RateLimited, Rejected, Unavailable

SERVICE = "https://bsky.social"
TIMEOUT = httpx.Timeout(15, connect=5)
WAIT = timedelta(minutes=15)
"""How long to wait where a server asks us to and does not say how long."""
FOREIGN = (
    AtProtocolError,
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    httpx.CookieConflict,
    OSError,
    ValueError,
)
"""All that the SDK and what lies under it raise; ValueError is an answer that cannot be read."""
UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
"""What is raised before a request leaves."""
LOCKED = frozenset({"ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired", "AuthFactorTokenRequired"})
"""Errors by name that a new login mends, whatever status they come with."""
_SECRET = regex.compile(r"eyJ[\w.-]{8,}|\b[a-z0-9]{4}(?:-[a-z0-9]{4}){3}\b")


class Broke(OutcomeUnknown):
    """The server answered a write with an error of its own: a look can tell at once what became of it."""


class KeptSession:
    """One account's session: opened at first use, renewed ahead of its end, kept whenever it changes.

    A server lets an account log in 30 times in 5 minutes, and no more than 300 times a day.
    """

    def __init__(self, account: str, around: Surroundings, timeout: httpx.Timeout) -> None:
        self._name, self._around, self._lock = f"bluesky/{account}", around, threading.Lock()
        self._service = around.secret(f"{self._name}/service") or SERVICE
        self._timeout, self._did = timeout, ""
        self._client: Client | None = None
        if not self._secret("session") and not (self._secret("handle") and self._secret("app_password")):
            raise AuthExpired(f"{self._name} is not connected: kairos accounts add {self._name}")

    def client(self) -> tuple[Client, str]:
        """A client whose session is good for a while yet, safe to use from any thread, and our DID."""
        with self._lock, border(self._around.clock):
            if self._client is None:
                self._client = self._opened()
            if self._client._should_refresh_session():
                self._renew(self._client)
            return self._client, self._did

    def scope(self) -> str:
        """What the session may do, in the server's words."""
        client, _ = self.client()
        with border(self._around.clock):
            return str(Session.decode(client.export_session_string()).access_jwt_payload.scope or "")

    def _opened(self) -> Client:
        client = open_client(self._service, self._timeout)
        client.on_session_change(self._changed)
        kept = self._secret("session")
        if kept:
            try:
                client.login(session_string=kept, fetch_bsky_profile=False)
                client._should_refresh_session()
                return client
            except FOREIGN:
                pass  # what was kept cannot be read: log in anew
        self._log_in(client)
        return client

    def _renew(self, client: Client) -> None:
        try:
            client._refresh_and_set_session()
        except RequestErrorBase as error:
            if error.response is None or error.response.status_code not in (400, 401, 403):
                raise
            self._log_in(client)

    def _log_in(self, client: Client) -> None:
        handle, password = self._secret("handle"), self._secret("app_password")
        if not handle or not password:
            raise AuthExpired(f"the session of {self._name} has ended: kairos accounts add {self._name}")
        client.update_base_url(self._service)
        client.login(handle, password, fetch_bsky_profile=False)

    def _changed(self, event: SessionEvent, session: Session) -> None:
        self._did = session.did
        if event is not SessionEvent.IMPORT and self._around.keep is not None:
            self._around.keep(f"{self._name}/session", session.export())

    def _secret(self, name: str) -> str | None:
        return self._around.secret(f"{self._name}/{name}")


def open_client(service: str, timeout: httpx.Timeout = TIMEOUT) -> Client:
    """A client of one server that follows no redirect, as a redirected write would be sent twice; no request yet."""
    place = urlsplit(service)
    if place.scheme != "https" and place.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise Rejected("bluesky: the service must be an https:// address, or its passwords travel in the open")
    request = Request(timeout=timeout)
    request._client.follow_redirects = False
    return Client(service, request=request)


@contextmanager
def border(clock: Clock, *, writing: bool = False) -> Iterator[None]:
    """Whatever the SDK raises leaves here as one of ours; `writing` says that a lost answer may hide a public post."""
    try:
        yield
    except FOREIGN as error:
        raise ours(error, clock(), writing=writing) from None


def ours(error: Exception, now: datetime, *, writing: bool) -> ConnectorError:
    """Our error for one of theirs."""
    if isinstance(error, RateLimitExceededError):
        return RateLimited("bluesky: too many requests", _reset(error, now))
    if isinstance(error, RequestErrorBase):
        if error.response is not None:
            return _answered(error.response, writing)
        error = error.__cause__ if isinstance(error.__cause__, Exception) else error
    if isinstance(error, LoginRequiredError | InvalidTokenError):
        return AuthExpired("bluesky: the session cannot be used; log in again")
    if isinstance(error, UNSENT):
        return Unavailable(f"bluesky: the server was not reached ({type(error).__name__})")
    lost = OutcomeUnknown if writing else Unavailable
    return lost(f"bluesky: no answer that can be read ({type(error).__name__})")


def error_name(error: RequestErrorBase) -> str:
    """The server's own name for what went wrong, or nothing."""
    content = error.response.content if error.response is not None else None
    return str(content.error) if isinstance(content, XrpcError) else ""


def _answered(answer: Response, writing: bool) -> ConnectorError:
    """By what the server said; a page that is not XRPC (a proxy's, say) is named by its number alone."""
    said = answer.content if isinstance(answer.content, XrpcError) else None
    words = f"bluesky: {answer.status_code}"
    if said is not None:
        line = " ".join(f"{said.error}: {said.message}".split() if said.message else str(said.error).split())
        words = f"bluesky: {_SECRET.sub('…', line)[:200]}"
    status = answer.status_code
    if status == 401 or (said is not None and said.error in LOCKED):
        return AuthExpired(words)
    if status >= 500 or status == 408:
        return Broke(words) if writing else Unavailable(words)
    if status < 400:
        return Unavailable(f"{words}: the server sends us elsewhere; is the service's address right?")
    return Rejected(words)


def _reset(error: RateLimitExceededError, now: datetime) -> datetime:
    try:
        reset = error.reset_at
        if reset is None and error.retry_after is not None:
            reset = now + timedelta(seconds=min(error.retry_after, 86400))
    except (ValueError, OverflowError, OSError):
        reset = None
    return reset.astimezone(UTC) if reset is not None and reset > now else now + WAIT
