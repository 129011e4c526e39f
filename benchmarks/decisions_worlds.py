"""Simulated worlds to decide in, and what a way to decide loses there; the ways to decide are in the file beside.

A world is an audience of the sandbox network whose effects are .5 to 1.5 times as strong as usual; each of them is
absent in one world of five. A post goes out in every two days: one of four wordings, at one of the 24 even hours. Five
posts are planned at once. Outcomes, luck included, are known two days after the post; all ways to decide meet the same
posts, wordings and luck. The account starts without any history.

Regret of a post is log1p of the likes the best candidate could expect, minus that of the chosen one, both after the
posts this way to decide has sent before. In logarithms a world with many likes counts as much as one with few, and the
best possible is 0. Luck never enters it. A world where nothing matters would have no regret at all, so that absence is
drawn effect by effect. What a post does to later ones (the audience tires) is seen in the likes, not in the regret.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bot.attention.forecast import Candidate, PastPost
from bot.demo.past import FRAMES, SUBJECTS
from connectors.audience import Audience, AudienceSettings, Shown
from connectors.base import Embed
from connectors.sandbox import REMEMBERED

START = datetime(2026, 1, 5, tzinfo=UTC)
EVERY, APART = timedelta(days=2), timedelta(hours=2)
WORDINGS = 4
AT_ONCE = 5
FINISHED = timedelta(days=2)
EFFECTS = ("taste", "kind", "clock", "fatigue", "drift")
ABSENT = 0.2

Turn = Sequence[Candidate]
"""All that may go out as one post."""


class Rule(Protocol):
    """A way to decide."""

    @property
    def name(self) -> str: ...

    def choose(self, history: Sequence[PastPost], turns: Sequence[Turn], rng: np.random.Generator) -> list[int]:
        """The place of the chosen candidate of each turn; `history` is oldest first, None where not yet counted."""
        ...


@dataclass(frozen=True)
class World:
    """An audience, and the turns in which something may be said to it."""

    seed: int
    audience: Audience
    turns: tuple[Turn, ...]

    @classmethod
    def of(cls, seed: int, embed: Embed, posts: int) -> "World":
        """The world of a seed, always the same, with so many posts to decide on."""
        rng = np.random.default_rng([seed, 17])
        audience = Audience(seed, embed, settings_of(rng))
        return cls(seed, audience, tuple(_turn(rng, START + number * EVERY) for number in range(posts)))

    def expected(self, turn: Turn, sent: Sequence[PastPost]) -> NDArray[np.float64]:
        """log1p of the likes each candidate may expect (n,), after the posts sent before."""
        likes = self.audience.expected_many(
            [one.text for one in turn],
            [one.kind for one in turn],
            [one.at for one in turn],
            _remembered(sent, turn[0].at),
        )
        return np.asarray(np.log1p(likes))

    def likes(self, chosen: Candidate, sent: Sequence[PastPost]) -> int:
        """How many it gets in the end; the luck of the n-th post is the same whatever is chosen."""
        shown = Shown(chosen.text, chosen.kind, chosen.at)
        return int(self.audience.final(len(sent), shown, _remembered(sent, chosen.at))["likes"])


@dataclass(frozen=True)
class Run:
    """What a rule lost with each post (posts,), and log1p of the likes its posts could expect (posts,)."""

    regret: NDArray[np.float64]
    expected: NDArray[np.float64]


def settings_of(rng: np.random.Generator) -> AudienceSettings:
    """An audience somewhere around the usual one."""
    usual = AudienceSettings()
    strength = {name: float(getattr(usual, name) * rng.uniform(0.5, 1.5)) for name in (*EFFECTS, "luck")}
    for name in EFFECTS:
        strength[name] *= float(rng.random() >= ABSENT)
    level = max(float(rng.normal(usual.level, 0.8)), 1.5)
    return AudienceSettings(level=level, spread=float(usual.spread * rng.uniform(0.7, 1.3)), **strength)


def play(world: World, rule: Rule) -> Run:
    """Let a rule decide on all posts of a world."""
    rng = np.random.default_rng([world.seed, 23])
    sent: list[PastPost] = []
    regret, expected = [], []
    for first in range(0, len(world.turns), AT_ONCE):
        turns = world.turns[first : first + AT_ONCE]
        known = [_as_known(post, turns[0][0].at) for post in sent]
        for turn, place in zip(turns, rule.choose(known, turns, rng), strict=True):
            logs, chosen = world.expected(turn, sent), turn[place]
            regret.append(float(logs.max() - logs[place]))
            expected.append(float(logs[place]))
            likes = world.likes(chosen, sent)
            sent.append(PastPost(chosen.platform, chosen.text, chosen.kind, chosen.at, {"likes": likes}))
    return Run(np.array(regret), np.array(expected))


def _turn(rng: np.random.Generator, opens: datetime) -> Turn:
    """Some wordings of one subject, with a fact and an advice that may be another's: few texts come twice."""
    subject, fact, advice = (SUBJECTS[int(place)] for place in rng.integers(len(SUBJECTS), size=3))
    said = [FRAMES[int(place)] for place in rng.choice(len(FRAMES), size=WORDINGS, replace=False)]
    texts = [
        (frame.format(subject=subject[0], slug=subject[1], fact=fact[2], advice=advice[3]), kind)
        for kind, frame in said
    ]
    slots = [opens + step * APART for step in range(EVERY // APART)]
    return [Candidate("sandbox", text, kind, slot) for slot in slots for text, kind in texts]


def _remembered(sent: Sequence[PastPost], at: datetime) -> list[Shown]:
    return [Shown(post.text, post.kind, post.at) for post in sent if post.at >= at - REMEMBERED]


def _as_known(post: PastPost, now: datetime) -> PastPost:
    if post.at + FINISHED <= now:
        return post
    return PastPost(post.platform, post.text, post.kind, post.at)
