"""Getting into X and staying in: login by browser or by keys, tokens that rotate, and what happens when they end."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1
from oauthlib.oauth1.rfc5849 import Client

from connectors.base import Connector, Draft, Surroundings
from connectors.errors import AuthExpired, ConnectorError, Rejected, Unavailable
from connectors.x import connect, login
from connectors.x.account import XAccount
from connectors.x.keys import SCOPES
from tests.connectors.x.standin import US, US_NAME, StandIn, query_of

FOUR = {"consumer_key": "ck", "consumer_secret": "cs", "access_token": "at", "access_token_secret": "ats"}


class Person:
    """Answers in order; a function is asked with what was shown so far."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.shown, self.hidden = list(answers), "", []

    def show(self, text: str) -> None:
        self.shown += text + "\n"

    def ask(self, question: str, hidden: bool = False) -> str:
        if hidden:
            self.hidden.append(question)
        answer = self.answers.pop(0)
        return str(answer(self.shown)) if callable(answer) else str(answer)


def authorised(shown: str) -> str:
    """What the address bar holds after the person said yes."""
    asked = query_of(next(line for line in shown.splitlines() if line.startswith("https://twitter.com")))
    assert asked["code_challenge_method"] == "S256"
    assert set(asked["scope"].split()) == set(SCOPES)
    return f"{asked['redirect_uri']}?state={asked['state']}&code=code-1"


def test_the_scopes_are_the_least_that_serve() -> None:
    assert set(SCOPES) == {"tweet.read", "tweet.write", "users.read", "media.write", "offline.access"}


def test_by_browser_the_tokens_are_proven_and_kept_whole(
    standin: StandIn, around: Surroundings, secrets: dict[str, str], clock: Any
) -> None:
    secrets.clear()
    secrets |= {f"x/main/{name}": value for name, value in FOUR.items()}
    person = Person("1", "client-1", "shh", "", authorised)
    login("main", around, person, base=standin.base)
    assert set(secrets) == {"x/main/oauth2", "x/main/user_id"}
    kept = json.loads(secrets["x/main/oauth2"])
    assert kept["access_token"].startswith("fresh-access")
    assert kept["refresh_token"].startswith("fresh-refresh")
    assert kept["expires_at"] == (clock() + timedelta(hours=2)).timestamp()
    (asked,) = standin.requests("POST /2/oauth2/token")
    assert asked.body["code_verifier"]
    assert asked.headers["Authorization"].startswith("Basic ")
    assert any("secret" in question for question in person.hidden)
    assert any("address" in question for question in person.hidden)
    identity = XAccount("main", around, standin.base).check()
    assert (identity.account_id, identity.handle, identity.followers) == (US, US_NAME, 12)
    assert set(identity.scopes) == set(SCOPES)
    assert identity.bot_label is None


def test_a_public_client_has_no_secret(standin: StandIn, around: Surroundings, secrets: dict[str, str]) -> None:
    login("main", around, Person("", "client-1", "", "http://127.0.0.1:9/x", authorised), base=standin.base)
    (asked,) = standin.requests("POST /2/oauth2/token")
    assert "Authorization" not in asked.headers
    assert asked.body["client_id"] == "client-1"


def test_four_keys_are_proven_and_kept(standin: StandIn, around: Surroundings, secrets: dict[str, str]) -> None:
    login("main", around, Person("2", *FOUR.values()), base=standin.base)
    assert secrets == {f"x/main/{name}": value for name, value in FOUR.items()} | {"x/main/user_id": US}


def test_requests_of_four_keys_are_signed_for_the_address_of_the_sdk(
    standin: StandIn, around: Surroundings, secrets: dict[str, str]
) -> None:
    del secrets["x/main/oauth2"]
    secrets |= {f"x/main/{name}": value for name, value in FOUR.items()}
    XAccount("main", around, standin.base).publish(Draft("hello"), "k")
    sent = standin.requests("POST /2/tweets")[0].headers["Authorization"]
    told = dict(part.replace('"', "").split("=", 1) for part in sent.removeprefix("OAuth ").split(", "))
    signer = Client(
        "ck", "cs", "at", "ats", signature_method=SIGNATURE_HMAC_SHA1,
        nonce=told["oauth_nonce"], timestamp=told["oauth_timestamp"],
    )  # fmt: skip
    _, headers, _ = signer.sign("https://api.twitter.com/2/tweets", "POST")
    assert told["oauth_signature"] in headers["Authorization"]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (("2", "a", "", "c", "d"), "empty"),
        (("1", "client-1", "", "", "http://127.0.0.1:8737/callback?error=access_denied"), "no code"),
        (("1", "client-1", "", "", lambda shown: authorised(shown).replace("code-1", "wrong")), "renew|login"),
        (("1", "client-1", "", "", "http://127.0.0.1:8737/callback?state=foreign&code=code-1"), "login"),
    ],
)
def test_what_is_not_proven_is_not_kept(
    standin: StandIn, around: Surroundings, secrets: dict[str, str], answers: tuple[Any, ...], words: str
) -> None:
    before = dict(secrets)
    with pytest.raises(ConnectorError, match=words) as caught:
        login("main", around, Person(*answers), base=standin.base)
    assert secrets == before
    assert "code-1" not in str(caught.value)


def test_keys_x_does_not_know_are_not_kept(standin: StandIn, around: Surroundings, secrets: dict[str, str]) -> None:
    before = dict(secrets)
    standin.fail("401", on="GET /2/users/me")
    with pytest.raises(AuthExpired):
        login("main", around, Person("2", *FOUR.values()), base=standin.base)
    assert secrets == before


def test_without_credentials_the_words_say_how_to_get_them(around: Surroundings, secrets: dict[str, str]) -> None:
    secrets.clear()
    with pytest.raises(AuthExpired, match=r"^x/main is not connected: kairos accounts add x/main$"):
        connect("main", around)
    secrets["x/main/oauth2"] = "no json"
    with pytest.raises(AuthExpired, match="not connected"):
        connect("main", around).check()


def test_connecting_asks_x_nothing(standin: StandIn, around: Surroundings) -> None:
    made = connect("main", around, base=standin.base)
    assert made.limits().max_length == 280
    assert standin.asked == []


# --- tokens that rotate ---------------------------------------------------------------------------------------------


def ending(secrets: dict[str, str], clock: Any, minutes: float = 4.0, **more: Any) -> None:
    kept = {"access_token": "token-1", "refresh_token": "refresh-1", "client_id": "client-1", "scope": "tweet.read"}
    kept |= {"expires_at": (clock() + timedelta(minutes=minutes)).timestamp()} | more
    secrets["x/main/oauth2"] = json.dumps(kept)


def test_a_token_is_renewed_before_its_end_and_the_new_pair_is_kept(
    standin: StandIn, account: Connector, secrets: dict[str, str], clock: Any
) -> None:
    ending(secrets, clock, minutes=6)
    account.publish(Draft("hello"), "k")
    assert standin.requests("POST /2/oauth2") == []
    clock.later(minutes=2)
    account.publish(Draft("hello again"), "k")
    clock.later(minutes=100)
    account.publish(Draft("and again"), "k")
    (asked,) = standin.requests("POST /2/oauth2")
    assert asked.body["refresh_token"] == "refresh-1"
    assert asked.body["client_id"] == "client-1"
    kept = json.loads(secrets["x/main/oauth2"])
    assert kept["refresh_token"] in standin.refreshes
    assert kept["client_id"] == "client-1"
    assert len(standin.requests("POST /2/tweets")) == 3


def test_many_threads_and_connectors_renew_once(
    standin: StandIn, opened: Callable[..., Connector], secrets: dict[str, str], clock: Any
) -> None:
    ending(secrets, clock)
    failed: list[Exception] = []

    def publish(place: int) -> None:
        try:
            opened().publish(Draft(f"text {place}"), "k")
        except ConnectorError as error:
            failed.append(error)

    threads = [threading.Thread(target=publish, args=(place,)) for place in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(standin.requests("POST /2/oauth2")) == 1
    assert len(standin.posts) == 12


def test_what_another_process_stored_is_used(
    standin: StandIn, account: Connector, secrets: dict[str, str], clock: Any
) -> None:
    account.publish(Draft("hello"), "k")
    standin.tokens = {"token-2"}
    ending(secrets, clock, minutes=90, access_token="token-2")
    account.publish(Draft("hello again"), "k")
    assert len(standin.posts) == 2


def test_a_login_that_ended_is_told_and_nothing_is_posted(
    standin: StandIn, account: Connector, secrets: dict[str, str], clock: Any
) -> None:
    ending(secrets, clock, refresh_token="used before")
    with pytest.raises(AuthExpired, match=r"^x/main: X ended the login: kairos accounts add x/main$"):
        account.publish(Draft("hello"), "k")
    ending(secrets, clock, refresh_token=None)
    with pytest.raises(AuthExpired, match="kairos accounts add"):
        account.publish(Draft("hello"), "k")
    assert standin.requests("POST /2/tweets") == []


@pytest.mark.parametrize("fault", ["500", "html503", "drop", "html", "json"])
def test_a_renewal_that_fails_for_now_leaves_the_old_pair(
    standin: StandIn, account: Connector, secrets: dict[str, str], clock: Any, fault: str
) -> None:
    ending(secrets, clock)
    before = dict(secrets)
    standin.fail(fault, on="POST /2/oauth2")
    with pytest.raises(Unavailable):
        account.publish(Draft("hello"), "k")
    assert secrets == before
    assert standin.requests("POST /2/tweets") == []
    account.publish(Draft("hello"), "k")
    assert len(standin.posts) == 1


def test_nothing_is_asked_where_nothing_can_be_kept(standin: StandIn, around: Surroundings) -> None:
    bare = Surroundings(around.clock, around.folder, around.secret)
    with pytest.raises(Rejected):
        login("main", bare, Person(), base=standin.base)
