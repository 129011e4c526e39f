"""What storage says when it cannot go on: one clear line for a person; drivers' own errors end here."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, IntegrityError, InterfaceError, StatementError


class StorageError(Exception):
    """The database cannot be used; the words say what, where, and how to mend it."""


class DatabaseTooNew(StorageError):
    """A newer version of Kairos made it."""


class DatabaseBusy(StorageError):
    """Another process keeps it locked."""


class DatabaseReadOnly(StorageError):
    """It can be read but not written."""


class DatabaseDamaged(StorageError):
    """It is no database, or no longer one."""


class DiskFull(StorageError):
    """There is no room left to write; what was being written is undone."""


_SQLITE: dict[str, tuple[type[StorageError], str]] = {
    "SQLITE_FULL": (DiskFull, "the disk is full; make room, then try again (nothing was half-written)"),
    "SQLITE_BUSY": (DatabaseBusy, "another process is writing to it; end that one, or try again later"),
    "SQLITE_LOCKED": (DatabaseBusy, "it is locked; try again later"),
    "SQLITE_READONLY": (DatabaseReadOnly, "it cannot be written to; check who owns the file and its folder"),
    "SQLITE_PERM": (DatabaseReadOnly, "it may not be opened; check who owns the file and its folder"),
    "SQLITE_CORRUPT": (DatabaseDamaged, "the file is damaged; move it away and restore a backup"),
    "SQLITE_NOTADB": (DatabaseDamaged, "the file is not a database; name another file, or restore a backup"),
    "SQLITE_CANTOPEN": (StorageError, "it cannot be opened; check that its folder exists and may be written to"),
    "SQLITE_IOERR": (StorageError, "the disk does not answer as it should; check its health and the room left on it"),
}
"""SQLite's primary result codes by name; its extended ones begin with them."""

_POSTGRES: dict[str, tuple[type[StorageError], str]] = {
    "53100": (DiskFull, "the server's disk is full; make room, then try again (nothing was half-written)"),
    "25006": (DatabaseReadOnly, "it cannot be written to: the server or this session is read-only"),
    "55P03": (DatabaseBusy, "another process keeps a row locked; try again later"),
    "40P01": (DatabaseBusy, "two processes waited for each other; try again"),
}
"""PostgreSQL's SQLSTATE codes."""


@contextmanager
def told(place: str) -> Iterator[None]:
    """Turn what a driver raises about the database at `place` into a StorageError.

    A violated constraint and a statement that is wrong in itself are defects of the code and pass through; so does the
    ValueError of a naive datetime, freed of its wrapping.
    """
    try:
        yield
    except IntegrityError:
        raise
    except (DatabaseError, InterfaceError) as error:
        named = _named(place, error.orig)
        if named is None:
            raise
        raise named from error
    except StatementError as error:
        if isinstance(error.orig, ValueError):
            raise error.orig from None
        raise
    except sqlite3.DatabaseError as error:
        named = _named(place, error)
        if named is None:
            raise
        raise named from error


def _named(place: str, error: BaseException | None) -> StorageError | None:
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorname", "")
        for name, (kind, words) in _SQLITE.items():
            if code == name or code.startswith(f"{name}_"):
                return kind(f"{place}: {words}")
        return None
    state = getattr(error, "sqlstate", None)
    if state in _POSTGRES:
        kind, words = _POSTGRES[state]
        return kind(f"{place}: {words}")
    if state is None or state.startswith(("08", "28", "3D", "57P")):
        reason = " ".join(str(error).split())
        return StorageError(f"{place}: the server does not serve us: {reason}")
    return None
