"""Connecting our accounts: logging in, checking, listing, forgetting; nothing is published and no screen is here."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bot.accounts import UnknownAccount, account_named
from bot.campaign.values import AccountName
from bot.keys import KeyUnusable
from bot.secrets import Place, Secrets, variable
from connectors import registry
from connectors.base import Connector, Identity, Limits, Surroundings, Talk
from connectors.errors import ConnectorError
from scheduler.clock import Clock
from storage import engagement
from storage.database import Database


@dataclass(frozen=True)
class Standing:
    """How an account stands, as far as this machine knows: nothing is asked of its platform."""

    account: str
    connected: bool
    words: str
    """Why it is not connected; empty where it is."""
    places: tuple[Place, ...]
    """Where its secrets are taken from; none for a platform that needs none."""
    checked_at: datetime | None


@dataclass(frozen=True)
class Checked:
    """What a platform said about one of our accounts when it was asked."""

    account: str
    identity: Identity
    limits: Limits
    simulated: bool


@dataclass(frozen=True)
class Forgotten:
    """What was removed of an account, and what is out of our reach."""

    account: str
    secrets: list[str]
    variables: list[str]
    """Variables of the environment that still hold a secret of it."""


class Accounts:
    """The live world's accounts. `folder` is where connectors keep what is theirs."""

    def __init__(self, db: Database, secrets: Secrets, clock: Clock, folder: Path) -> None:
        self._db, self._secrets, self._clock = db, secrets, clock
        self._around = Surroundings(clock, folder, secrets.secret, keep=secrets.keep)

    def __enter__(self) -> "Accounts":
        return self

    def __exit__(self, *error: object) -> None:
        self._db.close()

    def named(self, name: str) -> str:
        """The account meant; one that reads platform/name need not be known. Raises UnknownAccount."""
        also = [name] if "/" in name else []
        with self._db.read() as session:
            return _well_formed(account_named(session, name, [*self._secrets.stored(), *also]))

    def log_in(self, account: str, talk: Talk) -> None:
        """Let the platform ask for what it needs, and store it in one piece: cut short, nothing is stored.

        Raises UnknownAccount for a name that is none, UnknownPlatform, ConnectorError, KeyUnusable.
        """
        platform, _, name = _well_formed(account).partition("/")
        registry.load(platform)  # said before anybody has typed a password
        login = registry.load_login(platform)
        if login is not None:
            with self._secrets.together() as pocket:
                login(name, replace(self._around, secret=pocket.secret, keep=pocket.keep), talk)
        with self._db.write() as session:
            engagement.ensure_account(session, account, self._clock())

    def check(self, account: str) -> Checked:
        """Ask the platform who we are; raises ConnectorError, UnknownPlatform, KeyUnusable."""
        connector = _connect(account, self._around)
        identity, limits = connector.check(), connector.limits()
        with self._db.write() as session:
            row = engagement.ensure_account(session, account, self._clock())
            row.checked_at = self._clock()
            session.add(row)
        return Checked(account, identity, limits, connector.capabilities.simulated)

    def standings(self) -> Iterator[Standing]:
        """Every account of the database or with a stored secret, by name."""
        with self._db.read() as session:
            checked = {row.id: row.checked_at for row in engagement.accounts(session)}
        for account in sorted({*checked, *self._secrets.stored()}):
            yield self._standing(account, checked.get(account))

    def forget(self, account: str) -> Forgotten:
        """Remove the stored secrets of an account; its history, queue and pauses stay."""
        asked = self._asked(account)[0]
        removed = self._secrets.forget(account)
        names = dict.fromkeys([*asked, *(f"{account}/{name}" for name in removed)])
        return Forgotten(account, removed, [variable(name) for name in names if self._secrets.given(name) is not None])

    def key_place(self) -> str | None:
        """Where the key to the stored secrets lies, None where nothing is stored; raises KeyUnusable."""
        return self._secrets.key_place if self._secrets.stored() else None

    def _standing(self, account: str, checked_at: datetime | None) -> Standing:
        asked, words = self._asked(account)
        places = dict.fromkeys(place for place in asked.values() if place is not None)
        return Standing(account, not words, words, tuple(sorted(places)), checked_at)

    def _asked(self, account: str) -> tuple[dict[str, Place | None], str]:
        """Secrets the connector asks for with their places, and why it does not come about, if it does not."""
        asked: dict[str, Place | None] = {}

        def secret(name: str) -> str | None:
            asked[name] = self._secrets.place(name)
            return self._secrets.secret(name)

        with tempfile.TemporaryDirectory() as nowhere:  # a look leaves nothing behind
            around = replace(self._around, folder=Path(nowhere), secret=secret, keep=None)
            try:
                _connect(account, around)
            except (ConnectorError, KeyUnusable, registry.UnknownPlatform) as error:
                return asked, str(error)
            except Exception as error:  # a stranger's code; its words may hold anything
                return asked, f"{account}: its connector does not start ({type(error).__name__})"
        return asked, ""


def _connect(account: str, around: Surroundings) -> Connector:
    platform, _, name = account.partition("/")
    return registry.load(platform)(name, around)


def _well_formed(account: str) -> str:
    try:
        return TypeAdapter[str](AccountName).validate_python(account)
    except ValidationError:
        raise UnknownAccount(f"{account!r} is no account: write platform/name, such as mastodon/main") from None
