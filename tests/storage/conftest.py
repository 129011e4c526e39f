"""A database of each kind, empty but for its tables, and rows that are complete but for what a test is about."""

import itertools
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlmodel import SQLModel

from storage import engagement, outbox
from storage.database import Database, open_database
from storage.models import Decision, Inbound, Post, Refusal

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ACCOUNT = "fake/main"
SERVER = os.environ.get("KAIROS_TEST_POSTGRES")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a database with empty tables, made for this run on the server of KAIROS_TEST_POSTGRES."""
    if not SERVER:
        pytest.skip("no PostgreSQL server is named in KAIROS_TEST_POSTGRES")
    name = f"kairos_test_{uuid4().hex[:12]}"
    engine = create_engine(make_url(SERVER), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    made = make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    open_database(made).close()
    yield made
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"] if SERVER else ["sqlite"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where an empty database is: of SQLite, and where a server is named of PostgreSQL too."""
    if request.param == "sqlite":
        yield str(shutil.copy(request.getfixturevalue("empty"), tmp_path))
        return
    made = request.getfixturevalue("server")
    yield made
    engine = create_engine(make_url(made))
    with engine.begin() as connection:
        for table in reversed(SQLModel.metadata.sorted_tables):
            kept = " WHERE name <> 'install_id'" if table.name == "note" else ""
            connection.execute(text(f'DELETE FROM "{table.name}"{kept}'))
    engine.dispose()


@pytest.fixture
def db(address: str) -> Iterator[Database]:
    """An empty database, of each kind in turn."""
    opened = open_database(address, migrate=False)
    yield opened
    opened.close()


class Rows:
    """Rows nobody else has, complete and due at noon; keywords say what is different about them."""

    def __init__(self) -> None:
        self._count = itertools.count()

    def post(self, **changes: Any) -> Post:
        number = next(self._count)
        draft = changes.pop("draft", None) or {"text": changes.pop("text", f"post {number}"), "kind": "text"}
        slot = changes.get("slot_at", NOON)
        plain: dict[str, Any] = {
            "account": ACCOUNT,
            "campaign": "launch",
            "item": f"item{number}",
            "local_slot": f"{slot:%Y-%m-%dT%H:%M}",
            "slot_at": slot,
            "not_before": slot,
            "draft": draft,
            "digest": outbox.digest_of(draft),
            "key": f"key{number}",
            "created_at": NOON - timedelta(days=1),
            "updated_at": NOON - timedelta(days=1),
        }
        return Post(**plain | changes)

    def mention(self, **changes: Any) -> Inbound:
        number = next(self._count)
        plain: dict[str, Any] = {
            "account": ACCOUNT,
            "ref": f"m{number}",
            "author_hash": "ann",
            "author": "@ann",
            "text": f"question {number}",
            "address": "mention",
            "created_at": NOON,
            "seen_at": NOON,
        }
        return Inbound(**plain | changes)

    def decision(self, **changes: Any) -> Decision:
        plain: dict[str, Any] = {
            "at": NOON,
            "account": ACCOUNT,
            "campaign": "launch",
            "item": "hello",
            "model": "plain-1",
            "seed": 7,
            "propensity": 0.5,
            "chosen": 0,
            "candidates": [{"text": "hello"}],
            "reason": "the best of one",
        }
        return Decision(**plain | changes)

    def refusal(self, **changes: Any) -> Refusal:
        plain: dict[str, Any] = {
            "at": NOON,
            "account": ACCOUNT,
            "rule": "P2",
            "source": "rules",
            "words": "no",
            "stage": "plan",
        }
        return Refusal(**plain | changes)

    def past(self, ref: str, **changes: Any) -> engagement.HistoryRow:
        plain: dict[str, Any] = {
            "ref": ref,
            "text": f"past {ref}",
            "kind": "text",
            "created_at": NOON - timedelta(days=40),
        }
        return engagement.HistoryRow(**plain | changes)


@pytest.fixture
def rows() -> Rows:
    """A maker of rows."""
    return Rows()
