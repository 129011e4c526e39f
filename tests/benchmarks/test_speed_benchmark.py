import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks import speed
from bot import attention
from bot.attention.encoder import StaticEncoder
from bot.attention.forecast import Candidate, Forecast, PastPost

STEPS = [speed.READ, speed.SCORE, speed.WHOLE, speed.AGAIN, speed.FIT, speed.RIVAL]


class Watched:
    """Counts what it is asked, and forecasts nothing of worth."""

    name, version = "attention", ""

    def __init__(self) -> None:
        self.asked: list[tuple[list[PastPost], list[Candidate]]] = []

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        self.asked.append((list(history), list(candidates)))
        return [Forecast.normal(0, 1, 0, 1) for _ in candidates]


def test_every_step_is_measured_on_a_new_account_each_round_and_the_first_round_warms_up() -> None:
    model = Watched()
    found = speed.measure(model, StaticEncoder.load().encode, 40, 8, rounds=2)
    assert [one.step for one in found] == STEPS
    assert all((one.posts, one.candidates) == (40, 8) and one.least <= one.median <= one.most for one in found)
    assert [len(candidates) for _, candidates in model.asked] == [1, 8, 8] * 3
    for read, scored, renewed in zip(*(model.asked[turn::3] for turn in range(3)), strict=True):
        assert read[0] == scored[0]
        # One measurement is new, every text is known.
        assert [old == new for old, new in zip(scored[0], renewed[0], strict=True)] == [True] * 39 + [False]
    texts = [post.text for history, _ in model.asked[::3] for post in history]
    assert len(set(texts)) == len(texts)


def test_tables_and_json_hold_every_step_beside_one_fit() -> None:
    taken = [speed.Taken(1000, 1024, step, 0.1 * turn, 0.05, 0.9) for turn, step in enumerate(STEPS, start=1)]
    sizes = [speed.Size("peak memory", 512.34, 600.0), speed.Size("network", 1.5, None)]
    text = speed.markdown(taken, sizes)
    assert "## 1,000 posts, 1,024 candidates" in text
    assert f"| {speed.WHOLE} | 300 | 50 - 900 | 0.60 |" in text
    assert f"| {speed.FIT} | 500 | 50 - 900 | 1.00 |" in text
    assert "| peak memory | 512.3 | <= 600 |" in text
    assert "| network | 1.5 |  |" in text
    told = json.loads(speed.as_json(taken, sizes, "abc"))
    assert [one["step"] for one in told["taken"]] == STEPS
    assert told["sizes"][0]["mb"] == 512.34


def test_size_on_disk_is_that_of_what_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"0" * 1_500_000)
    (tmp_path / "README.md").write_bytes(b"0" * 1_000_000)
    assert speed.on_disk(tmp_path) == 1.5


def test_peak_memory_of_a_process_of_its_own_grows_with_a_forecast() -> None:
    loaded, peak = speed.alone(attention.SHIPPED, 300, 8)
    assert 100 < loaded < peak < 4000
