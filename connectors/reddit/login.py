"""Connecting a Reddit account with the person at the keyboard; what is done with the credentials later is not here."""

import secrets
from urllib.parse import parse_qs, urlsplit

import requests
from prawcore import Authorizer

from connectors.base import Surroundings, Talk
from connectors.errors import AuthExpired, Rejected
from connectors.reddit.account import RedditAccount
from connectors.reddit.door import TIMEOUT
from connectors.reddit.keys import NAMES, SCOPES, Keys, OpenSession, authenticator

RETURN = "http://127.0.0.1:8737/callback"


def login(
    account: str,
    around: Surroundings,
    talk: Talk,
    *,
    session: OpenSession = requests.Session,
    timeout: tuple[float, float] = TIMEOUT,
) -> None:
    """Ask for credentials, prove them at Reddit, and keep them; raises `connectors.errors`, and then keeps nothing."""
    if around.keep is None:
        raise Rejected(f"reddit/{account}: there is nowhere to keep secrets here")
    talk.show("You need an app that Reddit has approved (docs/connectors/reddit.md says how to ask for one).")
    found: dict[str, str] = {}
    tried = Surroundings(around.clock, around.folder, lambda same: found.get(same.rpartition("/")[2]), keep=_nowhere)
    way = talk.ask("1: a web app, authorised in the browser, 2: a script app, with the account's password [1]").strip()
    found["username"] = talk.ask("User name of the account:").strip().removeprefix("/").removeprefix("u/")
    found["client_id"] = talk.ask("Client id of the app:").strip()
    found["client_secret"] = talk.ask("Secret of the app:", hidden=True).strip()
    if not all(found.values()):
        raise Rejected(f"reddit/{account}: one of the answers is empty; nothing was kept")
    if way == "2":
        found["password"] = talk.ask("Password of the account:", hidden=True)
    else:
        found["redirect_uri"] = talk.ask(f"Redirect address, as in the app's settings [{RETURN}]:").strip() or RETURN
        found["refresh_token"] = _by_browser(account, Keys(account, tried, session, timeout), talk)
    name = RedditAccount(account, tried, session, timeout).check().handle.removeprefix("u/")
    if name.casefold() != found["username"].casefold():
        raise Rejected(f"reddit/{account}: the browser is logged in as u/{name}; nothing was kept")
    found["username"] = name
    for each in NAMES:
        if each in found or around.secret(f"reddit/{account}/{each}") is not None:
            around.keep(f"reddit/{account}/{each}", found.get(each))


def _by_browser(account: str, keys: Keys, talk: Talk) -> str:
    """The code flow: the person's browser carries the code, the address bar brings it back."""
    state = secrets.token_urlsafe(16)
    with keys.client() as reddit:
        app = authenticator(reddit)
        asked = app.authorize_url(duration="permanent", scopes=list(SCOPES), state=state)
        talk.show(f"Open this address where you are logged in as the account, and allow the app:\n{asked}")
        talk.show("Your browser then goes to an address that may not load. That is fine: copy it from the address bar.")
        pasted = parse_qs(urlsplit(talk.ask("The whole address:", hidden=True).strip()).query)
        if pasted.get("state") != [state] or not pasted.get("code"):
            raise AuthExpired(f"reddit/{account}: that address holds no answer to this question; nothing was kept")
        asks = Authorizer(authenticator=app)
        asks.authorize(pasted["code"][0].removesuffix("#_"))
        if not asks.refresh_token:
            raise AuthExpired(f"reddit/{account}: reddit gave no lasting login; nothing was kept")
        return str(asks.refresh_token)


def _nowhere(_name: str, _value: str | None) -> None:
    """Nothing is kept before it is proven."""
