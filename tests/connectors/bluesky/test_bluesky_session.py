"""How a Bluesky account is connected and stays so: one login, a session that is kept, secrets that are never shown."""

import base64
import json
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Draft, Surroundings, Talk
from connectors.bluesky import connect, login
from connectors.bluesky.login import put_label
from connectors.bluesky.session import open_client
from connectors.errors import AuthExpired, ConnectorError, Rejected, Unavailable
from tests.connectors.bluesky.server import Network, Person, network

LOGIN, RENEW = "com.atproto.server.createSession", "com.atproto.server.refreshSession"
SESSION = "bluesky/main/session"


@pytest.fixture
def net() -> Network:
    """The network, mended."""
    return network()


@pytest.fixture
def person(net: Network) -> Person:
    """A new account."""
    return net.person(app_password=True)


@pytest.fixture
def around(person: Person, tmp_path: Path, clock: Any) -> Surroundings:
    """Where it is connected from."""
    return Surroundings(clock, tmp_path, person.secrets.get, keep=person.keep)


class Answers:
    """A person who says these things, one after another."""

    def __init__(self, *answers: str) -> None:
        self._answers: Iterator[str] = iter(answers)
        self.shown: list[str] = []
        self.hidden: list[str] = []

    def show(self, text: str) -> None:
        self.shown.append(text)

    def ask(self, question: str, hidden: bool = False) -> str:
        self.shown.append(question)
        answer = next(self._answers)
        if hidden:
            self.hidden.append(answer)
        return answer


def aged(session: str, *, refresh: str | None = None) -> str:
    """The same session with an access token that ended long ago."""
    parts = session.split(":::")
    ended = base64.urlsafe_b64encode(json.dumps({"exp": 1_700_000_000, "scope": "com.atproto.appPass"}).encode())
    head, _, signature = parts[2].split(".")
    parts[2] = f"{head}.{ended.decode().rstrip('=')}.{signature}"
    parts[3] = refresh or parts[3]
    return ":::".join(parts)


# --- one login ------------------------------------------------------------------------------------------------------


def test_connecting_asks_nothing_of_the_network(net: Network, around: Surroundings) -> None:
    net.wire.refuse()
    connect("main", around)
    assert not net.wire.counted


def test_an_account_that_is_not_connected_says_how_to_connect_it(tmp_path: Path, clock: Any) -> None:
    with pytest.raises(AuthExpired) as caught:
        connect("main", Surroundings(clock, tmp_path, {}.get))
    assert str(caught.value) == "bluesky/main is not connected: kairos accounts add bluesky/main"


def test_many_verbs_and_many_starts_log_in_once(net: Network, person: Person, around: Surroundings) -> None:
    for place in range(4):
        connector = connect("main", around)
        connector.publish(Draft(f"text {place}"), f"k{place}")
        connector.check()
    assert net.wire.counted[LOGIN] == 1
    assert person.did in person.secrets[SESSION]


def test_without_a_place_to_keep_it_a_session_lives_as_long_as_its_connector(
    net: Network, person: Person, tmp_path: Path, clock: Any
) -> None:
    connector = connect("main", Surroundings(clock, tmp_path, person.secrets.get))
    connector.check()
    connector.check()
    assert net.wire.counted[LOGIN] == 1
    assert SESSION not in person.secrets


def test_a_session_near_its_end_is_renewed_and_kept_before_the_write(
    net: Network, person: Person, around: Surroundings
) -> None:
    connect("main", around).check()
    old = person.secrets[SESSION] = aged(person.secrets[SESSION])
    net.wire.mend()
    connector = connect("main", around)
    connector.publish(Draft("hello"), "k")
    connector.check()
    assert (net.wire.counted[RENEW], net.wire.counted[LOGIN]) == (1, 0)
    assert person.secrets[SESSION] != old
    assert person.secrets[SESSION].split(":::")[3] != old.split(":::")[3]
    net.wire.mend()
    connect("main", around).check()
    assert net.wire.counted[RENEW] == 0


@pytest.mark.parametrize("broken", ["what is this?", "a:::b:::c:::d", "a:::b:::c:::d:::e", ""])
def test_a_session_that_cannot_be_read_is_opened_anew(
    net: Network, person: Person, around: Surroundings, broken: str
) -> None:
    person.secrets[SESSION] = broken
    assert connect("main", around).check().account_id == person.did
    assert net.wire.counted[LOGIN] == 1


def test_a_session_that_was_ended_is_opened_anew_or_a_person_must(
    net: Network, person: Person, around: Surroundings
) -> None:
    connect("main", around).check()
    person.secrets[SESSION] = aged(person.secrets[SESSION], refresh="eyJhbGciOiJIUzI1NiJ9.e30.none")
    dead = person.secrets[SESSION]
    net.wire.mend()
    assert connect("main", around).check().account_id == person.did
    assert (net.wire.counted[RENEW], net.wire.counted[LOGIN]) == (1, 1)
    person.secrets |= {SESSION: dead}
    del person.secrets["bluesky/main/app_password"]
    with pytest.raises(AuthExpired, match="kairos accounts add bluesky/main"):
        connect("main", around).publish(Draft("hello"), "k")


def test_a_renewal_that_fails_is_no_lost_write(net: Network, person: Person, around: Surroundings) -> None:
    connect("main", around).check()
    person.secrets[SESSION] = aged(person.secrets[SESSION])
    net.wire.mend()
    net.wire.fail("drop", RENEW)
    with pytest.raises(Unavailable):
        connect("main", around).publish(Draft("hello"), "k")
    assert net.posts(person.did) == []


def test_an_app_password_that_was_taken_back_is_said_without_showing_it(person: Person, around: Surroundings) -> None:
    secret = person.secrets["bluesky/main/app_password"] = "abcd-efgh-ijkl-mnop"
    with pytest.raises(AuthExpired) as caught:
        connect("main", around).check()
    assert secret not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__cause__ is None


def test_nothing_shown_of_a_connector_holds_a_secret(person: Person, around: Surroundings) -> None:
    connector = connect("main", around)
    identity = connector.check()
    shown = f"{connector!r} {vars(connector)} {identity} {connector.publish(Draft('hello'), 'k')}"
    assert not [
        secret for name, secret in person.secrets.items() if name.endswith(("word", "session")) and secret in shown
    ]


# --- who we are -----------------------------------------------------------------------------------------------------


def test_who_we_are_is_told_with_what_the_password_may_do(person: Person, around: Surroundings) -> None:
    identity = connect("main", around).check()
    assert (identity.account_id, identity.handle) == (person.did, person.handle)
    assert identity.scopes == ("com.atproto.appPass",)
    assert (identity.bot_label, identity.followers) == (False, 7)


def test_the_label_is_read_and_can_be_put_without_touching_the_rest(
    net: Network, person: Person, around: Surroundings
) -> None:
    profile = {"$type": "app.bsky.actor.profile", "displayName": "Name", "description": "Words"}
    where = {"repo": person.did, "collection": "app.bsky.actor.profile", "rkey": "self"}
    net.ask("com.atproto.repo.putRecord", {**where, "record": profile}, person.token)
    connector = connect("main", around)
    assert connector.check().bot_label is False
    client = open_client(net.wire.url)
    client.login(person.handle, person.app_password, fetch_bsky_profile=False)
    put_label(client, person.did)
    assert connector.check().bot_label is True
    kept = net.ask("com.atproto.repo.getRecord", **where)["value"]
    assert (kept["displayName"], kept["description"]) == ("Name", "Words")
    assert [value["val"] for value in kept["labels"]["values"]] == ["bot"]


@pytest.mark.parametrize("fault", ["400", "502 page", "drop"])
def test_a_server_without_an_app_view_tells_no_followers(net: Network, around: Surroundings, fault: str) -> None:
    net.wire.fail(fault, "app.bsky.actor.getProfile")
    assert connect("main", around).check().followers is None


# --- connecting -----------------------------------------------------------------------------------------------------


def test_a_login_keeps_what_a_connector_needs_and_shows_none_of_it(
    net: Network, person: Person, around: Surroundings
) -> None:
    service = net.wire.url
    person.secrets.clear()
    talk = Answers(f"@{person.handle}", person.app_password, service, "y")
    typed: Talk = talk
    login("main", around, typed)
    assert talk.hidden == [person.app_password]
    assert not [text for text in talk.shown if person.app_password in text]
    assert set(person.secrets) == {f"bluesky/main/{name}" for name in ("handle", "app_password", "service", "session")}
    identity = connect("main", around).check()
    assert (identity.handle, identity.bot_label) == (person.handle, True)
    assert net.wire.counted[LOGIN] == 1


def test_the_label_is_put_only_when_asked_for(net: Network, person: Person, around: Surroundings) -> None:
    login("main", around, Answers(person.handle, person.app_password, net.wire.url, ""))
    assert connect("main", around).check().bot_label is False


def refused(around: Surroundings, *answers: str) -> str:
    with pytest.raises(ConnectorError) as caught:
        login("main", around, Answers(*answers))
    return str(caught.value)


def test_the_main_password_and_one_for_direct_messages_are_refused(
    net: Network, person: Person, around: Surroundings
) -> None:
    person.secrets.clear()
    asked = {"name": "wide", "privileged": True}
    wide = net.ask("com.atproto.server.createAppPassword", asked, person.token)["password"]
    assert "own password" in refused(around, person.handle, person.password, net.wire.url)
    assert "direct messages" in refused(around, person.handle, wide, net.wire.url)
    assert person.secrets == {}


def test_nothing_is_kept_of_a_login_that_fails(net: Network, person: Person, around: Surroundings) -> None:
    person.secrets.clear()
    assert "Invalid identifier or password" in refused(around, person.handle, "abcd-efgh-ijkl-mnop", net.wire.url)
    assert "needed" in refused(around, "", "", "")
    assert person.secrets == {}


@pytest.mark.parametrize(
    "service", ["http://bsky.social", "ftp://bsky.social", "bsky.social", "http://127.0.0.1.evil.example"]
)
def test_a_password_never_travels_in_the_open(around: Surroundings, service: str) -> None:
    with pytest.raises(Rejected, match="https"):
        open_client(service)
    assert "https" in refused(around, "name.test", "secret", service)
