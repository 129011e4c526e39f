"""What posts that have not finished are worth to a forecast: `python -m benchmarks.unfinished`.

Later posts of accounts the network never saw are planned at the moment before the first of them, when the last posts of
the history are hours old. How far those have grown is simulated, as counts over time are in no data here: each account
grows at a pace of its own, which the forecaster does not know, and counts are whole numbers. The same forecaster then
reads them in four ways:

    as counted   the count with its age
    dropped      not measured
    as final     the count as if it were final
    in the end   the final count, which nobody can know yet: the most there is to gain

Writes unfinished.json and unfinished.md, and prints the table.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from bot import attention
from bot.attention.card import posts_of
from bot.attention.episodes import files_of, read_accounts
from bot.attention.evaluation import MOST_WINDOWS, WINDOW, distinct, interval, spearman
from bot.attention.forecast import Candidate, Forecaster, PastPost
from bot.attention.outcomes import GROWN, finished, grown

KS = (20, 50, 200)
PACE = 0.4
"""Standard deviation of the logarithm of an account's pace of growing."""
RESULTS = Path(__file__).parent / "results"

READINGS: dict[str, Callable[[PastPost, PastPost], PastPost]] = {
    "as counted": lambda final, counted: counted,
    "dropped": lambda final, counted: replace(counted, counts=None),
    "as final": lambda final, counted: replace(counted, age=None),
    "in the end": lambda final, counted: final,
}


def counted(post: PastPost, now: datetime, pace: float, rng: np.random.Generator) -> PastPost:
    """The post as it is counted at `now`, if it grows `pace` times as fast as usual."""
    age = now - post.at
    if age >= GROWN:
        return post
    share = grown(age * pace, post.platform)
    counts = {name: None if n is None else int(rng.binomial(n, share)) for name, n in (post.counts or {}).items()}
    return replace(post, counts=counts, age=age)


def ranks(posts: Sequence[PastPost], k: int, forecaster: Forecaster, seed: int) -> Iterator[dict[str, float]]:
    """Rank correlation in each of the latest windows by reading; a window without an unfinished post is left out."""
    usable = distinct(posts, "likes")
    for number in range(MOST_WINDOWS):
        start = len(usable) - (number + 1) * WINDOW
        if start < k:
            return
        now, later = usable[start].at, usable[start : start + WINDOW]
        rng = np.random.default_rng([seed, number])
        pace = float(rng.lognormal(0, PACE))
        pairs = [(post, counted(post, now, pace, rng)) for post in usable[start - k : start] if post.at < now]
        if not pairs or all(seen.age is None for _, seen in pairs):
            continue
        asked = [Candidate(post.platform, post.text, post.kind, post.at) for post in later]
        truth = finished(later, "likes")
        found = {}
        for name, read in READINGS.items():
            history = [final if seen.age is None else read(final, seen) for final, seen in pairs]
            told = forecaster.predict(history, asked)
            found[name] = spearman(np.array([one.centre + one.spread * one.mean for one in told]), truth)
        found["unfinished"] = float(np.mean([seen.age is not None for _, seen in pairs]))
        yield found


def main() -> None:
    """Measure, write both files and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(__file__).parent.parent
    parser.add_argument("--data", type=Path, default=root.parent / "shared" / "data", help="folder with posts/*.csv.gz")
    parser.add_argument("--weights", type=Path, default=attention.SHIPPED)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    forecaster = attention.load(given.weights)
    try:
        accounts = [one for file in files_of(given.data) for one in read_accounts(file) if one.split == "val"]
    except OSError as error:
        sys.exit(f"{error}; name the folder with --data")
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for place, account in enumerate(accounts):
        posts = posts_of(account)
        for k in KS:
            rows = list(ranks(posts, k, forecaster, place))
            if rows:
                mean = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
                found.setdefault((account.platform, k), []).append(mean)
    lines = [
        "# What unfinished posts are worth",
        "",
        "Rank correlation within windows of 100 later posts, mean over accounts; counts of the last 48 hours are "
        "simulated. The last column is the paired difference with its 95 % interval over accounts.",
        "",
        f"| platform, history | accounts | unfinished | {' | '.join(READINGS)} | as counted - dropped |",
        f"|---|---|---|{'---|' * len(READINGS)}---|",
    ]
    for (platform, k), rows in found.items():
        gains = [row["as counted"] - row["dropped"] for row in rows]
        low, high = interval(gains, np.random.default_rng(0))
        cells = " | ".join(f"{np.mean([row[name] for row in rows]):.3f}" for name in READINGS)
        share = np.mean([row["unfinished"] for row in rows])
        lines.append(
            f"| {platform}, {k} posts | {len(rows)} | {share:.0%} | {cells} "
            f"| {np.mean(gains):+.3f} [{low:+.3f}, {high:+.3f}] |"
        )
    text = "\n".join(lines) + "\n"
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "unfinished.md").write_text(text, encoding="utf-8")
    values = [{"platform": platform, "k": k, "accounts": rows} for (platform, k), rows in found.items()]
    (given.out / "unfinished.json").write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
