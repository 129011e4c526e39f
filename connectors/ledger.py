"""What the sandbox network has accepted, kept in SQLite so that a restarted process finds it; no audience, no verbs."""

import sqlite3
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

TABLES = """
create table if not exists post (
    number integer primary key autoincrement, account text not null, key text, text text not null, kind text not null,
    at real not null, in_reply_to text, deleted integer not null default 0
);
create index if not exists by_key on post (account, key);
create table if not exists request (account text not null, key text not null, count integer not null,
    primary key (account, key));
"""


@dataclass(frozen=True)
class Entry:
    """An accepted post; `number` is its name on the network."""

    number: int
    account: str
    text: str
    kind: str
    at: datetime
    in_reply_to: str | None


class Ledger:
    """Accepted posts of all accounts; each write is committed before it returns. In memory when `path` is None."""

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            str(path) if path is not None else ":memory:", check_same_thread=False, isolation_level=None, timeout=10
        )
        if path is not None:
            self._connection.execute("pragma journal_mode=wal")
        self._connection.executescript(TABLES)

    def request(self, account: str, key: str) -> None:
        """Count one write request."""
        with self._lock:
            self._connection.execute(
                "insert into request values (?, ?, 1) on conflict (account, key) do update set count = count + 1",
                (account, key),
            )

    def requests(self, account: str, key: str) -> int:
        """How many write requests carried this key."""
        with self._lock:
            row = self._connection.execute(
                "select count from request where account = ? and key = ?", (account, key)
            ).fetchone()
        return int(row[0]) if row else 0

    def write(
        self, account: str, key: str | None, text: str, kind: str, at: datetime, reply_to: str | None, *, once: bool
    ) -> Entry:
        """Accept a post; with `once`, a key that was accepted before gives back that post."""
        with self._lock:
            if once and key is not None:
                row = self._connection.execute(
                    "select * from post where account = ? and key = ?", (account, key)
                ).fetchone()
                if row is not None:
                    return _entry(row)
            cursor = self._connection.execute(
                "insert into post (account, key, text, kind, at, in_reply_to) values (?, ?, ?, ?, ?, ?)",
                (account, key, text, kind, at.timestamp(), reply_to),
            )
            row = self._connection.execute("select * from post where number = ?", (cursor.lastrowid,)).fetchone()
        return _entry(row)

    def posts(self, account: str) -> list[Entry]:
        """Posts of an account that were not deleted, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "select * from post where account = ? and deleted = 0 order by at, number", (account,)
            ).fetchall()
        return [_entry(row) for row in rows]

    def delete(self, account: str, number: int) -> None:
        """Take a post away; nothing happens when it is gone already."""
        with self._lock:
            self._connection.execute("update post set deleted = 1 where account = ? and number = ?", (account, number))


def _entry(row: tuple[int, str, str, str, str, float, str | None, int]) -> Entry:
    number, account, _, text, kind, at, reply_to, _ = row
    return Entry(number, account, text, kind, datetime.fromtimestamp(at, UTC), reply_to)
