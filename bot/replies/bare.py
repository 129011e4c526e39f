"""The words of a text that somebody wrote to us, without what says nothing about its meaning; no judgement of them."""

import re

LONGEST = 2000
"""Characters that are read: what is meant is said by then, and the work stays bounded."""
_NOT_WORDS = re.compile(r"https?://\S+|(?<![\w@])@[\w.@-]{0,80}\w")


def bare(text: str) -> str:
    """The beginning of a text without addresses and handles."""
    return _NOT_WORDS.sub(" ", text[:LONGEST]).strip()
