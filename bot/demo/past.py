"""What the demo's imaginary account had posted before: texts, kinds and moments; how they did is not said."""

from datetime import datetime, timedelta

import numpy as np

SUBJECTS: tuple[tuple[str, str, str, str], ...] = (
    ("the query parser", "query-parser", "It reads what people type in 0.2 ms", "quote phrases you mean word for word"),
    (
        "index compression",
        "compression",
        "The index lost a fifth of its weight",
        "compress your index at build time",
    ),
    ("typo tolerance", "typos", "One search in nine holds a typo", "allow one typo from five letters on, none before"),
    ("ranking", "ranking", "Titles count three times as much as text", "give every page a title nobody else has"),
    (
        "keyboard access",
        "keyboard",
        "Every result works without a mouse",
        "press the slash key to start a search",
    ),
    ("dark mode", "dark-mode", "Half of our readers see the dark page", "use the reader's own colours, not yours"),
    ("Chinese word breaks", "chinese", "No dictionary is loaded for it", "test with a page you cannot read"),
    ("the build plugin", "plugin", "It runs after your generator in one step", "run the indexer last in your build"),
    ("slow phones", "slow-phones", "We test on a phone from 2019", "measure on the oldest phone in your drawer"),
    ("offline search", "offline", "The index stays in the cache for a week", "cache the index by its hash"),
    ("search statistics", "statistics", "They stay on your machine", "read the searches without a result every month"),
    ("our test suite", "tests", "4,212 tests run in 38 seconds", "write the test before you look for the bug"),
    ("memory use", "memory", "A tab needs 12 MB for 10,000 pages", "load parts of the index as they are needed"),
    ("the new logo", "logo", "A lantern, and a fish that follows it", "draw it small first"),
    (
        "documentation",
        "docs",
        "Every example in it runs in our tests",
        "write the example first",
    ),
    (
        "accessibility audits",
        "audits",
        "Two people who use screen readers helped us",
        "ask before you ship, and pay for it",
    ),
    ("release notes", "release-notes", "They say what breaks on top", "tell people what breaks before what is new"),
    (
        "small websites",
        "small-sites",
        "Most users have fewer than 500 pages",
        "start with search on one section",
    ),
    ("community calls", "calls", "Forty people came to the last one", "send three questions round the day before"),
    ("translations", "translations", "Nineteen languages, all by volunteers", "keep one glossary for all translators"),
)
FRAMES: tuple[tuple[str, str], ...] = (
    ("tip", "Tip: {advice}."),
    ("question", "How do you handle {subject} on your site? We collect what works."),
    ("link", "New on the blog: what we learned about {subject}. https://lanternfish.example/blog/{slug}"),
    ("text", "A week on {subject}. {fact}."),
    ("photo", "Before and after: {subject}, in one picture. {fact}."),
    ("link", "{fact}. The details: https://lanternfish.example/notes/{slug}"),
)
PER_DAY = 0.9


def earlier_posts(rng: np.random.Generator, until: datetime) -> list[tuple[datetime, str, str]]:
    """(when, text, kind) of each earlier post, oldest first, at moments people happen to post at, before `until`."""
    said = [
        (frame.format(subject=subject, slug=slug, fact=fact, advice=advice), kind)
        for subject, slug, fact, advice in SUBJECTS
        for kind, frame in FRAMES
    ]
    order = rng.permutation(len(said))
    days = np.cumsum(rng.exponential(1 / PER_DAY, size=len(said)))
    start = until - timedelta(days=float(days[-1]) + 3)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    posts = []
    for day, place in zip(days, order, strict=True):
        hour = float(rng.choice([rng.normal(10, 2), rng.normal(15, 2.5), rng.uniform(7, 22)]))
        text, kind = said[int(place)]
        posts.append((midnight + timedelta(days=int(day), hours=min(max(hour, 6.0), 22.9)), text, kind))
    return sorted(posts)
