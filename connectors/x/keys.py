"""The credentials of one X account, read from where secrets lie and renewed in time; not what is asked with them.

Two ways in. OAuth 2: one secret `oauth2`, JSON with the tokens; they rotate, so each new set is stored at once and
whole, by one thread of one process at a time. OAuth 1: four secrets that stay.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import requests
import tweepy
from filelock import FileLock

from connectors.base import Surroundings
from connectors.errors import AuthExpired
from connectors.x.door import TIMEOUT, border, furnish, refusal

SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
"""The least that serve: reading, posting, pictures, and staying logged in."""
OAUTH1 = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
TOKENS = "https://api.twitter.com/2/oauth2/token"
EARLY = timedelta(minutes=5)
"""How long before its end a token is renewed."""
PATIENCE = 60.0
"""Seconds to wait while another thread or process renews."""


class Keys:
    """Opens clients of the SDK for one account. Nothing is remembered: each opening reads what is stored now."""

    def __init__(
        self, account: str, around: Surroundings, base: str | None = None, timeout: tuple[float, float] = TIMEOUT
    ) -> None:
        self._account, self._around, self._base, self._timeout = account, around, base, timeout

    @property
    def known(self) -> bool:
        """Whether there are credentials at all."""
        return self.secret("oauth2") is not None or all(self.secret(name) is not None for name in OAUTH1)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What X granted; empty for OAuth 1, where X does not say."""
        return tuple(str(self._tokens().get("scope", "")).split()) if self.secret("oauth2") is not None else ()

    def secret(self, name: str) -> str | None:
        """One secret of this account."""
        return self._around.secret(f"x/{self._account}/{name}")

    @contextmanager
    def open(self) -> Iterator[tuple[tweepy.Client, bool]]:
        """A client for a few requests in one thread, and whether it signs with OAuth 1."""
        if self.secret("oauth2") is not None:
            client, signs = tweepy.Client(self._fresh()["access_token"]), False
        else:
            names = {name: self.secret(name) for name in OAUTH1}
            if None in names.values():
                raise self.missing()
            client, signs = tweepy.Client(**names), True
        furnish(client.session, self._base, self._timeout)
        with client.session:
            yield client, signs

    def missing(self) -> AuthExpired:
        """The error that says how to connect."""
        return AuthExpired(f"x/{self._account} is not connected: kairos accounts add x/{self._account}")

    def _ended(self) -> AuthExpired:
        return AuthExpired(f"x/{self._account}: X ended the login: kairos accounts add x/{self._account}")

    def _tokens(self) -> dict[str, Any]:
        stored = self.secret("oauth2")
        try:
            tokens = json.loads(stored or "")
        except ValueError:
            tokens = None
        if not isinstance(tokens, dict) or not isinstance(tokens.get("access_token"), str):
            raise self.missing()
        return tokens

    def _fresh(self) -> dict[str, Any]:
        tokens = self._tokens()
        if self._lasts(tokens):
            return tokens
        self._around.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self._around.folder / f"x-{self._account}.lock", timeout=PATIENCE):
            tokens = self._tokens()  # another may have renewed them while we waited
            return tokens if self._lasts(tokens) else self._renew(tokens)

    def _lasts(self, tokens: dict[str, Any]) -> bool:
        ends = tokens.get("expires_at")
        return not isinstance(ends, int | float) or ends > (self._around.clock() + EARLY).timestamp()

    def _renew(self, tokens: dict[str, Any]) -> dict[str, Any]:
        """Trade the refresh token, which X takes once, for a new set, and store it before it is used."""
        if self._around.keep is None or not tokens.get("refresh_token"):
            raise self._ended()
        handler = tweepy.OAuth2UserHandler(client_id=tokens["client_id"], redirect_uri=None, scope=None)
        furnish(handler, self._base, self._timeout)
        handler.register_compliance_hook("refresh_token_response", self.sound)
        secret = tokens.get("client_secret")
        with handler, border(self._around.clock):
            try:
                told = handler.refresh_token(
                    TOKENS,
                    refresh_token=tokens["refresh_token"],
                    client_id=tokens["client_id"],
                    auth=(tokens["client_id"], secret) if secret else None,
                )
            except AuthExpired:
                raise self._ended() from None
            renewed = tokens | self.dated(told)
        self._around.keep(f"x/{self._account}/oauth2", json.dumps(renewed))
        return renewed

    def dated(self, told: dict[str, Any]) -> dict[str, Any]:
        """The tokens of an answer as they are stored, with the moment of their end by our clock."""
        scope = told.get("scope", "")
        return {
            "access_token": told["access_token"],
            "refresh_token": told.get("refresh_token"),
            "expires_at": self._around.clock().timestamp() + float(told.get("expires_in", 7200)),
            "scope": scope if isinstance(scope, str) else " ".join(scope),
        }

    def sound(self, answer: requests.Response) -> requests.Response:
        """Let only answers through that the SDK can take for tokens."""
        if answer.status_code in (400, 401):
            raise AuthExpired("X refused to renew the login")
        if answer.status_code >= 300:
            raise refusal(answer, self._around.clock())
        answer.json()
        return answer
