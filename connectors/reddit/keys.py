"""An account's credentials and the clients they open; the verbs that use a client, and logging in, are not here."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

import praw
import requests
from prawcore import Authorizer, ScriptAuthorizer
from prawcore import session as core
from prawcore.auth import BaseAuthenticator, BaseAuthorizer

from connectors.base import Surroundings
from connectors.errors import AuthExpired, Rejected
from connectors.reddit.door import TIMEOUT, Door, Once, Pace, border, furnish

SCOPES = ("edit", "flair", "history", "identity", "privatemessages", "read", "submit")
"""The least that serves: `edit` deletes, `flair` is for one's own posts, `privatemessages` is the inbox of answers."""
MARGIN = timedelta(seconds=60)
"""A token this near its end is renewed first, so that no write meets one that has ended."""
NAMES = ("client_id", "client_secret", "username", "password", "refresh_token")

OpenSession = Callable[[], requests.Session]


class _Bearer(BaseAuthorizer):
    """A token and no way to renew it: a client renews nothing behind our back."""

    def __init__(self, reddit: praw.Reddit, token: str, scopes: set[str]) -> None:
        super().__init__(authenticator=authenticator(reddit))
        self.access_token, self.scopes = token, scopes

    def is_valid(self) -> bool:
        """As far as we know."""
        return True


class Keys:
    """One account's credentials; safe to use from several threads, as every call opens a client of its own."""

    def __init__(
        self,
        account: str,
        around: Surroundings,
        session: OpenSession = requests.Session,
        timeout: tuple[float, float] = TIMEOUT,
    ) -> None:
        self.name, self._around = f"reddit/{account}", around
        self._session, self._timeout = session, timeout
        self._pace, self._lock = Pace(around.clock), threading.Lock()
        self._token: tuple[str, set[str], datetime] | None = None

    @property
    def known(self) -> bool:
        """Whether there is all that a client needs."""
        named = all(self.secret(name) for name in ("client_id", "client_secret", "username"))
        return named and bool(self.secret("refresh_token") or self.secret("password"))

    @property
    def username(self) -> str:
        """Who we are, without /u/."""
        return self.secret("username") or ""

    def missing(self) -> AuthExpired:
        """What to do where they are not known."""
        return AuthExpired(f"{self.name} is not connected: kairos accounts add {self.name}")

    def secret(self, name: str) -> str | None:
        """One credential by its name."""
        return self._around.secret(f"{self.name}/{name}")

    def scopes(self) -> tuple[str, ...]:
        """What Reddit says we may do."""
        return tuple(sorted(self._fresh()[1]))

    @contextmanager
    def open(self) -> Iterator[praw.Reddit]:
        """A client for one call, whose every error is one of `connectors.errors`; it is closed afterwards."""
        token, scopes, _ = self._fresh()
        try:
            with self.client() as reddit:
                _use(reddit, _Bearer(reddit, token, scopes), self._pace)
                yield reddit
        except AuthExpired:
            self._token = None
            raise

    @contextmanager
    def client(self) -> Iterator[praw.Reddit]:
        """A client that is nobody yet. Every setting is given, so that no praw.ini lying about has a say."""
        name = self.secret("client_id")
        if not name:
            raise self.missing()
        with furnish(self._session()) as session:
            reddit = praw.Reddit(
                "DEFAULT",
                check_for_async=False,
                check_for_updates=False,
                client_id=name,
                client_secret=self.secret("client_secret"),
                oauth_url="https://oauth.reddit.com",
                password=None,
                ratelimit_seconds=-1,  # else it sleeps and sends again
                reddit_url="https://www.reddit.com",
                redirect_uri=self.secret("redirect_uri"),
                refresh_token=None,
                requestor_class=Door,
                requestor_kwargs={"session": session, "timeout": self._timeout},
                user_agent=f"python:{name}:{version('kairos-bot')} (by /u/{self.username})",
                username=None,
            )
            with border(self._around.clock, door(reddit)):
                yield reddit

    def authorizer(self, reddit: praw.Reddit) -> Authorizer:
        """What asks Reddit for a token, with the least scopes; the SDK's own asks for all of them."""
        refresh_token = self.secret("refresh_token")
        if refresh_token:
            return Authorizer(authenticator=authenticator(reddit), refresh_token=refresh_token)
        return ScriptAuthorizer(
            authenticator=authenticator(reddit),
            username=self.username,
            password=self.secret("password"),
            scopes=list(SCOPES),
        )

    def _fresh(self) -> tuple[str, set[str], datetime]:
        """A token that is good for a while yet, its scopes and its end."""
        with self._lock:
            now = self._around.clock()
            if self._token is None or self._token[2] - MARGIN <= now:
                self._token = self._renewed(now)
            return self._token

    def _renewed(self, now: datetime) -> tuple[str, set[str], datetime]:
        if not self.known:
            raise self.missing()
        try:
            with self.client() as reddit:
                asks = self.authorizer(reddit)
                asks.refresh()
                lasts = seconds_of(door(reddit))
        except Rejected as error:
            raise AuthExpired(f"{error}; log in again: kairos accounts add {self.name}") from None
        rotated = asks.refresh_token
        if rotated and rotated != self.secret("refresh_token") and self._around.keep is not None:
            self._around.keep(f"{self.name}/refresh_token", rotated)
        return asks.access_token or "", asks.scopes or set(), now + lasts


def seconds_of(way: Door) -> timedelta:
    """How long the token lasts that was just given out."""
    assert way.answer is not None
    return timedelta(seconds=min(int(way.answer.json()["expires_in"]), 86400))


def door(reddit: praw.Reddit) -> Door:
    """The way out of a client."""
    client: Any = reddit
    way: Door = client._core.requestor
    return way


def authenticator(reddit: praw.Reddit) -> BaseAuthenticator:
    """What knows the app's id and secret."""
    client: Any = reddit
    app: BaseAuthenticator = client._read_only_core.authorizer.authenticator
    return app


def _use(reddit: praw.Reddit, authorizer: BaseAuthorizer, pace: Pace) -> None:
    """Let a client speak for us, once for each request and without a sleep: the SDK has no public way to say so."""
    client: Any = reddit
    session: Any = core(authorizer=authorizer)
    session._retry_strategy_class = Once
    session._rate_limiter = pace
    client._core = client._authorized_core = session
