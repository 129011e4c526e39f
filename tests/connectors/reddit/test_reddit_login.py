"""Connecting a Reddit account: what is asked, proven and kept."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.base import Surroundings
from connectors.errors import AuthExpired, ConnectorError, Rejected
from connectors.reddit import connect, login
from connectors.reddit.account import RedditAccount
from tests.connectors.reddit.standin import StandIn

FREE = {"identity", "submit", "read", "edit", "history", "flair", "privatemessages"}


class Talk:
    """A person who answers by the question; a function is given what was shown last."""

    def __init__(self, **answers: str | Callable[[str], str]) -> None:
        self.answers, self.shown, self.hidden = answers, [""], set[str]()

    def show(self, text: str) -> None:
        self.shown.append(text)

    def ask(self, question: str, hidden: bool = False) -> str:
        word = next(word for word in self.answers if word in question)
        if hidden:
            self.hidden.add(word)
        answer = self.answers[word]
        return answer if isinstance(answer, str) else answer("\n".join(self.shown))


def person(**other: str | Callable[[str], str]) -> Talk:
    given: dict[str, str | Callable[[str], str]] = {
        "web": "1",
        "User": "u/Tester",
        "id": " app-id ",
        "Secret": "app-secret-canary",
        "Password": "hunter2-canary",
        "Redirect": "",
        "whole": allowing,
    }
    return Talk(**(given | other))


def allowing(shown: str, code: str = "code-canary", state: str | None = None) -> str:
    """What stands in the address bar after a yes."""
    asked = parse_qs(urlsplit(re.findall(r"https://\S+", shown)[-1]).query)
    return f"{asked['redirect_uri'][0]}?state={state or asked['state'][0]}&code={code}#_"


@pytest.fixture
def secrets() -> dict[str, str]:
    return {}


def run(standin: StandIn, around: Surroundings, talk: Talk) -> None:
    login("main", around, talk, session=standin.session, timeout=(10.0, 20.0))


def test_the_browsers_way_keeps_a_lasting_login_and_no_password(
    standin: StandIn, around: Surroundings, secrets: dict[str, str]
) -> None:
    talk = person()
    run(standin, around, talk)
    asked = parse_qs(urlsplit(re.findall(r"https://\S+", "\n".join(talk.shown))[-1]).query)
    assert set(asked["scope"][0].split()) == FREE
    assert (asked["duration"], asked["response_type"], asked["client_id"]) == (["permanent"], ["code"], ["app-id"])
    assert secrets == {
        "reddit/main/client_id": "app-id",
        "reddit/main/client_secret": "app-secret-canary",
        "reddit/main/username": "tester",
        "reddit/main/refresh_token": standin.passwords["refresh_token"],
    }
    assert talk.hidden == {"Secret", "whole"}
    assert connect("main", around)
    assert RedditAccount("main", around, standin.session).check().handle == "u/tester"


def test_a_script_app_keeps_the_password_and_forgets_the_other_way(
    standin: StandIn, around: Surroundings, secrets: dict[str, str]
) -> None:
    run(standin, around, person())
    talk = person(web="2")
    run(standin, around, talk)
    assert set(secrets) == {f"reddit/main/{name}" for name in ("client_id", "client_secret", "username", "password")}
    assert talk.hidden == {"Secret", "Password"}
    assert connect("main", around)


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"id": ""}, Rejected),
        ({"Secret": "wrong-canary"}, AuthExpired),
        ({"web": "2", "Password": "wrong-canary"}, AuthExpired),
        ({"web": "2", "Password": ""}, AuthExpired),
        ({"whole": lambda shown: allowing(shown, code="wrong-canary")}, ConnectorError),
        ({"whole": lambda shown: allowing(shown, state="another")}, AuthExpired),
        ({"whole": lambda shown: "http://127.0.0.1:8737/callback?error=access_denied"}, AuthExpired),
        ({"whole": "nonsense"}, AuthExpired),
        ({"User": "somebody_else"}, Rejected),
    ],
)
def test_what_does_not_prove_itself_is_not_kept(
    standin: StandIn, around: Surroundings, secrets: dict[str, str], other: dict[str, Any], error: type[ConnectorError]
) -> None:
    talk = person(**other)
    with pytest.raises(error) as caught:
        run(standin, around, talk)
    assert secrets == {}
    assert "canary" not in "\n".join([str(caught.value), *talk.shown])
    assert "\n" not in str(caught.value)


def test_there_must_be_a_place_to_keep_things(standin: StandIn, clock: Any, tmp_path: Any) -> None:
    with pytest.raises(Rejected):
        run(standin, Surroundings(clock, tmp_path, {}.get), person())
    assert standin.asked == []
