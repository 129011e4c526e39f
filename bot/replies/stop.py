"""Whether a text asks us for silence, in the languages people ask in; what follows from it is decided elsewhere.

Two kinds of wording count. Short words such as "stop" or "unsubscribe" count only when the text says nothing else:
"the next bus stop" and "stop shipping bugs" ask for nothing of the kind. Whole requests such as "stop messaging me"
count anywhere, unless they are turned round ("please don't stop writing to me").
"""

import re
import unicodedata

from bot.replies.bare import bare
from bot.replies.stop_wordings import ALONE, ANYWHERE, ENDINGS, POLITE, TURNED_ROUND, UNSPACED

FEW = 12
"""Words of a text that says nothing else; longer ones are not tried, which also bounds the work."""


def _any(wordings: str) -> str:
    """One expression out of all lines that are no comment; a line indented further goes on with the one before."""
    joined = re.sub(r"\n {6,}", "", wordings)
    lines = [line.strip() for line in joined.splitlines()]
    return f"(?:{'|'.join(line for line in lines if line and not line.startswith('#'))})"


_ALONE = re.compile(rf"(?:{_any(POLITE)} )*{_any(ALONE)}(?: {_any(POLITE + ALONE)})*")
_ANYWHERE = re.compile(rf"(?<![\w'-])(?<!\bnon )(?P<turned>{_any(TURNED_ROUND)} (?:ever )?)?{_any(ANYWHERE)}")
_UNSPACED = re.compile(_any(UNSPACED))
_ENDING = re.compile(_any(ENDINGS))
_PAUSES = re.compile(r"[.,;:!?…]+(?=\s|$)|\n")
_SIGNS = re.compile(r"[^\w', -]+|_")


def asks_for_silence(text: str) -> bool:
    """Whether this text asks us not to write to its author again."""
    said = _plain(bare(text))
    words = said.replace(",", " ").split()
    if (len(words) <= FEW and _ALONE.fullmatch(" ".join(words))) or _UNSPACED.search(said):
        return True
    return any(not _is_turned_round(found) for found in _ANYWHERE.finditer(said))


def _is_turned_round(found: re.Match[str]) -> bool:
    """Whether a "don't" makes it the opposite, as in "don't stop writing to me", not "no, don't write to me"."""
    turned = found["turned"]
    return turned is not None and _ENDING.match(found[0][len(turned) :]) is not None


def _plain(text: str) -> str:
    """Small letters and single spaces; no signs but a comma for every pause."""
    flat = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return " ".join(_SIGNS.sub(" ", _PAUSES.sub(",", flat)).split())
