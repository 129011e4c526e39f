"""How commands speak: data to stdout, progress and words to stderr, and the exit codes; no command is here."""

import json
import sys
from collections.abc import Callable
from datetime import datetime
from enum import IntEnum
from typing import Any, NoReturn


class Exit(IntEnum):
    """Exit codes, the same for every command; documented in docs/cli.md."""

    OK = 0
    DEFECT = 1
    INVALID = 2
    """What was given is wrong: a file, an option, a name."""
    REFUSED = 3
    """A rule, a person's no, or the kill switch stands against it."""
    UNAVAILABLE = 4
    """This machine or a platform cannot do it now: a full disk, a database of a newer version, no network."""
    NOT_BETTER = 5
    """A backtest says that the model is not better than a baseline."""
    INTERRUPTED = 130


class Stop(Exception):
    """Ends a command with one line for a person and an exit code."""

    def __init__(self, words: str, code: Exit = Exit.INVALID) -> None:
        super().__init__(words)
        self.code = code


def stop(words: str, code: Exit = Exit.INVALID) -> NoReturn:
    """End the command with these words."""
    raise Stop(words, code)


def note(words: str) -> None:
    """One line for a person, beside the data."""
    sys.stderr.write(f"{words}\n")


def write_json(data: Any) -> None:
    """The command's result as JSON."""
    every_sign = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=not every_sign, default=_plain) + "\n")


def show(renderable: Any) -> None:
    """A table or text for a person, on stdout; without a terminal as wide as it needs to be."""
    from rich.console import Console

    console = Console(soft_wrap=False)
    if not console.is_terminal:
        console = Console(width=160, no_color=True)
    console.print(renderable)


def progress(title: str, total: int | None = None) -> "Bar":
    """A progress bar on stderr; nothing at all without a terminal."""
    return Bar(title, total)


class Bar:
    """A progress bar as a context: call it with how far the work has come and, if at hand, a live line."""

    def __init__(self, title: str, total: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TimeElapsedColumn(),
            TextColumn("{task.fields[line]}", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(title, total=total, line="")

    def __enter__(self) -> Callable[..., None]:
        self._progress.start()
        return self._move

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def _move(self, done: float | None = None, total: float | None = None, line: str | None = None) -> None:
        changes: dict[str, Any] = {}
        if done is not None:
            changes["completed"] = done
        if total is not None:
            changes["total"] = total
        if line is not None:
            changes["line"] = line[:80]
        self._progress.update(self._task, **changes)


def local(moment: datetime, zone: str = "UTC") -> str:
    """A moment for a person: weekday, date and local time."""
    from scheduler.slots import zone_of

    return f"{moment.astimezone(zone_of(zone)):%a %d %b %H:%M}"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
