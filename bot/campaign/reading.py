"""Reads YAML 1.2 into plain values with the place of each, within limits; what the values mean is not known here.

Dates, times and durations stay text, so `at: 12:30` is never 750. Tags, further documents and `%` directives are
refused; duplicate keys are faults. `${NAME:?why}` and `${NAME:-default}` are filled in inside values, never in keys.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.reader import ReaderError

from bot.campaign.problems import CampaignErrors, Place, Problem, Where, printable, spell

MAX_BYTES = 1_000_000
MAX_NODES = 20_000
MAX_ALIASES = 100
MAX_DEPTH = 30
OWN = "KAIROS_"
"""Variables of Kairos itself begin so; a token of an account may be in one, and a campaign's words are published."""

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<body>[^{}]*)\}|\$\{")
_NAMED = re.compile(r"(?P<name>[A-Z_][A-Z0-9_]*)(:(?P<sign>[?-])(?P<rest>.*))?", re.DOTALL)


@dataclass
class Reading:
    """A file as plain values, the places of its keys and values, and the faults met on the way.

    `ends` holds where a scalar written on one line stops; `filled` the values that came from the environment;
    `faulty` the places with a fault.
    """

    file: Path
    data: Any = None
    keys: dict[Where, Place] = field(default_factory=dict)
    values: dict[Where, Place] = field(default_factory=dict)
    ends: dict[Where, Place] = field(default_factory=dict)
    filled: set[Where] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    faulty: set[Where] = field(default_factory=set)

    def place(self, where: Where, key: bool = False) -> Place:
        """Where a value (or its key) stands; of what is not in the file, where its nearest parent does."""
        first, second = (self.keys, self.values) if key else (self.values, self.keys)
        while where:
            found = first.get(where) or second.get(where)
            if found:
                return found
            where, first, second = where[:-1], self.keys, self.values
        return Place(self.file)

    def fault(self, where: Where, what: str, place: Place | None = None, key: bool = False) -> None:
        """Note a fault."""
        self.faulty.add(where)
        self.problems.append(Problem(place or self.place(where, key), spell(where), what))


def read_text(file: Path) -> str:
    """The text of a file within the size limit; raises CampaignErrors."""
    try:
        if file.is_dir():
            raise CampaignErrors([Problem(Place(file), "", "this is a folder, a campaign file is needed")])
        if not file.exists():
            raise CampaignErrors([Problem(Place(file), "", "there is no such file")])
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except CampaignErrors:
        raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise CampaignErrors([Problem(Place(file), "", f"cannot be read: {why}")]) from error
    if len(raw) > MAX_BYTES:
        raise CampaignErrors([Problem(Place(file), "", "larger than 1 MB: split it and use `include`")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        place = Place(file, before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise CampaignErrors([Problem(place, "", "not UTF-8 text: save it as UTF-8")]) from error


def read(file: Path, text: str, environment: Mapping[str, str]) -> Reading:
    """Read the text of a campaign file; a text that is not YAML at all raises CampaignErrors."""
    reading = Reading(file)
    yaml = YAML(typ="rt", pure=True)
    try:
        _Walk(reading, yaml, iter(yaml.parse(text)), environment).document()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        line = text.splitlines()[place.line - 1] if place.line <= len(text.splitlines()) else ""
        what = "${...} inside { } or [ ] needs quotes" if re.search(r"[\[{,:] *\$\{", line) else _syntax(error)
        raise CampaignErrors([*reading.problems, Problem(place, "", what)]) from error
    except ReaderError as error:
        before = text[: error.position]
        place = Place(file, before.count("\n") + 1, error.position - before.rfind("\n"))
        what = f"the character {printable(chr(error.character))} is not allowed in YAML"
        raise CampaignErrors([*reading.problems, Problem(place, "", what)]) from error
    except _Stop as stop:
        raise CampaignErrors([*reading.problems, Problem(stop.place, "", stop.what)]) from stop
    except (YAMLError, ValueError, AssertionError, IndexError, AttributeError, TypeError) as error:
        # The parser below lets a few odd texts out as bare Python errors; for an owner they are all the same.
        first = printable(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__)
        raise CampaignErrors([*reading.problems, Problem(Place(file), "", f"not YAML: {first}")]) from error
    return reading


def _syntax(error: MarkedYAMLError) -> str:
    problem = str(error.problem or error.context or "not YAML").strip()
    if "'\\t'" in problem:
        return "a tab is used as indentation: YAML takes spaces only"
    if "mapping values are not allowed" in problem:
        return "a ': ' inside a plain text: put the text in quotes"
    if "found undefined alias" in problem:
        return "an alias (*name) without its anchor (&name)"
    context = f" ({error.context})" if error.context and error.problem else ""
    return f"not YAML: {printable(problem, 160)}{context}"


class _Stop(Exception):
    """Reading must end here: a limit was reached or something forbidden was met."""

    def __init__(self, place: Place, what: str) -> None:
        super().__init__(what)
        self.place, self.what = place, what


class _Walk:
    """One pass over the parser's events."""

    def __init__(self, reading: Reading, yaml: YAML, events: Iterator[Event], environment: Mapping[str, str]) -> None:
        self.reading, self.yaml, self.events, self.environment = reading, yaml, events, environment
        self.anchors: dict[str, tuple[Where, Any]] = {}
        self.nodes = self.aliases = 0

    def document(self) -> None:
        documents = 0
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if event.version or event.tags:
                    raise _Stop(Place(self.reading.file), "% directives are not allowed: this is YAML 1.2")
                if documents > 1:
                    raise _Stop(self._place(event), "a second document ('---'): one file holds one campaign")
            elif isinstance(event, NodeEvent):
                self.reading.data = self.node(event, (), 0)

    def _place(self, event: Event, end: bool = False) -> Place:
        mark = event.end_mark if end else event.start_mark
        return Place(self.reading.file, mark.line + 1, mark.column + 1)

    def count(self, place: Place, more: int = 1) -> None:
        self.nodes += more
        if self.nodes > MAX_NODES:
            raise _Stop(place, f"more than {MAX_NODES} values: split it and use `include`")

    def node(self, event: Event, where: Where, depth: int) -> Any:
        place = self._place(event)
        self.reading.values[where] = place
        self.count(place)
        if depth > MAX_DEPTH:
            raise _Stop(place, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, AliasEvent):
            return self.alias(event, where, place)
        tag = getattr(event, "tag", None)
        if tag is not None and str(tag):
            self.reading.fault(where, f"tags such as {printable(str(tag))} are not allowed", place)
        if isinstance(event, ScalarEvent):
            value = self.scalar(event, where, place)
        elif isinstance(event, SequenceStartEvent):
            value = self.sequence(where, depth)
        else:
            assert isinstance(event, MappingStartEvent)
            value = self.mapping(where, depth)
        if getattr(event, "anchor", None):
            self.anchors[str(event.anchor)] = (where, value)
        return value

    def alias(self, event: AliasEvent, where: Where, place: Place) -> Any:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            raise _Stop(place, f"more than {MAX_ALIASES} aliases")
        if str(event.anchor) not in self.anchors:
            raise _Stop(place, f"*{printable(str(event.anchor))}: an alias without its anchor before it")
        origin, value = self.anchors[str(event.anchor)]
        for places in (self.reading.keys, self.reading.values):
            below = [(path, found) for path, found in places.items() if path[: len(origin)] == origin]
            self.count(place, len(below))
            for path, found in below:
                places.setdefault(where + path[len(origin) :], found)
        return value

    def sequence(self, where: Where, depth: int) -> list[Any]:
        values: list[Any] = []
        for event in self.events:
            if isinstance(event, CollectionEndEvent):
                break
            values.append(self.node(event, (*where, len(values)), depth + 1))
        return values

    def mapping(self, where: Where, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for event in self.events:
            if isinstance(event, CollectionEndEvent):
                break
            place = self._place(event)
            self.count(place)
            if not isinstance(event, ScalarEvent):
                raise _Stop(place, "a key must be one word")
            key = str(event.value)
            known = (*where, key) in self.reading.keys
            inner = (*where, f"{key} (again, line {place.line})") if known else (*where, key)
            self.reading.keys[inner] = place
            if known:
                first = self.reading.keys[*where, key].line
                self.reading.fault((*where, key), f"the same key again (first in line {first})", place)
            if "${" in key:
                self.reading.fault((*where, key), "${...} is filled in inside values only, not in keys", place)
            value = self.node(next(self.events), inner, depth + 1)
            if value is None and not known:
                self.reading.fault((*where, key), "nothing is written here: give a value or remove it", place)
            elif not known:
                values[key] = value
        return values

    def scalar(self, event: ScalarEvent, where: Where, place: Place) -> Any:
        end = self._place(event, end=True)
        if end.line == place.line:
            self.reading.ends[where] = end
        text = str(event.value)
        if "${" in text:
            return self.fill(text, where, place)
        if event.style in ('"', "'", "|", ">"):
            return text
        tag = str(self.yaml.resolver.resolve(ScalarNode, text, (True, False)))
        return _plain(text, tag.rpartition(":")[2])

    def fill(self, text: str, where: Where, place: Place) -> str:
        """Put the environment's values in; each that is missing is a fault."""

        def value(found: re.Match[str]) -> str:
            if found[0] == "$${":
                return "${"
            named = _NAMED.fullmatch(found["body"] or "")
            if not named:
                wish = f"{printable(found[0])}: write ${{NAME:?why}} or ${{NAME:-default}}"
                self.reading.fault(where, f"{wish} ($${{ for a plain ${{)", place)
                return ""
            if named["name"].startswith(OWN):
                self.reading.fault(
                    where, f"{named['name']} may hold a secret of Kairos: no campaign takes it in", place
                )
                return ""
            self.reading.filled.add(where)
            given = self.environment.get(named["name"])
            if given:
                return given
            if named["sign"] == "-":
                return named["rest"] or ""
            why = f": {printable(named['rest'])}" if named["rest"] else ""
            self.reading.fault(where, f"{named['name']} is not set in the environment{why}", place)
            return ""

        return _REFERENCE.sub(value, text)


def _plain(text: str, tag: str) -> Any:
    """The value of an unquoted word: nothing, truth, a number, or the text itself."""
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() == "true"
    try:
        if tag == "int":
            return int(text.replace("_", ""), 0 if re.match(r"[-+]?0[xo]", text) else 10)
        if tag == "float":
            number = float(text.replace("_", ""))
            return number if number - number == 0 else text
    except ValueError:
        return text
    return text
