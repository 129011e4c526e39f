import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.attention import SHIPPED, load
from bot.attention.baselines import HourOfWeek
from bot.attention.card import Measured, posts_of, slice_table, table, write_card
from bot.attention.episodes import read_accounts
from bot.attention.evaluation import Row, judge
from bot.attention.slices import Slice


def row(model: str, k: int, spearman: float) -> Row:
    return Row(model, k, 4, spearman, spearman / 2, 0.8, 1.3, 0.5)


ROWS = {
    ("facebook", "one"): [row("attention", 50, 0.5), row("ridge", 50, 0.4), row("hour of week", 50, 0.1)],
    ("facebook", "two"): [row("attention", 50, 0.3), row("ridge", 50, 0.1), row("hour of week", 50, 0.2)],
}
SLICES = [
    Slice("facebook", "kind", "photo", 50, 2, 640, 0.834, 0.917),
    Slice("facebook", "kind", "photo", 200, 1, 1400, 0.79, 0.8),
    Slice("facebook", "language", "pt", 50, 1, 200, 0.6, 1.25),
    Slice("reddit", "kind", "self", 20, 9, 3600, 0.8, 0.95),
]
MEASURED = Measured(ROWS, SLICES)
RECORD = {
    "seed": 0,
    "steps": 1234,
    "minutes": 9.5,
    "parameters": 400_000,
    "validation": {"mean": 0.4},
    "real_outcomes": 0.55,
    "accounts": ["facebook/zoo", "reddit/r/zoo"],
    "validation_accounts": [],
}


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    (tmp_path / "training.json").write_text(json.dumps(RECORD))
    return tmp_path


def test_the_table_gives_means_over_accounts_and_the_lead_over_the_strongest_baseline() -> None:
    text = table(ROWS)
    assert "| attention | - | 0.400 / 0.200 | - | - |" in text
    assert "strongest baseline (ridge) by +0.150" in text
    assert "ahead on 2 of 2 accounts" in text
    assert "k=200: not measured" in text


def test_the_card_names_sources_licences_and_what_was_never_trained_on(trained: Path) -> None:
    text = write_card(trained, MEASURED).read_text()
    assert "minimaxir/interactive-facebook-reactions, MIT: 1 accounts" in text
    assert "umbrae/reddit-top-2.5-million, PDDL 1.0: 1 accounts" in text
    assert "X forbids training on its content" in text
    assert "1,234 steps" in text
    assert "45% of episodes" in text
    assert "0.400 / 0.200" in text
    assert "Known limits" in text
    assert slice_table(SLICES) in text
    assert "rests on very few accounts" in text
    without = replace(MEASURED, slices=[one for one in SLICES if one.cut != "language"])
    assert "only where `py3langid` is installed" in write_card(trained, without).read_text()


def test_errors_are_told_by_slice_and_length_of_history() -> None:
    text = slice_table(SLICES)
    assert "| kind: photo | - | 83% / 0.92 (640 of 2) | 79% / 0.80 (1,400 of 1) | - |" in text
    assert "| language: pt | - | 60% / 1.25 (200 of 1) | - | - |" in text
    assert text.index("| facebook |") < text.index("| reddit |") < text.index("| kind: self | 80% / 0.95 (3,600 of 9)")


def test_without_figures_the_card_says_that_nothing_was_measured(trained: Path) -> None:
    assert "Not measured on this machine" in write_card(trained).read_text()


def test_weights_of_unknown_origin_get_no_card(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no training\.json"):
        write_card(tmp_path)


def test_the_shipped_weights_have_a_card_with_figures_and_a_record_without_a_machine() -> None:
    card = (SHIPPED / "README.md").read_text()
    record = json.loads((SHIPPED / "training.json").read_text())
    assert f"{record['steps']:,} steps" in card
    assert "### Facebook" in card
    assert "### Reddit" in card
    assert '"/' not in json.dumps(record)  # no path of a machine
    assert "/home" not in card
    assert not any(name.startswith(("x/", "twitter/", "hackernews/")) for name in record["accounts"])
    assert not set(record["accounts"]) & set(record["validation_accounts"])


def test_on_real_pages_never_trained_on_the_shipped_model_beats_the_best_time_table(shared_data: Path) -> None:
    pages = {one.name: posts_of(one) for one in read_accounts(shared_data / "posts" / "facebook.csv.gz")}
    rows = [
        row
        for name in ("mlb", "nba")
        for row in judge(pages[name][-1000:], [load(), HourOfWeek()], np.random.default_rng(0), ks=(200,))
    ]
    ranks = {
        name: np.mean([row.spearman for row in rows if row.model == name]) for name in ("attention", "hour of week")
    }
    assert ranks["attention"] > 0.45
    assert ranks["hour of week"] < 0.25
