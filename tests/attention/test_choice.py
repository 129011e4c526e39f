from collections.abc import Callable, Sequence

import numpy as np
import pytest

from bot.attention.baselines import AccountMean, HourAndKind, HourOfWeek
from bot.attention.choice import LEAST_JUDGED, LEAST_READ, choose, decides, decimal, said
from bot.attention.forecast import Candidate, Forecast, PastPost

Account = Callable[..., list[PastPost]]


class Guess:
    """Ranks at random, always in the same way."""

    name = "attention"
    version = ""

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        means = np.random.default_rng(len(history)).normal(size=len(candidates))
        return [Forecast.normal(float(mean), 1, 0, 1) for mean in means]


def test_a_baseline_that_ranks_this_page_better_decides(account: Account) -> None:
    choice = choose(account(400, kind=1.0), [Guess(), HourOfWeek(), HourAndKind()])
    assert choice.forecaster.name == "hour x kind"
    assert choice.scores["hour x kind"] > 0.5 > choice.scores["attention"]
    assert choice.words.startswith("your last 100 posts: hour x kind .")
    assert "attention" in choice.words
    assert choice.words.endswith("hour x kind decides")


def test_where_every_model_guesses_the_preferred_one_goes_on(account: Account) -> None:
    choice = choose(account(400, seed=9), [AccountMean(), Guess()])
    assert choice.forecaster.name == "account mean"


@pytest.mark.parametrize("n", [0, 1, 8, LEAST_READ])
def test_with_too_few_posts_the_preferred_model_decides_and_says_so(n: int, account: Account) -> None:
    choice = choose(account(n, kind=1.0), [Guess(), HourAndKind()])
    assert choice.forecaster.name == "attention"
    assert choice.scores == {}
    assert f"{n} post" in choice.words
    assert "too few to compare" in choice.words


def test_with_a_few_more_posts_they_are_compared(account: Account) -> None:
    choice = choose(account(3 * LEAST_JUDGED + 10, kind=1.0), [Guess(), HourAndKind()])
    assert set(choice.scores) == {"attention", "hour x kind"}


def test_unmeasured_posts_count_for_nothing(account: Account, unmeasured: Callable[[PastPost], PastPost]) -> None:
    choice = choose([unmeasured(post) for post in account(300)], [Guess(), HourAndKind()])
    assert "0 posts" in choice.words


def test_a_lead_no_larger_than_luck_changes_nothing() -> None:
    assert decides({"attention": 0.40, "ridge": 0.45}, "attention", 100) == "attention"
    assert decides({"attention": 0.40, "ridge": 0.48}, "attention", 100) == "ridge"
    assert decides({"attention": 0.40, "ridge": 0.45}, "attention", 400) == "ridge"


def test_words_name_the_winner_its_strongest_rivals_and_the_best_time_table() -> None:
    scores = {"knn": 0.1, "hour of week": -0.05, "attention": 0.52, "ridge": 0.3, "lightgbm": 0.494}
    assert said(scores, "attention") == "attention .52, lightgbm .49, ridge .30, hour of week -.05"


def test_nothing_is_not_shown_as_less_than_nothing() -> None:
    assert [decimal(value) for value in (-0.001, -0.05, 0.999, 0.5)] == [".00", "-.05", "1.00", ".50"]


def test_choosing_among_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        choose([], [])
