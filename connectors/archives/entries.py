"""Walks through the entries of a long JSON list one by one, past broken ones; what they mean is not known here."""

import json
import re
from collections.abc import Iterator
from typing import Any

from connectors.archives.files import BrokenOff

BROKEN = "broken JSON: an entry cannot be read, or the file breaks off"
AHEAD = 250_000
"""Characters of one entry at most; a whole archive is never held at once."""

_decode = json.JSONDecoder().raw_decode
_GAP = re.compile(r"[\s,]*")


def entries(blocks: Iterator[str], opening: re.Pattern[str], entry: re.Pattern[str]) -> Iterator[tuple[int, Any]]:
    """Line and value of each entry of the list behind `opening`; None for one that is broken.

    After a broken one reading goes on behind the next match of `entry`, which ends where an entry begins.
    """
    window = _Window(blocks)
    going_on = window.pass_by(opening)
    while going_on and not window.at_end_of_list():
        line = window.line
        try:
            value = window.value()
        except (ValueError, RecursionError):
            value, going_on = None, window.pass_by(entry)
        yield line, value


def objects(parent: object, *keys: str) -> list[dict[str, Any]]:
    """The objects in the list that lies under these keys; empty where there is none."""
    for key in keys:
        parent = parent.get(key) if isinstance(parent, dict) else None
    return [value for value in parent if isinstance(value, dict)] if isinstance(parent, list) else []


class _Window:
    """A stretch of a long text: from the present place on at least AHEAD characters, or all that is left."""

    def __init__(self, blocks: Iterator[str]) -> None:
        self.line = 1
        self._blocks = blocks
        self._text = ""
        self._at = 0

    def pass_by(self, pattern: re.Pattern[str]) -> bool:
        """Go behind the next match; False where there is none."""
        found = pattern.search(self._text, self._at)
        while found is None:
            if not self._grow():
                return False
            found = pattern.search(self._text, self._at)
        self._go(found.end())
        return True

    def at_end_of_list(self) -> bool:
        """Go behind blanks and commas; whether the list is closed there."""
        if len(self._text) - self._at < AHEAD:
            self._grow()
        gap = _GAP.match(self._text, self._at)
        self._go(gap.end() if gap else self._at)
        return self._text.startswith("]", self._at)

    def value(self) -> Any:
        """The JSON value here; raises ValueError or RecursionError and stays where it is."""
        value, end = _decode(self._text, self._at)
        self._go(end)
        return value

    def _go(self, to: int) -> None:
        self.line += self._text.count("\n", self._at, to)
        self._at = to

    def _grow(self) -> bool:
        parts = [self._text[self._at :]]
        try:
            while len(parts) == 1 or sum(map(len, parts)) < 4 * AHEAD:
                parts.append(next(self._blocks))
        except (StopIteration, BrokenOff):
            pass
        if len(parts) > 1:
            self._text, self._at = "".join(parts), 0
        return len(parts) > 1
