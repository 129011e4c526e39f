"""Made-up accounts whose audiences share one taste (pictures do well) and differ in another (the topic they like)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.attention import features
from bot.attention.encoder import StaticEncoder
from bot.attention.episodes import Series
from bot.attention.forecast import PastPost

TOPICS = (
    "cat kitten purr whiskers paw fur sleepy fluffy nap tail",
    "inflation bank interest rates economy tax budget market debt growth",
    "goal football striker match league stadium referee penalty coach derby",
)
START = datetime(2026, 1, 5, tzinfo=UTC)
Account = Callable[..., list[PastPost]]


@pytest.fixture(scope="session")
def audience() -> Account:
    """Makes an account of n posts on a platform; `shared` is the strength of the taste all audiences share."""

    def make(n: int, seed: int, *, shared: float = 0.7, own: float = 0.5, platform: str = "sandbox") -> list[PastPost]:
        rng = np.random.default_rng(seed)
        taste, posts, at = rng.permutation([-1.2, 0.0, 1.2]), [], START
        for number in range(n):
            at += timedelta(hours=float(rng.uniform(2, 9)))
            theme, picture = int(rng.integers(3)), int(rng.integers(2))
            words = " ".join(rng.choice(TOPICS[theme].split(), size=5))
            log = 4 + own * taste[theme] + shared * (2 * picture - 1) + 0.4 * rng.normal()
            likes = max(round(float(np.expm1(log))), 0)
            posts.append(
                PastPost(
                    platform, f"{words} {number}", ("link", "photo")[picture], at, {"likes": likes}, ref=str(number)
                )
            )
        return posts

    return make


@pytest.fixture(scope="session")
def as_series() -> Callable[[str, list[PastPost]], Series]:
    """The posts of an account as the readers of training data give them."""

    def make(name: str, posts: list[PastPost]) -> Series:
        texts = [post.text for post in posts]
        return Series(
            posts[0].platform,
            name,
            "train",
            features.seconds([post.at for post in posts]),
            StaticEncoder.load().encode(texts).astype(np.float16),
            features.kinds([post.kind for post in posts]),
            features.surfaces(texts),
            np.array([[(post.counts or {})["likes"], np.nan, np.nan] for post in posts], dtype=np.float32),
        )

    return make
