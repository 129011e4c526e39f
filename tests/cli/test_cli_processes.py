"""Real processes: exit codes, readers that go away, signals, the live world on the machine's clock, a missing torch."""

import json
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from connectors.base import Draft
from scheduler.drafts import to_json
from storage import engagement, outbox
from storage.database import open_database
from storage.models import Post, State

WITHOUT_TORCH = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
import contextlib, io, json
from bot.cli import main

told = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["kairos", *arguments]
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        told.append([end.code, out.getvalue(), err.getvalue()])
print(json.dumps(told))
"""
TEXTS = ["Sow your peas now.", "Clean the spade.", "Water in the morning, not at noon."]
READY = "import sys; from bot.cli import main; print('ready', file=sys.stderr, flush=True); main()"


def test_a_reader_that_goes_away_is_no_error(start: Any, campaign: Any, held: Any) -> None:
    for command in (["--help"], ["queue"], ["queue", "--json"], ["plan", "garden.yaml", "--baseline"]):
        process = start(*command)
        process.stdout.close()
        assert (process.wait(timeout=60), process.stderr.read().count("\n")) in {(0, 0), (0, 2)}


def test_a_full_disk_behind_stdout_is_told(start: Any, campaign: Any) -> None:
    campaign()
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        for more in ((), ("--json",)):
            process = start("validate", "garden.yaml", *more, out=full.fileno())
            _, err = process.communicate(timeout=60)
            assert (process.returncode, err) == (4, "the disk is full; make room and run it again\n")


def test_closed_streams_are_not_taken_by_a_database(home: Path, start: Any, held: Any) -> None:
    code = (
        "import os, sys; os.execl('/bin/sh', 'sh', '-c', 'exec \"$0\" -c \"$1\" stop >&- 2>&-', sys.executable, \"{}\")"
    )
    process = start(code=code.format("from bot.cli import main; main()"))
    assert process.wait(timeout=60) == 0
    assert (home / ".kairos" / "STOP").read_text(encoding="utf-8") == "a person pulled the kill switch\n"
    assert (held.folder / "kairos.db").read_bytes().startswith(b"SQLite format 3")


def test_signs_that_a_terminal_cannot_show_are_written_in_another_way(start: Any, kairos: Any, held: Any) -> None:
    kairos("approve", 1, "--text", "Säe 🌱 jetzt")
    for command in (["status"], ["status", "--json"]):
        process = start(*command, PYTHONIOENCODING="ascii")
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        assert "jetzt" in out
    assert json.loads(out)["rehearsal"]["next"][0]["text"] == "Säe 🌱 jetzt"


@pytest.mark.parametrize("after", [0.02, 0.9])
def test_ctrl_c_of_a_process_is_exit_code_130_and_one_line(start: Any, campaign: Any, dry: Any, after: float) -> None:
    campaign()
    process = start("run", "garden.yaml", "--baseline", "--days", 300, code=READY)
    assert process.stderr.readline() == "ready\n"
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == "interrupted; what was done is kept, run it again to go on\n"


def test_a_run_that_is_killed_goes_on_where_it_was(
    home: Path, start: Any, kairos: Any, campaign: Any, dry: Any
) -> None:
    campaign()
    process = start("run", "garden.yaml", "--baseline", "--days", 300)
    while not dry.public():
        time.sleep(0.02)
    process.kill()
    process.wait(timeout=60)
    came_to = datetime.fromisoformat(kairos("status", "--json").data["rehearsal"]["at"])
    outcome = kairos("run", "garden.yaml", "--baseline", "--days", 14, "--json").data
    assert datetime.fromisoformat(outcome["from"]) == came_to
    assert sorted(dry.public()) == sorted(
        ["Sow your peas now.", "Clean the spade.", "Water in the morning, not at noon."]
    )


class Live:
    """The live world in a home, on the sandbox's connector and the machine's clock."""

    def __init__(self, home: Path) -> None:
        self.file = home / ".kairos" / "kairos.db"
        self.books = home / ".kairos" / "live" / "sandbox.db"

    def due(self, item: str, text: str) -> None:
        """A post that was planned for a moment ago."""
        now = datetime.now(UTC)
        draft = to_json(Draft(text))
        slot = now - timedelta(seconds=30)
        post = Post(
            account="sandbox/main",
            campaign="garden",
            item=item,
            local_slot=f"{slot:%Y-%m-%dT%H:%M}",
            slot_at=slot,
            not_before=slot,
            draft=draft,
            digest=outbox.digest_of(draft),
            key=item,
            created_at=now,
            updated_at=now,
        )
        db = open_database(self.file)
        with db.write() as session:
            engagement.ensure_account(session, "sandbox/main", now)
            outbox.add(session, [post])
        db.close()

    def states(self) -> dict[str, State]:
        db = open_database(self.file)
        with db.read() as session:
            found = {post.item: post.state for post in session.exec(select(Post))}
        db.close()
        return found


@pytest.fixture
def live(home: Path, dry: Any) -> Live:
    return Live(home)


def heard(process: Any, words: str) -> str:
    """The first line on stderr that holds these words."""
    for line in process.stderr:
        if words in line:
            return str(line)
    raise AssertionError(f"it ended without saying {words!r}")


def test_the_live_world_runs_on_the_real_clock_alone_until_it_is_told_to_end(
    kairos: Any, start: Any, campaign: Any, live: Live, public: Any
) -> None:
    """One process, since starting one takes longest: publish, a second run, stop, resume, SIGTERM."""
    campaign()
    live.due("first", "It rains.")
    process = start("run", "garden.yaml", "--live", "--baseline", "--json")
    heard(process, "live; stop with Ctrl-C")
    heard(process, "published #1 on sandbox/main")
    assert public(live.books) == ["It rains."]

    second = kairos("run", "garden.yaml", "--live", "--baseline")
    assert second.code == 3
    assert second.err.splitlines()[-1] == f"another kairos run is at work here (process {process.pid}); stop it first"

    kairos("stop")
    live.due("second", "It still rains.")
    assert "(S1): everything is stopped" in heard(process, "waits #")
    assert public(live.books) == ["It rains."]
    kairos("resume")

    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert err.splitlines()[-1] == "stopped in order; nothing was left half-way"
    assert json.loads(out)["events"]["post.published"] == 1
    assert live.states() == {
        "first": State.PUBLISHED,
        "second": State.PLANNED,
        "seeds": State.PLANNED,
        "tools": State.PLANNED,
        "water": State.PLANNED,
    }


def test_without_torch_all_works_but_the_model_and_that_says_what_to_do(start: Any, campaign: Any, held: Any) -> None:
    works = [
        ["validate", "garden.yaml"],
        ["plan", "garden.yaml", "--baseline"],
        ["status"],
        ["queue"],
        ["approve", "1"],
        ["stop"],
        ["resume"],
        ["run", "garden.yaml", "--baseline", "--days", "1"],
        ["report"],
    ]
    needs = [
        ["plan", "garden.yaml"],
        ["run", "garden.yaml"],
        ["train", "--steps", "1"],
        ["demo", "--seeds", "2"],
        ["doctor"],
    ]
    process = start(json.dumps([*works, *needs]), code=WITHOUT_TORCH)
    out, err = process.communicate(timeout=120)
    assert err == ""
    told = json.loads(out)
    for arguments, (code, _, words) in zip(works, told, strict=False):
        assert code == 0, (arguments, words)
    for arguments, (code, shown, words) in zip(needs[:-1], told[len(works) :], strict=False):
        assert (code, shown, words.count("\n")) == (4, "", 1), (arguments, words)
        assert words.startswith("torch is not installed"), arguments
    assert told[len(works)][2] == "torch is not installed: install it, or let a baseline decide with `--baseline`\n"
    assert (told[-1][0], "torch is not installed" in told[-1][1]) == (4, True)
