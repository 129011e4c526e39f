"""Opens archive files, gzipped or not, as text; what stands in them is not judged here.

Bytes that are not UTF-8 pass through as surrogates, so that each row can be refused by itself.
"""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.archives.base import ArchiveError

GZIP = b"\x1f\x8b"
PACKED = (b"PK\x03\x04", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")
"""How zip, 7z, rar, bzip2 and xz files begin."""
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
BEGINNING = 8192
"""Bytes looked at to recognise a file."""
BLOCK = 65536


class BrokenOff(Exception):
    """A file ends before it should; the words say how."""


def beginning(file: Path) -> str:
    """The first characters of a text file; raises ArchiveError where it is empty, packed or no text."""
    with told(file), _opened(file) as stream:
        try:
            head = stream.read1(BEGINNING)  # what there is before a break, no more
        except _Damage as error:
            raise ArchiveError(f"{file}: {_how(error)}; fetch the file again") from error
    if head.startswith(PACKED) or head[257:262] == b"ustar":
        raise ArchiveError(f"{file}: a packed archive; unpack it, then name its folder")
    if head.startswith(UTF_16):
        raise ArchiveError(f"{file}: UTF-16 text; save it as UTF-8")
    if b"\0" in head.partition(b"\n")[0]:
        raise ArchiveError(f"{file}: no text file; a CSV table, tweets.js or outbox.json is needed")
    text = head.decode("utf-8-sig", "replace").strip()
    if not text:
        raise ArchiveError(f"{file}: the file is empty")
    return text


def lines(file: Path) -> Iterator[str]:
    """The lines of a file with their ends; raises BrokenOff where packed data stops short, ArchiveError otherwise."""
    with (
        told(file),
        _opened(file) as stream,
        io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="") as text,
    ):
        try:
            yield from text
        except _Damage as error:
            raise BrokenOff(_how(error)) from error


def blocks(file: Path) -> Iterator[str]:
    """The text of a file piece by piece, for one without lines; raises as `lines` does."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
    with told(file), _opened(file) as stream:
        try:
            while block := stream.read1(BLOCK):
                yield decoder.decode(block)
        except _Damage as error:
            raise BrokenOff(_how(error)) from error
        yield decoder.decode(b"", final=True)


@contextmanager
def told(file: Path) -> Iterator[None]:
    """Turn the system's refusal to read a file into an ArchiveError."""
    try:
        yield
    except OSError as error:
        raise ArchiveError(f"{file}: cannot be read ({error.strerror or error})") from error


_Damage = (EOFError, zlib.error, gzip.BadGzipFile)


@contextmanager
def _opened(file: Path) -> Iterator[io.BufferedReader | gzip.GzipFile]:
    with file.open("rb") as plain:
        if plain.peek(len(GZIP)).startswith(GZIP):
            with gzip.GzipFile(fileobj=plain) as unpacked:
                yield unpacked
        else:
            yield plain


def _how(error: Exception) -> str:
    return f"the packed data is {'cut short' if isinstance(error, EOFError) else 'damaged'}"
