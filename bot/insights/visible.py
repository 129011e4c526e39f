"""Strangers' text made safe to look at: what could reorder, hide or steer is spelled out; HTML is escaped elsewhere."""

import unicodedata

JOINERS = "\u200c\u200d"
"""Zero width, but part of words in several scripts and of many emoji."""
BREAKS = "\n\u2028\u2029"


def visible(text: str, most: int | None = None) -> str:
    """The text with control, bidirectional and other invisible signs written as ⟨U+202E⟩; cut to `most` signs.

    Line breaks stay, tabs become spaces, joiners stay; nothing in the result can move the text around it or steer a
    terminal.
    """
    cut = most is not None and len(text) > most
    shown = "".join(_sign(sign) for sign in (text[: most - 1] if cut and most else text))
    return f"{shown}…" if cut else shown


def one_line(text: str, most: int | None = None) -> str:
    """The same on a single line."""
    return visible(" ".join(text.split()), most)


def _sign(sign: str) -> str:
    if sign in BREAKS:
        return "\n"
    if sign == "\t":
        return " "
    if sign in JOINERS or unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Cn"}:
        return sign
    return f"⟨U+{ord(sign):04X}⟩"
