"""X when things go wrong: which error comes of which failure, and how many requests left, counted at the server."""

import http.client
import inspect
import json
import logging
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import oauthlib.oauth2.rfc6749.errors as oauth2_errors
import pytest
import requests
import tweepy
import urllib3
from oauthlib.oauth1.rfc5849 import errors as oauth1_errors
from requests_oauthlib import oauth1_session

from connectors.base import Connector, Draft, Ref
from connectors.errors import AuthExpired, ConnectorError, OutcomeUnknown, RateLimited, Rejected, Unavailable
from connectors.x.door import border, reset_at
from tests.connectors.x.standin import StandIn

# (fault, whether the post was taken, the error of the write, of a read)
FAULTS: list[tuple[str, bool, type[ConnectorError], type[ConnectorError]]] = [
    ("drop", False, OutcomeUnknown, Unavailable),
    ("drop", True, OutcomeUnknown, Unavailable),
    ("half", True, OutcomeUnknown, Unavailable),
    ("hang", True, OutcomeUnknown, Unavailable),
    ("hang", False, OutcomeUnknown, Unavailable),
    ("500", False, OutcomeUnknown, Unavailable),
    ("503", True, OutcomeUnknown, Unavailable),
    ("html503", False, OutcomeUnknown, Unavailable),
    ("408", False, OutcomeUnknown, Unavailable),
    ("json", True, OutcomeUnknown, Unavailable),
    ("html", True, OutcomeUnknown, Unavailable),
    ("redirect", False, OutcomeUnknown, Unavailable),
    ("429odd", False, OutcomeUnknown, Unavailable),
    ("429", False, RateLimited, RateLimited),
    ("429bare", False, RateLimited, RateLimited),
    ("401", False, AuthExpired, AuthExpired),
    ("402", False, AuthExpired, AuthExpired),
    ("400", False, Rejected, Rejected),
    ("403", False, Rejected, Rejected),
    ("404", False, Rejected, Rejected),
    ("409", False, Rejected, Rejected),
    ("422", False, Rejected, Rejected),
]


@pytest.mark.parametrize(("fault", "written", "error"), [row[:3] for row in FAULTS])
def test_one_publish_is_one_request_whatever_goes_wrong(
    standin: StandIn, opened: Callable[..., Connector], fault: str, written: bool, error: type[ConnectorError]
) -> None:
    standin.fail(fault, written=written)
    with pytest.raises(error) as caught:
        opened((2.0, 0.2 if fault == "hang" else 10.0)).publish(Draft("hello"), "k")
    standin.settle(1)
    assert type(caught.value) is error
    assert len(standin.requests("POST")) == 1
    assert len(standin.asked) == 1
    assert len(standin.posts) == (1 if written else 0)
    words = str(caught.value)
    assert "\n" not in words
    assert "<" not in words
    assert "token-1" not in words


@pytest.mark.parametrize(("fault", "error"), [(row[0], row[3]) for row in FAULTS if not row[1]])
def test_a_read_that_fails_wrote_nothing(
    standin: StandIn, opened: Callable[..., Connector], fault: str, error: type[ConnectorError]
) -> None:
    standin.fail(fault, on="GET")
    standin.fail(fault, on="GET")
    with pytest.raises(error) as caught:
        opened((2.0, 0.2 if fault == "hang" else 10.0)).measure([Ref("1")])
    standin.settle(1)
    assert type(caught.value) is error
    assert len(standin.asked) == (2 if error is Rejected else 1)  # the other set of names is tried


def test_an_answer_of_another_shape_leaves_the_outcome_unknown(standin: StandIn, account: Connector) -> None:
    standin.fail("shape", written=True)
    with pytest.raises(OutcomeUnknown):
        account.publish(Draft("hello"), "k")
    assert len(standin.requests("POST")) == 1


def test_a_slow_answer_in_time_is_an_answer(standin: StandIn, account: Connector) -> None:
    standin.fail("slow")
    assert account.publish(Draft("hello"), "k").ref.id in standin.posts
    assert len(standin.asked) == 1


def test_where_nobody_listens_nothing_was_sent(standin: StandIn, account: Connector) -> None:
    standin.stop()
    with pytest.raises(Unavailable):
        account.publish(Draft("hello"), "k")
    assert standin.asked == []


def test_a_wait_ends_when_x_says_else_a_quarter_of_an_hour_later(
    standin: StandIn, account: Connector, clock: Any
) -> None:
    for fault, minutes in (("429", 10), ("429bare", 15)):
        standin.fail(fault)
        with pytest.raises(RateLimited) as caught:
            account.publish(Draft("hello"), "k")
        assert caught.value.reset_at == clock() + timedelta(minutes=minutes)


def test_of_several_windows_the_last_that_is_used_up_counts() -> None:
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    at = {name: str(int((now + timedelta(hours=hours)).timestamp())) for name, hours in (("soon", 1), ("late", 9))}
    day = {"x-user-limit-24hour-reset": at["late"], "x-rate-limit-reset": at["soon"]}
    assert reset_at(day | {"x-user-limit-24hour-remaining": "0"}, now) == now + timedelta(hours=9)
    assert reset_at(day | {"x-user-limit-24hour-remaining": "7"}, now) == now + timedelta(hours=1)
    assert reset_at({"x-rate-limit-reset": "12"}, now) == now + timedelta(minutes=15)
    assert reset_at({"retry-after": "60"}, now) == now + timedelta(minutes=1)


def test_neither_proxies_nor_passwords_of_the_machine_come_between(
    standin: StandIn, account: Connector, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("default login someone password something\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    account.publish(Draft("hello"), "k")
    (asked,) = standin.asked
    assert asked.headers["Authorization"] == "Bearer token-1"
    assert asked.headers["Connection"] == "close"


def test_x_is_quoted_when_it_refuses(standin: StandIn, account: Connector) -> None:
    account.publish(Draft("hello"), "k")
    with pytest.raises(Rejected, match="duplicate content"):
        account.publish(Draft("hello"), "k2")


def test_no_secret_is_logged_even_when_everything_is(
    account: Connector, caplog: pytest.LogCaptureFixture, standin: StandIn, secrets: dict[str, str]
) -> None:
    secrets |= {f"x/main/{name}": f"canary-{name}" for name in ("consumer_key", "consumer_secret", "access_token")}
    secrets["x/main/access_token_secret"] = "canary-last"
    caplog.set_level(logging.DEBUG)
    account.publish(Draft("hello"), "k")
    kept = {"access_token": "canary-old", "refresh_token": "refresh-1", "client_id": "canary-client", "expires_at": 1}
    secrets["x/main/oauth2"] = json.dumps(kept)
    account.publish(Draft("hello again"), "k")
    del secrets["x/main/oauth2"]
    account.publish(Draft("once more"), "k")
    assert len(standin.posts) == 3
    for canary in ("token-1", "canary", "refresh-1", "fresh-"):
        assert canary not in caplog.text
    assert "token" not in repr(account)


# --- every class of the SDK -----------------------------------------------------------------------------------------


def classes(*modules: ModuleType) -> list[type[Exception]]:
    found = {
        one
        for module in modules
        for _, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, Exception) and not issubclass(one, Warning)
    }
    return sorted(found, key=lambda one: (one.__module__, one.__qualname__))


SDK = {
    tweepy.errors.TweepyException: OutcomeUnknown,
    tweepy.errors.HTTPException: Rejected,
    tweepy.errors.BadRequest: Rejected,
    tweepy.errors.Unauthorized: AuthExpired,
    tweepy.errors.Forbidden: Rejected,
    tweepy.errors.NotFound: Rejected,
    tweepy.errors.TooManyRequests: RateLimited,
    tweepy.errors.TwitterServerError: OutcomeUnknown,
}
STATUS = {"HTTPException": 418, "BadRequest": 400, "Unauthorized": 401, "Forbidden": 403, "NotFound": 404}
STATUS |= {"TooManyRequests": 429, "TwitterServerError": 503}


def test_every_error_of_the_sdk_has_its_meaning(clock: Any) -> None:
    assert set(classes(tweepy.errors)) == set(SDK)
    for one, meant in SDK.items():
        answer = requests.Response()
        answer.status_code, answer._content = STATUS.get(one.__name__, 0), b"{}"
        error = one(answer)
        with pytest.raises(meant), border(clock, write=True):
            raise error


@pytest.mark.parametrize(
    "one",
    [
        *classes(requests.exceptions, urllib3.exceptions, oauth2_errors, oauth1_errors),
        oauth1_session.TokenMissing,
        oauth1_session.TokenRequestDenied,
        oauth1_session.VerifierMissing,
        http.client.HTTPException,
        json.JSONDecodeError,
        ssl.SSLError,
        OSError,
    ],
)
@pytest.mark.parametrize("write", [True, False])
def test_every_error_below_the_sdk_is_one_of_ours(clock: Any, one: type[Exception], write: bool) -> None:
    error = one.__new__(one)
    with pytest.raises(ConnectorError) as caught, border(clock, write=write):
        raise error
    surely_unsent = (
        urllib3.exceptions.NewConnectionError,
        urllib3.exceptions.ConnectTimeoutError,
        urllib3.exceptions.LocationValueError,
        requests.exceptions.ConnectTimeout,
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidHeader,
    )
    if issubclass(one, oauth2_errors.OAuth2Error):
        assert type(caught.value) is AuthExpired
    else:
        assert type(caught.value) is (OutcomeUnknown if write and not issubclass(one, surely_unsent) else Unavailable)
