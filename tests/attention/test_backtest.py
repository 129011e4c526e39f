from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from rich.console import Console

from bot.attention import load
from bot.attention.baselines import AccountMean, HourAndKind, HourOfWeek
from bot.attention.evaluation import Step
from bot.attention.forecast import Candidate, Forecast, PastPost
from bot.insights.backtest import Backtest, backtest, picture, render
from storage.history import MeasuredPost

Account = Callable[..., list[PastPost]]


class Guess:
    name = "attention"

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        means = np.random.default_rng(len(history)).normal(size=len(candidates))
        return [Forecast.normal(float(mean), 1, 0, 1) for mean in means]


def stored(posts: list[PastPost]) -> list[MeasuredPost]:
    return [
        MeasuredPost(
            number,
            post.ref,
            post.text,
            post.kind,
            post.at,
            (post.counts or {}).get("likes"),
            None,
            None,
            None,
            None,
            90 * 86400,
            False,
            "import:csv",
        )
        for number, post in enumerate(posts)
    ]


@pytest.fixture(scope="module")
def lost(account: Account) -> Backtest:
    """A page where a baseline knows more than a model that guesses."""
    return backtest(
        stored(account(520, kind=1.0)), "sandbox/main", [Guess(), AccountMean(), HourOfWeek(), HourAndKind()]
    )


def shown(result: Backtest) -> str:
    console = Console(width=80, file=StringIO())
    console.print(render(result))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_where_a_baseline_ranks_better_it_decides_and_the_owner_is_told(lost: Backtest) -> None:
    assert lost.winner == "hour x kind"
    assert not lost.attention_is_better
    words = " ".join(lost.words)
    assert "hour x kind decides" in words
    assert "The attention model steps aside on this page" in words
    assert "with an hour-of-week table" in words
    assert "Not tested with 800 posts" in words
    assert lost.ks == [20, 50, 200]
    assert lost.models[0] == "hour x kind"


def test_where_attention_ranks_better_it_is_said_so(account: Account) -> None:
    result = backtest(
        stored(account(330, seed=2, topic=0.9)), "sandbox/main", [load(), HourOfWeek(), HourAndKind()], ks=(50, 200)
    )
    assert result.winner == "attention"
    assert result.attention_is_better
    assert "attention decides" in result.words[0]


def test_the_table_shows_every_model_at_every_length_in_a_narrow_window(lost: Backtest) -> None:
    text = shown(lost)
    assert "\u2026" not in text
    for name in ("attention", "account mean", "hour of week", "hour x kind"):
        assert name in text
    for length in ("20 posts", "50 posts", "200 posts"):
        assert length in text


def test_a_page_too_short_to_test_on_is_said_so(account: Account, tmp_path: Path) -> None:
    result = backtest(stored(account(100)), "sandbox/main", [Guess(), HourAndKind()])
    assert result.winner is None
    assert not result.attention_is_better
    assert "100 posts with likes: too few" in result.words[0]
    assert "attention" not in shown(result)
    with pytest.raises(ValueError, match="too few"):
        picture(result, tmp_path / "none.png")


def test_luck_alone_is_called_luck(account: Account) -> None:
    result = backtest(stored(account(330, seed=8)), "sandbox/main", [Guess(), HourAndKind()], ks=(50, 200))
    assert any("better than chance" in line for line in result.words)


def test_the_same_page_gives_the_same_figures(account: Account) -> None:
    rows = stored(account(260, kind=0.5))
    one, other = (backtest(rows, "sandbox/main", [HourAndKind()], ks=(50,)) for _ in range(2))
    assert one == other


def test_progress_is_told(account: Account) -> None:
    steps: list[Step] = []
    backtest(stored(account(260)), "sandbox/main", [HourAndKind()], on_step=steps.append, ks=(50,))
    assert [step.done for step in steps] == list(range(steps[0].total))


def test_the_picture_is_a_png_that_differs_when_the_figures_do(
    lost: Backtest, account: Account, tmp_path: Path
) -> None:
    other = backtest(stored(account(330, seed=2)), "sandbox/main", [Guess(), HourAndKind()], ks=(50, 200))
    one = imread(picture(lost, tmp_path / "deep" / "one.png"))
    again = imread(picture(lost, tmp_path / "again.png"))
    assert one.shape[:2] == (720, 1200)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, imread(picture(other, tmp_path / "two.png")))
