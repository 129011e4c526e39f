"""What people say on any platform about anything, by language: the texts reply rules must stand out from; no rule here.

The texts are in `everyday.txt`, one a line under the name of their language.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from bot.replies.letters import letters

FILE = Path(__file__).with_name("everyday.txt")
SPOKEN = 0.2
"""Share of texts a language needs to count as spoken; single short texts are easily mistaken."""


def everyday_talk(texts: Sequence[str]) -> list[str]:
    """Everyday talk in the languages these texts are in, or seem nearest to by their letters."""
    known = _talk()
    lines = [line for said in known.values() for line in said]
    languages = [language for language, said in known.items() for _ in said]
    nearest = (letters(texts) @ letters(lines).T).argmax(axis=1)
    votes = Counter(languages[int(place)] for place in nearest)
    spoken = [language for language, count in votes.items() if count >= SPOKEN * len(texts)]
    return [line for language in spoken or list(known) for line in known[language]]


@cache
def _talk() -> dict[str, list[str]]:
    """Lines by language."""
    talk: dict[str, list[str]] = {}
    said: list[str] = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            said = talk.setdefault(line.removeprefix("# "), [])
        elif line:
            said.append(line)
    return talk
