"""Accounts with a known truth: what their audience likes is planted, so that a model can be right or wrong about it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.attention.forecast import Candidate, PastPost

TOPICS = (
    "cat kitten purr whiskers paw fur sleepy fluffy nap tail",
    "inflation bank interest rates economy tax budget market debt growth",
    "goal football striker match league stadium referee penalty coach derby",
    "recipe butter oven bread flour garlic roast soup spice dinner",
    "rocket orbit telescope galaxy moon launch astronaut comet planet mars",
)
START = datetime(2026, 1, 5, tzinfo=UTC)
Account = Callable[..., list[PastPost]]


@pytest.fixture(scope="session")
def account() -> Account:
    """Makes an account of n posts; `likes` of each follow topic, kind and hour with the given strengths, and luck."""

    def make(
        n: int, seed: int = 0, *, topic: float = 0.0, kind: float = 0.0, hour: float = 0.0, luck: float = 0.3
    ) -> list[PastPost]:
        rng = np.random.default_rng(seed)
        # Who the audience is differs from account to account.
        taste, form, clock = (
            rng.permutation(np.linspace(-1.4, 1.4, 5)),
            rng.permutation([-1.0, 1.0]),
            rng.uniform(0, 24),
        )
        posts, at = [], START
        for number in range(n):
            at += timedelta(hours=float(rng.uniform(1, 7)))
            theme, shape = int(rng.integers(5)), int(rng.integers(2))
            words = rng.choice(TOPICS[theme].split(), size=6)
            daily = np.cos(2 * np.pi * (at.hour + at.minute / 60 - clock) / 24) * 1.4
            log = 4 + topic * taste[theme] + kind * form[shape] + hour * daily + luck * rng.normal()
            posts.append(
                PastPost(
                    "sandbox",
                    f"{' '.join(words)} {number}",
                    ("photo", "link")[shape],
                    at,
                    {"likes": max(round(float(np.expm1(log))), 0), "replies": number % 7},
                    ref=str(number),
                )
            )
        return posts

    return make


@pytest.fixture(scope="session")
def as_candidates() -> Callable[[list[PastPost]], list[Candidate]]:
    """Posts as they stood before anybody saw them."""
    return lambda posts: [Candidate(post.platform, post.text, post.kind, post.at) for post in posts]


@pytest.fixture(scope="session")
def unmeasured() -> Callable[[PastPost], PastPost]:
    """The same post without counts."""
    return lambda post: replace(post, counts=None)
