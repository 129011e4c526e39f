"""Opens a database: one writer at a time, durable commits, migrated to the newest tables; no questions are asked here."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util.exc import CommandError
from sqlalchemy import Engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, SQLAlchemyError
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, create_engine

BUSY_MS = 5000
"""How long a connection waits for another process's write."""


class StorageError(Exception):
    """The database cannot do what was asked; one line for a person: what, where, how to mend."""


class DatabaseTooNew(StorageError):
    """The database was made by a newer Kairos."""


class DatabaseBusy(StorageError):
    """Another process holds the database."""


class DiskFull(StorageError):
    """There is no room left; nothing was half-written."""


class Database:
    """One database: `write` is a transaction of its own, one at a time; `read` sees a consistent state."""

    def __init__(self, url: str, engine: Engine) -> None:
        self.url = url
        self.engine = engine
        self._writing = threading.RLock()
        # Threads share the one connection of an in-memory database: reading must then wait its turn as well.
        self._reading = self._writing if isinstance(engine.pool, StaticPool) else None

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back on any error. Raises StorageError."""
        with self._writing, self._session("immediate") as session:
            session.connection()
            yield session
            session.commit()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view that never writes. Raises StorageError."""
        if self._reading is None:
            with self._session("deferred") as session:
                yield session
        else:
            with self._reading, self._session("deferred") as session:
                yield session

    @contextmanager
    def _session(self, begin: str) -> Iterator[Session]:
        engine = self.engine.execution_options(begin=begin)
        with Session(engine, expire_on_commit=False) as session:
            try:
                yield session
            except DatabaseError as error:
                session.rollback()
                raise translated(error, self.url) from error
            except BaseException:
                session.rollback()
                raise

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def open_database(url: str | Path, *, migrate: bool = True) -> Database:
    """Open, create or upgrade the database at a URL or path ("sqlite://" keeps it in memory). Raises StorageError."""
    where = f"sqlite:///{url}" if isinstance(url, Path) else url
    try:
        parsed = make_url(where)
    except ArgumentError:
        raise StorageError(f"{where.split('@')[-1]}: not a database URL; try sqlite:///kairos.db") from None
    shown = parsed.render_as_string(hide_password=True)
    engine = _sqlite(where, parsed.database) if parsed.get_backend_name() == "sqlite" else create_engine(where)
    db = Database(shown, engine)
    try:
        if migrate:
            _migrate(db)
    except SQLAlchemyError as error:
        db.close()
        raise translated(error, shown) from error
    except StorageError:
        db.close()
        raise
    return db


def translated(error: SQLAlchemyError, url: str) -> StorageError:
    """The error in one line for a person; the statement and its parameters, which may hold texts, are left out."""
    cause = str(getattr(error, "orig", error)).strip().splitlines()[0].lower()
    if "full" in cause or "no space" in cause:
        return DiskFull(f"{url}: the disk is full; nothing was half-written: make room and run the command again")
    if "locked" in cause or "busy" in cause:
        return DatabaseBusy(f"{url}: another process is writing to it; end the other `kairos run` or wait")
    if "not a database" in cause or "malformed" in cause:
        return StorageError(f"{url}: not a Kairos database, or damaged; restore a backup or move the file away")
    if "readonly" in cause or "read-only" in cause:
        return StorageError(f"{url}: may not be written to; check the file's owner and permissions")
    if "unable to open" in cause:
        return StorageError(f"{url}: cannot be opened; check that the folder exists and may be written to")
    return StorageError(f"{url}: {type(error).__name__}: {cause}")


def _sqlite(url: str, path: str | None) -> Engine:
    if path in (None, "", ":memory:"):
        engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        file = Path(str(path))
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{file.parent}: cannot make this folder: {error.strerror}") from None
        if file.is_dir():
            raise StorageError(f"{file}: is a folder, not a database file")
        engine = create_engine(url, connect_args={"timeout": BUSY_MS / 1000})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        how = connection.get_execution_options().get("begin", "deferred")
        connection.exec_driver_sql(f"BEGIN {how.upper()}")

    return engine


def _configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _migrate(db: Database) -> None:
    """Bring the tables to the newest revision, in one transaction where the database can."""
    config = _configuration()
    scripts = ScriptDirectory.from_config(config)
    with db.engine.execution_options(begin="immediate").connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current != scripts.get_current_head():
            try:
                scripts.get_revision(current)
            except (CommandError, ResolutionError):
                raise DatabaseTooNew(
                    f"{db.url}: made by a newer Kairos (revision {current}); upgrade Kairos or restore a backup"
                ) from None
        if current != scripts.get_current_head():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        connection.commit()
