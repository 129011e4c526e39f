"""X's own counting of a text's length, with a margin, and when two texts are the same to X; no request is made here."""

import re
import unicodedata
from collections.abc import Iterator

MAX_LENGTH = 280
LINK_LENGTH = 23
"""Every link is shown as a short one of this length."""

_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
"""Code points that count one; all others count two."""
_SIGNS = "©®"
"""Light by the table, yet shown as emoji where a font wishes so: counted two, to be safe."""

_LETTERS = r"A-Za-z0-9\u00C0-\u024F\u0400-\u04FF"
_PATH = rf"[{_LETTERS}!*';:=+,.$/%#\[\]\-_~@|&()?]*[{_LETTERS}=#/+_\-&$%]"
_HOST = r"(?:[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?\.)+(?:xn--[a-z0-9-]+|[a-z]{2,})"
_LINK = re.compile(
    rf"(?P<whole>https?://{_HOST}(?::\d+)?(?:[/?]{_PATH}|/)?)|(?<![@#$\w./-])(?P<bare>{_HOST})(?P<path>/{_PATH}|/)?(?![\w@])"
    r"|(?P<odd>https?://\S+)",
    re.IGNORECASE,
)
_FILES = re.compile(
    "aspx?|bat|bin|bmp|cfg|class|conf|cpp|css|csv|docx?|exe|gif|gz|html?|ini|ipynb|jpe?g|js|jsonl?|jsx|lock|log|mp[34]"
    "|pdf|php|png|pptx?|sql|svg|tar|toml|tsx|txt|wav|xlsx?|xml|ya?ml"
)
"""Endings of file names that are no domains."""

_EMOJI = re.compile(
    "[0-9#*]\ufe0f?\u20e3"
    "|[\U0001f1e6-\U0001f1ff]{2}"
    "|[\u203c-\u3299\U0001f000-\U0001faff](?:\ufe0f|[\U0001f3fb-\U0001f3ff])(?!\u200d)"
)
"""Sequences that X counts as one emoji. Those joined by ZWJ are counted by their pieces: X knows only some of them."""


def length(text: str) -> int:
    """Weighted length: never less than X's own count, more only for rare emoji and for words that look like links."""
    text = unicodedata.normalize("NFC", text)
    total = at = 0
    for start, end, certain in _links(text):
        total += _weight(text[at:start])
        total += LINK_LENGTH if certain else max(LINK_LENGTH, _weight(text[start:end]))
        at = end
    return total + _weight(text[at:])


def has_link(text: str) -> bool:
    """Whether X may find a link in a text, which makes its price that of a post with a link."""
    return any(True for _ in _links(unicodedata.normalize("NFC", text)))


def alike(text: str) -> str:
    """A text as X may give it back: the same for two texts that differ only in what X changes by itself."""
    text = re.sub(r"https?://", "", unicodedata.normalize("NFC", text), flags=re.IGNORECASE)
    return " ".join(re.sub(r"/(?=\s|$)", "", text).split())


def without_names_before(text: str) -> str:
    """A text without the @names that stand before it: X puts those of a conversation there by itself."""
    return re.sub(r"^\s*(?:@\w{1,20}\s+)+", "", text + " ").strip()


def _links(text: str) -> Iterator[tuple[int, int, bool]]:
    """Where links stand, and whether X certainly takes each for one."""
    for found in _LINK.finditer(text):
        bare = found["bare"]
        if bare is None:
            yield found.start(), found.end(), found["odd"] is None
            continue
        *before, ending = bare.lower().split(".")
        if _FILES.fullmatch(ending) and not found["path"]:
            continue
        if len(ending) == 2 and len(before) == 1 and not found["path"] and ending not in ("co", "tv"):
            continue  # two letters are a country's: X takes `main.py` for a word, `main.py/x` for a link
        yield found.start(), found.end(), False


def _weight(text: str) -> int:
    whole = _EMOJI.sub("", text)
    emoji = sum(1 for _ in _EMOJI.finditer(text))
    return 2 * emoji + sum(_of(character) for character in whole)


def _of(character: str) -> int:
    if character in _SIGNS:
        return 2
    return 1 if any(low <= ord(character) <= high for low, high in _LIGHT) else 2
