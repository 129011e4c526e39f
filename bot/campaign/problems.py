"""What is wrong with a campaign file, where, and the likely cure; what counts as a fault lives elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz import fuzz, process

Where = tuple[str | int, ...]
"""Keys and list places from the top of the file, as ("posts", 0, "text")."""


@dataclass(frozen=True, order=True)
class Place:
    """A point in a file; line and column count from 1."""

    file: Path
    line: int = 1
    column: int = 1


@dataclass(frozen=True, order=True)
class Problem:
    """One fault: `place`, `path` (posts[0].text) and `what`, a line for a person."""

    place: Place
    path: str
    what: str

    def __str__(self) -> str:
        where = f"{self.place.file.name}:{self.place.line}:{self.place.column}"
        return f"{where}: {self.path}: {self.what}" if self.path else f"{where}: {self.what}"


class CampaignErrors(ValueError):
    """A campaign file cannot be used; `problems` holds every fault in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


def spell(where: Where) -> str:
    """Write a path for a person: posts[0].text."""
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in where)
    return printable("".join(parts).removeprefix("."))


def printable(text: str, most: int = 80) -> str:
    """A stranger's text on one line: control characters as escapes, long ones cut."""
    safe = "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in text)
    return safe if len(safe) <= most else safe[: most - 1] + "…"


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """`, did you mean 'x'?` for the nearest known word, or nothing where none is near."""
    if not isinstance(word, str) or not word.strip():
        return ""
    near = process.extractOne(
        word.strip().lower(), sorted(known), scorer=_nearness, processor=str.lower, score_cutoff=66
    )
    return f", did you mean {near[0]!r}?" if near else ""


def _nearness(word: str, known: str, *, score_cutoff: float | None = None) -> float:
    """Similarity 0..100 by letters; a known word's beginning or last part (Berlin) counts almost as the whole."""
    last = known.rpartition("/")[2]
    score = max(fuzz.ratio(word, known), fuzz.ratio(word, last) - 2)
    if len(word) > len(known) >= 3 and word.startswith(known):
        score = max(score, 90.0)
    return score if score >= (score_cutoff or 0) else 0.0
