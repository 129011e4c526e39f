"""What the machine refuses, a database or a disk, is one line and exit code 4; a defect is told without any value."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.app import open_dry
from bot.campaign.loading import load_campaign
from bot.cli import failures
from bot.cli.happenings import Happenings
from bot.cli.say import Exit
from bot.rounds import Rounds, Wish
from bot.running import rehearse
from bot.settings import Settings
from storage.database import StorageError

MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
TEXTS = ["Sow your peas now.", "Clean the spade.", "Water in the morning, not at noon."]
NEEDS_A_DATABASE = [
    "plan garden.yaml --baseline",
    "run garden.yaml --baseline",
    "queue",
    "approve 1",
    "reject 1",
    "explain 1",
    "report",
]


def test_every_failure_that_is_no_defect_is_a_class_of_that_name() -> None:
    for name in failures.WHOSE:
        module, _, kind = name.rpartition(".")
        found = getattr(import_module(module), kind)
        assert f"{found.__module__}.{found.__qualname__}" == name


@pytest.mark.parametrize("command", NEEDS_A_DATABASE)
def test_a_database_of_a_newer_version_is_left_alone(home: Path, kairos: Any, held: Any, command: str) -> None:
    held.change(lambda session: session.exec(text("update kairos_version set version_num = 'of_tomorrow'")))
    before = (held.folder / "kairos.db").read_bytes()
    ran = kairos(*command.split())
    assert (ran.code, ran.out) == (4, "")
    assert str(held.folder / "kairos.db") in ran.line
    assert "made by a newer Kairos" in ran.line
    assert (held.folder / "kairos.db").read_bytes() == before


@pytest.mark.parametrize("command", NEEDS_A_DATABASE)
def test_a_file_that_is_no_database_is_named(home: Path, kairos: Any, held: Any, command: str) -> None:
    file = held.folder / "kairos.db"
    for beside in held.folder.glob("kairos.db*"):
        beside.unlink()
    file.write_bytes(b"a shopping list " * 300)
    ran = kairos(*command.split())
    assert (ran.code, ran.out) == (4, "")
    assert ran.line == f"{file}: the file is not a database; name another file, or restore a backup"
    findings = {row["what"]: row for row in kairos("doctor", "--json").data}
    assert findings["rehearsal database"]["fine"] is False


def test_an_address_that_is_no_database_is_told_without_its_password(
    kairos: Any, campaign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign()
    for address in ("mysql://me:hunter2@host/kairos", "postgresql://me:hunter2@127.0.0.1:1/kairos", "what://ever"):
        ran = kairos("status", KAIROS_DATABASE_URL=address)
        assert ran.code == 4
        assert "hunter2" not in ran.out + ran.err


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A file system of its own at a folder, where this machine lets us."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("file systems can be mounted by root only")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def small_disk(home: Path) -> Iterator[Path]:
    """A disk with room for a database and little more, where Kairos keeps its things."""
    folder = home / ".kairos"
    folder.mkdir()
    with mounted(folder, "size=3m"):
        yield folder


def fill(disk: Path) -> None:
    """Leave no room."""
    with (disk / "filler").open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(b"x" * 4096)


def test_a_full_disk_is_told_and_half_of_nothing_is_written(kairos: Any, campaign: Any, small_disk: Path) -> None:
    campaign("approve")
    assert kairos("run", "garden.yaml", "--baseline").code == 0
    waiting = kairos("queue", "--json").data
    fill(small_disk)
    ran = kairos("run", "garden.yaml", "--baseline", "--days", 60, "--approve-all")
    assert (ran.code, ran.out) == (4, "")
    assert " room" in ran.line
    (small_disk / "filler").unlink()
    assert kairos("queue", "--json").data == waiting
    assert kairos("run", "garden.yaml", "--baseline", "--approve-all").code == 0


def test_a_disk_that_fills_up_on_the_way_loses_no_post_and_doubles_none(
    home: Path, kairos: Any, campaign: Any, small_disk: Path, world_in: Any
) -> None:
    file = campaign()
    happened = Happenings()
    world = open_dry(Settings(small_disk), MONDAY, happened)
    rounds = Rounds(world, [load_campaign(file, {})], Wish(baseline=True))

    def step(now: datetime) -> None:
        if happened.counts["post.published"] == 1:
            fill(small_disk)

    with pytest.raises(StorageError, match="room"):
        rehearse(world, rounds, MONDAY + timedelta(days=14), on_step=step)
    world.close()
    (small_disk / "filler").unlink()
    assert kairos("run", "garden.yaml", "--baseline", "--days", 14).code == 0
    assert sorted(world_in(home).public()) == sorted(TEXTS)


def test_the_kill_switch_needs_no_room(kairos: Any, campaign: Any, small_disk: Path) -> None:
    campaign()
    kairos("run", "garden.yaml", "--baseline", "--days", 1)
    fill(small_disk)
    ran = kairos("stop")
    assert ran.code == 0
    assert f"stopped: {small_disk / 'STOP'}\n" in ran.out
    assert "STOP" not in ran.err
    assert kairos("run", "garden.yaml", "--baseline").code in (3, 4)
    (small_disk / "filler").unlink()
    assert kairos("run", "garden.yaml", "--baseline").code == 3


def test_a_folder_that_may_only_be_read_is_told(home: Path, kairos: Any, campaign: Any) -> None:
    campaign()
    (home / ".kairos").mkdir()
    with mounted(home / ".kairos", "size=1m,ro"):
        for command in ("plan", "run"):
            ran = kairos(command, "garden.yaml", "--baseline")
            assert (ran.code, ran.out) == (4, "")
            assert "Read-only file system" in ran.line
        assert kairos("status").code == 0
        assert kairos("stop").code == 4
        assert kairos("validate", "garden.yaml").code == 0


def test_a_report_on_a_full_disk_leaves_the_former_one(home: Path, kairos: Any, held: Any) -> None:
    (home / "out").mkdir()
    with mounted(home / "out", "size=128k"):
        report = home / "out" / "report.html"
        report.write_text("the former one", encoding="utf-8")
        fill(home / "out")
        ran = kairos("report", "--out", "out/report.html")
        assert (ran.code, ran.out) == (4, "")
        assert ran.line.endswith("the disk is full; make room and run it again")
        assert report.read_text(encoding="utf-8") == "the former one"
        assert {file.name for file in (home / "out").iterdir()} == {"report.html", "filler"}


def test_a_defect_is_told_by_its_kind_and_its_place_and_by_no_value(
    home: Path, kairos: Any, held: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("the text of a post, or a token")

    monkeypatch.setattr("bot.approval.waiting_posts", broken)
    ran = kairos("queue")
    assert (ran.code, ran.out) == (1, "")
    file = home / ".kairos" / "defect.txt"
    assert ran.line == f"a defect in Kairos: RuntimeError; where it happened is in {file}"
    written = file.read_text(encoding="utf-8")
    assert "waiting_posts" in written
    assert "a token" not in written.replace('raise RuntimeError("the text of a post, or a token")', "")


@pytest.mark.parametrize(
    ("error", "words", "code"),
    [
        (OSError(28, "No space left on device", "a.db"), "a.db: the disk is full", Exit.UNAVAILABLE),
        (PermissionError(13, "Permission denied", "a.db"), "a.db: not allowed to this user", Exit.UNAVAILABLE),
        (FileNotFoundError(2, "No such file", "a.csv"), "a.csv: there is no such file", Exit.INVALID),
        (OSError("weights: not here"), "weights: not here", Exit.UNAVAILABLE),
        (KeyboardInterrupt(), "interrupted; what was done is kept, run it again to go on", Exit.INTERRUPTED),
    ],
)
def test_errors_of_the_machine_are_told_in_plain_words(error: BaseException, words: str, code: Exit) -> None:
    (line,), told = failures.told(error)
    assert line.startswith(words)
    assert told == code


def test_a_missing_folder_to_stand_in_is_told(home: Path, start: Any) -> None:
    (home / "gone").mkdir()
    code = "import os; os.chdir('gone'); os.rmdir('../gone'); from bot.cli import main; main()"
    process = start("status", code=code, KAIROS_HOME="")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err == "there is no such file or folder\n"
