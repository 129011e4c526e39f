"""Secrets of accounts by name: from the environment, else sealed in the database; platforms and screens are elsewhere.

A name reads platform/account/name, such as mastodon/main/access_token. Nothing here is logged, shown or put into words:
errors name the account and the place, never what was to be kept secret.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from cryptography.fernet import Fernet, InvalidToken

from bot.keys import KeyUnusable, SealingKey
from scheduler.clock import Clock
from storage import sealed
from storage.database import Database

Place = Literal["environment", "database"]


class Unreadable(KeyUnusable):
    """A secret is stored, but not under the key that is here."""


@dataclass(frozen=True)
class Pocket:
    """Secrets as a connector is handed them: `secret` reads, `keep` stores, or forgets for None."""

    secret: Callable[[str], str | None]
    keep: Callable[[str, str | None], None]


class Secrets:
    """All secrets of one installation; safe to use from many threads."""

    def __init__(self, db: Database, environment: Mapping[str, str], key: SealingKey, clock: Clock) -> None:
        self._db, self._environment, self._key, self._clock = db, environment, key, clock
        self._lock: Fernet | None = None
        """Kept once found: a keyring is slow, and may be locked again."""

    def secret(self, name: str) -> str | None:
        """The secret, or None. The environment goes first, unless the stored one was kept in place of that very value:
        tokens rotate, and the environment cannot follow. Raises KeyUnusable.
        """
        return self._found(name)[0]

    def place(self, name: str) -> Place | None:
        """Where the secret is taken from; raises KeyUnusable."""
        return self._found(name)[1]

    def keep(self, name: str, value: str | None) -> None:
        """Store a secret at once and whole, or forget the stored one for None; raises KeyUnusable."""
        self._write({name: value})

    @contextmanager
    def together(self) -> Iterator[Pocket]:
        """What is kept within comes into the database in one piece at the end, and not at all if anything is raised."""
        pending: dict[str, str | None] = {}

        def secret(name: str) -> str | None:
            return pending[name] if name in pending else self.secret(name)

        yield Pocket(secret, pending.__setitem__)
        self._write(pending)

    def stored(self) -> dict[str, list[str]]:
        """Names of what is in the database, by account."""
        with self._db.read() as session:
            return sealed.names(session)

    def forget(self, account: str) -> list[str]:
        """Remove everything stored for an account, readable or not; gives back the names."""
        with self._db.write() as session:
            return sealed.remove(session, account)

    def given(self, name: str) -> str | None:
        """What the environment says, where it says anything."""
        return self._environment.get(variable(name)) or None

    @property
    def key_place(self) -> str:
        """Where the key to the stored secrets lies; raises KeyUnusable where it does not."""
        return self._key.place()

    def _found(self, name: str) -> tuple[str | None, Place | None]:
        account, item = _parts(name)
        given = self.given(name)
        with self._db.read() as session:
            ciphertext = sealed.sealed(session, account, item)
        if ciphertext is None:
            return given, None if given is None else "environment"
        try:
            value, instead_of = self._open(account, item, ciphertext)
        except KeyUnusable:
            if given is None:
                raise
            return given, "environment"
        if given is None or instead_of == _digest(given):
            return value, "database"
        return given, "environment"

    def _write(self, secrets: Mapping[str, str | None]) -> None:
        rows = {_parts(name): self._seal(name, value) for name, value in secrets.items()}
        with self._db.write() as session:
            for (account, item), ciphertext in rows.items():
                sealed.seal(session, account, item, ciphertext, self._clock())

    def _seal(self, name: str, value: str | None) -> str | None:
        if value is None:
            return None
        if self._lock is None:
            self._lock = _fernet(self._key.find_or_make(in_use=bool(self.stored())))
        said = {"name": name, "value": value, "instead_of": _digest(self.given(name))}
        return self._lock.encrypt(json.dumps(said).encode()).decode()

    def _open(self, account: str, item: str, ciphertext: str) -> tuple[str, str | None]:
        if self._lock is None:
            self._lock = _fernet(self._key.find())
        try:
            said = json.loads(self._lock.decrypt(ciphertext))
        except (InvalidToken, ValueError):
            said = {}
        if said.get("name") != f"{account}/{item}":  # a row that was moved to another name is as good as none
            raise Unreadable(
                f"{account}: its stored {item} does not open with the key in {self.key_place}; put the right key "
                f"back, or: kairos accounts add {account}"
            )
        return said["value"], said["instead_of"]


def variable(name: str) -> str:
    """The variable of the environment that may hold a secret: KAIROS_MASTODON_MAIN_ACCESS_TOKEN."""
    return f"KAIROS_{re.sub('[^A-Z0-9]', '_', name.upper())}"


def _parts(name: str) -> tuple[str, str]:
    account, slash, item = name.rpartition("/")
    if not (slash and item and "/" in account):
        raise ValueError("a secret's name must read platform/account/name")
    return account, item


def _fernet(key: bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(key))


def _digest(value: str | None) -> str | None:
    return None if value is None else hashlib.sha256(value.encode()).hexdigest()
