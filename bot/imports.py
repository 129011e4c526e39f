"""Takes an archive's posts into history and tells what became of every row; formats and tables are not known here.

Rows go in by the thousand, each lot in a transaction of its own: a running bot is never kept waiting long, and an
import that was killed is completed by doing it again, since rows that are there already change nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from bot.campaign.problems import did_you_mean
from connectors.archives import Archive, ArchiveError, BadRow, LeftOut, Row, open_archive
from connectors.base import OwnPost
from storage.database import Database
from storage.engagement import HistoryRow, ImportOutcome, import_rows

EVERY = "*"
"""Instead of an account's name: all the accounts a file holds."""
OTHERS = "posts of other accounts"
AT_ONCE = 2000
"""Posts of one account stored in one transaction."""
LISTED = 10
"""Accounts named in a message."""

Step = Callable[[int, int], None]
"""Told after each lot: posts stored so far, posts to store."""


@dataclass(frozen=True)
class ImportReport:
    """What became of an archive. `left_out` counts sound rows that were not wanted, by reason."""

    format: str
    accounts: Mapping[str, ImportOutcome]
    bad: tuple[BadRow, ...]
    left_out: Mapping[str, int]


def import_history(
    db: Database, path: Path, account: str | None, now: datetime, on_step: Step | None = None
) -> ImportReport:
    """Store the posts of one account, or of EVERY one, that a file or an unpacked archive holds.

    `account` is platform/name or the name alone; None will do where the file holds only one. `now` is when this
    happens: no post may be later. Raises ArchiveError with one line; what storage raises passes through.
    """
    archive = open_archive(path, now, None if account == EVERY else account)
    held = archive.accounts()
    chosen = _chosen(held, account, path)
    total, done = sum(held[name] for name in chosen), 0
    outcomes = dict.fromkeys(chosen, ImportOutcome(0, 0, 0))
    bad: list[BadRow] = []
    left_out: Counter[str] = Counter()
    for name, rows in _lots(archive, chosen, bad, left_out):
        with db.write() as session:
            lot = import_rows(session, name, rows, f"import:{archive.format}", now)
        outcomes[name] = _together(outcomes[name], lot)
        done += len(rows)
        if on_step is not None:
            on_step(done, total)
    return ImportReport(archive.format, outcomes, tuple(bad), dict(+left_out))


def _lots(
    archive: Archive, chosen: Sequence[str], bad: list[BadRow], left_out: Counter[str]
) -> Iterator[tuple[str, list[HistoryRow]]]:
    """Posts of the chosen accounts, each lot of one; what is not to be stored goes to the two others."""
    waiting: defaultdict[str, list[HistoryRow]] = defaultdict(list)
    for entry in archive:
        if chosen and entry.account is not None and entry.account not in chosen:
            left_out[OTHERS] += isinstance(entry, Row)
        elif isinstance(entry, BadRow):
            bad.append(entry)
        elif isinstance(entry, LeftOut):
            left_out[entry.why] += 1
        else:
            waiting[entry.account].append(_history_row(entry.post))
            if len(waiting[entry.account]) == AT_ONCE:
                yield entry.account, waiting.pop(entry.account)
    yield from sorted(waiting.items())


def _chosen(held: Mapping[str, int], account: str | None, path: Path) -> tuple[str, ...]:
    """The accounts meant, out of those the file holds; raises ArchiveError where that is not clear."""
    if account == EVERY or not held:
        return tuple(held)
    if account is None:
        if len(held) == 1:
            return tuple(held)
        raise ArchiveError(
            f"{path}: holds posts of {len(held)} accounts; name one of them, or {EVERY!r} for all: {_listed(held)}"
        )
    found = [name for name in held if account in (name, name.partition("/")[2])]
    if len(found) > 1:
        raise ArchiveError(f"{path}: {account} may be {' or '.join(found)}; name it in full")
    if not found:
        hint = did_you_mean(account, held) or f"; it holds {_listed(held)}"
        raise ArchiveError(f"{path}: holds no post of {account}{hint}")
    return tuple(found)


def _listed(held: Mapping[str, int]) -> str:
    more = f" and {len(held) - LISTED} more" if len(held) > LISTED else ""
    return ", ".join(list(held)[:LISTED]) + more


def _together(one: ImportOutcome, other: ImportOutcome) -> ImportOutcome:
    return ImportOutcome(one.added + other.added, one.unchanged + other.unchanged, one.updated + other.updated)


def _history_row(post: OwnPost) -> HistoryRow:
    return HistoryRow(
        ref=post.ref.id,
        extras=post.ref.extras,
        text=post.text,
        kind=post.kind,
        created_at=post.created_at,
        **asdict(post.counts),
    )
