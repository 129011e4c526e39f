"""What a machine reads: `--json` prints JSON and nothing else on stdout; words, colours and bars stay out of it."""

import csv
import os
import pty
import re
import select
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

ESCAPE = "\x1b"


def history(home: Path, count: int = 160) -> None:
    """A CSV of that many posts, all with final counts, of which those in the evening do better."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=count + 3)
    with (home / "posts.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("platform", "account", "post_id", "created_at", "text", "likes"))
        for day in range(count):
            at = (start + timedelta(days=day)).replace(hour=8 + day % 12)
            table.writerow(("sandbox", "main", day, at.isoformat(), f"What grew on day {day}?", 5 + 3 * (day % 12)))


@pytest.mark.parametrize(
    "arguments",
    [
        "validate garden.yaml",
        "plan garden.yaml --baseline",
        "run garden.yaml --baseline --days 1",
        "status",
        "queue",
        "approve all",
        "approve 900",
        "reject 1 2",
        "explain 1",
        "report",
        "stop",
        "resume",
        "resume --account main",
        "init new",
        "doctor",
        "backtest --dry --account main",
    ],
)
def test_json_is_all_there_is_on_stdout(kairos: Any, held: Any, arguments: str) -> None:
    ran = kairos(*arguments.split(), "--json")
    assert ran.code in (0, 3, 5)
    assert isinstance(ran.data, dict | list)
    assert "Lift(" not in ran.out
    assert "object at 0x" not in ran.out


def test_a_history_is_imported_planned_with_and_tested_on(home: Path, kairos: Any, campaign: Any) -> None:
    history(home)
    imported = kairos("import", "posts.csv", "--json").data
    assert imported["accounts"] == {"sandbox/main": {"added": 160, "unchanged": 0, "updated": 0}}
    tested = kairos("backtest", "--json", "--picture", "made/picture.png")
    assert tested.code in (0, 5)
    assert tested.data["posts"] == 160
    assert {row["model"] for row in tested.data["rows"]} >= {"attention", "hour of week"}
    assert (home / "made" / "picture.png").read_bytes().startswith(b"\x89PNG")
    campaign()
    (plan,) = kairos("plan", "garden.yaml", "--json").data
    assert all(post["low"] <= post["mean"] <= post["high"] for post in plan["posts"])
    reported = kairos("report", "--live", "--account", "main", "--json").data
    assert (reported["report"], reported["lift"]["verdict"]) == ("kairos-report.html", "not yet known")
    assert (home / "kairos-report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_report_of_a_rehearsal_says_that_it_is_simulated(home: Path, kairos: Any, held: Any) -> None:
    assert kairos("report", "--timezone", "Europe/Berlin").out == "kairos-report.html\n"
    assert "SIMULATED" in (home / "kairos-report.html").read_text(encoding="utf-8").upper()


@pytest.mark.parametrize("command", ["queue", "status", "plan garden.yaml --baseline", "run garden.yaml --baseline"])
def test_without_a_terminal_there_is_neither_colour_nor_bar(kairos: Any, held: Any, command: str) -> None:
    ran = kairos(*command.split())
    assert ran.out
    assert ESCAPE not in ran.out + ran.err
    assert "━━" not in ran.err


def on_a_terminal(home: Path, start: Any, *arguments: str, **more: str) -> str:
    """Everything the command writes to a terminal 100 columns wide."""
    ours, theirs = pty.openpty()
    process = start(*arguments, out=theirs, err=theirs, TERM="xterm-256color", **more)
    os.close(theirs)
    shown = b""
    while process.poll() is None or select.select([ours], [], [], 0)[0]:
        if select.select([ours], [], [], 0.05)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
    os.close(ours)
    process.wait(timeout=60)
    return shown.decode("utf-8", "replace")


def test_on_a_terminal_there_are_colours_unless_no_color_is_set(home: Path, start: Any, held: Any) -> None:
    assert ESCAPE in on_a_terminal(home, start, "status")
    plain = on_a_terminal(home, start, "status", NO_COLOR="1")
    assert not re.search(r"\x1b\[(3|4|9|10)\d", plain)
    assert "sandbox/main" in plain
