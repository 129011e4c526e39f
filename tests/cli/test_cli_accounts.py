"""Connecting accounts at the command line: asked, shown, checked, forgotten; a secret is in no output and no file."""

import io
import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from storage import engagement
from storage.database import open_database

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
TOKEN, SECOND = "canary-tok-9Hw2", "canary-sec-5Lp8"
VARIABLES = {"KAIROS_FAKEVERSE_MAIN_TOKEN": TOKEN, "KAIROS_FAKEVERSE_MAIN_SECRET": SECOND}
ANSWERS = f"shop.example\n{TOKEN}\n{SECOND}\n"
NOT_CONNECTED = "fakeverse/main is not connected: kairos accounts add fakeverse/main"
FAKEVERSE = '''
"""A platform that is a dictionary: it knows one good token and remembers nothing."""

from connectors.base import Capabilities, Identity, Limits, MentionPage
from connectors.errors import AuthExpired, Rejected, Unavailable


class Fakeverse:
    capabilities = Capabilities()

    def __init__(self, account, token, around):
        self.account, self.token, self.around = account, token, around

    def check(self):
        if self.token == "unreachable":
            raise Unavailable("fakeverse: no answer")
        if self.token.startswith("rotates-"):
            self.token = self.token.removeprefix("rotates-")
            self.around.keep(f"fakeverse/{self.account}/token", self.token)
        if not self.token.startswith("canary"):
            raise AuthExpired("fakeverse: the token is not accepted")
        return Identity("id-7", "@shop\\x1b[31m", ("read", "write"), False, 1234)

    def limits(self):
        return Limits(500, 4, 30, None)

    def length(self, text):
        return len(text)

    def own_posts(self, since):
        return ()

    def mentions(self, cursor):
        return MentionPage((), cursor)


def connect(account, around):
    token = around.secret(f"fakeverse/{account}/token")
    secret = around.secret(f"fakeverse/{account}/secret")
    if token is None or secret is None:
        raise AuthExpired(f"fakeverse/{account} is not connected: kairos accounts add fakeverse/{account}")
    if account == "faulty":
        raise RuntimeError(f"the token was {token}")
    return Fakeverse(account, token, around)


def login(account, around, talk):
    talk.show("Open https://fakeverse.example \\x1b[2Jand sign in.")
    talk.ask("Instance")
    around.keep(f"fakeverse/{account}/token", talk.ask("Token", hidden=True))
    around.keep(f"fakeverse/{account}/secret", talk.ask("Secret:", hidden=True))
    if around.secret(f"fakeverse/{account}/secret") == "refused":
        raise Rejected("fakeverse: wrong secret")
'''


@pytest.fixture(autouse=True)
def fakeverse(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A platform that another distribution brings."""
    site = tmp_path_factory.mktemp("site")
    (site / "kairos_fakeverse.py").write_text(FAKEVERSE, encoding="utf-8")
    about = site / "kairos_fakeverse-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: kairos-fakeverse\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[kairos.connectors]\nfakeverse = kairos_fakeverse:connect\n"
        "[kairos.logins]\nfakeverse = kairos_fakeverse:login\n"
    )
    monkeypatch.syspath_prepend(str(site))
    yield site
    sys.modules.pop("kairos_fakeverse", None)


@pytest.fixture
def answer(kairos: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command with these answers piped in."""

    def run(answers: str, *arguments: object, **more: str) -> Any:
        monkeypatch.setattr(sys, "stdin", io.StringIO(answers))
        return kairos(*arguments, **more)

    return run


@pytest.fixture
def connected(dry: Any, answer: Any) -> Any:
    """An account that is connected, in `home`."""
    ran = answer(ANSWERS, "accounts", "add", "fakeverse/main")
    assert ran.code == 0, ran.err
    return ran


def holding(home: Path, *secrets: str) -> list[str]:
    """Files in which one of these can be read."""
    files = [file for file in home.rglob("*") if file.is_file()]
    return [file.name for file in files if any(secret.encode() in file.read_bytes() for secret in secrets)]


# --- add ----------------------------------------------------------------------------------------------------------


def test_add_asks_in_turn_then_shows_who_we_are(connected: Any) -> None:
    assert connected.err.splitlines() == [
        "Open https://fakeverse.example ⟨U+001B⟩[2Jand sign in.",
        "Instance: ",
        "Token: ",
        "Secret: ",
    ]
    said = " ".join(connected.out.split())
    assert "fakeverse/main connected who @shop⟨U+001B⟩[31m (id-7), 1,234 followers" in said
    assert "bot label NOT set" in said
    assert "scopes read, write limits 500 signs, 4 pictures, 30 posts an hour" in said


def test_add_as_json_is_the_answer_of_the_platform(dry: Any, answer: Any) -> None:
    data = answer(ANSWERS, "accounts", "add", "fakeverse/main", "--json").data
    assert (data["account"], data["error"], data["simulated"]) == ("fakeverse/main", None, False)
    assert data["identity"]["scopes"] == ["read", "write"]
    assert data["limits"]["posts_per_hour"] == 30


@pytest.mark.parametrize("given", ["", "shop.example\n", f"shop.example\n{TOKEN}\n"])
def test_add_without_a_person_says_so_and_stores_nothing(home: Path, dry: Any, answer: Any, given: str) -> None:
    ran = answer(given, "accounts", "add", "fakeverse/main")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines()[-1] == (
        "nobody answers: run this at a terminal, or pipe the answers in, one a line; nothing was changed"
    )
    assert answer("", "accounts", "list", "--json").data == []
    assert not (home / ".kairos" / "secrets.key").exists()


def test_a_login_that_is_refused_stores_nothing(home: Path, dry: Any, answer: Any) -> None:
    ran = answer(f"shop.example\n{TOKEN}\nrefused\n", "accounts", "add", "fakeverse/main")
    assert (ran.code, ran.out, ran.err.splitlines()[-1]) == (4, "", "fakeverse: wrong secret")
    assert answer("", "accounts", "list", "--json").data == []


def test_what_cannot_be_checked_now_is_kept_and_said(dry: Any, answer: Any, kairos: Any) -> None:
    ran = answer(f"shop.example\nunreachable\n{SECOND}\n", "accounts", "add", "fakeverse/main")
    assert (ran.code, ran.out) == (4, "")
    assert ran.err.splitlines()[-2] == "fakeverse: no answer"
    assert "`kairos accounts check fakeverse/main` tries again" in ran.err.splitlines()[-1]
    (row,) = kairos("accounts", "list", "--json").data
    assert (row["connected"], row["checked_at"]) == (True, None)


def test_a_token_that_rotates_while_it_is_checked_is_kept(dry: Any, answer: Any, kairos: Any) -> None:
    answer(f"shop.example\nrotates-{TOKEN}\n{SECOND}\n", "accounts", "add", "fakeverse/main")
    assert kairos("accounts", "check", "main").code == 0


@pytest.mark.parametrize(
    ("account", "words"),
    [
        ("myspace/me", "myspace: no connector of that name is installed (installed: "),
        ("fakeverse", "'fakeverse' is no account: write platform/name, such as mastodon/main"),
        ("fakeverse/a b", "'fakeverse/a b' is no account: write platform/name, such as mastodon/main"),
    ],
)
def test_a_name_that_cannot_be_connected_is_told_before_anything_is_asked(
    dry: Any, answer: Any, account: str, words: str
) -> None:
    ran = answer(ANSWERS, "accounts", "add", account)
    assert (ran.code, ran.out) == (2, "")
    assert ran.line.startswith(words)
    assert answer("", "accounts", "list", "--json").data == []


def test_platforms_are_listed_by_the_distribution_that_brings_them(dry: Any, answer: Any) -> None:
    words = answer("", "accounts", "add", "myspace/me").line
    assert re.search(r"[ ,]sandbox\b.* from kairos-bot", words)
    assert "fakeverse from kairos-fakeverse" in words


def test_a_platform_without_secrets_asks_for_none(dry: Any, answer: Any) -> None:
    ran = answer("", "accounts", "add", "sandbox/main")
    assert (ran.code, ran.err) == (0, "")
    assert "connected (SIMULATED)" in ran.out


# --- list and check -----------------------------------------------------------------------------------------------


def test_list_shows_what_connects_each_account_without_asking_its_platform(
    home: Path, connected: Any, kairos: Any
) -> None:
    db = open_database(home / ".kairos" / "kairos.db")
    with db.write() as session:
        engagement.ensure_account(session, "fakeverse/second", NOON)
    db.close()
    rows = {row["account"]: row for row in kairos("accounts", "list", "--json").data}
    main, second = rows["fakeverse/main"], rows["fakeverse/second"]
    assert (main["connected"], main["words"], main["places"]) == (True, "", ["database"])
    assert main["checked_at"] is not None
    assert (second["connected"], second["places"], second["checked_at"]) == (False, [], None)
    assert second["words"] == NOT_CONNECTED.replace("main", "second")
    from_both = kairos("accounts", "list", "--json", KAIROS_FAKEVERSE_MAIN_TOKEN="canary-other").data
    assert next(row for row in from_both if row["account"] == "fakeverse/main")["places"] == ["database", "environment"]
    shown = kairos("accounts", "list").out
    assert re.search(r"fakeverse/main +│ yes +│ database +│ \w{3} \d\d \w{3} \d\d:\d\d", shown)
    assert kairos("accounts", "check", "--json").data[0]["account"] == "fakeverse/main"


def test_with_no_account_list_and_check_say_how_to_begin(dry: Any, kairos: Any) -> None:
    for command, words in (("list", "there are no accounts yet"), ("check", "no account is connected")):
        ran = kairos("accounts", command)
        assert (ran.code, ran.out) == (0, "")
        assert ran.line == f"{words}: connect one with `kairos accounts add PLATFORM/NAME`"
        assert kairos("accounts", command, "--json").data == []


def test_looking_at_accounts_makes_no_database(home: Path, kairos: Any) -> None:
    assert kairos("accounts", "list", "--json").data == []
    assert list(home.iterdir()) == []


def test_check_tells_of_every_account_and_fails_if_one_does(dry: Any, answer: Any, kairos: Any, connected: Any) -> None:
    answer(f"shop.example\nexpired\n{SECOND}\n", "accounts", "add", "fakeverse/other")
    ran = kairos("accounts", "check")
    assert (ran.code, ran.line) == (4, "fakeverse/other: fakeverse: the token is not accepted")
    assert "fakeverse/main" in ran.out
    both = kairos("accounts", "check", "--json").data
    assert [(row["account"], row["error"]) for row in both] == [
        ("fakeverse/main", None),
        ("fakeverse/other", "fakeverse: the token is not accepted"),
    ]
    ran = kairos("accounts", "check", "fakeverse/nobody")
    assert (ran.code, ran.line) == (4, NOT_CONNECTED.replace("main", "nobody"))
    assert kairos("accounts", "check", "mian").line == "unknown account 'mian', did you mean 'main'?"


def test_the_environment_alone_connects_an_account_and_writes_no_key(home: Path, dry: Any, kairos: Any) -> None:
    assert kairos("accounts", "check", "fakeverse/main", **VARIABLES).code == 0
    (row,) = kairos("accounts", "list", "--json", **VARIABLES).data
    assert (row["connected"], row["places"]) == (True, ["environment"])
    assert not (home / ".kairos" / "secrets.key").exists()
    (row,) = kairos("accounts", "list", "--json").data
    assert not row["connected"]


# --- remove -------------------------------------------------------------------------------------------------------


def test_remove_asks_first_and_a_no_changes_nothing(connected: Any, answer: Any) -> None:
    for given, code in (("n\n", 3), ("\n", 3), ("", 2)):
        ran = answer(given, "accounts", "remove", "main")
        assert (ran.code, ran.out) == (code, "")
        assert ran.err.startswith("forget the stored secrets of fakeverse/main? Its history stays [y/N]: ")
    assert answer("", "accounts", "check").code == 0


def test_remove_forgets_the_secrets_and_keeps_the_account(home: Path, connected: Any, answer: Any, kairos: Any) -> None:
    ran = answer("y\n", "accounts", "remove", "main")
    assert (ran.code, ran.out) == (0, "fakeverse/main: forgot secret, token; its history stays\n")
    (row,) = kairos("accounts", "list", "--json").data
    assert (row["account"], row["connected"]) == ("fakeverse/main", False)
    again = kairos("accounts", "remove", "main", "--yes", "--json")
    assert again.data == {"account": "fakeverse/main", "secrets": [], "variables": []}


def test_remove_says_what_the_environment_still_holds(connected: Any, kairos: Any) -> None:
    ran = kairos("accounts", "remove", "main", "--yes", **VARIABLES)
    assert ran.line == (
        "fakeverse/main is still connected by the environment: "
        "unset KAIROS_FAKEVERSE_MAIN_TOKEN, KAIROS_FAKEVERSE_MAIN_SECRET"
    )


# --- elsewhere ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_live_run_of_an_account_that_is_not_connected_ends_with_the_same_words(
    home: Path, dry: Any, kairos: Any, campaign: Any, command: str
) -> None:
    file = campaign()
    file.write_text(file.read_text().replace("sandbox/main", "fakeverse/main"), encoding="utf-8")
    ran = kairos(command, "garden.yaml", "--live", "--baseline")
    assert (ran.code, ran.out, ran.line) == (4, "", NOT_CONNECTED)
    assert kairos("accounts", "check", "fakeverse/main").line == NOT_CONNECTED


def test_the_doctor_says_of_each_account_whether_it_is_connected(home: Path, connected: Any, kairos: Any) -> None:
    def findings() -> dict[str, tuple[bool | None, str]]:
        return {row["what"]: (row["fine"], row["words"]) for row in kairos("doctor", "--json").data}

    key = home / ".kairos" / "secrets.key"
    found = findings()
    assert found["account fakeverse/main"] == (True, "connected by database")
    assert found["secrets"] == (True, f"sealed in the database, their key in {key}")
    key.write_bytes(os.urandom(32))
    assert findings()["account fakeverse/main"] == (
        None,
        f"fakeverse/main: its stored token does not open with the key in {key}; put the right key back, or: "
        "kairos accounts add fakeverse/main",
    )
    key.unlink()
    assert findings()["secrets"][0] is False
    ran = kairos("accounts", "check", "main")
    assert (ran.code, ran.out) == (4, "")
    assert "the key to the stored secrets is lost" in ran.line
    kairos("accounts", "remove", "main", "--yes")
    assert findings()["account fakeverse/main"] == (None, NOT_CONNECTED)


def test_no_secret_is_in_any_output_or_file_whatever_is_done(
    home: Path, connected: Any, answer: Any, kairos: Any, campaign: Any
) -> None:
    file = campaign()
    file.write_text(file.read_text().replace("sandbox/main", "fakeverse/main"), encoding="utf-8")
    answer(ANSWERS, "accounts", "add", "fakeverse/faulty")  # its connector raises what it must not: the token in words
    commands = [
        "accounts list", "accounts list --json", "accounts check", "accounts check --json", "accounts check faulty",
        "plan garden.yaml --baseline", "plan garden.yaml --baseline --live", "run garden.yaml --baseline --days 1",
        "status", "status --json", "queue --live --json", "report --live", "report", "doctor", "doctor --json",
        "accounts remove faulty --yes", "accounts remove main --yes --json",
    ]  # fmt: skip
    said = ""
    for command in commands:
        ran = kairos(*command.split())
        said += ran.out + ran.err
    assert (home / ".kairos" / "defect.txt").exists()
    assert list((home / ".kairos" / "plans").iterdir()) != []
    assert [secret for secret in (TOKEN, SECOND) if secret in said + connected.out + connected.err] == []
    assert holding(home, TOKEN, SECOND) == []


def test_the_search_for_secrets_would_find_one(home: Path) -> None:
    (home / "deep").mkdir()
    (home / "deep" / "leak.bin").write_bytes(b"\x00" + TOKEN.encode() + b"\x00")
    assert holding(home, TOKEN) == ["leak.bin"]


@pytest.mark.parametrize("command", ["add", "list", "check", "remove"])
def test_every_command_about_accounts_has_a_help_page(home: Path, kairos: Any, command: str) -> None:
    ran = kairos("accounts", command, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert f"Usage: kairos accounts {command} " in ran.out
    assert "--json" in ran.out
    assert list(home.iterdir()) == []


def read_until(terminal: int, words: str | None) -> str:
    """What a terminal shows until it ends with these words, or for None until nobody writes to it any more."""
    seen = ""
    while words is None or not seen.endswith(words):
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # how Linux says that the other side is gone
            piece = b""
        if not piece:
            break
        seen += piece.decode()
    return seen


@pytest.fixture
def terminal(home: Path, dry: Any, fakeverse: Path) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """Our side of a terminal, on the other side of which an account is being added."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "KAIROS_HOME": str(home / ".kairos"), "NO_COLOR": "1"}
    environment["PYTHONPATH"] = f"{Path(__file__).parent.parent.parent}{os.pathsep}{fakeverse}"
    process = subprocess.Popen(
        [sys.executable, "-c", "from bot.cli import main; main()", "accounts", "add", "fakeverse/main"],
        cwd=home,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: os.login_tty(theirs),
    )
    os.close(theirs)
    yield ours, process
    os.close(ours)
    process.kill()
    process.wait()


Terminal = tuple[int, "subprocess.Popen[bytes]"]


def test_at_a_terminal_a_hidden_answer_is_not_echoed_and_an_open_one_is(home: Path, terminal: Terminal) -> None:
    ours, process = terminal
    seen = read_until(ours, "Instance: ")
    for given, question in (("shop.example", "Token: "), (TOKEN, "Secret: "), (SECOND, None)):
        os.write(ours, f"{given}\n".encode())
        seen += read_until(ours, question)
    assert process.wait(timeout=60) == 0, seen
    assert "shop.example" in seen
    assert "fakeverse/main" in seen
    assert [secret for secret in (TOKEN, SECOND) if secret in seen] == []
    assert holding(home, TOKEN, SECOND) == []


@pytest.mark.parametrize(("key", "code", "words"), [("\x03", 130, "interrupted"), ("\x04", 2, "nobody answers")])
def test_ctrl_c_and_ctrl_d_at_a_hidden_question_end_it_and_nothing_is_stored(
    home: Path, terminal: Terminal, kairos: Any, key: str, code: int, words: str
) -> None:
    ours, process = terminal
    read_until(ours, "Instance: ")
    os.write(ours, b"shop.example\n")
    read_until(ours, "Token: ")
    os.write(ours, f"{TOKEN}\n".encode())
    read_until(ours, "Secret: ")
    os.write(ours, key.encode())
    assert words in read_until(ours, None).splitlines()[-1]
    assert process.wait(timeout=60) == code
    assert termios.tcgetattr(ours)[3] & termios.ECHO
    assert kairos("accounts", "list", "--json").data == []
