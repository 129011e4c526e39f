"""Keys of this installation: made once, kept in the system's keyring or a file of the owner's; not what they lock."""

import base64
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

SIZE = 32
"""Bytes of a key."""
SERVICE = "kairos"
"""Under which name the key lies in the system's keyring."""
FOR_OTHERS = 0o077


class KeyUnusable(Exception):
    """A key is not there, or may not be used as it is; the words say which and how to mend it."""


class Locked(KeyUnusable):
    """The system's keyring does not open: a key may lie in it."""


class Keyring(Protocol):
    """What is asked of the system's keyring; it may raise anything where it is locked or broken."""

    def get_password(self, service: str, username: str) -> str | None:
        """What is kept there, or None."""
        ...

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it there."""
        ...


def system_keyring() -> Keyring | None:
    """The keyring of this system, or None where there is none."""
    import keyring

    ring = keyring.get_keyring()
    return ring if ring.priority > 0 else None


class SealingKey:
    """The key that locks the secrets of accounts: in the system's keyring where one works, else in a file.

    It is told apart from other installations' by `install`. A file, once there, is what counts.
    """

    def __init__(self, folder: Path, install: str, ring: Callable[[], Keyring | None] = system_keyring) -> None:
        self.file = folder / "secrets.key"
        self._install, self._ring = install, ring

    def place(self) -> str:
        """Where it lies, for a person; raises KeyUnusable where it lies nowhere."""
        self.find()
        return str(self.file) if self.file.exists() else "the system's keyring"

    def find(self) -> bytes:
        """The key; raises KeyUnusable where it is not there, not whole, or open to others."""
        if self.file.exists():
            if self.file.stat().st_mode & FOR_OTHERS:
                raise KeyUnusable(f"{self.file}: other users may read this key; chmod 600 {self.file}")
            return _whole(self.file.read_bytes(), str(self.file))
        try:
            ring = self._ring()
            kept = None if ring is None else ring.get_password(SERVICE, self._install)
        except Exception as error:  # each keyring raises errors of its own
            raise Locked(
                "the system's keyring, in which the key to stored secrets may lie, does not open "
                f"({type(error).__name__}); unlock it and try again"
            ) from None
        if kept is None:
            raise KeyUnusable(
                f"the key to the stored secrets is lost: it is neither in the system's keyring nor in {self.file}; "
                "put it back, or connect each account anew with `kairos accounts add`"
            )
        with suppress(ValueError):
            return _whole(base64.b64decode(kept, validate=True), "the system's keyring")
        raise KeyUnusable(f"the system's keyring: what lies under {SERVICE} is no key of Kairos")

    def find_or_make(self, *, in_use: bool) -> bytes:
        """The key, made if it is not there; where it is `in_use`, never while a locked keyring may still hold it."""
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(self.file.parent):
            try:
                return self.find()
            except Locked:
                if in_use:
                    raise
            except KeyUnusable:
                if self.file.exists():
                    raise
            made = secrets.token_bytes(SIZE)
            return made if self._put_into_ring(made) else key_file(self.file)

    def _put_into_ring(self, key: bytes) -> bool:
        """Whether it is there now: some keyrings take everything and keep nothing."""
        text = base64.b64encode(key).decode()
        try:
            ring = self._ring()
            if ring is None:
                return False
            ring.set_password(SERVICE, self._install, text)
            return ring.get_password(SERVICE, self._install) == text
        except Exception:
            return False


def key_file(path: Path) -> bytes:
    """The key in this file, made at first use, readable by the owner alone."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = path.with_suffix(f".{os.getpid()}")
        made.touch(mode=0o600)
        made.write_bytes(secrets.token_bytes(SIZE))
        try:
            os.link(made, path)  # never over a key that another process has just made
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_bytes()


def _whole(key: bytes, where: str) -> bytes:
    if len(key) != SIZE:
        raise KeyUnusable(f"{where}: {len(key)} bytes, a key has {SIZE}; put the right one back")
    return key


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time: two that each made a key would lock secrets the other cannot open."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
