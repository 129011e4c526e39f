"""Writes one value back into a campaign file and leaves every other line as it was; the value is not judged."""

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from bot.campaign.problems import CampaignErrors, Place, Where, spell
from bot.campaign.reading import Reading, read, read_text

Scalar = str | int | float | bool


class NotEditable(ValueError):
    """The value cannot be written without changing other lines; the message says why."""


def set_value(path: Path, where: Where, value: Scalar) -> None:
    """Set a value that stands on one line, or add a key to a mapping; at most one line of the file changes.

    Raises NotEditable where that is not possible and CampaignErrors where the file is not YAML. The file is replaced
    in one step, after the new text was read back and says exactly the old plus this value.
    """
    text = read_text(path)
    before = read(path, text, {})
    lines = text.splitlines(keepends=True)
    if where in before.values:
        _replace(lines, before, where, _written(value))
    else:
        _insert(lines, before, where, _written(value))
    changed = "".join(lines)
    try:
        same = read(path, changed, {}).data == _with(before.data, where, value)
    except CampaignErrors:
        same = False
    if not same:
        raise NotEditable(f"{spell(where)} cannot be changed alone: edit the file by hand")
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(changed, encoding="utf-8", newline="")
    draft.replace(path)


def _written(value: Scalar) -> str:
    """A value as YAML writes it in one line, in double quotes where it is text."""
    if isinstance(value, bool | int | float):
        return str(value).lower()
    yaml = YAML(typ="rt", pure=True)
    yaml.width = 10**9
    stream = io.StringIO()
    yaml.dump([DoubleQuotedScalarString(value)], stream)
    return stream.getvalue().removeprefix("- ").rstrip("\n")


def _replace(lines: list[str], reading: Reading, where: Where, written: str) -> None:
    start, end = reading.values[where], reading.ends.get(where)
    if end is None or end.line != start.line:
        raise NotEditable(f"{spell(where)} spans several lines: edit the file by hand")
    if start == end and where in reading.keys:  # nothing after the colon yet
        key = reading.keys[where]
        colon = lines[key.line - 1].index(":", key.column - 1) + 1
        start = end = Place(key.file, key.line, colon + 1)
    line = lines[start.line - 1]
    head = line[: start.column - 1]
    gap = " " if head.endswith((":", "-")) else ""
    lines[start.line - 1] = head + gap + written + line[end.column - 1 :]


def _insert(lines: list[str], reading: Reading, where: Where, written: str) -> None:
    """Add a key as a new line above the mapping's second key, or inside { } as the first."""
    parent, key = where[:-1], where[-1]
    siblings = sorted(place for path, place in reading.keys.items() if path[:-1] == parent)
    if not isinstance(key, str) or not siblings:
        raise NotEditable(f"{spell(where)}: there is no `key: value` block to add it to")
    first = siblings[0]
    if _in_braces(lines, reading.values.get(parent), first):
        line = lines[first.line - 1]
        lines[first.line - 1] = f"{line[: first.column - 1]}{key}: {written}, {line[first.column - 1 :]}"
        return
    below = next((place.line for place in siblings if place.line > first.line), None)
    if below is None:
        below = max((place.line for path, place in reading.ends.items() if path[: len(parent)] == parent)) + 1
    if below > len(lines) and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    lines.insert(below - 1, f"{' ' * (first.column - 1)}{key}: {written}\n")


def _in_braces(lines: list[str], place: Place | None, first: Place) -> bool:
    return place is not None and place != first and lines[place.line - 1][place.column - 1] == "{"


def _with(data: Any, where: Where, value: Scalar) -> Any:
    """The same plain values with one of them set."""
    if not where:
        return value
    step, rest = where[0], where[1:]
    if isinstance(data, dict) and isinstance(step, str):
        return {**data, step: _with(data.get(step), rest, value)}
    if isinstance(data, list) and isinstance(step, int) and step < len(data):
        return [*data[:step], _with(data[step], rest, value), *data[step + 1 :]]
    return None
