"""Secrets: where they are taken from, that they lie sealed, and what a key that is lost, wrong or open comes to."""

import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from bot.keys import KeyUnusable, Locked, SealingKey, key_file
from bot.secrets import Secrets, Unreadable, variable
from storage.database import Database, open_database

TOKEN = "mastodon/main/access_token"
VARIABLE = "KAIROS_MASTODON_MAIN_ACCESS_TOKEN"
CANARY = "canary-7f3Qx"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Ring:
    """A keyring in memory; `broken` raises as a locked one does, `keeps` is False for one that forgets at once."""

    def __init__(self, *, broken: bool = False, keeps: bool = True) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.broken, self.keeps = broken, keeps

    def get_password(self, service: str, username: str) -> str | None:
        if self.broken:
            raise RuntimeError("prompt dismissed")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.broken:
            raise RuntimeError("prompt dismissed")
        if self.keeps:
            self.kept[service, username] = password


@pytest.fixture
def db(tmp_path: Path, empty: Path) -> Database:
    file = tmp_path / "kairos.db"
    file.write_bytes(empty.read_bytes())
    return open_database(file, migrate=False)


@pytest.fixture
def ring() -> Ring:
    """The keyring of this system."""
    return Ring()


Make = Callable[..., Secrets]


@pytest.fixture
def secrets(db: Database, tmp_path: Path, ring: Ring) -> Make:
    """Secrets as a process that starts finds them: of the same database, folder and keyring."""

    def make(keyring: Ring | None = ring, **environment: str) -> Secrets:
        return Secrets(db, environment, SealingKey(tmp_path / "home", "install-1", lambda: keyring), lambda: NOON)

    return make


def rows(db: Database) -> list[tuple[str, str, str]]:
    with db.read() as session:
        found = session.connection().execute(text("select account, name, ciphertext from sealed order by name"))
        return [tuple(row) for row in found]


# --- where a secret comes from ------------------------------------------------------------------------------------


def test_what_is_kept_is_there_for_the_next_process_and_gone_once_forgotten(secrets: Make) -> None:
    assert secrets().secret(TOKEN) is None
    secrets().keep(TOKEN, CANARY)
    assert (secrets().secret(TOKEN), secrets().place(TOKEN)) == (CANARY, "database")
    assert secrets().secret("mastodon/other/access_token") is None
    secrets().keep(TOKEN, None)
    assert (secrets().secret(TOKEN), secrets().place(TOKEN)) == (None, None)


def test_the_environment_goes_before_the_database_and_needs_no_key(secrets: Make, ring: Ring, tmp_path: Path) -> None:
    assert secrets(**{VARIABLE: "given"}).secret(TOKEN) == "given"
    assert (ring.kept, (tmp_path / "home").exists()) == ({}, False)
    secrets().keep(TOKEN, "stored")
    now = secrets(**{VARIABLE: "given"})
    assert (now.secret(TOKEN), now.place(TOKEN)) == ("given", "environment")
    assert secrets(**{VARIABLE: ""}).secret(TOKEN) == "stored"


def test_a_token_kept_in_place_of_the_given_one_goes_before_it_until_another_is_given(secrets: Make) -> None:
    running = secrets(**{VARIABLE: "first"})
    running.keep(TOKEN, "rotated")
    assert running.secret(TOKEN) == "rotated"
    assert secrets(**{VARIABLE: "first"}).secret(TOKEN) == "rotated"
    assert secrets(**{VARIABLE: "second"}).secret(TOKEN) == "second"
    assert secrets().secret(TOKEN) == "rotated"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (TOKEN, VARIABLE),
        ("x/My.Brand-2/api_key", "KAIROS_X_MY_BRAND_2_API_KEY"),
    ],
)
def test_a_variable_is_named_by_platform_account_and_name(name: str, expected: str) -> None:
    assert variable(name) == expected


@pytest.mark.parametrize("name", ["token", "mastodon/token", "mastodon/main/"])
def test_a_name_that_is_not_whole_is_a_defect_of_the_connector(secrets: Make, name: str) -> None:
    with pytest.raises(ValueError, match="platform/account/name"):
        secrets().keep(name, CANARY)


def test_what_a_login_keeps_comes_in_one_piece_or_not_at_all(secrets: Make) -> None:
    kept = secrets()
    kept.keep("mastodon/main/app_id", "old")
    with pytest.raises(KeyboardInterrupt), kept.together() as pocket:  # noqa: PT012
        pocket.keep("mastodon/main/app_id", "new")
        pocket.keep(TOKEN, CANARY)
        assert (pocket.secret(TOKEN), pocket.secret("mastodon/main/app_id")) == (CANARY, "new")
        raise KeyboardInterrupt
    assert (kept.secret(TOKEN), kept.secret("mastodon/main/app_id")) == (None, "old")
    with kept.together() as pocket:
        pocket.keep("mastodon/main/app_id", None)
        pocket.keep(TOKEN, CANARY)
        assert pocket.secret("mastodon/main/app_id") is None
    assert kept.stored() == {"mastodon/main": ["access_token"]}


def test_forgetting_an_account_leaves_the_others(secrets: Make) -> None:
    kept = secrets()
    for name in (TOKEN, "mastodon/main/app_id", "mastodon/main2/access_token"):
        kept.keep(name, CANARY)
    assert kept.forget("mastodon/main") == ["access_token", "app_id"]
    assert kept.stored() == {"mastodon/main2": ["access_token"]}


# --- how it lies there --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keyring", [True, False])
def test_a_secret_is_nowhere_on_disk_and_in_no_words(
    secrets: Make, ring: Ring, db: Database, tmp_path: Path, keyring: bool
) -> None:
    kept = secrets(ring if keyring else None, **{VARIABLE: f"{CANARY}-given"})
    kept.keep(TOKEN, CANARY)
    with kept.together() as pocket:
        said = f"{kept!r} {vars(kept).keys()} {pocket!r} {rows(db)}"
    assert CANARY not in said
    assert [file for file in tmp_path.rglob("*") if file.is_file() and CANARY.encode() in file.read_bytes()] == []


def test_whatever_it_is_it_comes_back_as_it_was(secrets: Make) -> None:
    kept = secrets()

    @settings(max_examples=50, deadline=None)
    @given(st.text())
    def comes_back(value: str) -> None:
        kept.keep(TOKEN, value)
        assert kept.secret(TOKEN) == value

    comes_back()


def test_the_same_secret_is_sealed_differently_each_time(secrets: Make, db: Database) -> None:
    secrets().keep("a/b/one", CANARY)
    secrets().keep("a/b/two", CANARY)
    assert len({ciphertext for _, _, ciphertext in rows(db)}) == 2


def test_a_ciphertext_moved_to_another_name_does_not_open(secrets: Make, db: Database) -> None:
    secrets().keep(TOKEN, CANARY)
    with db.write() as session:
        session.connection().execute(text("update sealed set account = 'mastodon/evil'"))
    with pytest.raises(Unreadable, match=r"^mastodon/evil: its stored access_token does not open"):
        secrets().secret("mastodon/evil/access_token")


# --- the key ------------------------------------------------------------------------------------------------------


def test_the_key_lies_in_the_keyring_under_the_installation_where_one_works(
    secrets: Make, ring: Ring, tmp_path: Path
) -> None:
    secrets().keep(TOKEN, CANARY)
    assert list(ring.kept) == [("kairos", "install-1")]
    assert secrets().key_place == "the system's keyring"
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.parametrize("bad", [None, Ring(broken=True), Ring(keeps=False)])
def test_without_a_keyring_that_works_it_lies_in_a_file_for_the_owner_alone(
    secrets: Make, tmp_path: Path, bad: Ring | None
) -> None:
    secrets(bad).keep(TOKEN, CANARY)
    file = tmp_path / "home" / "secrets.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_bytes()) == 32
    assert secrets(bad).secret(TOKEN) == CANARY
    assert secrets().secret(TOKEN) == CANARY  # also once there is a keyring
    assert secrets().key_place == str(file)


def test_a_lost_key_is_told_in_one_line_and_connecting_anew_mends_it(secrets: Make, ring: Ring) -> None:
    secrets().keep(TOKEN, CANARY)
    ring.kept.clear()
    with pytest.raises(KeyUnusable, match=r"^the key to the stored secrets is lost: .* `kairos accounts add`$"):
        secrets().secret(TOKEN)
    assert secrets(**{VARIABLE: "given"}).secret(TOKEN) == "given"
    secrets().keep(TOKEN, "anew")
    assert secrets().secret(TOKEN) == "anew"


def test_a_wrong_key_is_told_with_the_account_and_the_place(secrets: Make, ring: Ring) -> None:
    secrets().keep(TOKEN, CANARY)
    ring.kept.clear()
    secrets().keep("x/brand/token", "other")
    with pytest.raises(Unreadable) as told:
        secrets().secret(TOKEN)
    assert str(told.value) == (
        "mastodon/main: its stored access_token does not open with the key in the system's keyring; "
        "put the right key back, or: kairos accounts add mastodon/main"
    )
    assert told.value.__context__ is None or CANARY not in repr(told.value.__context__)
    assert secrets().secret("x/brand/token") == "other"


def test_a_keyring_that_is_locked_is_not_taken_for_a_lost_key(secrets: Make, ring: Ring, tmp_path: Path) -> None:
    secrets().keep(TOKEN, CANARY)
    ring.broken = True
    for act in (lambda: secrets().secret(TOKEN), lambda: secrets().keep(TOKEN, "anew")):
        with pytest.raises(Locked, match="does not open"):
            act()
    ring.broken = False
    assert secrets().secret(TOKEN) == CANARY
    assert list((tmp_path / "home").iterdir()) == []


def test_a_key_file_that_others_may_read_or_that_is_cut_short_is_refused(secrets: Make, tmp_path: Path) -> None:
    secrets(None).keep(TOKEN, CANARY)
    file = tmp_path / "home" / "secrets.key"
    file.chmod(0o640)
    with pytest.raises(KeyUnusable, match=f"chmod 600 {file}"):
        secrets(None).secret(TOKEN)
    file.chmod(0o600)
    file.write_bytes(b"short")
    for act in (lambda: secrets(None).secret(TOKEN), lambda: secrets(None).keep(TOKEN, "x")):
        with pytest.raises(KeyUnusable, match="5 bytes, a key has 32"):
            act()


@pytest.mark.parametrize("ring", [None, Ring()])
def test_processes_that_need_a_first_key_at_once_agree_on_one(tmp_path: Path, ring: Ring | None) -> None:
    found: list[bytes] = []

    def start() -> None:
        found.append(SealingKey(tmp_path / "home", "install-1", lambda: ring).find_or_make(in_use=False))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found))) == (8, 1)


def test_a_key_file_is_made_once(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "hash.key"
    assert key_file(file) == key_file(file)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent)] == [0o600, 0o700]
    assert [path.name for path in file.parent.iterdir()] == ["hash.key"]
