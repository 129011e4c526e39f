"""How a Bluesky account is connected: an app password, proven and kept, and the label that says it is a bot."""

from typing import Any

from atproto_client import Client, Session, models
from atproto_client.exceptions import BadRequestError

from connectors.base import Surroundings, Talk
from connectors.bluesky.session import SERVICE, border, error_name, open_client
from connectors.errors import Rejected

PROFILE = {"collection": "app.bsky.actor.profile", "rkey": "self"}
LABELS = "com.atproto.label.defs#selfLabels"
TOO_MUCH = {
    "com.atproto.access": "this is the account's own password, which can do everything",
    "com.atproto.appPassPrivileged": "this app password can read direct messages",
}
"""Scopes wider than Kairos needs, and why each is refused."""
HOW = (
    "An app password lets Kairos post and read, and can be taken back at any time.\n"
    "Make one at https://bsky.app/settings/app-passwords, without access to direct messages."
)


def login(account: str, around: Surroundings, talk: Talk) -> None:
    """Ask for a handle and an app password, log in once, and keep the session; the main password is refused."""
    if around.keep is None:
        raise Rejected("bluesky: there is no place to keep what an account is connected with")
    talk.show(HOW)
    handle = talk.ask("Handle, such as name.bsky.social: ").strip().lstrip("@")
    password = talk.ask("App password: ", hidden=True).strip()
    service = talk.ask(f"Server (empty for {SERVICE}): ").strip() or SERVICE
    if not handle or not password:
        raise Rejected("bluesky: a handle and an app password are needed")
    client = open_client(service)
    with border(around.clock):
        client.login(handle, password, fetch_bsky_profile=False)
        session = Session.decode(client.export_session_string())
        refused = TOO_MUCH.get(str(session.access_jwt_payload.scope))
    if refused is not None:
        raise Rejected(f"bluesky: {refused}; make an app password at https://bsky.app/settings/app-passwords")
    with border(around.clock):
        if not label_of(client, session.did):
            talk.show("The profile does not say that this account is a bot; Bluesky asks bots to, and so does Kairos.")
            if talk.ask("Put the label `bot` on the profile now? [y/N] ").strip().lower() in ("y", "yes"):
                put_label(client, session.did)
    named = {"handle": handle, "app_password": password, "service": service, "session": client.export_session_string()}
    for name, value in named.items():
        around.keep(f"bluesky/{account}/{name}", value)


def label_of(client: Client, did: str) -> bool:
    """Whether the profile says of itself that it is a bot; raises what the SDK raises."""
    profile, _ = _profile(client, did)
    labels = profile.get("labels")
    values = labels.get("values", []) if isinstance(labels, dict) else []
    return any(value.get("val") == "bot" for value in values)


def put_label(client: Client, did: str) -> None:
    """Add the label to the profile and leave the rest of it as it is; raises what the SDK raises."""
    profile, cid = _profile(client, did)
    values = (profile.get("labels") or {}).get("values", [])
    profile["labels"] = {"$type": LABELS, "values": [*values, {"val": "bot"}]}
    data = models.ComAtprotoRepoPutRecord.Data(repo=did, record=profile, swap_record=cid, **PROFILE)
    client.com.atproto.repo.put_record(data)


def _profile(client: Client, did: str) -> tuple[dict[str, Any], str | None]:
    """The profile as JSON and its fingerprint; a new one where there is none."""
    try:
        found = client.com.atproto.repo.get_record({"repo": did, **PROFILE})
    except BadRequestError as error:
        if error_name(error) != "RecordNotFound":
            raise
        return {"$type": PROFILE["collection"]}, None
    profile: dict[str, Any] = found.value.model_dump(exclude_none=True, by_alias=True)
    return profile, found.cid
