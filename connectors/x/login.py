"""Connecting an X account with the person at the keyboard; what is done with the credentials later is not here."""

import json
from urllib.parse import parse_qs, urlsplit

import tweepy

from connectors.base import Surroundings, Talk
from connectors.errors import AuthExpired, Rejected
from connectors.x.account import XAccount
from connectors.x.door import TIMEOUT, border, furnish
from connectors.x.keys import OAUTH1, SCOPES, Keys

RETURN = "http://127.0.0.1:8737/callback"
NAMES = {
    "consumer_key": "API key",
    "consumer_secret": "API key secret",
    "access_token": "Access token",
    "access_token_secret": "Access token secret",
}


def login(
    account: str,
    around: Surroundings,
    talk: Talk,
    *,
    base: str | None = None,
    timeout: tuple[float, float] = TIMEOUT,
) -> None:
    """Ask for credentials, prove them at X, and keep them; raises `connectors.errors`, and then keeps nothing."""
    if around.keep is None:
        raise Rejected(f"x/{account}: there is nowhere to keep secrets here")
    talk.show("You need an app at https://console.x.com (docs/connectors/x.md says how). X charges for every post.")
    if talk.ask("1: OAuth 2 (Client ID), 2: OAuth 1 (four keys) [1]").strip() == "2":
        found = {name: talk.ask(f"{label}:", hidden=True).strip() for name, label in NAMES.items()}
    else:
        found = {"oauth2": _by_browser(account, around, talk, base, timeout)}
    if not all(found.values()):
        raise Rejected(f"x/{account}: one of the keys is empty; nothing was kept")
    tried = Surroundings(around.clock, around.folder, lambda same: found.get(same.rpartition("/")[2]))
    found["user_id"] = XAccount(account, tried, base, timeout).check().account_id
    for name in ("oauth2", *OAUTH1, "user_id"):
        if name in found or around.secret(f"x/{account}/{name}") is not None:
            around.keep(f"x/{account}/{name}", found.get(name))


def _by_browser(account: str, around: Surroundings, talk: Talk, base: str | None, timeout: tuple[float, float]) -> str:
    """The code flow with PKCE: the person's browser carries the code, the address bar brings it back."""
    client = talk.ask("Client ID:").strip()
    secret = talk.ask("Client secret (empty for a public client):", hidden=True).strip()
    back = talk.ask(f"Callback address, exactly as in the app's settings [{RETURN}]:").strip() or RETURN
    handler = tweepy.OAuth2UserHandler(
        client_id=client, redirect_uri=back, scope=list(SCOPES), client_secret=secret or None
    )
    furnish(handler, base, timeout)
    talk.show(f"Open this address where you are logged in as the account, and authorise the app:\n{_asking(handler)}")
    talk.show("Your browser then goes to an address that may not load. That is fine: copy it from the address bar.")
    pasted = talk.ask("The whole address:", hidden=True).strip()
    if "code" not in parse_qs(urlsplit(pasted).query):
        raise AuthExpired(f"x/{account}: there is no code in that address; nothing was kept")
    keys = Keys(account, around, base, timeout)
    handler.register_compliance_hook("access_token_response", keys.sound)
    with handler, border(around.clock):
        told = handler.fetch_token(f"https://{pasted.partition('://')[2]}")  # oauthlib refuses plain http, even at home
        return json.dumps({"client_id": client, "client_secret": secret or None} | keys.dated(told))


def _asking(handler: tweepy.OAuth2UserHandler) -> str:
    address: str = handler.get_authorization_url()
    handler.scope = None  # what was granted is stored; less than was asked for is no reason to break off
    return address
