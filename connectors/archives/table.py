"""Reads a CSV table of posts, one row a post; a record that is broken costs itself alone.

Needed columns are post_id, created_at and text; platform, account, kind and the counts may be there; others are
ignored. `score` stands in for likes where a row has none.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connectors.archives.base import ArchiveError, BadRow, Entry, Row
from connectors.archives.files import BrokenOff, lines
from connectors.archives.values import count_of, moment_of, shown, text_of
from connectors.base import Counts, OwnPost, Ref

NEEDED = ("post_id", "created_at", "text")
COLUMNS = (*NEEDED, "platform", "account", "kind", "likes", "replies", "shares", "clicks", "impressions", "score")

_PLATFORM = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Table:
    """A CSV file whose header was read: where each known column stands, and whose the rows are if they do not say."""

    file: Path
    width: int
    columns: dict[str, int]
    platform: str | None
    name: str | None

    def read(self, now: datetime) -> Iterator[Entry]:
        """Every row; none may be later than `now`."""
        records = _records(lines(self.file), self.width)
        next(records)  # the header
        for number, cells in records:
            if isinstance(cells, str):
                yield BadRow(self.file.name, number, cells)
                continue
            fields = {name: cells[at] for name, at in self.columns.items()}
            account = None
            try:
                account = self._account(fields)
                yield Row(account, _post(fields, now))
            except ValueError as error:
                yield BadRow(self.file.name, number, str(error), account)

    def _account(self, fields: dict[str, str]) -> str:
        platform = self.platform or text_of(fields["platform"], "platform").lower()
        if not _PLATFORM.fullmatch(platform):
            raise ValueError(f"platform {shown(platform)} is not a platform's name, such as mastodon")
        if "platform" in fields and self.platform and fields["platform"].strip().lower() != platform:
            raise ValueError(f"platform {shown(fields['platform'])} is not {platform}, the account's")
        name = self.name or text_of(fields["account"], "account")
        if not name.isprintable():
            raise ValueError(f"account {shown(name)} is not a name")
        return f"{platform}/{name}"


def open_table(file: Path, account: str | None) -> Table:
    """Read the header. `account` (platform/name) says whose rows these are where they do not; raises ArchiveError."""
    _, header = next(_records(lines(file), None), (1, []))
    if isinstance(header, str):
        raise ArchiveError(f"{file}: the first line is no table's header: {header}")
    names = [name.strip().lower() for name in header]
    if missing := [name for name in NEEDED if name not in names]:
        found = shown(", ".join(names))
        raise ArchiveError(f"{file}: no column {' and no column '.join(missing)}; its first line reads {found}")
    if twice := [name for name in COLUMNS if names.count(name) > 1]:
        raise ArchiveError(f"{file}: the column {twice[0]} is there twice")
    columns = {name: names.index(name) for name in COLUMNS if name in names}
    lacking = [name for name in ("platform", "account") if name not in columns]
    platform, _, name = (account or "").partition("/")
    if lacking and not (platform and name):
        raise ArchiveError(f"{file}: no column {lacking[0]}; name the account as platform/name, such as mastodon/me")
    told_name = "account" in columns
    told_platform = "platform" in columns and told_name
    return Table(file, len(names), columns, None if told_platform else platform, None if told_name else name)


def _post(fields: dict[str, str], now: datetime) -> OwnPost:
    def count(name: str) -> int | None:
        return count_of(fields.get(name), name)

    likes = count("likes")
    return OwnPost(
        ref=Ref(text_of(fields["post_id"], "post_id")),
        text=text_of(fields["text"], "text"),
        created_at=moment_of(text_of(fields["created_at"], "created_at"), "created_at", now),
        kind=text_of(fields.get("kind", "").strip() or "text", "kind"),
        counts=Counts(
            likes=count("score") if likes is None else likes,
            replies=count("replies"),
            shares=count("shares"),
            clicks=count("clicks"),
            impressions=count("impressions"),
        ),
    )


def _records(rows: Iterator[str], width: int | None) -> Iterator[tuple[int, list[str] | str]]:
    """First line and cells of each record, or why it has none.

    After a broken record reading goes on at its second line, so that a quote never closed costs one row, not many.
    """
    waiting: deque[str] = deque()
    number = 1
    while True:
        taken: list[str] = []
        try:
            cells = next(csv.reader(_taking(rows, waiting, taken), strict=True), None)
            fault = _width_fault(cells, width)
        except csv.Error as error:
            cells, fault = None, _csv_fault(error)
        except BrokenOff as error:
            yield number, f"the file breaks off here: {error}"
            return
        if not taken:
            return
        if fault:
            yield number, fault
            waiting.extendleft(reversed(taken[1:]))
            number += 1
        else:
            if cells:  # an empty line has none
                yield number, cells
            number += len(taken)


def _taking(rows: Iterator[str], waiting: deque[str], taken: list[str]) -> Iterator[str]:
    """The lines of one record, each noted as it is taken: those put back first."""
    while (line := waiting.popleft() if waiting else next(rows, None)) is not None:
        taken.append(line)
        yield line


def _width_fault(cells: Sequence[str] | None, width: int | None) -> str | None:
    if not cells or width is None or len(cells) == width:
        return None
    return f"{len(cells)} cells, the header has {width}"


def _csv_fault(error: csv.Error) -> str:
    if "unexpected end of data" in str(error):
        return "a quote is opened and not closed"
    return f"not a row of a CSV table: {error}"
