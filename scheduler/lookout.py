"""When to look for posts of unknown outcome, and what a look that finds nothing means; a pure memory without calls."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from storage.models import Post

GRACE = timedelta(seconds=30)
"""Platforms show a post in our own timeline a little after they took it."""
SECOND_LOOK = timedelta(minutes=10)
KEY_KEPT = timedelta(minutes=55)
"""Platforms with idempotency keys keep them for an hour; the margin is for the way there."""
SKEW = timedelta(minutes=5)
"""How far a platform's clock may be behind ours."""


class Next(Enum):
    """What follows a look that found nothing."""

    RESEND = auto()
    """The platform drops a repetition with the same key: send again."""
    LOOK_AGAIN = auto()
    PARK = auto()
    """Not found twice: only a person can say."""


def first_try(post: Post) -> datetime:
    """No later than the first time the draft may have left: its only intent, or after several tries its slot."""
    intent = post.intent_at or post.slot_at
    return intent if post.attempts <= 1 else min(intent, post.slot_at)


def look_since(post: Post) -> datetime:
    """How far back to look for it."""
    return first_try(post) - SKEW


@dataclass
class _Looks:
    next_at: datetime | None
    missed: int = 0


@dataclass
class Lookout:
    """Remembers the looks at each unknown post; a restart forgets them, which costs a look and harms nothing."""

    _looks: dict[int, _Looks] = field(default_factory=dict)

    def due(self, post: Post, now: datetime) -> bool:
        """Whether it is time to look for this post."""
        next_at = self._of(post).next_at
        return next_at is not None and next_at <= now

    def next_moment(self) -> datetime | None:
        """The earliest moment at which a look is due."""
        return min((looks.next_at for looks in self._looks.values() if looks.next_at is not None), default=None)

    def keep(self, unknown: set[int]) -> None:
        """Forget every post that is not unknown any more."""
        self._looks = {post_id: looks for post_id, looks in self._looks.items() if post_id in unknown}

    def missed(self, post: Post, now: datetime, may_repeat: bool) -> Next:
        """A look found nothing: decide what follows."""
        looks = self._of(post)
        if may_repeat and now - first_try(post) < KEY_KEPT:
            looks.next_at = now + SECOND_LOOK  # where the gate lets nothing out just now
            return Next.RESEND
        looks.missed += 1
        looks.next_at = now + SECOND_LOOK if looks.missed < 2 else None
        return Next.LOOK_AGAIN if looks.missed < 2 else Next.PARK

    def sent_again(self, post: Post) -> None:
        """It has a new intent: its looks begin anew, later with each try."""
        self._looks.pop(_id(post), None)

    def failed(self, post: Post, again_at: datetime) -> None:
        """The look itself failed: look again then."""
        self._of(post).next_at = again_at

    def _of(self, post: Post) -> _Looks:
        grace = GRACE * (1 << min(max(post.attempts, 1) - 1, 10))
        return self._looks.setdefault(_id(post), _Looks((post.intent_at or post.updated_at) + grace))


def _id(post: Post) -> int:
    assert post.id is not None
    return post.id
