"""A folder with Kairos in it: `kairos` calls the real command in this process, `shell` in a process of its own."""

import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from bot.app import SANDBOX_CLOCK
from bot.cli import main
from storage.database import Database, open_database
from storage.models import Post
from storage.notes import set_note

ROOT = Path(__file__).parent.parent.parent
TEXTS = {"seeds": "Sow your peas now.", "tools": "Clean the spade.", "water": "Water in the morning, not at noon."}
COMMAND = "from bot.cli import main; main()"
AS_USUAL = {"PYTHONUNBUFFERED": "", "PYTHONIOENCODING": ""}
"""What a machine that runs tests may have set, and people have not."""
CAMPAIGN = """\
version: 1
name: garden
accounts: [sandbox/main]
timezone: Europe/Berlin
mode: {mode}
when: {{posts_per_week: 7, holdout: 0%, spacing: 4h}}
posts:
"""
RULES = """\
replies:
  rules:
    - {intent: price, examples: ["how much is it", "what does it cost", "is it free"], answer: "Nothing at all."}
"""


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Its stdout as JSON; nothing else may be there."""
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """Its stderr, which is one line."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


def call(home: Path, *arguments: object, **more: str) -> Ran:
    """`kairos` with these arguments by somebody who stands in `home`, in this process; `more` is the environment's."""
    out, err = io.StringIO(), io.StringIO()
    former, hooks = signal.getsignal(signal.SIGINT), (sys.excepthook, sys.unraisablehook)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.delenv("KAIROS_DATABASE_URL", raising=False)
        for name, value in {**surroundings(home), **more}.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["kairos", *map(str, arguments)])
        try:
            with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as end:
                main()
        finally:
            signal.signal(signal.SIGINT, former)
            sys.excepthook, sys.unraisablehook = hooks
    assert "Traceback" not in err.getvalue()
    assert isinstance(end.value.code, int)
    return Ran(end.value.code, out.getvalue(), err.getvalue())


def surroundings(home: Path) -> dict[str, str]:
    """Environment variables for Kairos out of this checkout, at home there."""
    return {
        "KAIROS_HOME": str(home / ".kairos"),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "100",
        **AS_USUAL,
    }


class World:
    """One of the worlds in a folder, looked at from behind: its database and the simulated network's own books."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def database(self) -> Iterator[Database]:
        db = open_database(self.folder / "kairos.db")
        try:
            yield db
        finally:
            db.close()

    def posts(self, kind: str = "post") -> list[Post]:
        with self.database() as db, db.read() as session:
            return list(session.exec(select(Post).where(Post.kind == kind).order_by(col(Post.id))).all())

    def states(self) -> dict[str, str]:
        """State of each item's last row."""
        return {post.item: str(post.state) for post in self.posts()}

    def change(self, what: Callable[[Session], object]) -> None:
        with self.database() as db, db.write() as session:
            what(session)

    def set_clock(self, moment: datetime) -> None:
        """Where the next rehearsal begins."""
        self.change(lambda session: set_note(session, SANDBOX_CLOCK, moment.isoformat(), moment))

    def public(self) -> list[str]:
        """Every text the network has accepted, answers included, however often."""
        return accepted(self.folder / "sandbox.db")


def accepted(books: Path) -> list[str]:
    """Every text the simulated network has accepted, in order."""
    if not books.exists():
        return []
    with closing(sqlite3.connect(books)) as connection, suppress(sqlite3.OperationalError):  # not made yet
        return [text for (text,) in connection.execute("select text from post order by number")]
    return []


@pytest.fixture
def public() -> Callable[[Path], list[str]]:
    """Reads the books of a simulated network."""
    return accepted


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """Ctrl-C does what it does at a terminal; where pytest runs in the background it is ignored, by children too."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty folder to stand in; Kairos keeps its things in `.kairos` there."""
    return tmp_path


@pytest.fixture
def kairos(home: Path) -> Callable[..., Ran]:
    """The command `kairos` with these arguments, in `home`."""
    return lambda *arguments, **more: call(home, *arguments, **more)


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """A running process of the command, killed at the end; keyword arguments are environment variables.

    Its output goes to a pipe each, or to the open files `out` and `err`.
    """
    running = []
    pipe = subprocess.PIPE

    def begin(*arguments: object, code: str = COMMAND, out: int = pipe, err: int = pipe, **more: str) -> Any:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            cwd=home,
            env={**os.environ, **surroundings(home), **more},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            text=True,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def shell(start: Callable[..., "subprocess.Popen[str]"]) -> Callable[..., Ran]:
    """The command in a process of its own, to its end."""

    def run(*arguments: object, **more: str) -> Ran:
        process = start(*arguments, **more)
        out, err = process.communicate(timeout=120)
        assert "Traceback" not in err
        return Ran(process.returncode, out, err)

    return run


def campaign_in(home: Path, mode: str = "auto", more: str = "", name: str = "garden.yaml", **texts: str) -> Path:
    """Write a campaign of these posts by id (three by default) in this mode, with these lines after it."""
    file = home / name
    posts = "".join(f"  - {{id: {item}, text: {json.dumps(text)}}}\n" for item, text in (texts or TEXTS).items())
    file.write_text(CAMPAIGN.format(mode=mode) + posts + more, encoding="utf-8")
    return file


@pytest.fixture
def campaign(home: Path) -> Callable[..., Path]:
    """Writes a campaign file."""
    return lambda *arguments, **more: campaign_in(home, *arguments, **more)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with all tables, to be copied: making one takes longer than most tests."""
    file = tmp_path_factory.mktemp("empty") / "kairos.db"
    open_database(file).close()
    return file


@pytest.fixture
def dry(home: Path, empty: Path) -> World:
    """The rehearsal's world; both worlds have an empty database."""
    for folder in (home / ".kairos", home / ".kairos" / "dry"):
        folder.mkdir(mode=0o700)
        shutil.copy(empty, folder)
    return World(home / ".kairos" / "dry")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which simulated people have asked what no rule answers."""
    home = tmp_path_factory.mktemp("asked")
    campaign_in(home, "approve", RULES)
    ran = call(home, "run", "garden.yaml", "--baseline")
    assert ran.code == 0, ran.err
    return home


@pytest.fixture
def heard(home: Path, asked: Path) -> World:
    """The same in `home`."""
    return moved_in(asked, home)


@pytest.fixture
def world_in() -> Callable[[Path], World]:
    """The rehearsal's world in a home."""
    return lambda home: World(home / ".kairos" / "dry")


@pytest.fixture(scope="session")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a rehearsal stands at the first post, which waits for a person as two more do."""
    home = tmp_path_factory.mktemp("waiting")
    campaign_in(home, "approve")
    ran = call(home, "run", "garden.yaml", "--baseline")
    assert ran.code == 0, ran.err
    return home


@pytest.fixture
def held(home: Path, waiting: Path) -> World:
    """The same in `home`."""
    return moved_in(waiting, home)


def moved_in(former: Path, home: Path) -> World:
    """The rehearsal's world in `home`, as it stands in another."""
    shutil.copytree(former, home, dirs_exist_ok=True)
    return World(home / ".kairos" / "dry")
