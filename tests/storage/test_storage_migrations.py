"""Migrations: the steps lead to exactly the tables of the code, whichever kind of database they are taken in."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlmodel import SQLModel

from storage import models, schema
from storage.database import Database, open_database

OURS = {
    table.__table__.name  # type: ignore[attr-defined]
    for table in vars(models).values()
    if isinstance(table, type) and issubclass(table, SQLModel) and table is not SQLModel
}


def test_the_migrated_tables_are_those_of_the_code(db: Database) -> None:
    with db.read() as session:
        context = MigrationContext.configure(
            session.connection(), opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        found = set(inspect(session.connection()).get_table_names())
        assert compare_metadata(context, SQLModel.metadata) == []
    assert found == OURS | {schema.VERSION_TABLE}


def test_the_comparison_would_see_a_forgotten_column_and_a_forgotten_index(tmp_path: Path) -> None:
    db = open_database(tmp_path / "kairos.db")
    with db.write() as session:
        session.connection().execute(text("DROP INDEX due"))
        session.connection().execute(text("ALTER TABLE account DROP COLUMN paused_reason"))
        context = MigrationContext.configure(session.connection(), opts={"version_table": schema.VERSION_TABLE})
        differences = [difference[0] for difference in compare_metadata(context, SQLModel.metadata)]
    assert sorted(differences) == ["add_column", "add_index"]
    db.close()


def test_every_step_is_known_by_its_file_and_they_stand_in_one_line() -> None:
    steps = ScriptDirectory(str(schema.STEPS))
    assert [step.revision for step in steps.walk_revisions()] == list(reversed(schema.KNOWN))
    assert steps.get_heads() == [schema.HEAD]


def test_ids_of_posts_and_mentions_are_never_given_twice(tmp_path: Path) -> None:
    db = open_database(tmp_path / "kairos.db")
    with db.read() as session:
        made = session.connection().execute(text("SELECT name, sql FROM sqlite_master")).all()
    assert {name for name, sql in made if "AUTOINCREMENT" in (sql or "")} == {"outbox", "mention"}
    db.close()
