"""What stands in a text that rules look at: handles, hashtags, and its wording bare of both; no rule lives here."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_LINK = re.compile(r"https?://[^\s,;()<>\"']+|(?<![\w@.])(?:[\w-]+\.)+[a-z]{2,}/[^\s,;()<>\"']*", re.IGNORECASE)
_LETTER_BOX = re.compile(r"(?<![\w@.+-])[\w.+-]+@(?:[\w-]+\.)+\w{2,}")
_HANDLE = re.compile(r"(?<![\w@])@(\w[\w.-]*(?:@[\w-]+(?:\.[\w-]+)+)?)|(?<![\w/])/?u/([\w-]{2,})", re.IGNORECASE)
_HASHTAG = re.compile(r"(?<![\w&#])#(\w*[^\W\d_]\w*)")
_NUMBER = re.compile(r"\d+")
_WORDS = re.compile(r"\w+")


def handles(texts: Iterable[str]) -> tuple[str, ...]:
    """Handles that texts name (@user, @user@host, u/user), bare and in lower case, each once; letter boxes are none."""
    found = (match[1] or match[2] for text in texts for match in _HANDLE.finditer(_without_addresses(text)))
    return tuple(dict.fromkeys(handle.rstrip(".-_").lower() for handle in found))


def hashtags(texts: Iterable[str]) -> tuple[str, ...]:
    """Hashtags of texts, bare and in lower case, each once; #1 and the anchor of an address are none."""
    found = (match[1] for text in texts for match in _HASHTAG.finditer(_without_addresses(text)))
    return tuple(dict.fromkeys(tag.lower() for tag in found))


@lru_cache(maxsize=4096)
def wording(text: str) -> str:
    """The words of a text alone, for comparison: no links, case, accents of writing, signs or spaces.

    A text of nothing but links keeps them, since they are all it says.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    words = _WORDS.findall(_LINK.sub(" ", plain))
    return " ".join(words or _WORDS.findall(plain))


@lru_cache(maxsize=4096)
def numbers(text: str) -> tuple[str, ...]:
    """The numbers a text gives, links left out: episode 41 is not episode 42."""
    return tuple(_NUMBER.findall(_LINK.sub(" ", unicodedata.normalize("NFKC", text))))


def _without_addresses(text: str) -> str:
    """Widened signs such as ＠ made plain, as platforms do, and addresses of pages and letter boxes taken out."""
    return _LETTER_BOX.sub(" ", _LINK.sub(" ", unicodedata.normalize("NFKC", text)))
