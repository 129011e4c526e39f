"""Which failure is whose, in one line and with which exit code; loaded only once something has failed."""

import errno
import os
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path

from bot.cli.interrupts import was_raised
from bot.cli.say import Exit, Stop
from bot.settings import Settings

WHOSE = {
    "bot.accounts.UnknownAccount": Exit.INVALID,
    "bot.attention.TorchMissing": Exit.UNAVAILABLE,
    "bot.attention.episodes.NoRight": Exit.INVALID,
    "bot.attention.training.TrainingError": Exit.INVALID,
    "bot.campaign.fetch.SourceError": Exit.INVALID,
    "bot.campaign.problems.CampaignErrors": Exit.INVALID,
    "bot.keys.KeyUnusable": Exit.UNAVAILABLE,
    "bot.planner.paper.PlanDrift": Exit.REFUSED,
    "bot.planner.paper.PlanFileError": Exit.INVALID,
    "bot.running.AlreadyRunning": Exit.REFUSED,
    "connectors.archives.base.ArchiveError": Exit.INVALID,
    "connectors.errors.ConnectorError": Exit.UNAVAILABLE,
    "connectors.registry.UnknownPlatform": Exit.INVALID,
    "storage.errors.StorageError": Exit.UNAVAILABLE,
}
"""Errors that are not defects, by name: to tell one, nothing has to be loaded that was not at work."""

OF_THE_MACHINE = {
    errno.ENOSPC: "the disk is full; make room and run it again",
    errno.EACCES: "not allowed to this user",
    errno.EROFS: "the disk is read-only",
    errno.ENOENT: "there is no such file or folder",
    errno.EISDIR: "a folder, not a file",
    errno.ENOTDIR: "a file where a folder is needed",
}
WRONGLY_NAMED = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError)
"""Of what the machine refuses, what whoever gave the name can mend."""


def tell(error: BaseException) -> int:
    """Say on stderr what went wrong and give back the exit code; a reader that went away is no error."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # from here on a further Ctrl-C ends without a word
    lines, code = told(error)
    with suppress(OSError):
        sys.stderr.writelines(f"{line}\n" for line in lines)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # what is left in it would be tried once more at the very end, with a traceback
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return int(code)


def told(error: BaseException) -> tuple[list[str], Exit]:
    """Lines for a person and the exit code. What nobody foresaw is written to a file, without values."""
    if isinstance(error, BrokenPipeError):
        return [], Exit.OK
    if isinstance(error, Stop):
        return [str(error)], error.code
    if isinstance(error, KeyboardInterrupt) or was_raised():
        return ["interrupted; what was done is kept, run it again to go on"], Exit.INTERRUPTED
    for kind in type(error).__mro__:
        code = WHOSE.get(f"{kind.__module__}.{kind.__qualname__}")
        if code is not None:
            return str(error).splitlines() or [kind.__name__], code
    if isinstance(error, OSError):
        file = error.filename2 or error.filename
        where = f"{file}: " if file else ""
        why = OF_THE_MACHINE.get(error.errno or 0) or error.strerror or " ".join(str(error).split())
        return [f"{where}{why}"], Exit.INVALID if isinstance(error, WRONGLY_NAMED) else Exit.UNAVAILABLE
    return [f"a defect in Kairos: {type(error).__name__}{_written_down(error)}"], Exit.DEFECT


def _written_down(error: BaseException) -> str:
    """Type and place of each step, never a value: texts of posts and secrets stay out."""
    try:
        folder = Settings.from_environment(os.environ, Path.cwd()).folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = folder / "defect.txt"
        steps = traceback.format_tb(error.__traceback__)
        file.write_text(f"{type(error).__name__}\n{''.join(steps)}", encoding="utf-8")
    except OSError:
        return ""
    return f"; where it happened is in {file}"
