"""Settings of the pooled rivals, tried on training accounts alone: `python -m benchmarks.tuning DATA`.

Each line is the mean rank correlation on accounts of the fold left out. What came out best stands in
`benchmarks.pooled`; no account that is judged was looked at.
"""

import sys
from pathlib import Path

import numpy as np

from benchmarks.lessons import lessons
from benchmarks.pooled import Plain, Trees, plain_columns, pooled_rivals, skill
from bot.attention.encoder import StaticEncoder
from bot.attention.episodes import read_all, splits
from bot.attention.evaluation import spearman

LESSONS = 4000
PLAIN = (
    Trees(rounds=300, leaves=12, least=500),
    Trees(rounds=500, leaves=24, least=200),
    Trees(rounds=600, leaves=31, least=600),
    Trees(rounds=900, leaves=48, least=400),
)
TOP = (Trees(rounds=300, leaves=8, rate=0.02), Trees(rounds=500, leaves=16, rate=0.02))


def main() -> None:
    """Try the plain trees first, then what stands on the best of them."""
    train, _ = splits(read_all(Path(sys.argv[1])))
    taught = lessons(train, LESSONS, np.random.default_rng(1))
    encode = StaticEncoder.load().encode
    found = []
    for trees in PLAIN:
        plain = Plain.of(taught, trees)
        told = [plain.boosters[one.fold].predict(plain_columns(one.case, plain.axes)) for one in taught]
        found.append(float(np.mean([spearman(z, one.z) for z, one in zip(told, taught, strict=True)])))
        print(f"plain trees {found[-1]:.4f}  {trees}", flush=True)
    best = PLAIN[int(np.argmax(found))]
    for trees in TOP:
        for rival in pooled_rivals(taught, encode, best, trees):
            print(f"{rival.name} {skill(rival, taught):.4f}  {trees}", flush=True)


if __name__ == "__main__":
    main()
