"""What the sandbox network has accepted, kept in SQLite so that a restarted process finds it; no audience, no verbs."""

import json
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connectors.errors import Unavailable

TABLES = """
create table if not exists post (
    number integer primary key autoincrement, account text not null, key text, text text not null, kind text not null,
    at real not null, in_reply_to text, deleted integer not null default 0
);
create index if not exists by_key on post (account, key);
create index if not exists by_time on post (account, at);
create table if not exists request (account text not null, key text not null, count integer not null,
    primary key (account, key));
"""
INSERT = "insert into post (account, key, text, kind, at, in_reply_to) values (?, ?, ?, ?, ?, ?)"

NAMED = "sandbox-"


@dataclass(frozen=True)
class Entry:
    """An accepted post and its number in the ledger."""

    number: int
    account: str
    text: str
    kind: str
    at: datetime
    in_reply_to: str | None

    @property
    def name(self) -> str:
        """Its name on the network: of a form that no imported history uses, so that the two never meet."""
        return f"{NAMED}{self.number}"


def number_of(name: str) -> int | None:
    """The number in a name this network gives to posts; None for any other name."""
    number = name.removeprefix(NAMED)
    fits = name.startswith(NAMED) and number.isascii() and number.isdecimal() and len(number) <= 18
    return int(number) if fits else None


class Ledger:
    """Accepted posts of all accounts; each write is committed before it returns. In memory when `path` is None.

    Safe to use from many threads, and through one path from many processes. Raises Unavailable where its file cannot
    be used; nothing is written then.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._place = str(path) if path is not None else ":memory:"
        with self._told():
            if path is not None:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self._place, check_same_thread=False, isolation_level=None, timeout=10)
            weakref.finalize(self, self._connection.close)
            # Outlives a killed process, not a power cut: what is simulated is not worth a wait for the disk.
            self._connection.executescript(f"pragma journal_mode=wal; pragma synchronous=normal; {TABLES}")

    def request(self, account: str, key: str) -> int:
        """Count one write request; gives back how many carried this key so far, this one included."""
        with self._turn():
            row = self._connection.execute(
                "insert into request values (?, ?, 1) on conflict (account, key) do update set count = count + 1 "
                "returning count",
                (account, key),
            ).fetchone()
        return int(row[0])

    def requests(self, account: str, key: str) -> int:
        """How many write requests carried this key."""
        with self._turn():
            row = self._connection.execute(
                "select count from request where account = ? and key = ?", (account, key)
            ).fetchone()
        return int(row[0]) if row else 0

    def write(
        self, account: str, key: str | None, text: str, kind: str, at: datetime, reply_to: str | None, *, once: bool
    ) -> Entry:
        """Accept a post; with `once`, a key that was accepted before gives back that post."""
        with self._turn(writing=True):
            if once and key is not None:
                known = self._rows("account = ? and key = ?", account, key)
                if known:
                    return _entry(known[0])
            made = self._connection.execute(INSERT, (account, key, text, kind, at.timestamp(), reply_to))
            return _entry(self._rows("number = ?", made.lastrowid)[0])

    def fill(self, account: str, posts: Iterable[tuple[datetime, str, str]]) -> None:
        """Accept many posts without a key in one go: (when, text, kind)."""
        with self._turn(writing=True):
            rows = ((account, None, text, kind, at.timestamp(), None) for at, text, kind in posts)
            self._connection.executemany(INSERT, rows)

    def posts(self, account: str, since: datetime | None, until: datetime) -> list[Entry]:
        """Posts of an account that were not deleted, from `since` to `until`, both included, oldest first."""
        first = since.timestamp() if since is not None else float("-inf")
        return self._found("account = ? and at >= ? and at <= ? and not deleted", account, first, until.timestamp())

    def ever(self, account: str, since: datetime, before: datetime) -> list[Entry]:
        """Posts of an account in [since, before), deleted ones too, oldest first: who read them has read them."""
        return self._found("account = ? and at >= ? and at < ?", account, since.timestamp(), before.timestamp())

    def named(self, account: str, numbers: Iterable[int]) -> list[Entry]:
        """Those of an account's posts with these numbers that were not deleted, oldest first."""
        listed = json.dumps(list(numbers))
        return self._found(
            "account = ? and number in (select value from json_each(?)) and not deleted", account, listed
        )

    def alike(self, account: str, text: str, reply_to: str | None, since: datetime) -> list[Entry]:
        """Posts of an account since then with exactly this text, under the same text, oldest first."""
        same = "account = ? and at >= ? and text = ? and in_reply_to is ? and not deleted"
        return self._found(same, account, since.timestamp(), text, reply_to)

    def delete(self, account: str, number: int) -> None:
        """Take a post away; nothing happens when it is gone already."""
        with self._turn():
            self._connection.execute("update post set deleted = 1 where account = ? and number = ?", (account, number))

    def _found(self, where: str, *values: object) -> list[Entry]:
        with self._turn():
            return [_entry(row) for row in self._rows(where, *values)]

    def _rows(self, where: str, *values: object) -> list[tuple[int, str, str, str, float, str | None]]:
        query = f"select number, account, text, kind, at, in_reply_to from post where {where} order by at, number"  # noqa: S608
        return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _turn(self, *, writing: bool = False) -> Iterator[None]:
        with self._lock, self._told():
            if not writing:
                yield
                return
            self._connection.execute("begin immediate")  # another process must not accept the same key meanwhile
            with self._connection:
                yield

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(f"sandbox: its file {self._place} cannot be used: {error}") from error


def _entry(row: tuple[int, str, str, str, float, str | None]) -> Entry:
    number, account, text, kind, at, reply_to = row
    return Entry(number, account, text, kind, datetime.fromtimestamp(at, UTC), reply_to)
