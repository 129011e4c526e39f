"""Is the effect of time that the model claims real? Links a page posted twice tell: `python -m benchmarks.timing`.

The content is held fixed twice over: the same page posts the same link again, and the forecast is asked for the same
wording at the hour and weekday of either time, the same distance after the history, so that nothing but the clock
differs. The difference that was observed is regressed on the difference that was claimed; order and gap of the two
posts (fatigue) and their wordings stand beside it. A slope of 1 is honest, below 1 over-claimed, above 1 too timid.
Needs a data folder with posts/facebook.csv.gz and reposts/facebook.csv.gz; writes timing.json and timing.md.
"""

import argparse
import sys
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import numpy as np

from benchmarks.timing_figures import ALL, UNSEEN, Effect, as_json, markdown, slope_of
from bot import attention
from bot.attention import forecaster as shipped
from bot.attention.card import posts_of
from bot.attention.episodes import VALIDATION_FROM, csv_rows, read_accounts
from bot.attention.evaluation import GAP, distinct
from bot.attention.forecast import Candidate, Forecaster, PastPost
from bot.attention.outcomes import Scale, finished

KS = (200, 800)
WEEK = timedelta(days=7)
AHEAD = timedelta(days=9)
"""After the history's last post; with a week to either side no moment asked for is nearer than two days."""
RESULTS = Path(__file__).parent / "results"
ABOUT = """# The effect of time, with the content held fixed

Pairs are a link on a Facebook page and the same link on the same page again. The difference of their likes, in z, is
regressed on the difference that the model claims for their hours and weekdays alone; a slope of 1 is honest, below 1
the claim is too large, above 1 too small. Beside the claim stand how often and how long after the link came again and
what the model says of the two wordings. Intervals by bootstrap over pages. Pages may repeat what did well: a first post
at a bad hour was then the luckier, which would pull slopes down.
"""


@dataclass(frozen=True)
class Pair:
    """A link and the same link again; `order` 1 is its first repetition."""

    page: str
    first: PastPost
    again: PastPost
    order: int
    history: Sequence[PastPost]
    """The last k distinct posts that are more than 48 hours older than `first`."""
    unseen: bool


def pairs_of(
    page: str, posts: Sequence[PastPost], groups: Iterable[Sequence[str]], k: int, validation: bool
) -> Iterator[Pair]:
    """Each repetition with the first post of its link; `groups` are refs. Pages too short before a pair have none."""
    usable, by_ref = distinct(posts, "likes"), {post.ref: post for post in posts}
    for refs in groups:
        ordered = sorted((by_ref[ref] for ref in refs if ref in by_ref), key=lambda post: post.at)
        if len(ordered) < 2:
            continue
        first = ordered[0]
        before = usable[: bisect_left(usable, first.at - GAP, key=lambda post: post.at)]
        if len(before) < k:
            continue
        for order, again in enumerate(ordered[1:], start=1):
            yield Pair(page, first, again, order, before[-k:], validation or first.at >= VALIDATION_FROM)


def effect_of(pair: Pair, model: Forecaster) -> Effect:
    """What was observed and claimed. The clock's part is the mean over both wordings, the words' over both moments."""
    asked: list[Candidate] = []
    shares = []
    for post in (pair.first, pair.again):
        for moment in (pair.first.at, pair.again.at):
            early, late, share = same_clock(moment, pair.history[-1].at)
            asked += [Candidate(post.platform, post.text, post.kind, at) for at in (early, late)]
            shares.append(share)
    means = np.array([one.mean for one in model.predict(pair.history, asked)]).reshape(-1, 2)
    told = means[:, 0] + np.array(shares) * (means[:, 1] - means[:, 0])
    # Rows: wording of the first, of the repetition; columns: moment of the first, of the repetition.
    table = told.reshape(2, 2)
    scale = Scale.of(finished(pair.history, "likes"))
    before, after = scale.z(finished([pair.first, pair.again], "likes"))
    return Effect(
        pair.page,
        pair.unseen,
        float(after - before),
        float((table[:, 1] - table[:, 0]).mean()),
        float((table[1] - table[0]).mean()),
        float(np.log((pair.again.at - pair.first.at) / timedelta(hours=1))),
        float(np.log(pair.order)),
    )


def same_clock(when: datetime, last: datetime) -> tuple[datetime, datetime, float]:
    """The nearest moments before and after `last` + AHEAD with the hour and weekday of `when`, and a share.

    A forecast for that clock AHEAD of the history lies so far between theirs: rhythm and age are on a log scale.
    """
    middle = last + AHEAD
    early = middle - (middle - when) % WEEK
    near, aim, far = (np.log1p((moment - last) / timedelta(days=1)) for moment in (early, middle, early + WEEK))
    return early, early + WEEK, float((aim - near) / (far - near))


def reposted(file: Path) -> Mapping[str, list[list[str]]]:
    """By page: refs of the posts of each link that was posted more than once."""
    groups: dict[tuple[str, str], list[str]] = {}
    for row in csv_rows(file):
        groups.setdefault((row["account"], row["kind"]), []).append(row["post_id"])
    found: dict[str, list[list[str]]] = {}
    for (page, _), refs in groups.items():
        found.setdefault(page, []).append(refs)
    return found


def main() -> None:
    """Measure, write the two files and print the tables."""
    root = Path(__file__).parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=root.parent / "shared" / "data")
    parser.add_argument("--weights", type=Path, default=attention.SHIPPED)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the results")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    model = attention.load(given.weights)
    try:
        groups = reposted(given.data / "reposts" / "facebook.csv.gz")
        pages = [one for one in read_accounts(given.data / "posts" / "facebook.csv.gz") if one.name in groups]
    except OSError as error:
        sys.exit(f"{error}; name the folder with --data")
    found = []
    for k in KS:
        effects: dict[bool, list[Effect]] = {}
        for account in pages:
            _tell(f"k={k} {account.name}")
            for pair in pairs_of(account.name, posts_of(account), groups[account.name], k, account.split == "val"):
                if k < shipped.SHRINK_TIME_BELOW:
                    effects.setdefault(True, []).append(effect_of(pair, model))
                with patch.object(shipped, "SHRINK_TIME_BELOW", 0):
                    effects.setdefault(False, []).append(effect_of(pair, model))
        for which in (UNSEEN, ALL):
            for halved, some in effects.items():
                kept = [effect for effect in some if effect.unseen or which == ALL]
                found += [slope_of(kept, k, halved, which, near, given.seed) for near in (False, True)]
    found.sort(key=lambda one: one.which == ALL)
    text = markdown(found)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "timing.md").write_text(
        f"# The effect of time, with the content held fixed\n\n{text}", encoding="utf-8"
    )
    (given.out / "timing.json").write_text(as_json(found, given.seed, model.version), encoding="utf-8")
    print(text)


def _tell(what: str) -> None:
    print(f"{time.process_time():6.0f} s  {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
