"""Mastodon when things go wrong: which error comes of which failure, and how many requests left for the server."""

import contextlib
import inspect
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import mastodon.errors
import pytest
import requests
import urllib3
from urllib3.exceptions import (
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from connectors.base import Connector, Draft, Ref
from connectors.errors import AuthExpired, ConnectorError, OutcomeUnknown, RateLimited, Rejected, Unavailable
from connectors.mastodon.door import Server, reset_at
from tests.connectors.mastodon.server import Network
from tests.connectors.mastodon.wire import POST

ME = "GET /api/v1/accounts/verify_credentials"
# (fault, whether the post was taken, the error of the write, of a read)
FAULTS: list[tuple[str, bool, type[ConnectorError], type[ConnectorError]]] = [
    ("drop", False, OutcomeUnknown, Unavailable),
    ("drop", True, OutcomeUnknown, Unavailable),
    ("half", True, OutcomeUnknown, Unavailable),
    ("500", False, OutcomeUnknown, Unavailable),
    ("500", True, OutcomeUnknown, Unavailable),
    ("502", False, OutcomeUnknown, Unavailable),
    ("503", True, OutcomeUnknown, Unavailable),
    ("504", True, OutcomeUnknown, Unavailable),
    ("507", False, OutcomeUnknown, Unavailable),
    ("408", False, OutcomeUnknown, Unavailable),
    ("page", True, OutcomeUnknown, Unavailable),
    ("malformed", True, OutcomeUnknown, Unavailable),
    ("list", True, OutcomeUnknown, Unavailable),
    ("word", True, OutcomeUnknown, Unavailable),
    ("empty", True, OutcomeUnknown, Unavailable),
    ("nothing", True, OutcomeUnknown, Unavailable),
    ("nameless", True, OutcomeUnknown, Unavailable),
    ("redirect", False, OutcomeUnknown, Unavailable),
    ("429", False, RateLimited, RateLimited),
    ("401", False, AuthExpired, AuthExpired),
    ("400", False, Rejected, AuthExpired),
    ("403", False, Rejected, AuthExpired),
    ("403 page", False, Rejected, AuthExpired),
    ("404", False, Rejected, Rejected),
    ("413", False, Rejected, AuthExpired),
    ("422", False, Rejected, AuthExpired),
]


@pytest.fixture
def asked(used: Network, clock: Any, tmp_path: Path) -> Connector:
    """Our account, which has asked the server for its limits already."""
    connector = used.open(clock, tmp_path, (2.0, 30.0))
    connector.limits()
    return connector


@pytest.fixture
def hasty(used: Network, clock: Any, tmp_path: Path) -> Connector:
    """The same, but it soon loses patience."""
    connector = used.open(clock, tmp_path, (2.0, 1.0))
    for _ in range(10):  # the machine may be busy
        with contextlib.suppress(Unavailable):
            connector.limits()
            break
    used.wire.slow = 2.0
    return connector


@pytest.mark.parametrize("written", [True, False])
def test_a_slow_answer_is_not_waited_for_and_not_asked_again(used: Network, hasty: Connector, written: bool) -> None:
    used.wire.fail("slow", written=written)
    with pytest.raises(OutcomeUnknown):
        hasty.publish(Draft(f"slow {written}"), f"slow {written}")
    assert used.wire.counted[POST] == 1
    used.wire.fail("slow", ME)
    with pytest.raises(Unavailable):
        hasty.check()
    assert used.wire.counted[ME] == 1


@pytest.mark.parametrize(("fault", "written", "error"), [row[:3] for row in FAULTS])
def test_one_publish_is_one_request_whatever_goes_wrong(
    used: Network, asked: Connector, fault: str, written: bool, error: type[ConnectorError]
) -> None:
    used.wire.fail(fault, written=written)
    text = f"hello {fault} {written}"
    with pytest.raises(ConnectorError) as caught:
        asked.publish(Draft(text), text)
    assert isinstance(caught.value, error)
    assert sum(count for what, count in used.wire.counted.items() if what.startswith("POST")) == 1
    assert "\n" not in str(caught.value)
    assert "<" not in str(caught.value)
    assert "ada_token" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert (text in used.ours()) is written


@pytest.mark.parametrize(("fault", "error"), [(row[0], row[3]) for row in FAULTS if not row[1] or row[0] not in "drop"])
def test_a_question_that_goes_wrong_is_asked_once_and_writes_nothing(
    used: Network, asked: Connector, fault: str, error: type[ConnectorError]
) -> None:
    used.wire.fail(fault, ME)
    with pytest.raises(ConnectorError) as caught:
        asked.check()
    assert isinstance(caught.value, error)
    assert not isinstance(caught.value, OutcomeUnknown)
    assert used.wire.counted[ME] == 1


@pytest.mark.parametrize("what", ["own_posts", "mentions", "measure", "find"])
@pytest.mark.parametrize("fault", ["empty", "word", "malformed", "nameless", "drop", "500"])
def test_an_odd_answer_to_a_question_is_unavailable(used: Network, asked: Connector, what: str, fault: str) -> None:
    paths = {"own_posts": "GET /api/v1/accounts/", "find": "GET /api/v1/accounts/", "mentions": "GET /api/v1/noti"}
    asked.check()
    used.wire.fail(fault, paths.get(what, "GET /api/v1/statuses"))
    ask: dict[str, Callable[[], object]] = {
        "own_posts": lambda: asked.own_posts(None),
        "mentions": lambda: asked.mentions("1"),
        "measure": lambda: asked.measure([Ref("117")]),
        "find": lambda: asked.find(Draft("hello"), datetime(2026, 1, 1, tzinfo=UTC)),
    }
    with pytest.raises(Unavailable):
        ask[what]()


def test_nothing_leaves_for_a_server_that_is_not_there(used: Network, asked: Connector) -> None:
    used.wire.refuse()
    with pytest.raises(Unavailable):
        asked.publish(Draft("hello"), "refused")
    assert used.wire.counted[POST] == 0


def test_a_post_waits_for_the_servers_limits(used: Network, clock: Any, tmp_path: Path) -> None:
    for fault, error in (("drop", Unavailable), ("500", Unavailable), ("malformed", Unavailable), ("429", RateLimited)):
        used.wire.fail(fault, "GET /api/v2/instance")
        with pytest.raises(error):
            used.open(clock, tmp_path).publish(Draft("hello"), "k")
    assert used.wire.counted[POST] == 0


def test_odd_words_about_rate_limits_do_not_spoil_a_post(used: Network, asked: Connector) -> None:
    used.wire.headers |= {"X-RateLimit-Reset": "soon", "X-RateLimit-Remaining": "?", "X-RateLimit-Limit": ""}
    receipt = asked.publish(Draft("hello in spite of it"), "odd")
    assert list(asked.measure([receipt.ref])) == [receipt.ref.id]


def test_a_lost_deletion_is_not_called_undone(used: Network, asked: Connector) -> None:
    receipt = asked.publish(Draft("to be removed"), "removed")
    used.wire.fail("drop", "DELETE", written=True)
    with pytest.raises(OutcomeUnknown):
        asked.delete(receipt.ref)
    asked.delete(receipt.ref)
    assert asked.measure([receipt.ref]) == {}


# --- how long to wait -----------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WRONG_CLOCK = "Sat, 01 Aug 2026 13:51:00 GMT"


@pytest.mark.parametrize(
    ("told", "wait"),
    [
        ({}, timedelta(minutes=15)),
        ({"Retry-After": "30"}, timedelta(seconds=30)),
        ({"X-RateLimit-Reset": "2026-11-24T12:04:00.409710Z"}, timedelta(seconds=240.40971)),
        ({"X-RateLimit-Reset": "2026-08-01T13:55:00Z", "Date": WRONG_CLOCK}, timedelta(minutes=4)),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 60)}, timedelta(minutes=1)),
        ({"X-RateLimit-Reset": "2026-08-01T13:55:00Z"}, timedelta(minutes=15)),
        ({"X-RateLimit-Reset": "2036-08-01T13:55:00Z"}, timedelta(minutes=15)),
        ({"X-RateLimit-Reset": "soon"}, timedelta(minutes=15)),
        ({"X-RateLimit-Reset": "9" * 40}, timedelta(minutes=15)),
        ({"Retry-After": "9" * 40}, timedelta(minutes=15)),
        ({"X-RateLimit-Reset": "2026-08-01T13:55:00Z", "Date": "yesterday"}, timedelta(minutes=15)),
    ],
)
def test_the_wait_is_the_servers_by_our_own_clock(told: dict[str, str], wait: timedelta) -> None:
    assert reset_at(told, NOW) == NOW + wait


def test_a_rate_limit_tells_when_to_come_again(used: Network, asked: Connector, clock: Any) -> None:
    used.wire.headers |= {"X-RateLimit-Reset": (clock() + timedelta(minutes=7)).isoformat(), "Retry-After": "420"}
    used.wire.fail("429")
    with pytest.raises(RateLimited) as caught:
        asked.publish(Draft("hello"), "limited")
    assert caught.value.reset_at == clock() + timedelta(minutes=7)


# --- the border -----------------------------------------------------------------------------------------------------


def classes(module: ModuleType) -> list[type[Exception]]:
    found = [each for _, each in inspect.getmembers(module, inspect.isclass) if issubclass(each, Exception)]
    assert len(found) > 10, module
    return found


def raised_in(server: Server, error: Exception, *, asked: bool, write: bool) -> ConnectorError:
    def broken() -> None:
        with server.border(write=write):
            server.line.asked = asked
            raise error

    with pytest.raises(ConnectorError) as caught:
        broken()
    return caught.value


@pytest.fixture
def server() -> Server:
    return Server("https://mastodon.example", "ada_token", lambda: NOW, (1.0, 1.0))


WARNINGS = (urllib3.exceptions.HTTPWarning, requests.exceptions.RequestsWarning, mastodon.errors.MastodonWarning)


@pytest.mark.parametrize("module", [mastodon.errors, requests.exceptions, urllib3.exceptions])
def test_every_error_of_the_sdk_and_below_is_one_of_ours(server: Server, module: ModuleType) -> None:
    for each in classes(module):
        if issubclass(each, Warning) and not issubclass(each, mastodon.errors.MastodonWarning):
            continue  # shown, never raised
        error = each.__new__(each)
        before, after = (raised_in(server, error, asked=asked, write=True) for asked in (False, True))
        assert type(before) is Rejected, each
        assert type(after) in (OutcomeUnknown, Unavailable), each
        assert type(raised_in(server, error, asked=True, write=False)) is Unavailable, each


def wrapped(cause: Exception) -> Exception:
    """As the SDK wraps what went wrong below."""
    try:
        try:
            raise cause
        except Exception as error:
            raise mastodon.errors.MastodonNetworkError(f"Could not complete request: {error}")  # noqa: B904
    except mastodon.errors.MastodonNetworkError as error:
        return error


POOL: Any = urllib3.HTTPSConnectionPool("mastodon.example")


@pytest.mark.parametrize(
    ("cause", "meaning"),
    [
        (requests.ConnectionError(MaxRetryError(POOL, "/", NewConnectionError(POOL, "refused"))), Unavailable),
        (
            requests.ConnectionError(MaxRetryError(POOL, "/", NameResolutionError("x", POOL, socket.gaierror()))),
            Unavailable,
        ),
        (requests.ConnectTimeout(), Unavailable),
        (requests.exceptions.InvalidHeader(), Unavailable),
        (
            requests.exceptions.SSLError(
                MaxRetryError(POOL, "/", urllib3.exceptions.SSLError(ssl.SSLCertVerificationError("no")))
            ),
            Unavailable,
        ),
        (requests.exceptions.SSLError(MaxRetryError(POOL, "/", urllib3.exceptions.SSLError("cut"))), OutcomeUnknown),
        (requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError())), OutcomeUnknown),
        (requests.ReadTimeout(ReadTimeoutError(POOL, "/", "slow")), OutcomeUnknown),
        (requests.exceptions.ChunkedEncodingError(), OutcomeUnknown),
        (requests.exceptions.ContentDecodingError(), OutcomeUnknown),
    ],
)
def test_only_what_certainly_never_left_is_unavailable(
    server: Server, cause: Exception, meaning: type[ConnectorError]
) -> None:
    assert type(raised_in(server, wrapped(cause), asked=True, write=True)) is meaning


def test_the_words_of_an_error_do_not_hold_the_token(server: Server) -> None:
    error = wrapped(requests.exceptions.InvalidHeader("bad header value: 'Bearer ada_token'"))
    assert "ada_token" not in str(raised_in(server, error, asked=True, write=True))
