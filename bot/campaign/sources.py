"""Reads a campaign's sources: feeds, tables and folders become posts, each once; the caller keeps what was seen."""

import calendar
import csv
import hashlib
import io
import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import feedparser
from pydantic import ValidationError

from bot.campaign.fetch import MAX_BYTES, SourceError, fetch
from bot.campaign.problems import CampaignErrors, did_you_mean
from bot.campaign.reading import read
from bot.campaign.schema import PostItem, Source, fill

Fetch = Callable[[str], bytes]
"""Address -> the body of the answer; raises SourceError."""

SUMMARY = 200
"""Most characters of {summary}."""

COLUMNS = ("id", "text", "title", "link", "summary", "kind", "target")
"""What a table's columns and a markdown file's front matter may be called."""


@dataclass(frozen=True)
class SourceItem:
    """A post a source gave; `guid` is the item's lasting name in that source."""

    guid: str
    item: PostItem


def fetched_body(url: str) -> bytes:
    """The body behind a public address."""
    return fetch(url).body


def look(source: Source, folder: Path, seen: Container[str], fetch_body: Fetch = fetched_body) -> list[SourceItem]:
    """All items not in `seen`, oldest first, at most `source.limit`; raises SourceError with one line.

    Paths start at `folder`. The caller adds the guids to `seen` once the items are stored.
    """
    if source.rss:
        entries = _feed(source.rss, folder, fetch_body)
    elif source.csv:
        entries = _table(folder / source.csv)
    else:
        entries = _markdown(folder / (source.folder or ""))
    found: dict[str, SourceItem] = {}
    for fields in entries:
        guid = fields["guid"]
        if guid in seen or guid in found:
            continue
        if source.limit is not None and len(found) >= source.limit:
            break
        item = _post(source, fields)
        if item:
            found[guid] = SourceItem(guid, item)
    return list(found.values())


def _post(source: Source, fields: dict[str, str]) -> PostItem | None:
    """The post of one entry in the source's wordings; None where nothing remains to be said."""
    kind = next(name for name in ("rss", "csv", "folder") if getattr(source, name))
    mark = hashlib.sha256(fields["guid"].encode()).hexdigest()[:12]
    given: dict[str, Any] = {"id": f"{(source.id or kind)[:50]}-{mark}"}
    given |= {key: fields[key] for key in ("title", "link", "kind", "target") if fields.get(key)}
    values = {key: fields.get(key) or " " for key in ("title", "link", "summary")}

    def filled(template: str) -> str:
        lines = (re.sub(r"[ \t]+", " ", line).strip() for line in fill(template, **values).split("\n"))
        return "\n".join(lines).strip()

    if not source.variants and not source.text and "text" not in fields:
        raise SourceError(f"{fields['at']}: no column `text`, and the source has no wording of its own")
    if source.variants:
        wordings = [{**v.model_dump(exclude_none=True), "text": filled(v.text)} for v in source.variants]
        given["variants"] = [wording for wording in wordings if wording["text"]]
    else:
        given["text"] = filled(source.text) if source.text else fields.get("text", "").strip()
    if not given.get("variants") and not given.get("text"):
        return None
    try:
        return PostItem.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise SourceError(f"{fields['at']}: {first['loc'][0]}: {first['msg']}") from error


def _feed(address: str, folder: Path, fetch_body: Fetch) -> Iterator[dict[str, str]]:
    """Entries of an RSS or Atom feed, oldest first."""
    body = fetch_body(address) if "://" in address else _bytes(folder / address)
    if not body.strip():
        raise SourceError(f"{address}: the feed is empty")
    # A stream, never a string: a string could be taken for an address and be opened.
    feed = feedparser.parse(io.BytesIO(body), sanitize_html=True, resolve_relative_uris=False)
    if not feed.get("version"):
        page = b"<html" in body[:2000].lower() or b"<!doctype html" in body[:2000].lower()
        raise SourceError(f"{address}: {'a web page, not a feed' if page else 'neither RSS nor Atom'}")
    if not feed.entries:
        why = feed.get("bozo_exception")
        raise SourceError(f"{address}: the feed {f'is broken: {_line(why)}' if why else 'has no items'}")
    upwards = feed.entries[::-1]  # feeds list the newest first; entries without a date keep that order
    for entry in sorted(upwards, key=_published):
        link = str(entry.get("link", "")).strip()
        fields = {
            "title": plain(str(entry.get("title", ""))),
            "link": link if re.match(r"https?://", link) else "",
            "summary": shorten(plain(str(entry.get("summary", ""))), SUMMARY),
            "at": address,
        }
        guid = str(entry.get("id") or link or "").strip()
        fields["guid"] = _guid(guid or "\n".join((fields["title"], fields["summary"])), hashed=not guid)
        yield fields


def _published(entry: Any) -> int:
    moment = entry.get("published_parsed") or entry.get("updated_parsed")
    return calendar.timegm(moment) if moment else 0


def _table(file: Path) -> Iterator[dict[str, str]]:
    """Rows of a CSV file with a header."""
    text = _text(file)
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        names = [name.strip().lower() for name in rows.fieldnames or []]
        if not names:
            raise SourceError(f"{file.name}: the table is empty")
        if unknown := [name for name in names if name not in COLUMNS]:
            hint = did_you_mean(unknown[0], COLUMNS) or f", known: {', '.join(COLUMNS)}"
            raise SourceError(f"{file.name}:1: unknown column {unknown[0]!r}{hint}")
        rows.fieldnames = names
        for row in rows:
            at = f"{file.name}:{rows.line_num}"
            if None in row or None in row.values():
                raise SourceError(f"{at}: the row has not as many cells as the header")
            if any(cell.strip() for cell in row.values()):
                whole = "\n".join(f"{name}={row[name]}" for name in sorted(row))
                guid = _guid(row.get("id") or whole, hashed=not row.get("id"))
                yield {**{name: cell.strip() for name, cell in row.items()}, "guid": guid, "at": at}
    except csv.Error as error:
        raise SourceError(f"{file.name}:{rows.line_num + 1}: not a CSV table: {error}") from error


def _markdown(folder: Path) -> Iterator[dict[str, str]]:
    """Markdown files by name; front matter (`title`, `link`, `kind` ...) may stand above the text."""
    if not folder.is_dir():
        raise SourceError(f"{folder.name}: there is no such folder")
    for file in sorted(folder.glob("*.md")):
        text = _text(file).replace("\r\n", "\n")
        front: dict[str, str] = {}
        if matter := re.match(r"---[ \t]*\n(.*?)(?:^|\n)---[ \t]*(?:\n|\Z)", text, re.DOTALL | re.MULTILINE):
            front, text = _front(file, matter[1]), text[matter.end() :]
        body = text.strip()
        summary = shorten(" ".join(re.split(r"\n\s*\n", body, maxsplit=1)[0].split()), SUMMARY)
        yield {"text": body, "summary": summary, **front, "guid": _guid(file.name), "at": file.name}


def _front(file: Path, text: str) -> dict[str, str]:
    """A markdown file's front matter; a file with none yields nothing."""
    try:
        data = read(file, text, {}).data
    except CampaignErrors as errors:
        raise SourceError(f"{file.name}: front matter: {errors.problems[0].what}") from errors
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise SourceError(f"{file.name}: front matter: `key: value` lines are needed between the --- lines")
    for key in data:
        if key not in COLUMNS:
            hint = did_you_mean(key, COLUMNS) or f", known: {', '.join(COLUMNS)}"
            raise SourceError(f"{file.name}: front matter: unknown key {key!r}{hint}")
    return {key: str(value) for key, value in data.items()}


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            body = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise SourceError(f"{file.name}: cannot be read: {why}") from error
    if len(body) > MAX_BYTES:
        raise SourceError(f"{file.name}: larger than {MAX_BYTES:,} bytes")
    return body


def _text(file: Path) -> str:
    try:
        return _bytes(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"{file.name}: not UTF-8 text: save it as UTF-8") from error


def _guid(name: str, hashed: bool = False) -> str:
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}" if hashed or len(name) > 500 else name


def _line(error: object) -> str:
    return " ".join(str(error).split())[:120]


class _Words(HTMLParser):
    """Collects the words between tags."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.words.append(" " if tag in ("p", "br", "li", "div") else "")


def plain(html: str) -> str:
    """Text without tags, on one line."""
    parser = _Words()
    parser.feed(html)
    parser.close()
    return " ".join("".join(parser.words).split())


def shorten(text: str, most: int) -> str:
    """At most so many characters, cut between words, with … where something was cut."""
    if len(text) <= most:
        return text
    return text[: most - 1].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"
