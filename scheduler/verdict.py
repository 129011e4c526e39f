"""What a no at the gate looks like to the scheduler; which rules there are and why they refuse lives elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sqlmodel import Session

from storage.models import Post

Then = Literal["cancel", "hold", "later"]
"""What becomes of a refused post: dropped for good, held for a person, or tried again at `retry_at`."""


class Verdict(Protocol):
    """Anything that says no: which rule, its source, words for a person, and what becomes of the post."""

    @property
    def rule(self) -> str:
        """Id of the rule."""
        ...

    @property
    def source(self) -> str:
        """Where the rule comes from."""
        ...

    @property
    def words(self) -> str:
        """Why, for a person."""
        ...

    @property
    def then(self) -> Then:
        """What becomes of the post."""
        ...

    @property
    def retry_at(self) -> datetime | None:
        """When to ask again, for `later`."""
        ...


@dataclass(frozen=True)
class Refusal:
    """The plainest verdict."""

    rule: str
    source: str
    words: str
    then: Then = "cancel"
    retry_at: datetime | None = None


Allow = Callable[[Session, Post], Verdict | None]
"""Asked in the transaction that commits the intent, at the last instant before the socket; None permits."""
