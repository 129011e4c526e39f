"""How a Mastodon account is connected: through the browser, or with a token made there; proven, then kept."""

from connectors.base import Surroundings, Talk
from connectors.errors import AuthExpired, ConnectorError, Rejected
from connectors.mastodon.door import TIMEOUT, Server, address_of

SCOPES = ["read:accounts", "read:statuses", "read:notifications", "write:statuses", "write:media"]
"""The least that serve: posting with pictures, reading our own posts and what is said to us."""


def login(account: str, around: Surroundings, talk: Talk, timeout: tuple[float, float] = TIMEOUT) -> None:
    """Ask for the server and for a token, or make one with its owner's consent; raises ConnectorError."""
    if around.keep is None:
        raise AuthExpired(f"mastodon/{account}: there is no place to keep a login")
    try:
        base = address_of(talk.ask("Your server, such as mastodon.social: "))
    except ValueError as error:
        raise Rejected(f"mastodon/{account}: {error}") from None
    talk.show(
        f"Kairos needs: {' '.join(SCOPES)}.\n"
        f"Press Enter to log in with your browser, or paste an access token made at {base}/settings/applications."
    )
    token = talk.ask("Access token (Enter for the browser): ", hidden=True).strip()
    if not token:
        token = _by_browser(base, around, talk, timeout)
    server = Server(base, token, around.clock, timeout)
    with server.border() as client:
        us = client.account_verify_credentials()
        handle, bot = str(us["acct"]), bool(us["bot"])
    around.keep(f"mastodon/{account}/instance", base)
    around.keep(f"mastodon/{account}/access_token", token)
    talk.show(_shown(f"Connected as @{handle}."))
    if rules := _rules(server):
        talk.show(
            "The rules of this server, which hold for a bot as well:\n" + "\n".join(f"- {rule}" for rule in rules)
        )
    if not bot:
        talk.show(
            f"The profile does not say yet that it is automated. Tick 'This is an automated account' at "
            f"{base}/settings/profile: without it Kairos publishes nothing for real."
        )


def _rules(server: Server) -> list[str]:
    """The server's own rules in its own words, where it tells them."""
    try:
        with server.border() as client:
            return [_shown(str(rule["text"])) for rule in server.listed(client.instance_rules())]
    except ConnectorError:
        return []


def _shown(words: str) -> str:
    """A server's words without signs that would steer a terminal."""
    return "".join(sign for sign in words if sign.isprintable())


def _by_browser(base: str, around: Surroundings, talk: Talk, timeout: tuple[float, float]) -> str:
    """Register Kairos with the server, let the owner agree there, and exchange the code shown for a token."""
    server = Server(base, None, around.clock, timeout)
    with server.border() as client:
        client.client_id, client.client_secret = client.create_app(
            "Kairos",
            scopes=SCOPES,
            api_base_url=base,
            session=server.line,
            request_timeout=timeout,  # type: ignore[arg-type]  # it goes to requests as it is
            user_agent="kairos",
        )
        address = client.auth_request_url(scopes=SCOPES, skip_server_info=True)
    talk.show(f"Open this page, agree, and copy the code it shows:\n{address}")
    code = talk.ask("Code: ", hidden=True).strip()
    if not code:
        raise AuthExpired("mastodon: no code was given, so nothing was connected")
    with server.border() as client:
        return str(client.log_in(code=code, scopes=SCOPES, allow_http=base.startswith("http://")))
