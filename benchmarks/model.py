"""The attention model against every rival on accounts it never saw: `python -m benchmarks.model [--quick]`.

The protocol is that of `bot.attention.evaluation`. Facebook pages and subreddits are those of the validation split,
which neither the network nor a pooled rival is trained on; links on Hacker News are a control that is nearly luck.
Writes model.json, model.md and model.png, and prints the tables. `--quick` takes a handful of accounts.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.figures import ALL, Measured, as_json, figures_of, leads_of, markdown, picture
from benchmarks.lessons import lessons
from benchmarks.pooled import pooled_rivals, skill
from bot import attention
from bot.attention.baselines import rivals
from bot.attention.card import posts_of
from bot.attention.encoder import StaticEncoder
from bot.attention.episodes import Account, csv_rows, files_of, read_accounts, series_of, splits
from bot.attention.evaluation import KS, Row, averaged, judge
from bot.attention.forecast import Candidate, Forecast, Forecaster, PastPost

LESSONS = 4000
STRETCHES = 8
"""Parts of Hacker News, one after the other, each judged like an account."""
QUICK_ACCOUNTS, QUICK_LESSONS, QUICK_EVERY = 2, 300, 10
RESULTS = Path(__file__).parent / "results"


class Timed:
    """A forecaster that keeps count of the processor time its forecasts take, by platform and length of history."""

    def __init__(self, forecaster: Forecaster) -> None:
        self._forecaster = forecaster
        self.name, self.version = forecaster.name, forecaster.version
        self.taken: dict[tuple[str, int], list[float]] = {}

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        """What the forecaster says."""
        start = time.process_time()
        found = self._forecaster.predict(history, candidates, action)
        self.taken.setdefault((history[0].platform, len(history)), []).append(time.process_time() - start)
        return found


def measure(
    accounts: Iterable[tuple[str, Sequence[PastPost]]],
    models: Sequence[Forecaster],
    seed: int,
    ks: Sequence[int] = KS,
    before: Callable[[str, Sequence[PastPost]], None] | None = None,
) -> Measured:
    """Every model on every account (name, posts); `before` is told of each account as its turn comes."""
    found: dict[tuple[str, str], list[Row]] = {}
    for name, posts in accounts:
        if before is not None:
            before(name, posts)
        found[posts[0].platform, name] = averaged(judge(posts, models, np.random.default_rng(seed), ks))
    return found


def processor(models: Iterable[Timed]) -> dict[tuple[str, str, int], float]:
    """Median seconds of a forecast by platform (or ALL), model and length of history."""
    taken: dict[tuple[str, str, int], list[float]] = {}
    for model in models:
        for (platform, k), some in model.taken.items():
            for name in (platform, ALL):
                taken.setdefault((name, model.name, k), []).extend(some)
    return {key: round(float(np.median(some)), 5) for key, some in taken.items()}


def control(file: Path) -> list[Account]:
    """Links on Hacker News cut into STRETCHES. Read here because they may be measured on, never trained on.

    Questions and shows are left out: there the kind alone tells a good deal, and the control is to be nearly luck.
    """
    rows = sorted((row for row in csv_rows(file) if row["kind"] == "link"), key=lambda row: row["created_at"])
    size = len(rows) // STRETCHES
    parts = [rows[turn * size : (turn + 1) * size] for turn in range(STRETCHES)]
    return [Account("hackernews", f"stretch {turn + 1}", "val", part) for turn, part in enumerate(parts)]


def main() -> None:
    """Measure, write the three files and print the tables."""
    root = Path(__file__).parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=root.parent / "shared" / "data", help="folder with posts/*.csv.gz")
    parser.add_argument("--weights", type=Path, default=attention.SHIPPED)
    parser.add_argument("--out", type=Path, help="folder for the results; with --quick none unless given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="a handful of accounts")
    given = parser.parse_args()
    encoder = StaticEncoder.load()
    try:
        accounts = [account for file in files_of(given.data) for account in read_accounts(file)]
    except OSError as error:
        sys.exit(f"{error}; name the folder with --data")

    train = [account for account in accounts if account.split == "train"][:: QUICK_EVERY if given.quick else 1]
    _tell(f"pooled rivals learn from {len(train)} accounts")
    series, _ = splits(series_of(account, encoder) for account in train)
    taught = lessons(series, QUICK_LESSONS if given.quick else LESSONS, np.random.default_rng(given.seed))
    pooled = pooled_rivals(taught, encoder.encode)
    for rival in pooled:
        _tell(f"{rival.name}: rank correlation {skill(rival, taught):.4f} on training accounts left out")
    models = [Timed(model) for model in (attention.load(given.weights), *pooled, *rivals(encoder.encode))]
    held_out = [account for account in accounts if account.split == "val"]
    news = given.data / "posts" / "hackernews.csv.gz"
    held_out += control(news) if news.is_file() else []
    if given.quick:
        names = list(dict.fromkeys(account.platform for account in held_out))
        held_out = [one for name in names for one in [a for a in held_out if a.platform == name][:QUICK_ACCOUNTS]]
    # What is not needed again is freed: the rows of all accounts are the largest thing here.
    del accounts, train, series, taught

    def before(name: str, posts: Sequence[PastPost]) -> None:
        _tell(f"{posts[0].platform} {name}")
        encoder.encode([post.text for post in posts])

    measured = measure(((one.name, posts_of(one)) for one in held_out), models, given.seed, before=before)
    found, ahead = figures_of(measured, given.seed, processor(models)), leads_of(measured, given.seed)
    text = markdown(found, ahead)
    out = given.out or (None if given.quick else RESULTS)
    if out is not None:
        picture(found, out / "model.png")
        (out / "model.md").write_text(f"# The attention model and its rivals\n\n{text}", encoding="utf-8")
        (out / "model.json").write_text(
            as_json(found, ahead, measured, given.seed, models[0].version), encoding="utf-8"
        )
    print(text)


def _tell(what: str) -> None:
    print(f"{time.process_time():6.0f} s  {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
