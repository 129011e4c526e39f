"""A simulated audience: who they are, what they like, when they look, what they say; nothing real, and no connector.

This is the truth of the sandbox network. It is kept away from the bot, which sees only counts and mentions through the
connector, and it is used to measure regret. Sizes are honest: by default the best hour is worth some tens of per cent
over the average one, wording and form more, and luck most of all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from connectors.base import Counts, Embed

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
ACTIONS = ("likes", "replies", "shares", "clicks", "impressions")
RATES: Mapping[str, float] = {"likes": 1.0, "replies": 0.15, "shares": 0.25, "clicks": 0.6, "impressions": 25.0}
"""Of each action per like, on average."""
KINDS = ("text", "link", "photo", "video", "poll", "question")


@dataclass(frozen=True)
class AudienceSettings:
    """How strong each effect is, in standard deviations of log engagement, and the scale of counts.

    `level` is the mean of log1p(likes) of a finished average post, `spread` its standard deviation.
    """

    level: float = 3.4
    spread: float = 0.9
    taste: float = 0.55
    kind: float = 0.35
    clock: float = 0.35
    fatigue: float = 0.3
    drift: float = 0.15
    luck: float = 0.55
    half_life: timedelta = timedelta(hours=6)
    mentions_per_day: float = 2.0

    @classmethod
    def null(cls) -> "AudienceSettings":
        """A world in which nothing but luck matters."""
        return cls(taste=0, kind=0, clock=0, fatigue=0, drift=0, luck=1.0)


@dataclass(frozen=True)
class Shown:
    """A post as the audience sees it."""

    text: str
    kind: str
    at: datetime


class Audience:
    """A seeded crowd: groups of people in time zones, each with tastes in text space and rhythms."""

    GROUPS = 6

    def __init__(self, seed: int, embed: Embed, settings: AudienceSettings) -> None:
        self._seed, self._vectors, self.settings = seed, _Vectors(embed), settings
        rng = np.random.default_rng([seed, 1])
        width = self._vectors(["a"]).shape[1]
        self._size = rng.dirichlet(np.full(self.GROUPS, 2.0))
        self._zone = rng.choice([-8, -5, -3, 0, 1, 2, 5.5, 8, 9], size=self.GROUPS)
        self._morning = rng.normal(8.5, 1.0, size=self.GROUPS)
        self._evening = rng.normal(19.5, 1.2, size=self.GROUPS)
        self._weekend = rng.uniform(0.6, 1.3, size=self.GROUPS)
        self._taste = rng.normal(size=(self.GROUPS, width)) + rng.normal(size=width)
        self._wander = rng.normal(size=(self.GROUPS, width))
        self._likes_kind = rng.normal(size=(self.GROUPS, len(KINDS)))
        self._scale = self._measure_scale(rng, width)

    def expected(self, text: str, kind: str, at: datetime, recent: Sequence[Shown] = ()) -> dict[str, float]:
        """Expected final count of each action for one candidate."""
        likes = float(self.expected_many([text], [kind], [at], recent)[0])
        return {action: likes * rate for action, rate in RATES.items()}

    def expected_many(
        self, texts: Sequence[str], kinds: Sequence[str], ats: Sequence[datetime], recent: Sequence[Shown] = ()
    ) -> NDArray[np.float64]:
        """Expected final likes of many candidates (n,), each as if it alone were posted after `recent`."""
        z = self._appeal(texts, kinds, ats, recent)
        luck = self.settings.luck * self.settings.spread
        centre = self.settings.level + self.settings.spread * z
        return np.asarray(np.maximum(np.exp(centre + luck**2 / 2) - 1, 0.0), dtype=np.float64)

    def final(self, luck: int, shown: Shown, recent: Sequence[Shown]) -> dict[str, float]:
        """Final count of each action of a published post; the same for the same number its luck is drawn from."""
        rng = np.random.default_rng([self._seed, 2, luck])
        z = float(self._appeal([shown.text], [shown.kind], [shown.at], recent)[0])
        fortune = float(rng.standard_t(5)) * np.sqrt(3 / 5) * self.settings.luck
        likes = max(np.expm1(self.settings.level + self.settings.spread * (z + fortune)), 0.0)
        tilt = np.exp(rng.normal(0, 0.3, size=len(ACTIONS)))
        tilt[0] = 1.0
        if "?" in shown.text or shown.kind == "question":
            tilt[1] *= 2.0
        return {action: likes * RATES[action] * float(tilt[at]) for at, action in enumerate(ACTIONS)}

    def counts(self, final: Mapping[str, float], age: timedelta) -> Counts:
        """What has accrued at an age, never less than before."""
        hours = max(age.total_seconds(), 0.0) / self.settings.half_life.total_seconds()
        share = 1 - 0.5**hours
        seen = {action: int(value * share) for action, value in final.items()}
        return Counts(**seen)

    def _appeal(
        self, texts: Sequence[str], kinds: Sequence[str], ats: Sequence[datetime], recent: Sequence[Shown]
    ) -> NDArray[np.float64]:
        """Standardised log appeal (n,) without luck."""
        if not texts:
            return np.zeros(0)
        vectors = self._vectors(texts)
        days = np.array([(at - EPOCH).total_seconds() / 86400 for at in ats])
        set_ = self.settings
        z = set_.taste * self._taste_of(vectors, days)
        z = z + set_.kind * self._kind_of(kinds)
        z = z + set_.clock * self._clock_of(ats)
        if recent and set_.fatigue > 0:
            z = z - set_.fatigue * self._fatigue_of(vectors, ats, recent)
        return np.asarray(z, dtype=np.float64)

    def _taste_of(self, vectors: NDArray[np.float64], days: NDArray[np.float64]) -> NDArray[np.float64]:
        turn = self.settings.drift * np.sin(2 * np.pi * days / 90)
        # (n, groups): each group's liking of each text, its taste slowly turning
        liking = vectors @ self._taste.T + turn[:, None] * (vectors @ self._wander.T)
        return np.asarray((liking @ self._size - self._scale[0]) / self._scale[1])

    def _kind_of(self, kinds: Sequence[str]) -> NDArray[np.float64]:
        per_kind = self._size @ self._likes_kind
        per_kind = (per_kind - per_kind.mean()) / max(float(per_kind.std()), 1e-9)
        places = [KINDS.index(kind) if kind in KINDS else len(kind) % len(KINDS) for kind in kinds]
        return np.asarray(per_kind[places])

    def _clock_of(self, ats: Sequence[datetime]) -> NDArray[np.float64]:
        utc = [at.astimezone(UTC) for at in ats]
        hour = np.array([at.hour + at.minute / 60 for at in utc])[:, None]
        weekday = np.array([at.weekday() for at in utc])[:, None]
        local = (hour + self._zone) % 24
        weekday = (weekday + (hour + self._zone) // 24) % 7

        def near(centre: NDArray[np.float64], width: float) -> NDArray[np.float64]:
            away = np.abs((local - centre + 12) % 24 - 12)
            return np.asarray(np.exp(-((away / width) ** 2)))

        online = 0.25 + near(self._morning, 2.5) + 1.3 * near(self._evening, 3.0)
        online = online * np.where(weekday >= 5, self._weekend, 1.0)
        there = np.log(online @ self._size)
        return np.asarray((there - self._scale[2]) / self._scale[3])

    def _fatigue_of(
        self, vectors: NDArray[np.float64], ats: Sequence[datetime], recent: Sequence[Shown]
    ) -> NDArray[np.float64]:
        """Tiredness from posts of the last day, and from the same thing said again within two weeks."""
        said = self._vectors([post.text for post in recent])
        apart = np.array([[(at - post.at).total_seconds() / 3600 for post in recent] for at in ats])
        before = apart > 0
        often = (before * np.exp(-np.where(before, apart, 0) / 8)).sum(axis=1)
        alike = np.maximum(vectors @ said.T - 0.8, 0) * 5
        again = (before * alike * np.exp(-np.where(before, apart, 0) / (24 * 7))).max(axis=1)
        return np.asarray(often + 2 * again)

    def _measure_scale(self, rng: np.random.Generator, width: int) -> tuple[float, float, float, float]:
        """Mean and standard deviation of taste over random texts, and of presence over a week's hours."""
        directions = rng.normal(size=(400, width))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        liking = directions @ self._taste.T @ self._size
        self._scale = (0.0, 1.0, 0.0, 1.0)
        week = [EPOCH + timedelta(hours=hour) for hour in range(168)]
        there = self._clock_of(week)
        return (0.0, max(float(liking.std()) * 2, 1e-9), float(there.mean()), max(float(there.std()), 1e-9))


class _Vectors:
    """Text vectors (n, d), each made once: the audience remembers what it read for weeks."""

    MOST = 8192

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._known: dict[str, NDArray[np.float64]] = {}

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        found = {text: self._known.get(text) for text in texts}
        new = [text for text, vector in found.items() if vector is None]
        if new:
            made = dict(zip(new, np.asarray(self._embed(new), dtype=np.float64), strict=True))
            found |= made
            if len(self._known) + len(made) > self.MOST:
                self._known = {}
            self._known.update(made)
        return np.stack([vector for text in texts if (vector := found[text]) is not None])
