"""Which failure is whose, in one line and with which exit code; loaded only once something has failed."""

import errno
import traceback
from collections.abc import Iterator
from pathlib import Path

from bot.cli.say import Exit, Stop


def told(error: BaseException, folder: Path) -> tuple[list[str], Exit]:
    """Lines for a person and the exit code. What nobody foresaw is written to a file in `folder`, without values."""
    if isinstance(error, Stop):
        return [str(error)], error.code
    if isinstance(error, KeyboardInterrupt):
        return ["interrupted; what was done is kept, run it again to go on"], Exit.INTERRUPTED
    for kinds, code in _known():
        if isinstance(error, kinds):
            return str(error).splitlines() or [type(error).__name__], code
    if isinstance(error, OSError):
        return [_of_the_machine(error)], Exit.UNAVAILABLE
    place = _written_down(error, folder)
    return [f"a defect in Kairos: {type(error).__name__}{place}"], Exit.DEFECT


def _known() -> Iterator[tuple[tuple[type[BaseException], ...], Exit]]:
    from bot.accounts import UnknownAccount
    from bot.attention import TorchMissing
    from bot.campaign.fetch import SourceError
    from bot.campaign.problems import CampaignErrors
    from bot.planner.paper import PlanDrift, PlanFileError
    from bot.running import AlreadyRunning
    from connectors.archives import ArchiveError
    from connectors.errors import ConnectorError
    from connectors.registry import UnknownPlatform
    from storage.errors import StorageError

    yield (CampaignErrors, UnknownAccount, UnknownPlatform, PlanFileError, SourceError, ArchiveError), Exit.INVALID
    yield (PlanDrift, AlreadyRunning), Exit.REFUSED
    yield (StorageError, ConnectorError, TorchMissing), Exit.UNAVAILABLE


def _of_the_machine(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    why = {
        errno.ENOSPC: "the disk is full; make room and run it again",
        errno.EACCES: "not allowed to this user",
        errno.EROFS: "the disk is read-only",
        errno.ENOENT: "there is no such file or folder",
    }.get(error.errno or 0, error.strerror or str(error))
    return f"{where}{why}"


def _written_down(error: BaseException, folder: Path) -> str:
    """Type and place of each step, never a value: texts of posts and secrets stay out."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = folder / "defect.txt"
        steps = traceback.format_tb(error.__traceback__)
        file.write_text(f"{type(error).__name__}\n{''.join(steps)}", encoding="utf-8")
    except OSError:
        return ""
    return f"; where it happened is in {file}"
