"""Which of two headlines is clicked more: `python -m benchmarks.headlines [--encoder FOLDER_OR_HUB_ID]`.

Randomised headline tests, split in time: fitted on the earlier ones, judged on the latest. With all-MiniLM-L6-v2 given,
the rows that need it are measured too. Writes headlines.json and headlines.md, and prints the table.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from bot.attention.wording import Encoder, Wordings, encoder_of
from bot.attention.wording_figures import Appealing, Arm, Figures, figures, split, z_of
from bot.attention.wording_fit import fit, lesson_of, read_posts, read_tests

RESULTS = Path(__file__).parent / "results"
TIMED = 400


class Logistic:
    """The plain rival: logistic regression on the difference of two vectors, every pair counted alike."""

    def __init__(self, tests: Sequence[Sequence[Arm]], encoder: Encoder) -> None:
        self._encoder = encoder
        rows = iter(encoder.encode([arm.text for test in tests for arm in test]).astype(np.float64))
        differences, won = [], []
        for test in tests:
            for (one, vector), (other, against) in combinations([(arm, next(rows)) for arm in test], 2):
                if z := z_of(one, other):
                    differences += [vector - against, against - vector]
                    won += [z > 0, z < 0]
        self._model = LogisticRegression(fit_intercept=False, max_iter=1000).fit(np.array(differences), won)

    def appeal(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Log odds, up to a constant."""
        return np.asarray(self._encoder.encode(texts) @ self._model.coef_[0])


@dataclass(frozen=True)
class Result:
    """A model, the encoder it reads by, how often it picks the better arm, and its processor time for one wording."""

    model: str
    encoder: str
    picked: Figures
    cpu_ms: float


def cpu_ms(model: Appealing, texts: Sequence[str]) -> float:
    """Milliseconds of processor for one wording never seen before."""
    fresh = [f"{text} {number}" for number, text in enumerate(texts[:TIMED])]
    model.appeal(fresh[:1])
    start = time.process_time()
    model.appeal(fresh[1:])
    return 1000 * (time.process_time() - start) / max(len(fresh) - 1, 1)


def measure(
    earlier: Sequence[Sequence[Arm]],
    later: Sequence[Sequence[Arm]],
    static: Encoder,
    sentence: Encoder | None = None,
    last: Encoder | None = None,
    posts: Sequence[str] = (),
) -> list[Result]:
    """Every model there are encoders for; `last` gives the sentence encoder's last layer, `posts` teach the static."""
    models: list[tuple[str, str, Appealing]] = [
        ("logistic", "static", Logistic(earlier, static)),
        ("wordings, not taught", "static", Wordings(fit(earlier, static), static)),
    ]
    if sentence is not None and last is not None:
        teacher = Wordings(fit(earlier, sentence), sentence)
        taught = fit(earlier, static, lesson_of(teacher, posts))
        models += [
            ("wordings", "static", Wordings(taught, static)),
            ("logistic", "MiniLM", Logistic(earlier, last)),
            ("wordings", "MiniLM", teacher),
        ]
    texts = [arm.text for test in later for arm in test]
    return [Result(model, encoder, figures(later, one), round(cpu_ms(one, texts), 3)) for model, encoder, one in models]


def markdown(results: Sequence[Result], earlier: int, later: int) -> str:
    """The table, with what it was measured on."""
    one = results[0].picked
    lines = [
        f"Share of pairs of which the better arm is picked [95 % interval over tests]; fitted on {earlier:,} earlier "
        f"tests, judged on the {later:,} latest.",
        "",
        f"| model | encoder | all {one.all.pairs:,} pairs | {one.clear.pairs:,} pairs with abs(z) > 1.96 | "
        "CPU ms per wording |",
        "|---|---|---|---|---|",
        *(
            f"| {each.model} | {each.encoder} | {each.picked.all} | {each.picked.clear} | {each.cpu_ms:.2f} |"
            for each in results
        ),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, write the two files and print the table."""
    root = Path(__file__).parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=root.parent / "shared" / "data", help="folder with headlines/")
    parser.add_argument("--encoder", help="all-MiniLM-L6-v2: a folder or hub id")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    try:
        earlier, later = split(read_tests(given.data))
        sentence = last = None
        posts: Sequence[str] = ()
        if given.encoder:
            from bot.attention.wording_encoder import SentenceEncoder

            sentence, last = SentenceEncoder(given.encoder), SentenceEncoder(given.encoder, layers=(6,))
            posts = read_posts(given.data)
    except OSError as error:
        sys.exit(f"{error}; name the folder with --data or --encoder")
    results = measure(earlier, later, encoder_of(None), sentence, last, posts)
    text = markdown(results, len(earlier), len(later))
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "headlines.md").write_text(f"# Headlines: which wording is clicked more\n\n{text}", encoding="utf-8")
    (given.out / "headlines.json").write_text(
        json.dumps([asdict(each) for each in results], indent=1) + "\n", encoding="utf-8"
    )
    print(text)


if __name__ == "__main__":
    main()
