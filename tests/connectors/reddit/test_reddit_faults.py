"""What Reddit connections do wrong, and that a post is asked for exactly once whatever happens."""

import inspect
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import praw.exceptions
import prawcore.exceptions
import pytest
import requests
import urllib3

from connectors.base import Draft, Ref
from connectors.errors import AuthExpired, ConnectorError, OutcomeUnknown, RateLimited, Rejected, Unavailable
from connectors.reddit.account import RedditAccount
from connectors.reddit.door import FOREIGN, ours, refusal
from tests.connectors.reddit.standin import StandIn

HELLO = Draft("hello world", title="A title", target="r/test")
ANSWER = Draft("thank you", in_reply_to=Ref("t1_abc"))
POLL = Draft("what do you think?", title="A title", target="test", kind="poll", parts=("yes", "no"))
LITTLE, WHOLE = (10.0, 1.5), (10.0, 20.0)
"""Seconds to connect and to wait: little only where an answer is meant to be late."""
WRITES: dict[str, Callable[[RedditAccount], Any]] = {
    "post": lambda account: account.publish(HELLO, "k"),
    "poll": lambda account: account.publish(POLL, "k"),
    "answer": lambda account: account.publish(ANSWER, "k"),
    "delete": lambda account: account.delete(Ref("t3_abc")),
}
ENDINGS: list[tuple[str, bool, type[ConnectorError]]] = [
    ("drop", False, OutcomeUnknown),
    ("drop", True, OutcomeUnknown),
    ("slow", True, OutcomeUnknown),
    ("half", True, OutcomeUnknown),
    ("malformed", True, OutcomeUnknown),
    ("html", True, OutcomeUnknown),
    ("500", False, OutcomeUnknown),
    ("500", True, OutcomeUnknown),
    ("502", True, OutcomeUnknown),
    ("503", False, OutcomeUnknown),
    ("504", True, OutcomeUnknown),
    ("520", True, OutcomeUnknown),
    ("408", False, OutcomeUnknown),
    ("redirect", False, OutcomeUnknown),
    ("429", False, RateLimited),
    ("429 dated", False, RateLimited),
    ("401", False, AuthExpired),
    ("bare 401", False, AuthExpired),
    ("400", False, Rejected),
    ("403", False, Rejected),
    ("404", False, Rejected),
    ("409", False, Rejected),
    ("413", False, Rejected),
    ("415", False, Rejected),
    ("451", False, Rejected),
]


@pytest.fixture(autouse=True)
def _no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK sleeps by `time.sleep`; nothing here may."""
    asleep = time.sleep

    def sleep(seconds: float) -> None:
        caller = inspect.stack()[1].filename
        assert "praw" not in caller, "a client slept"
        asleep(seconds)

    monkeypatch.setattr(time, "sleep", sleep)


@pytest.mark.parametrize(
    ("write", "fault", "written", "error"),
    [("post", *ending) for ending in ENDINGS]
    + [(write, *ending) for write in sorted(set(WRITES) - {"post"}) for ending in ENDINGS[1:9:2] + ENDINGS[14:19:2]],
)
def test_a_write_is_sent_once_and_said_to_be_what_it_is(
    standin: StandIn, opened: Any, write: str, fault: str, written: bool, error: type[ConnectorError]
) -> None:
    account = opened(timeout=LITTLE if fault == "slow" else WHOLE)
    standin.fail(fault, written=written)
    with pytest.raises(ConnectorError) as caught:
        WRITES[write](account)
    assert type(caught.value) is error
    assert standin.writes() == 1


def test_an_answer_to_a_write_that_names_nothing_is_unknown(standin: StandIn, account: RedditAccount) -> None:
    standin.fail("empty", written=True)
    with pytest.raises(OutcomeUnknown):
        account.publish(HELLO, "k")
    standin.fail("empty", written=True)
    with pytest.raises(OutcomeUnknown):
        account.publish(ANSWER, "k")
    assert standin.writes() == 2


def test_a_refused_connection_wrote_nothing(standin: StandIn, account: RedditAccount) -> None:
    for write in WRITES.values():
        standin.refuse()
        with pytest.raises(Unavailable):
            write(account)
    assert standin.writes() == 0


@pytest.mark.parametrize("fault", ["drop", "slow", "half", "malformed", "html", "500", "503"])
def test_a_read_that_fails_is_tried_once_and_nothing_is_unknown(standin: StandIn, opened: Any, fault: str) -> None:
    account = opened(timeout=LITTLE if fault == "slow" else WHOLE)
    account.check()
    before = len(standin.asked)
    reads = (account.check, lambda: account.own_posts(None), lambda: account.mentions(None))
    for read in reads[:1] if fault == "slow" else reads:
        standin.read_faults.append((fault, False))
        with pytest.raises(Unavailable):
            read()
    assert len(standin.asked) == before + (1 if fault == "slow" else 3)


def test_what_fails_before_the_write_wrote_nothing(standin: StandIn, opened: Any) -> None:
    account = opened()
    for fault in ("drop", "500", "html"):
        standin.read_faults.append((fault, False))
        with pytest.raises(Unavailable):
            account.publish(HELLO, "k")
    standin.read_faults += [("", True), ("drop", False)]
    with pytest.raises(Unavailable):
        account.publish(Draft("hello", title="t", target="test#News"), "k")
    assert standin.writes() == 0


def test_a_post_that_cannot_be_read_back_is_public_all_the_same(standin: StandIn, opened: Any, clock: Any) -> None:
    account = opened()
    account.publish(HELLO, "k")
    for fault in ("drop", "500", "html"):
        standin.read_faults.append((fault, False))
        receipt = account.publish(HELLO, "k")
        assert receipt.ref.id in standin.things
        assert receipt.published_at == clock().replace(microsecond=0)


def test_reddits_words_are_passed_on_in_one_line(standin: StandIn, account: RedditAccount) -> None:
    standin.errors.append(
        (200, {"json": {"errors": [["SUBREDDIT_NOEXIST", "that subreddit <b>doesn't</b>\nexist", "sr"]]}})
    )
    with pytest.raises(Rejected, match=r"^reddit refused: SUBREDDIT_NOEXIST: that subreddit doesn't exist$"):
        account.publish(HELLO, "k")
    standin.errors.append(
        (400, {"fields": ["title"], "explanation": "no such title", "message": "Bad Request", "reason": "X"})
    )
    with pytest.raises(Rejected, match=r"^reddit refused: X: no such title$"):
        account.publish(HELLO, "k")
    standin.errors.append((400, {"odd": 1, "fields": ["a", "b"]}))
    with pytest.raises(Rejected):
        account.publish(HELLO, "k")
    standin.errors.append((200, {"json": {"errors": [["USER_REQUIRED", "Please log in to do that.", None]]}}))
    with pytest.raises(AuthExpired):
        account.publish(HELLO, "k")
    assert standin.writes() == 4


@pytest.mark.parametrize(
    ("words", "wait"),
    [
        ("Take a break for 9 minutes before trying again.", timedelta(minutes=10)),
        ("Take a break for 4 seconds before trying again.", timedelta(seconds=5)),
        ("Take a break for 300 milliseconds before trying again.", timedelta(seconds=1)),
        ("Take a break for 2 hours before trying again.", timedelta(hours=3)),
        ("Take a break.", timedelta(minutes=15)),
    ],
)
def test_being_asked_to_wait_says_until_when_and_sends_nothing_again(
    standin: StandIn, account: RedditAccount, clock: Any, words: str, wait: timedelta
) -> None:
    standin.errors.append((200, {"json": {"errors": [["RATELIMIT", words, "ratelimit"]]}}))
    with pytest.raises(RateLimited) as caught:
        account.publish(HELLO, "k")
    assert caught.value.reset_at == clock() + wait
    assert standin.writes() == 1


def test_a_window_that_is_used_up_is_waited_for_elsewhere(standin: StandIn, account: RedditAccount, clock: Any) -> None:
    standin.remaining = "0.0"
    account.check()
    asked = len(standin.asked)
    for call in (account.check, lambda: account.publish(HELLO, "k"), lambda: account.publish(ANSWER, "k")):
        with pytest.raises(RateLimited) as caught:
            call()
        assert caught.value.reset_at == clock() + timedelta(seconds=300)
    assert len(standin.asked) == asked
    standin.remaining = "not a number"
    clock.later(seconds=301)
    assert account.publish(HELLO, "k")


def test_the_headers_of_a_429_say_when(standin: StandIn, account: RedditAccount, clock: Any) -> None:
    standin.fail("429")
    with pytest.raises(RateLimited) as caught:
        account.publish(HELLO, "k")
    assert caught.value.reset_at == clock() + timedelta(seconds=120)
    clock.later(seconds=121)
    standin.fail("429 dated")
    with pytest.raises(RateLimited) as caught:
        account.publish(HELLO, "k")
    assert caught.value.reset_at == clock() + timedelta(seconds=300)


# --- tokens ---------------------------------------------------------------------------------------------------------


def test_a_token_is_asked_for_once_and_renewed_before_it_ends(
    standin: StandIn, account: RedditAccount, clock: Any
) -> None:
    account.check()
    account.publish(HELLO, "k")
    assert standin.counted()["/api/v1/access_token"] == 1
    clock.later(seconds=3600 - 61)
    account.check()
    assert standin.counted()["/api/v1/access_token"] == 1
    clock.later(seconds=2)
    account.publish(HELLO, "k")
    assert standin.counted()["/api/v1/access_token"] == 2


def test_a_token_that_is_refused_is_not_used_again(standin: StandIn, account: RedditAccount) -> None:
    account.check()
    standin.fail("bare 401")
    with pytest.raises(AuthExpired):
        account.publish(HELLO, "k")
    assert account.publish(HELLO, "k")
    assert standin.counted()["/api/v1/access_token"] == 2
    assert standin.writes() == 2


def test_a_rotated_token_is_kept_at_once(standin: StandIn, account: RedditAccount, secrets: dict[str, str]) -> None:
    standin.rotates = True
    account.check()
    assert secrets["reddit/main/refresh_token"] == standin.passwords["refresh_token"] != "refresh-canary"


def test_a_login_that_has_ended_asks_for_a_person(standin: StandIn, opened: Any, secrets: dict[str, str]) -> None:
    secrets["reddit/main/refresh_token"] = "gone-canary"
    with pytest.raises(AuthExpired, match="kairos accounts add reddit/main") as caught:
        opened().publish(HELLO, "k")
    assert "canary" not in str(caught.value)
    secrets["reddit/main/client_secret"] = "wrong-canary"
    with pytest.raises(AuthExpired):
        opened().check()
    del secrets["reddit/main/refresh_token"]
    secrets |= {"reddit/main/client_secret": "app-secret-canary", "reddit/main/password": "wrong-canary"}
    with pytest.raises(AuthExpired):
        opened().check()
    assert standin.writes() == 0


def test_a_script_app_asks_for_no_more_than_serves(standin: StandIn, opened: Any, secrets: dict[str, str]) -> None:
    del secrets["reddit/main/refresh_token"]
    secrets["reddit/main/password"] = "hunter2-canary"
    scopes = opened().check().scopes
    assert set(scopes) == {"edit", "flair", "history", "identity", "privatemessages", "read", "submit"}
    assert not set(scopes) & {"*", "vote", "save", "subscribe"}


def test_reddit_hears_who_we_are_in_the_form_it_asks_for(standin: StandIn, account: RedditAccount) -> None:
    account.check()
    (agent,) = standin.agents
    assert agent.startswith("python:app-id:")
    assert " (by /u/tester) " in agent


def test_a_settings_file_lying_about_changes_nothing(
    standin: StandIn, account: RedditAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("username", "password", "client_id", "client_secret", "refresh_token", "user_agent"):
        monkeypatch.setenv(f"praw_{name}", "somebody-else")
    monkeypatch.setenv("praw_check_for_updates", "true")
    assert account.check().handle == "u/tester"
    assert not any("somebody-else" in agent for agent in standin.agents)


def test_no_secret_is_written_anywhere(standin: StandIn, opened: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    account = opened()
    account.publish(HELLO, "k")
    said = [repr(account), repr(vars(account)["_keys"])]
    for fault in ("drop", "html", "500", "429", "bare 401", "403"):
        standin.fail(fault)
        with pytest.raises(ConnectorError) as caught:
            opened().publish(ANSWER, "k")
        said += [str(caught.value), repr(caught.value), str(caught.value.__cause__)]
    assert "canary" not in "\n".join([*said, caplog.text])


# --- the border -----------------------------------------------------------------------------------------------------


def answered(status: int) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer._content, answer.reason = status, b"{}", "said so"
    answer.headers["location"] = "https://www.reddit.com/x"
    return answer


def made(kind: type[Exception]) -> Exception:
    """One of this kind, as the SDK would make it."""
    by_name: dict[str, tuple[Any, ...]] = {
        "RedditAPIException": ([["BAD", "words", "field"]],),
        "InvalidURL": ("nowhere",),
        "InvalidFlairTemplateID": ("x",),
        "OAuthException": (answered(200), "invalid_grant", "words"),
        "RequestException": (requests.exceptions.ReadTimeout(), (), {}),
        "PRAWException": (),
        "ClientException": (),
        "MissingRequiredAttributeException": (),
        "ReadOnlyException": (),
        "WebSocketException": ("words",),
        "PrawcoreException": (),
        "InvalidInvocation": (),
    }
    if kind.__name__ == "TooLargeMediaException":
        return kind(actual=2, maximum_size=1)  # type: ignore[call-arg]
    if kind.__name__ in by_name:
        return kind(*by_name[kind.__name__])
    return kind(answered(418)) if issubclass(kind, prawcore.exceptions.ResponseException) else kind()


def kinds() -> list[type[Exception]]:
    modules = (praw.exceptions, prawcore.exceptions)
    found = {one for module in modules for _, one in inspect.getmembers(module, inspect.isclass)}
    return sorted((one for one in found if issubclass(one, Exception)), key=lambda one: one.__name__)


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("wrote", [False, True])
def test_every_exception_of_the_sdk_becomes_one_of_ours(kind: type[Exception], wrote: bool, clock: Any) -> None:
    error = made(kind)
    assert isinstance(error, FOREIGN)
    answer = getattr(error, "response", None)
    mapped = ours(error, clock(), answer if isinstance(answer, requests.Response) else None, wrote=wrote)
    said_no = kind.__name__ in ("RedditAPIException", "MediaPostFailed", "TooLargeMediaException")
    if said_no or issubclass(kind, prawcore.exceptions.ResponseException):
        assert type(mapped) is Rejected
    elif kind.__name__ == "OAuthException":
        assert type(mapped) is AuthExpired
    else:
        assert type(mapped) is (OutcomeUnknown if wrote else Unavailable)


def test_what_lies_under_the_sdk_is_mapped_too(clock: Any) -> None:
    for module in (requests.exceptions, urllib3.exceptions):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            assert not issubclass(kind, Exception) or issubclass(kind, (*FOREIGN, Warning)), kind


@pytest.mark.parametrize("status", [*range(300, 309), *range(400, 452), *range(500, 530)])
def test_every_status_means_something(status: int, clock: Any) -> None:
    for wrote in (False, True):
        mapped = refusal(answered(status), datetime(2026, 11, 24, tzinfo=UTC), wrote=wrote)
        assert isinstance(mapped, ConnectorError)
        if status >= 500 or status == 408:
            assert type(mapped) is (OutcomeUnknown if wrote else Unavailable)


def test_a_password_follows_no_redirect(standin: StandIn, account: RedditAccount) -> None:
    standin.read_faults.append(("redirect", False))
    with pytest.raises(ConnectorError):
        account.check()
    assert standin.asked == [("POST", "/api/v1/access_token")]


def test_nothing_of_the_machine_comes_between(
    standin: StandIn, account: RedditAccount, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "netrc").write_text("default login somebody password else")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert account.check().handle == "u/tester"
