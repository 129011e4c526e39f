"""What simulated people say: questions, praise, complaints, spam, "stop", other bots; no counts and no connector."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np

from connectors.base import Address

TEXTS: dict[str, tuple[str, ...]] = {
    "pricing": (
        "how much is it?",
        "is there a free plan for small teams?",
        "what does it cost for a team of five?",
        "Is this free for open source projects?",
        "was kostet das?",
    ),
    "install": (
        "how do I install this on a Raspberry Pi?",
        "is there a docker image?",
        "pip install fails for me, what am I missing?",
        "does it run on windows?",
    ),
    "docs": (
        "where can I find the documentation?",
        "is there a tutorial for beginners?",
        "do you have an example config somewhere?",
    ),
    "roadmap": (
        "when will the next version come out?",
        "is dark mode on the roadmap?",
        "any plans for a mobile app?",
    ),
    "praise": (
        "love this, thank you!",
        "this saved me hours today, great work",
        "best release so far 👏",
        "c'est génial, merci",
    ),
    "complaint": (
        "the last update broke everything for me, really annoyed",
        "third crash today. do you even test this?",
        "your search misses half of my pages",
    ),
    "smalltalk": (
        "what do you think about the weather?",
        "my cat just walked over the keyboard",
        "who won the game last night?",
    ),
    "spam": (
        "🔥 WIN 1000 USDT now http://a.example/x http://b.example/y claim your airdrop",
        "I can get you 10k followers cheap, DM me http://c.example",
    ),
    "stop": (
        "stop",
        "please stop messaging me",
        "unsubscribe",
        "bitte nicht mehr schreiben",
        "arrêtez de me contacter svp",
    ),
    "bot": ("Beep! I am a helpful bot. Reply HELP for options.", "This is an automated summary of the thread."),
    "not for us": ("talking about something else entirely", "has anyone tried the new cafe on main street?"),
}
SHARES: dict[str, float] = {
    "pricing": 0.16,
    "install": 0.14,
    "docs": 0.1,
    "roadmap": 0.08,
    "praise": 0.16,
    "complaint": 0.08,
    "smalltalk": 0.08,
    "spam": 0.07,
    "stop": 0.04,
    "bot": 0.04,
    "not for us": 0.05,
}
PEOPLE = 400
SOONEST = timedelta(seconds=1)
"""Nobody answers faster: a poll that runs while a post is being written can miss nothing."""
LATEST = timedelta(days=7)
"""Nobody answers a post or a reply of ours later than this."""
KEPT = 4096
"""Days and posts whose texts are kept at hand: mentions are asked for far more often than they change."""


@dataclass(frozen=True)
class Said:
    """One text of a simulated person; `category` is the truth, which no connector shows."""

    at: datetime
    author_id: str
    text: str
    category: str
    address: Address
    is_bot: bool


def say(rng: np.random.Generator, at: datetime, *, to_post: bool) -> Said:
    """One thing somebody says at a moment."""
    names: Sequence[str] = list(SHARES)
    category = str(rng.choice(names, p=np.array(list(SHARES.values()))))
    person = int(rng.integers(PEOPLE))
    address: Address = "none" if category == "not for us" else ("reply" if to_post else "mention")
    prefix = "bot" if category == "bot" else "person"
    return Said(at, f"{prefix}-{person}", str(rng.choice(TEXTS[category])), category, address, category == "bot")


@lru_cache(KEPT)
def background(seed: int, day: int, start: datetime, per_day: float) -> tuple[Said, ...]:
    """What is said to us on one day whatever we do; the same for the same seed and day."""
    rng = np.random.default_rng([seed, 3, day])
    moments = sorted(rng.uniform(0, 86400, size=int(rng.poisson(per_day))))
    return tuple(say(rng, start + timedelta(seconds=float(moment)), to_post=False) for moment in moments)


@lru_cache(KEPT)
def under_post(seed: int, luck: int, at: datetime, replies: float) -> tuple[Said, ...]:
    """What is said under one of our posts: a few of its replies are texts we can read."""
    rng = np.random.default_rng([seed, 4, luck])
    count = min(int(rng.poisson(min(replies, 40) * 0.1)), 4)
    delays = sorted(rng.exponential(6.0, size=count))
    return tuple(say(rng, at + _delay(delay), to_post=True) for delay in delays)


def after_reply(seed: int, luck: int, author_id: str, at: datetime) -> Said | None:
    """What a person says to our answer: mostly nothing, now and then thanks, a bot always."""
    rng = np.random.default_rng([seed, 5, luck])
    if author_id.startswith("bot"):
        return Said(at + timedelta(minutes=1), author_id, TEXTS["bot"][0], "bot", "reply", True)
    if rng.random() < 0.3:
        text = str(rng.choice(TEXTS["praise"]))
        return Said(at + _delay(rng.exponential(3.0)), author_id, text, "praise", "reply", False)
    return None


def _delay(hours: float) -> timedelta:
    return min(max(timedelta(hours=float(hours)), SOONEST), LATEST)
