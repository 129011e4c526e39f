"""What reading an archive gives: our posts, rows that cannot be used and why, entries left out; no file is opened here.

A fault of one row is a BadRow and never stops the rest; ArchiveError means that the file cannot be used at all.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from connectors.base import OwnPost

REPOSTS = "reposts of others"
REPLIES = "replies to others"
PRIVATE = "not public"
WORDLESS = "without words"
NO_POSTS = "not posts"
REPEATED = "earlier rows of the same post"


class ArchiveError(ValueError):
    """A file holds no history that can be read as asked; one line for a person: what, where, how to mend."""


@dataclass(frozen=True)
class Row:
    """One public post of ours; `account` reads platform/name."""

    account: str
    post: OwnPost


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used and why; `account` is whose it is, where that much can be read."""

    file: str
    line: int
    why: str
    account: str | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.why}"


@dataclass(frozen=True)
class LeftOut:
    """An entry that is sound but not to be taken in, and why."""

    account: str
    why: str


Entry = Row | BadRow | LeftOut


class Archive:
    """The history in one file or folder. Each pass reads it anew, in its own order.

    Of several rows about one post the last is given and the others are left out as REPEATED. Opening reads everything
    once and keeps only the posts' ids.
    """

    def __init__(self, layout: str, read: Callable[[], Iterator[Entry]]) -> None:
        self.format = layout
        """csv, x or mastodon."""
        self._read = read
        self._last = {place_of(entry): at for at, entry in enumerate(read()) if isinstance(entry, Row)}

    def __iter__(self) -> Iterator[Entry]:
        for at, entry in enumerate(self._read()):
            if isinstance(entry, Row) and self._last.get(place_of(entry), at) != at:
                yield LeftOut(entry.account, REPEATED)
            else:
                yield entry

    def accounts(self) -> dict[str, int]:
        """How many posts of each account it holds, by name; a post that stands there twice counts once."""
        return dict(sorted(Counter(account for account, _ in self._last).items()))


def place_of(row: Row) -> tuple[str, str]:
    """Account and the platform's name of the post: what makes it one post."""
    return row.account, row.post.ref.id


def owner(place: str, account: str | None, platform: str, told: str | None) -> str:
    """Whose posts an archive of one account holds: as given, else as the archive tells; raises ArchiveError."""
    given, slash, name = (account or told or "").rpartition("/")
    if not name:
        raise ArchiveError(f"{place}: does not say whose posts these are; name the account as {platform}/name")
    if slash and given != platform:
        raise ArchiveError(f"{place}: these are posts on {platform}; name their account as {platform}/name")
    return f"{platform}/{name}"
