"""The one way to Reddit and back: timeouts, no second request, no sleep, and every error sorted once at the border."""

import http.client
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from praw.exceptions import (
    ClientException,
    MediaPostFailed,
    PRAWException,
    RedditAPIException,
    TooLargeMediaException,
    WebSocketException,
)
from prawcore import Requestor
from prawcore.exceptions import OAuthException, PrawcoreException, RequestException
from prawcore.rate_limit import RateLimiter
from prawcore.sessions import RetryStrategy

from connectors.base import Clock
from connectors.errors import AuthExpired, ConnectorError, RateLimited, Rejected
from connectors.requesting import broken, lost

TIMEOUT = (5.0, 15.0)
"""Seconds to connect, and to wait for an answer."""
WAIT = timedelta(minutes=15)
"""How long to wait where Reddit asks us to and does not say how long."""
LONGEST = 200
"""Most characters of Reddit's own words that are passed on."""

_NO_WRITE = re.compile(r"/api/v1/access_token|/api/media/asset\.json|(?:/r/\w+)?/api/flairselector/?")
"""What is asked by POST and makes nothing public."""
_PAUSE = re.compile(r"(\d{1,4}) (millisecond|second|minute|hour)")
FOREIGN = (
    PRAWException,
    PrawcoreException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
)
"""All that the SDK and what lies under it raise; from LookupError on it is an answer of another shape than promised."""

for _name in ("praw", "prawcore"):  # at DEBUG these write passwords into the log
    logging.getLogger(_name).setLevel(logging.WARNING)


class Once(RetryStrategy):
    """Never again: the SDK's own strategy sends every request three times, writes too, and sleeps in between."""

    def _sleep_seconds(self) -> None:
        return None

    def consume_available_retry(self) -> "Once":
        """There is none to consume."""
        return self

    def should_retry_on_failure(self) -> bool:
        """No."""
        return False


class Pace(RateLimiter):
    """Reddit's word about how much may still be asked. Where nothing may, it refuses at once; the SDK's own sleeps."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(window_size=600)
        self._clock, self._shut_until = clock, clock()

    def call(
        self,
        *,
        method: str,
        request_function: Callable[..., requests.Response],
        set_header_callback: Callable[[], dict[str, str]],
        url: str,
        **kwargs: Any,
    ) -> requests.Response:
        """Ask, unless the window is used up; raises RateLimited, and then nothing was sent."""
        if self._clock() < self._shut_until:
            raise RateLimited("reddit: this window's requests are used up", self._shut_until)
        answer = request_function(method, url, headers=set_header_callback(), **kwargs)
        if _number(answer.headers.get("x-ratelimit-remaining"), 1.0) < 1:
            self._shut_until = reset_at(answer.headers, self._clock())
        return answer


class Door(Requestor):
    """One client's way out. It remembers its last answer, and whether it sent what may have made something public."""

    def __init__(self, *, timeout: tuple[float, float] = TIMEOUT, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._timeouts = timeout
        self.wrote = False
        self.answer: requests.Response | None = None

    def request(self, *args: Any, timeout: float | None = None, **kwargs: Any) -> requests.Response:
        """Send once, to where it was meant. The SDK passes a timeout of its own; ours holds."""
        method, url = args[:2]
        asked = urlsplit(url)
        if method.upper() != "GET" and url.startswith(self.oauth_url) and not _NO_WRITE.fullmatch(asked.path):
            self.wrote = True
        self.answer = super().request(*args, timeout=self._timeouts, **(kwargs | {"allow_redirects": False}))  # type: ignore[arg-type]
        return self.answer


def furnish(session: requests.Session) -> requests.Session:
    """Make a session safe: no proxies and no passwords from the environment.

    Connections are not kept: one that went stale would make a write look sent when it never was.
    """
    session.trust_env = False
    session.headers["Connection"] = "close"
    return session


@contextmanager
def border(clock: Clock, door: Door) -> Iterator[None]:
    """Whatever the SDK raises inside leaves as one of `connectors.errors`, by what went through the door."""
    try:
        yield
    except FOREIGN as error:
        raise ours(error, clock(), door.answer, wrote=door.wrote) from None


def ours(error: Exception, now: datetime, answer: requests.Response | None, *, wrote: bool) -> ConnectorError:
    """Our error for one of theirs; `answer` is the last one that came, `wrote` says that a post may be public."""
    if isinstance(error, RedditAPIException):
        return _said(error, now)
    if isinstance(error, OAuthException):
        return AuthExpired(f"reddit no longer accepts the login: {_line(error.error)}")
    if isinstance(error, MediaPostFailed | TooLargeMediaException):
        return Rejected(f"reddit could not use the picture: {_line(error)}")
    if answer is not None and answer.status_code >= 300:
        return refusal(answer, now, wrote=wrote)
    if isinstance(error, RequestException):
        return broken("reddit", error.original_exception, wrote)
    if isinstance(error, WebSocketException):
        return lost("reddit did not say what became of the picture", wrote)
    if isinstance(error, ClientException):
        return lost(f"reddit: {_line(error)}", wrote)
    if isinstance(
        error, requests.RequestException | urllib3.exceptions.HTTPError | http.client.HTTPException | OSError
    ):
        return broken("reddit", error, wrote)
    return lost(f"reddit answered with something that cannot be read ({type(error).__name__})", wrote)


def refusal(answer: requests.Response, now: datetime, *, wrote: bool) -> ConnectorError:
    """What an answer of 300 and more means."""
    status, words = answer.status_code, words_of(answer)
    if status == 401 or "insufficient_scope" in answer.headers.get("www-authenticate", ""):
        return AuthExpired(f"reddit no longer accepts the login: {words}")
    if status == 429:
        return RateLimited(f"reddit asked us to wait: {words}", reset_at(answer.headers, now))
    if status >= 500 or status == 408:
        return lost(f"reddit answered {words}", wrote)
    if status < 400:
        words = f"{status}, it sends us elsewhere; is the name right?"
        return lost(f"reddit answered {words}", wrote) if wrote else Rejected(f"reddit: {words}")
    return Rejected(f"reddit refused: {words}")


def words_of(answer: requests.Response) -> str:
    """Reddit's own words in one line, without markup: `403 Forbidden`."""
    try:
        told = answer.json()
    except ValueError:
        told = None
    told = told if isinstance(told, dict) else {}
    found = (told.get("explanation"), told.get("reason"), told.get("message"), told.get("error"))
    words = next((word for word in found if isinstance(word, str) and word), answer.reason or "")
    return _line(f"{answer.status_code} {words}")


def reset_at(headers: Mapping[str, str], now: datetime) -> datetime:
    """When Reddit lets us in again."""
    told = [_number(headers.get(name), 0.0) for name in ("retry-after", "x-ratelimit-reset")]
    seconds = max((one for one in told if 0 < one < 86400), default=0.0)
    return now + (timedelta(seconds=seconds) if seconds else WAIT)


def _said(error: RedditAPIException, now: datetime) -> ConnectorError:
    """What an answer means that names errors: nothing was written."""
    words = _line(
        "; ".join(f"{item.error_type}: {item.message}" if item.message else item.error_type for item in error.items)
    )
    kinds = {item.error_type for item in error.items}
    if "RATELIMIT" in kinds:
        found = _PAUSE.search(words)
        pause = (int(found[1]) + 1) * timedelta(**{f"{found[2]}s": 1}) if found else WAIT
        return RateLimited(f"reddit asked us to wait: {words}", now + max(pause, timedelta(seconds=1)))
    if "USER_REQUIRED" in kinds:
        return AuthExpired(f"reddit no longer accepts the login: {words}")
    return Rejected(f"reddit refused: {words}")


def _line(words: object) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", str(words)).split())[:LONGEST]


def _number(told: str | None, default: float) -> float:
    try:
        return float(told) if told is not None else default
    except ValueError:
        return default
