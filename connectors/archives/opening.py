"""Recognises an archive by what it holds and opens it; how each format is read lives in the files beside this one."""

from datetime import datetime
from functools import partial
from pathlib import Path

from connectors.archives import mastodon, x
from connectors.archives.base import Archive, ArchiveError
from connectors.archives.files import beginning, told
from connectors.archives.mastodon import open_mastodon
from connectors.archives.table import open_table
from connectors.archives.x import open_x

FILES = ("tweets.js", "tweet.js", "outbox.json")
"""What holds the posts in an unpacked archive's folder, or in its folder `data`."""


def open_archive(path: Path, now: datetime, account: str | None = None) -> Archive:
    """Open a CSV table of posts (gzipped or not), an X archive or a Mastodon outbox: the file, or the unpacked folder.

    `account` (platform/name) says whose posts they are where the archive does not. Posts later than `now` are bad
    rows. Raises ArchiveError.
    """
    with told(path):
        folder = path.is_dir()
        file = _posts_in(path) if folder else path
        if file.exists() and not file.is_file():
            raise ArchiveError(f"{file}: no file; save what comes from it to one, since it is read twice")
    head = beginning(file)
    if x.OPENING.match(head):
        return Archive("x", partial(open_x(path, _parts(file) if folder else [file], account).read, now))
    if head.startswith("{") and (mastodon.OPENING.search(head) or file.name == "outbox.json"):
        return Archive("mastodon", partial(open_mastodon(path, file, account).read, now))
    if head.startswith(("{", "[", "<")):
        raise ArchiveError(f"{file}: neither a CSV table nor tweets.js of X nor outbox.json of Mastodon")
    return Archive("csv", partial(open_table(file, account).read, now))


def _posts_in(folder: Path) -> Path:
    for place in (folder, folder / "data"):
        for name in FILES:
            if (place / name).is_file():
                return place / name
    raise ArchiveError(f"{folder}: a folder without tweets.js or outbox.json; name a file, or an unpacked archive")


def _parts(file: Path) -> list[Path]:
    """All the files with posts: a large archive of X goes on in tweets-part1.js and so on."""
    return [file, *sorted(file.parent.glob(f"{file.stem}-part*.js"))]
