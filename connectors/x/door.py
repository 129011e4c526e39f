"""The one way to X and back: timeouts, never a hidden second request, and every error sorted once at the border."""

import http.client
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
import tweepy
import urllib3
from oauthlib.oauth1 import rfc5849
from oauthlib.oauth2 import OAuth2Error
from requests.adapters import HTTPAdapter

from connectors.base import Clock
from connectors.errors import AuthExpired, ConnectorError, RateLimited, Rejected
from connectors.requesting import broken, lost

TIMEOUT = (5.0, 15.0)
"""Seconds to connect, and to wait for an answer."""
WAIT = timedelta(minutes=15)
"""X's windows of requests are this long."""
LONGEST = 200
"""Most characters of X's own words that are passed on."""

for name in ("tweepy", "oauthlib", "requests_oauthlib"):  # at DEBUG these write tokens into the log
    logging.getLogger(name).setLevel(logging.WARNING)


class Door(HTTPAdapter):
    """Puts a timeout on every request of a session; `base` leads it elsewhere, which tests need."""

    def __init__(self, base: str | None, timeout: tuple[float, float]) -> None:
        super().__init__(max_retries=0)
        self._base, self._timeout = base, timeout

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        """Send once."""
        if self._base is not None:
            asked = urlsplit(request.url or "")
            request.url = f"{self._base}{asked.path}" + (f"?{asked.query}" if asked.query else "")
        return super().send(request, **(options | {"timeout": self._timeout}))


def furnish(session: requests.Session, base: str | None, timeout: tuple[float, float]) -> None:
    """Make a session of the SDK safe: timeouts, no redirects, no proxies or passwords from the environment.

    Connections are not kept: one that went stale would make a write look sent when it never was.
    """
    session.trust_env = False
    session.max_redirects = 0
    session.headers["Connection"] = "close"
    session.mount("https://", Door(base, timeout))


@contextmanager
def border(clock: Clock, *, write: bool = False) -> Iterator[None]:
    """Whatever the SDK raises inside leaves as one of `connectors.errors`; `write` when a post may become public."""
    try:
        yield
    except ConnectorError:
        raise
    except tweepy.HTTPException as error:
        raise refusal(error.response, clock(), write=write) from None
    except OAuth2Error:
        raise AuthExpired("X no longer accepts the login") from None
    except requests.exceptions.InvalidJSONError as error:
        raise _unreadable(error, write) from None
    except (
        tweepy.TweepyException,
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        rfc5849.errors.OAuth1Error,
        OSError,
        Warning,  # oauthlib raises one for scopes that are not those asked for
    ) as error:
        raise broken("X", error, write) from None
    except (LookupError, ValueError, TypeError, AttributeError) as error:  # an answer of another shape than promised
        raise _unreadable(error, write) from None


def refusal(response: Any, now: datetime, *, write: bool = False) -> ConnectorError:
    """What an answer of 300 and more means."""
    status, words = response.status_code, words_of(response)
    if status == 401:
        return AuthExpired(f"X no longer accepts the login, connect the account again: {words}")
    if status == 402:
        return AuthExpired(f"X asks for money first, buy credits in its developer console: {words}")
    if status == 429:
        return RateLimited(f"X asked us to wait: {words}", reset_at(response.headers, now))
    if status >= 500 or status == 408 or status < 400:
        return lost(f"X answered {words}", write)
    return Rejected(f"X refused: {words}")


def words_of(response: Any) -> str:
    """X's own words in one line, without markup: `403 You are not allowed to ...`."""
    try:
        told = response.json()
    except ValueError:
        told = None
    words = ""
    if isinstance(told, dict):
        errors = told.get("errors")
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        found = (told.get("detail"), first.get("message"), first.get("detail"), told.get("error_description"))
        words = next((word for word in (*found, told.get("title"), told.get("error")) if isinstance(word, str)), "")
    words = " ".join(re.sub(r"<[^>]*>", " ", words).split())
    return f"{response.status_code} {words or response.reason or ''}".strip()[:LONGEST]


def reset_at(headers: Mapping[str, str], now: datetime) -> datetime:
    """When X lets us in again: its latest word about a window that is used up, else a whole window from now."""
    resets = []
    for window in ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour"):
        told = headers.get(f"{window}-reset", "")
        if told.isdecimal() and len(told) < 12 and headers.get(f"{window}-remaining", "0") == "0":
            resets.append(datetime.fromtimestamp(int(told), UTC))
    pause = headers.get("retry-after", "")
    if pause.isdecimal() and len(pause) < 7:
        resets.append(now + timedelta(seconds=int(pause)))
    return max((reset for reset in resets if reset > now), default=now + WAIT)


def _unreadable(error: Exception, write: bool) -> ConnectorError:
    return lost(f"X answered with something that cannot be read ({type(error).__name__})", write)
