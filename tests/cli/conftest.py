"""A folder with Kairos in it: `kairos` calls the real command in this process, `shell` starts a real process."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from storage.database import open_database

ROOT = Path(__file__).parent.parent.parent
COMMAND = (sys.executable, "-c", "from bot.cli import main; main()")
CAMPAIGN = """\
version: 1
name: garden
accounts: [sandbox/main]
timezone: Europe/Berlin
mode: {mode}
when: {{posts_per_week: 7, holdout: 0%, spacing: 4h}}
posts:
  - {{id: seeds, text: "Sow peas now."}}
  - {{id: tools, text: "Clean your spade."}}
  - {{id: water, text: "Water in the morning."}}
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


Kairos = Callable[..., Ran]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in; Kairos keeps its things in `.kairos` there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KAIROS_HOME", str(tmp_path / ".kairos"))
    for name in ("KAIROS_DATABASE_URL", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with all tables, to be copied: making one takes longer than most tests."""
    file = tmp_path_factory.mktemp("empty") / "kairos.db"
    open_database(file).close()
    return file


@pytest.fixture
def kairos(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Kairos]:
    """The command `kairos` with these arguments, in `home`."""

    def call(*arguments: object) -> Ran:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["kairos", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capsys.readouterr()
        assert "Traceback" not in shown.err
        assert isinstance(end.value.code, int)
        return Ran(end.value.code, shown.out, shown.err)

    former, hook = signal.getsignal(signal.SIGINT), sys.excepthook
    yield call
    signal.signal(signal.SIGINT, former)
    sys.excepthook = hook


@pytest.fixture
def shell(home: Path) -> Kairos:
    """The command in a process of its own; keyword arguments are environment variables."""

    def call(*arguments: object, **environment: str) -> Ran:
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            cwd=home,
            env=surroundings(environment),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    return call


def surroundings(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that runs Kairos out of this checkout."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **more}


@pytest.fixture
def campaign(home: Path) -> Callable[..., Path]:
    """Writes a campaign file of three posts, in this mode, with these lines after it."""

    def write(mode: str = "auto", more: str = "", name: str = "garden.yaml") -> Path:
        file = home / name
        file.write_text(CAMPAIGN.format(mode=mode) + more, encoding="utf-8")
        return file

    return write


@pytest.fixture
def databases(home: Path, empty: Path) -> None:
    """Both worlds have an empty database already."""
    for folder in (home / ".kairos", home / ".kairos" / "dry"):
        folder.mkdir(mode=0o700)
        shutil.copy(empty, folder)
