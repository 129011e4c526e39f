"""Connecting a Mastodon account: by the browser's code or a pasted token, proven before it is kept, never shown."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.base import Surroundings
from connectors.errors import AuthExpired, ConnectorError, Rejected, Unavailable
from connectors.mastodon import connect, login
from connectors.mastodon.door import address_of
from connectors.mastodon.login import SCOPES
from tests.connectors.mastodon.server import TIMEOUT, Network

ME = "GET /api/v1/accounts/verify_credentials"


class Person:
    """Somebody at the keyboard, who answers by what is asked and remembers what was shown."""

    def __init__(self, **answers: str) -> None:
        self.answers, self.shown, self.hidden = answers, [], []

    def show(self, text: str) -> None:
        self.shown.append(text)

    def ask(self, question: str, hidden: bool = False) -> str:
        if hidden:
            self.hidden.append(question)
        return next(answer for word, answer in self.answers.items() if word in question.lower())


@pytest.fixture
def blank(net: Network) -> Network:
    """Nothing is connected yet."""
    net.secrets.clear()
    return net


def test_a_pasted_token_is_proven_and_kept(blank: Network, clock: Any, tmp_path: Path) -> None:
    person = Person(server=blank.wire.url, token=" ada_token\n")
    login("main", blank.around(clock, tmp_path), person, TIMEOUT)
    assert blank.secrets == {"mastodon/main/instance": blank.wire.url, "mastodon/main/access_token": "ada_token"}
    assert "Connected as @ada." in person.shown
    assert person.hidden == ["Access token (Enter for the browser): "]
    assert blank.open(clock, tmp_path).check().handle == "ada"


def test_the_browser_gives_a_code_for_no_more_than_we_need(blank: Network, clock: Any, tmp_path: Path) -> None:
    person = Person(server=blank.wire.url, token="", code="mockcode_grace")
    login("main", blank.around(clock, tmp_path), person, TIMEOUT)
    token = blank.secrets["mastodon/main/access_token"]
    identity = blank.open(clock, tmp_path).check()
    assert (identity.handle, list(identity.scopes)) == ("grace", SCOPES)
    page = re.findall(r"http\S+/oauth/authorize\S+", "\n".join(person.shown))
    asked = parse_qs(urlsplit(page[0]).query)
    assert asked["scope"] == [" ".join(SCOPES)]
    assert asked["redirect_uri"] == ["urn:ietf:wg:oauth:2.0:oob"]
    assert not any(token in each or "mockcode" in each for each in person.shown)
    assert "Code: " in person.hidden


def test_we_never_ask_for_the_right_to_like_follow_or_write_messages() -> None:
    assert all(scope.split(":")[0] in ("read", "write") and ":" in scope for scope in SCOPES)
    rights = {scope for scope in SCOPES if scope.startswith("write")}
    assert rights == {"write:statuses", "write:media"}


def test_whoever_is_not_labelled_a_bot_is_told_so(blank: Network, clock: Any, tmp_path: Path) -> None:
    for token, told in (("ada_token", False), ("grace_token", True)):
        person = Person(server=blank.wire.url, token=token)
        login("main", blank.around(clock, tmp_path), person, TIMEOUT)
        assert any("automated" in each for each in person.shown) is told


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"token": "canary_token"}, AuthExpired),
        ({"token": "", "code": "canary_code"}, Rejected),
        ({"token": "", "code": ""}, AuthExpired),
        ({"server": "", "token": "canary"}, Rejected),
        ({"server": "http://mastodon.example", "token": "canary"}, Rejected),
    ],
)
def test_what_does_not_work_is_not_kept_and_not_shown(
    blank: Network, clock: Any, tmp_path: Path, answers: dict[str, str], error: type[ConnectorError]
) -> None:
    person = Person(**({"server": blank.wire.url} | answers))
    with pytest.raises(error) as caught:
        login("main", blank.around(clock, tmp_path), person, TIMEOUT)
    assert blank.secrets == {}
    assert "canary" not in "\n".join([str(caught.value), *person.shown])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("fault", ["drop", "500", "malformed", "page"])
@pytest.mark.parametrize("what", [ME, "POST /api/v1/apps", "POST /oauth/token"])
def test_a_login_that_breaks_keeps_nothing(blank: Network, clock: Any, tmp_path: Path, what: str, fault: str) -> None:
    blank.wire.fail(fault, what)
    with pytest.raises(Unavailable):
        login(
            "main",
            blank.around(clock, tmp_path),
            Person(server=blank.wire.url, token="", code="mockcode_ada"),
            TIMEOUT,
        )
    assert blank.secrets == {}
    assert blank.wire.counted[what] == 1


def test_an_account_that_is_not_connected_says_what_to_do(clock: Any, tmp_path: Path) -> None:
    known = {"mastodon/other/instance": "https://mastodon.example", "mastodon/half/access_token": "t"}
    for account in ("main", "other", "half"):
        with pytest.raises(AuthExpired) as caught:
            connect(account, Surroundings(clock, tmp_path, known.get))
        assert str(caught.value) == f"mastodon/{account} is not connected: kairos accounts add mastodon/{account}"


def test_the_servers_rules_are_shown_and_cannot_steer_the_terminal(blank: Network, clock: Any, tmp_path: Path) -> None:
    person = Person(server=blank.wire.url, token="ada_token")
    login("main", blank.around(clock, tmp_path), person, TIMEOUT)
    assert "- No spam.\n- Bots post [2Junlisted." in "\n".join(person.shown)
    blank.wire.fail("500", "GET /api/v1/instance/rules")
    quiet = Person(server=blank.wire.url, token="ada_token")
    login("main", blank.around(clock, tmp_path), quiet, TIMEOUT)
    assert "Connected as @ada." in quiet.shown
    assert "No spam." not in "\n".join(quiet.shown)


def test_a_token_that_is_also_the_name_of_a_file_stays_a_token(net: Network, clock: Any, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("grace_token\n")
    net.secrets["mastodon/main/access_token"] = str(tmp_path / "token")
    with pytest.raises(AuthExpired):
        net.open(clock, tmp_path).check()


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("mastodon.social", "https://mastodon.social"),
        (" https://mastodon.social/ ", "https://mastodon.social"),
        ("https://mastodon.social/@me", "https://mastodon.social"),
        ("@me@mastodon.social", "https://mastodon.social"),
        ("social.example.org:8443", "https://social.example.org:8443"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://localhost:3000", "http://localhost:3000"),
    ],
)
def test_a_server_is_named_in_many_ways(told: str, address: str) -> None:
    assert address_of(told) == address


@pytest.mark.parametrize(
    "told", ["", "mastodon", "http://mastodon.social", "ftp://a.example", "a b.example", "https://"]
)
def test_what_is_no_server_is_refused_with_words(told: str) -> None:
    with pytest.raises(ValueError, match=r"server|https"):
        address_of(told)
