"""Small turns of phrase that many rooms need, so that no message says `1 posts`; no message itself is here."""


def counted(count: int, noun: str) -> str:
    """The number with its noun: `1 post`, `1,232 posts`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
