"""Which version a database is of, and bringing an older one up to date; the steps themselves are in migrations/."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from storage.errors import DatabaseTooNew, StorageError

STEPS = Path(__file__).parent / "migrations"
VERSION_TABLE = "kairos_version"
KNOWN = tuple(sorted(file.stem.partition("_")[0] for file in (STEPS / "versions").glob("[0-9]*_*.py")))
"""Every revision, oldest first: by our custom the file of revision 0001 is called 0001_what_it_does.py."""
HEAD = KNOWN[-1]


def revision(connection: Connection, place: str) -> str | None:
    """The revision a database is of, None for an empty one; raises StorageError for one that is not ours to touch."""
    tables = inspect(connection).get_table_names()
    if VERSION_TABLE not in tables:
        if tables and connection.dialect.name == "sqlite":
            raise StorageError(f"{place}: a database, but not one of Kairos; name another file")
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
    if found is not None and found not in KNOWN:
        raise DatabaseTooNew(f"{place}: made by a newer Kairos (revision {found}); upgrade Kairos or restore a backup")
    return found


def upgrade(connection: Connection) -> None:
    """Bring the database to the newest revision, within the caller's transaction."""
    # Loaded only here: most starts find the database up to date, and Alembic is slow to load.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(STEPS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
