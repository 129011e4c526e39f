"""How fast a forecast is, and how much memory it takes: `python -m benchmarks.speed`.

A made-up account is read and candidates, each with words of its own, are forecast by one thread; beside it in the same
rounds LightGBM is fitted to the same history and forecasts the same candidates. Seconds are of processor, medians over
rounds; no text is known beforehand. Peak memory is that of a process of its own. Writes speed.json and speed.md.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bot import attention
from bot.attention.baselines import LightGbm
from bot.attention.encoder import SHIPPED as TABLE
from bot.attention.encoder import StaticEncoder
from bot.attention.forecast import Candidate, Forecaster, PastPost
from bot.attention.tabular import Rows

POSTS = (200, 1000)
CANDIDATES = 1024
ROUNDS = 7
WORDS = 16
"""Of a made-up text, on average."""
PEAK_GOAL_MB, DISK_GOAL_MB = 600.0, 10.0
START = datetime(2026, 1, 1, tzinfo=UTC)
RESULTS = Path(__file__).parent / "results"

READ, SCORE, WHOLE, AGAIN = "read the history", "score the candidates", "both", "one new measurement, rank again"
FIT, RIVAL = "lightgbm: one fit and forecast", "lightgbm with an honest spread (six fits)"


class OneFit(LightGbm):
    """LightGBM without the folds that tell a rival how far to believe itself: one fit, one forecast."""

    name = "lightgbm, one fit"

    def _forecast(
        self, old: Rows, z: NDArray[np.float64], new: Rows
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self._mean(old, z, new), np.ones(len(new))


@dataclass(frozen=True)
class Taken:
    """Seconds of processor for one step, with so many posts and candidates; median and range over rounds."""

    posts: int
    candidates: int
    step: str
    median: float
    least: float
    most: float


@dataclass(frozen=True)
class Size:
    """Megabytes (of a million bytes); `goal` None where there is none."""

    what: str
    mb: float
    goal: float | None


def made_up(posts: int, candidates: int, seed: int) -> tuple[list[PastPost], list[Candidate]]:
    """An account whose texts nobody has seen before; another seed has other texts."""
    rng = np.random.default_rng(seed)
    syllables = [a + b for a in "bdfgklmnprst" for b in ("a", "e", "i", "o", "u", "an", "er", "in")]

    def text() -> str:
        words = ("".join(rng.choice(syllables, rng.integers(1, 4))) for _ in range(int(rng.poisson(WORDS)) + 1))
        return " ".join(words)

    past, at = [], START
    for _ in range(posts):
        at += timedelta(hours=float(rng.uniform(1, 9)))
        likes = int(np.expm1(rng.normal(4, 1)).clip(0))
        past.append(PastPost("sandbox", text(), ("text", "link", "photo")[rng.integers(3)], at, {"likes": likes}))
    slots = [at + timedelta(hours=48 + turn / 4) for turn in range(candidates)]
    return past, [Candidate("sandbox", text(), "text", slot) for slot in slots]


def measure(
    model: Forecaster, embed: Callable[[Sequence[str]], NDArray[np.float32]], posts: int, candidates: int, rounds: int
) -> list[Taken]:
    """Every step, in turns, on a new account each round; the first round warms up and is not counted."""
    taken: dict[str, list[float]] = {}
    for seed in range(rounds + 1):
        for step, seconds in _round(model, embed, posts, candidates, seed).items():
            taken.setdefault(step, []).extend([seconds] if seed else [])
    return [
        Taken(posts, candidates, step, round(statistics.median(some), 5), round(min(some), 5), round(max(some), 5))
        for step, some in taken.items()
    ]


def _round(
    model: Forecaster,
    embed: Callable[[Sequence[str]], NDArray[np.float32]],
    posts: int,
    candidates: int,
    seed: int,
) -> dict[str, float]:
    past, some = made_up(posts, candidates, seed)
    # A count that came in, on a post whose text is known.
    newer = [*past[:-1], replace(past[-1], counts={"likes": 7})]
    # The rivals meet texts of their own, so that they too encode them.
    theirs, other = made_up(posts, candidates, 1000 + seed)
    again, third = made_up(posts, candidates, 2000 + seed)

    def clock(call: Callable[[], object]) -> float:
        start = time.process_time()
        call()
        return time.process_time() - start

    read = clock(lambda: model.predict(past, some[:1]))
    scored = clock(lambda: model.predict(past, some))
    renewed = clock(lambda: model.predict(newer, some))
    return {
        READ: read,
        SCORE: scored,
        WHOLE: read + scored,
        AGAIN: renewed,
        FIT: clock(lambda: OneFit(embed).predict(theirs, other)),
        RIVAL: clock(lambda: LightGbm(embed).predict(again, third)),
    }


def peak_mb() -> float:
    """The most memory this process has held, in MB."""
    status = Path("/proc/self/status")
    if status.is_file():
        # What `resource` tells on Linux is never below the parent's.
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def alone(weights: Path, posts: int, candidates: int) -> tuple[float, float]:
    """Peak memory in MB of a process of its own, when everything is loaded and after one forecast."""
    code = (
        "import sys; from benchmarks import speed; from bot import attention; "
        "past, some = speed.made_up(int(sys.argv[2]), int(sys.argv[3]), 0); "
        "model = attention.load(sys.argv[1]); print(speed.peak_mb()); "
        "model.predict(past, some); print(speed.peak_mb())"
    )
    given = [sys.executable, "-c", code, str(weights), str(posts), str(candidates)]
    loaded, peak = subprocess.run(given, stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    return float(loaded), float(peak)


def on_disk(*folders: Path) -> float:
    """MB of all that is loaded from the folders."""
    files = [file for folder in folders for file in folder.iterdir() if file.suffix in {".json", ".safetensors"}]
    return sum(file.stat().st_size for file in files) / 1e6


def markdown(found: Sequence[Taken], sizes: Sequence[Size]) -> str:
    """A table of seconds with what they are beside one fit of LightGBM, and a table of sizes."""
    parts = []
    for posts in dict.fromkeys(one.posts for one in found):
        here = [one for one in found if one.posts == posts]
        fit = next(one.median for one in here if one.step == FIT)
        lines = ["| step | ms of processor | least - most | beside one fit of LightGBM |", "|---|---|---|---|"]
        lines += [
            f"| {one.step} | {one.median * 1000:.0f} | {one.least * 1000:.0f} - {one.most * 1000:.0f} | "
            f"{one.median / fit:.2f} |"
            for one in here
        ]
        parts.append(f"## {posts:,} posts, {here[0].candidates:,} candidates\n\n" + "\n".join(lines))
    lines = ["| | MB | goal |", "|---|---|---|"]
    lines += [f"| {one.what} | {one.mb:.1f} | {'' if one.goal is None else f'<= {one.goal:.0f}'} |" for one in sizes]
    return "\n\n".join([*parts, "## Memory and disk\n\n" + "\n".join(lines)]) + "\n"


def as_json(found: Sequence[Taken], sizes: Sequence[Size], version: str) -> str:
    """The same for machines, one on a line."""
    taken, kept = (",\n".join(json.dumps(asdict(one)) for one in some) for some in (found, sizes))
    return f'{{"version": {json.dumps(version)},\n"taken": [\n{taken}\n],\n"sizes": [\n{kept}\n]}}\n'


def main() -> None:
    """Measure, write the two files and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=attention.SHIPPED)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the results")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    loaded, peak = alone(given.weights, max(POSTS), CANDIDATES)
    model, embed = attention.load(given.weights), StaticEncoder.load().encode
    with threadpool_limits(1):
        found = [one for posts in POSTS for one in measure(model, embed, posts, CANDIDATES, given.rounds)]
    network, table = on_disk(given.weights), on_disk(TABLE)
    sizes = [
        Size("peak memory with everything loaded", loaded, None),
        Size(f"peak memory after one forecast, {max(POSTS):,} posts x {CANDIDATES:,}", peak, PEAK_GOAL_MB),
        Size("weights on disk: network", network, None),
        Size("weights on disk: table of word pieces", table, None),
        Size("weights on disk", network + table, DISK_GOAL_MB),
    ]
    text = markdown(found, sizes)
    about = "\n".join((__doc__ or "").splitlines()[2:5])
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "speed.md").write_text(f"# Speed, memory, size\n\n{about}\n\n{text}", encoding="utf-8")
    (given.out / "speed.json").write_text(as_json(found, sizes, model.version), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
