"""The one way to a Mastodon server and back: timeouts, no hidden second request, errors sorted once; no posts here."""

import http.client
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from mastodon import Mastodon
from mastodon.errors import MastodonError, MastodonWarning

from connectors.base import Clock
from connectors.errors import AuthExpired, ConnectorError, OutcomeUnknown, RateLimited, Rejected, Unavailable

TIMEOUT = (5.0, 15.0)
"""Seconds to connect, and to wait for an answer."""
WAIT = timedelta(minutes=15)
"""How long to wait where a server asks us to and does not say how long."""
LONGEST_WAIT = timedelta(days=1)
SPOKEN = "4.6.0"
"""The version we speak. Told to the SDK, so that it neither asks for it nor falls back to retired addresses."""
LONGEST = 200
"""Most characters of a server's own words that are passed on."""
LIMITS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
FOREIGN = (
    MastodonError,
    MastodonWarning,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
)
"""All that the SDK and what lies under it raise; the last four are answers of another shape than promised."""
UNSENT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.LocationValueError,
    requests.exceptions.ConnectTimeout,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
)
"""What is raised before a request leaves."""


class Gone(Rejected):
    """There is nothing of that name on the server."""


class Line(requests.Session):
    """A session that sends each request once and remembers how far the last one came."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False  # no proxies or passwords from the environment
        self.headers["Connection"] = "close"  # a kept one that went stale makes a write look sent
        self.forget()

    def forget(self) -> None:
        """Nothing was asked yet."""
        self.asked = False
        self.answer: requests.Response | None = None
        self.told: dict[str, str] = {}

    def request(self, *args: Any, **options: Any) -> requests.Response:
        """Send once; a redirect is an answer, not an order."""
        self.asked, self.answer = True, None
        self.answer = super().request(*args, **(options | {"allow_redirects": False}))
        headers = self.answer.headers
        self.told = {name: value for name in (*LIMITS, "Retry-After", "Date") if (value := headers.get(name))}
        for name in LIMITS:  # the SDK breaks off over odd ones, after a post as well
            headers.pop(name, None)
        if 300 <= self.answer.status_code < 400:
            raise requests.TooManyRedirects("none is followed")
        return self.answer


class Server:
    """One server for one thread: the SDK's client and its line."""

    def __init__(self, base: str, token: str | None, clock: Clock, timeout: tuple[float, float]) -> None:
        self.line, self._clock, self._token = Line(), clock, token
        self.client = Mastodon(
            api_base_url=base,
            session=self.line,
            request_timeout=timeout,  # type: ignore[arg-type]  # it goes to requests as it is
            ratelimit_method="throw",
            version_check_mode="created",
            mastodon_version=SPOKEN,
            user_agent="kairos",
        )
        self.client.access_token = token  # given to the constructor, it might be taken for the name of a file

    @contextmanager
    def border(self, *, write: bool = False) -> Iterator[Mastodon]:
        """Whatever is raised inside leaves as one of `connectors.errors`; `write` when a post may become public."""
        self.line.forget()
        try:
            yield self.client
        except ConnectorError:
            raise
        except FOREIGN as error:
            raise self._meaning(error, write) from None

    def listed(self, answer: Any) -> list[Any]:
        """An answer that was a list; the SDK makes an empty one of other things too. Raises TypeError."""
        said = self.line.answer.content if self.line.answer is not None else b""
        if not isinstance(answer, list) or not said.lstrip().startswith(b"["):
            raise TypeError("no list")
        return answer

    def _meaning(self, error: BaseException, write: bool) -> ConnectorError:
        answer = self.line.answer
        if not self.line.asked:
            return Rejected(f"mastodon: this cannot be asked of a server ({type(error).__name__})")
        if answer is None:
            return _broken(error, write)
        status, words = answer.status_code, self._words(answer)
        if status == 429:
            return RateLimited(f"mastodon asked us to wait: {words}", reset_at(self.line.told, self._clock()))
        if status == 401:
            return AuthExpired(f"mastodon no longer accepts the login: {words}")
        if status in (404, 410):
            return Gone(f"mastodon does not have it: {words}")
        if 400 <= status < 500 and status != 408:
            return Rejected(f"mastodon refused: {words}")
        if 200 <= status < 300:
            return _lost(f"mastodon answered with something that cannot be read ({type(error).__name__})", write)
        return _lost(f"mastodon answered {words}", write)

    def _words(self, answer: requests.Response) -> str:
        """The server's own words in one line, without markup and without the token."""
        try:
            told = answer.json()
        except ValueError:
            told = None
        said = (told.get("error_description") or told.get("error")) if isinstance(told, dict) else None
        words = said if isinstance(said, str) else str(answer.reason or "")
        if self._token:
            words = words.replace(self._token, "...")
        words = " ".join(re.sub(r"<[^>]*>?", " ", words).split())
        return f"{answer.status_code} {words[:LONGEST]}".strip()


@contextmanager
def reading() -> Iterator[None]:
    """An answer to a question that turns out to be of another shape than promised leaves as Unavailable."""
    try:
        yield
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise Unavailable(f"mastodon answered with something that cannot be read ({type(error).__name__})") from None


def _broken(error: BaseException, write: bool) -> ConnectorError:
    """No whole answer came back: what counts is whether the request may have left. Errors' words may hold headers."""
    causes = list(_causes(error))
    name = next((type(cause).__name__ for cause in causes if not isinstance(cause, MastodonError)), "no answer")
    if any(isinstance(cause, UNSENT) for cause in causes):
        return Unavailable(f"mastodon could not be reached ({name})")
    if any(type(cause).__name__ == "SSLCertVerificationError" for cause in causes):
        return Unavailable("mastodon could not be reached: its certificate is not valid")
    return _lost(f"mastodon did not answer ({name})", write)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error with all it was made of: what it was raised upon, and what libraries put into it."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]


def _lost(words: str, write: bool) -> ConnectorError:
    return OutcomeUnknown(f"{words}: it may be public") if write else Unavailable(words)


def reset_at(told: Mapping[str, str], now: datetime) -> datetime:
    """When the server will listen again, by our clock: its own may be wrong, so its Date is subtracted."""
    wait = WAIT
    try:
        if (after := told.get("Retry-After", "")).isdigit():
            wait = timedelta(seconds=int(after))
        elif reset := told.get("X-RateLimit-Reset"):
            there = parsedate_to_datetime(told["Date"]) if "Date" in told else now
            wait = _moment(reset) - there
    except (ValueError, OverflowError, TypeError):
        wait = WAIT
    return now + (wait if timedelta(0) < wait <= LONGEST_WAIT else WAIT)


def _moment(told: str) -> datetime:
    """A moment as servers write it: ISO, or seconds since 1970 (GoToSocial)."""
    if told.isdigit():
        return datetime.fromtimestamp(int(told), UTC)
    moment = datetime.fromisoformat(told)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def address_of(told: str) -> str:
    """The address of a server out of what a person types (`mastodon.social`, `@me@mastodon.social`, a page there).

    A token travels with every request: only https, except on this machine itself. Raises ValueError with words.
    """
    told = told.strip()
    if not re.match(r"https?://", told):
        told = f"https://{told.rpartition('@')[2]}"
    parts = urlsplit(told)
    host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    if not re.fullmatch(r"[\w-]+(\.[\w-]+)+|localhost", host):
        raise ValueError("that is no server: write its name, such as mastodon.social")
    if parts.scheme == "http" and not _is_here(host):
        raise ValueError(f"{host} is asked by https only: a login must not travel in the open")
    return f"{parts.scheme}://{host}{port}"


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
