from pathlib import Path

import numpy as np
import pytest

from benchmarks.headlines import markdown, measure
from bot.attention.encoder import StaticEncoder
from bot.attention.wording import Wordings
from bot.attention.wording_figures import Arm, figures, split
from bot.attention.wording_fit import fit, read_tests

DATA = Path(__file__).parents[3] / "shared" / "data"


def made(count: int) -> list[list[Arm]]:
    return [
        [Arm(f"you will love {number}", 90 + number % 7, 3000), Arm(f"report on {number}", 30, 3000)]
        for number in range(count)
    ]


def test_rivals_are_judged_on_the_same_pairs_and_the_table_tells_them() -> None:
    tests = made(30)
    found = measure(tests[:20], tests[20:], StaticEncoder.load())
    assert [(one.model, one.encoder) for one in found] == [("logistic", "static"), ("wordings, not taught", "static")]
    assert {one.picked.all.pairs for one in found} == {10}
    assert all(one.picked.clear.mean == 1 and one.cpu_ms >= 0 for one in found)
    text = markdown(found, 20, 10)
    assert "fitted on 20 earlier tests, judged on the 10 latest" in text
    assert "| logistic | static | 1.000 [1.000, 1.000] | 1.000 [1.000, 1.000] |" in text


def test_with_a_sentence_encoder_it_is_measured_too_and_teaches() -> None:
    class Spoken:
        def encode(self, texts: object) -> np.ndarray:
            return np.array([[float("you" in text), 1.0] for text in texts], dtype=np.float32)  # type: ignore[attr-defined]

    tests = made(30)
    posts = [f"you and the post number {number}" for number in range(5)]
    found = measure(tests[:20], tests[20:], StaticEncoder.load(), Spoken(), Spoken(), posts)
    assert [(one.model, one.encoder) for one in found][2:] == [
        ("wordings", "static"),
        ("logistic", "MiniLM"),
        ("wordings", "MiniLM"),
    ]


@pytest.mark.skipif(not (DATA / "headlines").is_dir(), reason="needs ../shared/data/headlines")
def test_on_real_headlines_it_picks_better_than_chance() -> None:
    earlier, later = split(read_tests(DATA))
    encoder = StaticEncoder.load()
    picked = figures(later, Wordings(fit(earlier, encoder), encoder))
    assert picked.all.low > 0.52
    assert picked.clear.low > 0.58
