"""Opening a database and its two ways in: one writer at a time, readers beside it; what is asked is elsewhere.

This is the only file that knows which database it is. SQLite runs in WAL mode with every commit on the disk before it
counts, and overwrites what is deleted; a write begins IMMEDIATE, so two writers never meet half-way.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, insert, inspect, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, SQLModel

from storage.errors import DatabaseBusy, DatabaseDamaged, DatabaseReadOnly, DatabaseTooNew, DiskFull, StorageError, told
from storage.models import Note
from storage.schema import HEAD, revision, upgrade

__all__ = [
    "Database",
    "DatabaseBusy",
    "DatabaseDamaged",
    "DatabaseReadOnly",
    "DatabaseTooNew",
    "DiskFull",
    "StorageError",
    "insert_missing",
    "install_id",
    "open_database",
]

INSTALL_ID = "install_id"
AT_ONCE = 1000
"""Rows handed to the driver in one go, far below any driver's limit of parameters."""

Row = TypeVar("Row", bound=SQLModel)


class Database:
    """One database. Sessions give back plain rows that stay readable after they close."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.url = engine.url.render_as_string(hide_password=True)
        self.place = _place(engine.url)
        """How messages name it: a path, or an address without its password."""
        lasting = engine.dialect.name == "postgresql"
        snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reader = engine.execution_options(kairos="read", **(snapshot if lasting else {}))
        self._writer = engine.execution_options(kairos="write")
        self._turn = threading.Lock()
        self._in_turn: int | None = None
        self._shared = isinstance(engine.pool, StaticPool)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction, committed at the end, undone if anything is raised; the only writer of this process."""
        with self._my_turn(), told(self.place), Session(self._writer, expire_on_commit=False) as session:
            session.connection()  # take the lock of the database now, not at the first statement
            yield session
            session.commit()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One consistent look, beside any writer; it cannot write."""
        if self._shared:  # a database in memory has one connection for all
            with self._my_turn(), self._look() as session:
                yield session
        else:
            with self._look() as session:
                yield session

    def scrub(self) -> None:
        """Rewrite the file so that nothing deleted can be read from it; only SQLite needs it."""
        if self.engine.dialect.name != "sqlite":
            return
        with self._my_turn(), told(self.place), self.engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.execute("PRAGMA query_only = OFF")  # a reader may have used this connection last
            driver.execute("VACUUM")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    @contextmanager
    def _look(self) -> Iterator[Session]:
        with told(self.place), Session(self._reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        if self._in_turn == threading.get_ident():
            raise RuntimeError("this thread is already writing: hand the open session on instead of opening another")
        with self._turn:
            self._in_turn = threading.get_ident()
            try:
                yield
            finally:
                self._in_turn = None


def open_database(url: str | Path, *, migrate: bool = True, busy_timeout: float = 5.0) -> Database:
    """Open, and if need be make or bring up to date, the database at this path or URL.

    `busy_timeout` is how many seconds SQLite waits for another process's write. Raises StorageError.
    """
    engine = _engine(url, busy_timeout)
    db = Database(engine)
    try:
        with told(db.place):
            _bring_up_to_date(db, migrate)
    except BaseException:
        db.close()
        raise
    return db


def install_id(session: Session) -> str:
    """The name this installation was given when its database was made."""
    note = session.get(Note, INSTALL_ID)
    if note is None:
        raise StorageError("the database has no install id: it was not made by Kairos, or by hand")
    return note.value


def insert_missing(session: Session, rows: Sequence[Row]) -> list[Row]:
    """Insert the rows that collide with no unique constraint and give back those, as stored, in the same order."""
    if not rows:
        return []
    model = type(rows[0])
    names = [column.key for column in inspect(model).column_attrs]
    values = [{name: value for name in names if (value := getattr(row, name)) is not None} for row in rows]
    statement: Any = sqlite.insert(model) if _is_sqlite(session) else postgresql.insert(model)
    statement = statement.on_conflict_do_nothing().returning(model)
    return list(session.scalars(statement, values, execution_options={"populate_existing": True}))


def _bring_up_to_date(db: Database, migrate: bool) -> None:
    with db.engine.connect() as connection:
        found = revision(connection, db.place)
    if found == HEAD:
        return
    if not migrate:
        raise StorageError(f"{db.place}: not up to date (revision {found}, expected {HEAD}); run any kairos command")
    with db.write() as session:
        connection = session.connection()
        if revision(connection, db.place) != HEAD:  # nobody else did it meanwhile
            upgrade(connection)
        if session.get(Note, INSTALL_ID) is None:
            # The database's own clock: storage has none, and nobody asks when.
            session.exec(insert(Note).values(name=INSTALL_ID, value=uuid4().hex, at=func.current_timestamp()))


def _engine(url: str | Path, busy_timeout: float) -> Engine:
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql":
        try:
            return create_engine(parsed, pool_pre_ping=True)
        except ModuleNotFoundError as error:
            raise StorageError(
                f"{_place(parsed)}: PostgreSQL needs one more package: pip install 'psycopg[binary]'"
            ) from error
    if parsed.get_backend_name() != "sqlite":
        raise StorageError(f"{_place(parsed)}: Kairos keeps its memory in SQLite or PostgreSQL only")
    in_memory = parsed.database in (None, "", ":memory:")
    if not in_memory:
        _make_room(parsed)
    engine = (
        create_engine(parsed, poolclass=StaticPool, connect_args={"check_same_thread": False})
        if in_memory
        else create_engine(parsed)
    )
    event.listen(engine, "connect", _prepare(busy_timeout))
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(busy_timeout: float) -> Any:
    def prepare(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = (
            None  # we say BEGIN ourselves: the driver would begin too late, and never IMMEDIATE
        )
        for pragma in (
            f"busy_timeout = {int(busy_timeout * 1000)}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return prepare


def _begin(connection: Connection) -> None:
    purpose = connection.get_execution_options().get("kairos")
    connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if purpose == 'read' else 'OFF'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if purpose == "write" else "BEGIN")


def _parsed(url: str | Path) -> URL:
    if isinstance(url, Path) or "://" not in url:
        return URL.create("sqlite", database=str(url))
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):  # the last for a port that is no number
        raise StorageError(f"{url.partition('://')[0]}://...: not an address of a database") from None
    except ModuleNotFoundError:
        pass  # said better where the engine is made
    return parsed


def _make_room(parsed: URL) -> None:
    """The folder, and an empty file that only its owner may read: it will hold drafts and what people wrote."""
    if parsed.query.get("uri"):
        return
    path = Path(parsed.database or "")
    if path.is_dir():
        raise StorageError(f"{path}: a folder, not a database; name a file in it")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{path}: cannot be made ({error.strerror}); check its folder and who owns it") from error


def _place(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return url.database or ":memory:"
    return url.render_as_string(hide_password=True)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
