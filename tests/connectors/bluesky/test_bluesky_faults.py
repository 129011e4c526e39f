"""Bluesky when things go wrong: one write request whatever happens, the right error, and never a second post."""

import importlib
import json
import pkgutil
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import atproto_client
import atproto_core
import atproto_crypto
import atproto_identity
import atproto_server
import httpx
import pydantic_core
import pytest

from connectors.base import Draft, Surroundings
from connectors.bluesky.account import Bluesky
from connectors.bluesky.session import TIMEOUT, UNSENT, border, ours
from connectors.errors import AuthExpired, ConnectorError, OutcomeUnknown, RateLimited, Rejected, Unavailable
from tests.connectors.bluesky.server import Network, Person, network

WRITE, READ = "com.atproto.repo.applyWrites", "com.atproto.repo.getRecord"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def person() -> Person:
    """One account for all of these; each test has a text of its own."""
    return network().person()


@pytest.fixture
def net(person: Person) -> Network:
    """The network, mended."""
    return network()


@pytest.fixture
def connector(net: Network, person: Person, tmp_path: Path, clock: Any) -> Bluesky:
    """The account with a session that is open already, and little patience."""
    around = Surroundings(clock, tmp_path, person.secrets.get, keep=person.keep)
    Bluesky("main", around).check()
    net.wire.mend()
    return Bluesky("main", around, httpx.Timeout(0.5))


FAULTS: list[tuple[str, bool, type[ConnectorError] | None]] = [
    ("drop", False, OutcomeUnknown),
    ("drop", True, OutcomeUnknown),
    ("slow", True, OutcomeUnknown),
    ("half-closed", True, OutcomeUnknown),
    ("half", True, OutcomeUnknown),
    ("page", True, OutcomeUnknown),
    ("list", True, OutcomeUnknown),
    ("empty", True, OutcomeUnknown),
    ("error list", True, OutcomeUnknown),
    ("500", False, OutcomeUnknown),
    ("502 page", False, OutcomeUnknown),
    ("503", False, OutcomeUnknown),
    ("500", True, None),
    ("502 page", True, None),
    ("503", True, None),
    ("429", False, RateLimited),
    ("400", False, Rejected),
    ("403", False, Rejected),
    ("409", False, Rejected),
    ("401", False, AuthExpired),
    ("expired", False, AuthExpired),
    ("redirect", False, Unavailable),
]
"""(what the wire does, whether the server had written by then, what is raised: None where a look tells at once)."""


@pytest.mark.parametrize(
    ("fault", "written", "error"), FAULTS, ids=[f"{fault}-{written}" for fault, written, _ in FAULTS]
)
def test_one_write_leaves_and_trying_again_makes_no_second_post(
    connector: Bluesky, net: Network, person: Person, fault: str, written: bool, error: type[ConnectorError] | None
) -> None:
    text = f"{fault} {written}"
    draft, key = Draft(text, parts=("and more",)), f"key of {text}"

    def public() -> int:
        return sum(post["value"]["text"] == text for post in net.posts(person.did))

    net.wire.fail(fault, WRITE, written=written)
    if error is None:
        first = connector.publish(draft, key)
    else:
        with pytest.raises(error) as caught:
            connector.publish(draft, key)
        assert "\n" not in str(caught.value)
        assert "html" not in str(caught.value)
    looks = 1 if fault[:1] == "5" else 0
    assert net.wire.counted == {WRITE: 1} | ({READ: looks} if looks else {})
    assert public() == written
    again = connector.publish(draft, key)
    assert net.wire.counted[WRITE] == 2
    assert public() == 1
    assert connector.find(draft, NOW - timedelta(hours=1)) == again
    assert error is not None or first == again


def test_nobody_listening_is_said_to_be_that_and_nothing_is_public(
    connector: Bluesky, net: Network, person: Person
) -> None:
    net.wire.refuse()
    with pytest.raises(Unavailable):
        connector.publish(Draft("refused"), "refused")
    assert not net.wire.counted
    assert "refused" not in {post["value"]["text"] for post in net.posts(person.did)}


def test_a_server_that_cannot_be_looked_at_after_an_error_leaves_it_unknown(connector: Bluesky, net: Network) -> None:
    net.wire.fail("500", WRITE, written=True)
    net.wire.fail("drop", READ)
    with pytest.raises(OutcomeUnknown):
        connector.publish(Draft("no look"), "no look")
    assert net.wire.counted == {WRITE: 1, READ: 1}


@pytest.mark.parametrize("fault", ["drop", "slow", "half", "page", "list", "500", "502 page", "429", "401"])
def test_a_read_that_fails_writes_nothing_and_hides_nothing(connector: Bluesky, net: Network, fault: str) -> None:
    method = "com.atproto.repo.listRecords"
    net.wire.fail(fault, method)
    expected = {"429": RateLimited, "401": AuthExpired}.get(fault, Unavailable)
    with pytest.raises(expected):
        connector.find(Draft("hello"), NOW)
    assert net.wire.counted == {method: 1}


def test_a_text_that_is_too_long_in_bytes_costs_no_request(connector: Bluesky, net: Network) -> None:
    with pytest.raises(Rejected, match="bytes"):
        connector.publish(Draft("👨‍👩‍👧‍👦" * 200), "long")
    assert not net.wire.counted


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({}, timedelta(minutes=15)),
        ({"ratelimit-reset": str(int((NOW + timedelta(minutes=4)).timestamp()))}, timedelta(minutes=4)),
        ({"Retry-After": "90"}, timedelta(seconds=90)),
        ({"ratelimit-reset": "1"}, timedelta(minutes=15)),
        ({"ratelimit-reset": "9" * 30}, timedelta(minutes=15)),
    ],
)
def test_how_long_to_wait_is_the_servers_word_or_a_quarter_of_an_hour(
    connector: Bluesky, net: Network, headers: dict[str, str], waits: timedelta
) -> None:
    net.wire.headers.update(headers)
    net.wire.fail("429", WRITE)
    with pytest.raises(RateLimited) as caught:
        connector.publish(Draft("limited"), "limited")
    assert caught.value.reset_at == NOW + waits


def test_the_servers_words_are_one_line_without_a_token(connector: Bluesky, net: Network) -> None:
    net.wire.fail("400", WRITE)
    with pytest.raises(Rejected) as caught:
        connector.publish(Draft("bad"), "bad")
    assert str(caught.value) == "bluesky: InvalidRequest: Invalid record …"
    assert caught.value.__cause__ is None


# --- every exception there is ---------------------------------------------------------------------------------------


def exceptions_of(package: Any) -> Iterator[type[Exception]]:
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name.endswith("exceptions"):
            found = vars(importlib.import_module(module.name)).values()
            yield from (each for each in found if isinstance(each, type) and issubclass(each, Exception))


SDK = [atproto_client, atproto_core, atproto_crypto, atproto_identity, atproto_server]
THEIRS = {error for package in SDK for error in exceptions_of(package)}
THEIRS |= {each for each in vars(httpx).values() if isinstance(each, type) and issubclass(each, Exception)}
THEIRS |= {pydantic_core.ValidationError, json.JSONDecodeError, UnicodeDecodeError, ssl.SSLError, ConnectionResetError}


def made(kind: type[Exception]) -> Exception:
    if issubclass(kind, pydantic_core.ValidationError):
        return kind.from_exception_data("answer", [])
    try:
        return kind()
    except TypeError:
        return kind.__new__(kind)


@pytest.mark.parametrize("kind", sorted(THEIRS, key=lambda kind: f"{kind.__module__}.{kind.__name__}"))
def test_every_error_of_the_sdk_becomes_one_of_ours(kind: type[Exception]) -> None:
    for writing in (False, True):
        with pytest.raises(ConnectorError) as caught, border(lambda: NOW, writing=writing):
            raise made(kind)
        assert isinstance(caught.value, RateLimited | AuthExpired | Rejected | Unavailable | OutcomeUnknown)
        assert writing or not isinstance(caught.value, OutcomeUnknown)
    if not issubclass(kind, UNSENT):
        assert not isinstance(caught.value, Unavailable)


def test_there_are_many_of_them() -> None:
    assert len(THEIRS) > 60


@pytest.mark.parametrize("kind", UNSENT)
def test_what_the_sdk_wraps_is_looked_into(kind: type[Exception]) -> None:
    wrapped = atproto_client.exceptions.NetworkError()
    wrapped.__cause__ = made(kind)
    assert isinstance(ours(wrapped, NOW, writing=True), Unavailable)
    wrapped.__cause__ = httpx.ReadError("reset")
    assert isinstance(ours(wrapped, NOW, writing=True), OutcomeUnknown)


def test_no_request_waits_for_ever() -> None:
    assert (TIMEOUT.connect, TIMEOUT.read, TIMEOUT.write, TIMEOUT.pool) == (5, 15, 15, 15)
