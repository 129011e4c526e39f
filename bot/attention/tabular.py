"""A history and its candidates as tables for the baselines: outcomes, hours, kinds, plain columns, text vectors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.attention import features
from bot.attention.forecast import Candidate, PastPost
from bot.attention.outcomes import Scale, finished


@dataclass(frozen=True)
class Known:
    """The posts of a history measured for one action, oldest first, their outcomes z (n,), and the scale of z."""

    posts: list[PastPost]
    z: NDArray[np.float64]
    centre: float
    spread: float

    @classmethod
    def of(cls, history: Sequence[PastPost], action: str) -> "Known":
        """What is measured; unfinished posts count with what they will have reached."""
        ordered = sorted(history, key=lambda post: post.at)
        values = finished(ordered, action)
        scale = Scale.of(values)
        measured = np.isfinite(values)
        posts = [post for post, known in zip(ordered, measured, strict=True) if known]
        return cls(posts, scale.z(values[measured]), scale.centre, scale.spread)


@dataclass(frozen=True)
class Rows:
    """n posts: hour of the UTC week (n,) 0..167 from Monday, kinds (n,), columns (n, c); text vectors on demand."""

    hour_of_week: NDArray[np.int64]
    kinds: NDArray[np.str_]
    columns: NDArray[np.float64]
    read: Callable[[], NDArray[Any]]
    """Gives the text vectors (n, d)."""

    @classmethod
    def of(
        cls,
        posts: Sequence[PastPost] | Sequence[Candidate],
        times: Sequence[datetime],
        embed: Callable[[Sequence[str]], NDArray[Any]] | None,
    ) -> "Rows":
        """The table of some posts; `times` of the whole history say how long before each the last post was."""
        texts, kinds = [post.text for post in posts], [post.kind for post in posts]
        moments = [post.at.astimezone(UTC) for post in posts]
        at, known = features.seconds(moments), np.sort(features.seconds(times))
        hours = np.array([moment.weekday() * 24 + moment.hour for moment in moments], dtype=np.int64)
        reference = float(known[-1]) if len(known) else 0.0
        columns = features.tokens(at, features.kinds(kinds), features.surfaces(texts), known, reference)

        def read() -> NDArray[Any]:
            if embed is None:
                raise ValueError("this baseline reads texts: give it `embed`")
            return embed(texts)

        return cls(hours, np.array(kinds, dtype=np.str_), np.hstack([columns, hours[:, None] % 24]), read)

    def __len__(self) -> int:
        return len(self.hour_of_week)

    @cached_property
    def vectors(self) -> NDArray[np.float64]:
        """Text vectors (n, d), read at the first use."""
        return np.asarray(self.read(), dtype=np.float64)

    def take(self, index: NDArray[np.intp]) -> "Rows":
        """Some of the rows, by place; they share the vectors."""
        return Rows(self.hour_of_week[index], self.kinds[index], self.columns[index], lambda: self.vectors[index])
