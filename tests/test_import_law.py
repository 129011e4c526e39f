"""The law of imports: bot -> scheduler -> {connectors, storage}, and each vendor's SDK only in its home."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("bot", "scheduler", "connectors", "storage")
MAY_IMPORT = {
    "bot": {"bot", "scheduler", "connectors", "storage"},
    "scheduler": {"scheduler", "connectors", "storage"},
    "connectors": {"connectors"},
    "storage": {"storage"},
}
HOMES = {
    "tweepy": ("connectors/x/",),
    "praw": ("connectors/reddit/",),
    "prawcore": ("connectors/reddit/",),
    "atproto": ("connectors/bluesky/",),
    "atproto_client": ("connectors/bluesky/",),
    "atproto_core": ("connectors/bluesky/",),
    "atproto_server": ("connectors/bluesky/",),
    "libipld": ("connectors/bluesky/",),
    "mastodon": ("connectors/mastodon/",),
    "apscheduler": ("scheduler/runner.py",),
    "procrastinate": ("scheduler/cluster.py",),
    "torch": ("bot/attention/", "bot/replies/drafter.py"),
    "transformers": ("bot/attention/", "bot/replies/drafter.py"),
    "sqlalchemy": ("storage/",),
    "alembic": ("storage/",),
    "typer": ("bot/cli/",),
    "cryptography": ("bot/secrets.py",),
    "keyring": ("bot/keys.py",),
}


def sources() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are written in full"
            yield node.lineno, node.module or ""


def breaches(path: Path, place: str) -> list[str]:
    room = place.split("/")[0]
    found = []
    for line, name in imported(path):
        top = name.split(".")[0]
        if top in ROOMS and top not in MAY_IMPORT[room]:
            found.append(f"{place}:{line}: {room} may not import {name}")
        if top in HOMES and not place.startswith(HOMES[top]):
            found.append(f"{place}:{line}: {top} is imported only in {' and '.join(HOMES[top])}")
    return found


def test_every_room_keeps_the_law_of_imports() -> None:
    found = [breach for path in sources() for breach in breaches(path, path.relative_to(ROOT).as_posix())]
    assert found == []


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("storage/outbox.py", "import connectors.base"),
        ("connectors/sandbox.py", "from storage import models"),
        ("scheduler/deliver.py", "from bot.policy import base"),
        ("bot/app.py", "import tweepy"),
        ("bot/planner/plan.py", "import torch"),
        ("bot/insights/lift.py", "from sqlalchemy import select"),
        ("scheduler/deliver.py", "from apscheduler.schedulers import background"),
    ],
)
def test_a_breach_of_the_law_is_seen(tmp_path: Path, place: str, code: str) -> None:
    file = tmp_path / "planted.py"
    file.write_text(code)
    assert breaches(file, place)


def test_only_the_clock_reads_the_time() -> None:
    readers = []
    for path in sources():
        place = path.relative_to(ROOT).as_posix()
        if place == "scheduler/clock.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            reads = isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
            if reads and isinstance(node.value, ast.Name) and node.value.id in {"datetime", "date"}:
                readers.append(f"{place}:{node.lineno}")
    assert readers == []


def test_every_module_opens_with_a_sentence() -> None:
    silent = [str(path) for path in sources() if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert silent == []


def test_the_command_line_starts_without_heavy_imports() -> None:
    heavy = ("torch", "transformers", "sqlmodel", "sqlalchemy", "matplotlib", "lightgbm", "sklearn", "scipy", "numpy")
    code = f"import sys, bot.cli; print([m for m in {heavy!r} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert shown.stdout.strip() == "[]"


def test_the_rooms_that_are_imported_are_ours() -> None:
    for room in ROOMS:
        module = __import__(room)
        assert Path(str(module.__file__)).parent == ROOT / room
