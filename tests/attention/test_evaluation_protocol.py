from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.attention.baselines import AccountMean, HourAndKind
from bot.attention.evaluation import (
    GAP,
    WINDOW,
    Judged,
    Step,
    averaged,
    by_post,
    distinct,
    interval,
    judge,
    score,
    spearman,
    uplift,
    windows,
)
from bot.attention.forecast import Candidate, Forecast, PastPost

Account = Callable[..., list[PastPost]]
PAST = datetime(2026, 1, 1, tzinfo=UTC)


class Oracle:
    """Knows every outcome beforehand (`sign` 1), or believes the opposite (-1)."""

    def __init__(self, posts: Sequence[PastPost], sign: int = 1, name: str = "oracle") -> None:
        self.name, self._sign = name, sign
        self._known = {post.at: float(np.log1p((post.counts or {})["likes"] or 0)) for post in posts}
        self.asked: list[tuple[list[PastPost], list[Candidate]]] = []

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        self.asked.append((list(history), list(candidates)))
        return [Forecast.normal(self._sign * (self._known[one.at] - 4) / 2, 0.2, 4, 2) for one in candidates]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@given(
    gaps=st.lists(st.floats(0.01, 90), min_size=30, max_size=120),
    k=st.integers(1, 40),
    size=st.integers(1, 20),
    texts=st.integers(1, 200),
)
def test_no_window_can_know_what_comes_after_its_gap(gaps: list[float], k: int, size: int, texts: int) -> None:
    at, posts = PAST, []
    for number, gap in enumerate(gaps):
        at += timedelta(hours=gap)
        posts.append(PastPost("sandbox", f"text {number % texts}", "text", at, {"likes": number}))
    usable = distinct(posts[::-1], "likes")
    found = list(windows(usable, k, size))
    for window in found:
        assert len(window.history) == k
        assert len(window.later) == size
        assert max(post.at for post in window.history) < window.later[0].at - GAP
        assert not {post.text for post in window.history} & {post.text for post in window.later}
        assert list(window.later) == usable[usable.index(window.later[0]) :][:size]
    for newer, older in pairwise(found):
        assert older.later[-1].at < newer.later[0].at


def test_models_see_the_same_windows_and_no_outcome_of_a_candidate(account: Account) -> None:
    posts = account(500, topic=0.5)
    one, other = Oracle(posts), Oracle(posts, -1, "fool")
    judge(posts, [one, other], rng(), ks=(50, 200))
    assert one.asked == other.asked
    assert [len(history) for history, _ in one.asked] == [50] * 4 + [200] * 2
    assert all(type(candidate) is Candidate for _, candidates in one.asked for candidate in candidates)


def test_an_oracle_scores_one_a_fool_minus_one_and_the_mean_nothing(account: Account) -> None:
    posts = account(320, topic=1.0)
    rows = judge(posts, [Oracle(posts), Oracle(posts, -1, "fool"), AccountMean()], rng(), ks=(50,))
    by_name = {row.model: row for row in averaged(rows)}
    assert by_name["oracle"].spearman == pytest.approx(1, abs=0.02)
    assert by_name["oracle"].uplift == pytest.approx(1, abs=0.02)
    assert by_name["fool"].spearman == pytest.approx(-1, abs=0.02)
    assert by_name["account mean"].spearman == 0
    assert by_name["account mean"].uplift == pytest.approx(0, abs=0.15)
    assert by_name["oracle"].nll < by_name["account mean"].nll < by_name["fool"].nll
    assert by_name["oracle"].crps < by_name["account mean"].crps < by_name["fool"].crps


def test_an_honest_interval_covers_four_outcomes_of_five(account: Account) -> None:
    posts = account(420, seed=4)
    (row,) = averaged(judge(posts, [AccountMean()], rng(), ks=(200,)))
    assert row.coverage == pytest.approx(0.8, abs=0.06)


def test_likelihood_is_the_same_whatever_scale_a_forecast_speaks_in(account: Account) -> None:
    posts = account(200)
    (window,) = windows(posts, 50, most=1)
    deal = np.arange(WINDOW).reshape(-1, 5)
    plain = [Forecast.normal(0, 1, 4, 0.5) for _ in window.later]
    # The same distribution of counts said with a doubled spread.
    doubled = [Forecast.normal(0, 0.5, 4, 1.0) for _ in window.later]
    one, other = (score(by_post("x", window, forecasts, "likes"), deal) for forecasts in (plain, doubled))
    assert one.nll == pytest.approx(other.nll, abs=0.03)
    assert one.crps == pytest.approx(other.crps, abs=0.02)
    assert one.coverage == other.coverage


def test_a_page_too_short_for_a_length_has_no_row_for_it(account: Account) -> None:
    rows = judge(account(220), [AccountMean()], rng())
    assert {row.k for row in rows} == {20, 50}
    assert judge(account(120), [AccountMean()], rng()) == []
    assert judge([], [AccountMean()], rng()) == []


def test_texts_that_come_again_count_once_but_wordless_pictures_are_all_kept(account: Account) -> None:
    first, second, third, *_ = account(5)
    again = replace(second, text=f"  {first.text} ")
    mute, also_mute = replace(first, text=""), replace(third, text=" ")
    assert distinct([again, first, mute, also_mute], "likes") == [first, mute, also_mute]


def test_unfinished_and_unmeasured_posts_are_not_judged_by(
    account: Account, unmeasured: Callable[[PastPost], PastPost]
) -> None:
    first, second, third, fourth, *_ = account(6)
    young = replace(second, age=timedelta(hours=3))
    whole = replace(third, age=timedelta(hours=48))
    assert distinct([first, young, whole, unmeasured(fourth)], "likes") == [first, whole]


def test_every_forecast_is_announced_before_it_is_made(account: Account) -> None:
    steps: list[Step] = []
    judge(account(330), [AccountMean(), HourAndKind()], rng(), ks=(50, 200), on_step=steps.append)
    assert [step.done for step in steps] == list(range(len(steps)))
    assert {step.total for step in steps} == {len(steps)}
    assert {step.model for step in steps} == {"account mean", "hour x kind"}


def test_the_same_seed_gives_the_same_figures(account: Account) -> None:
    posts = account(300, kind=0.5)
    one, other = (judge(posts, [HourAndKind()], rng(), ks=(50,)) for _ in range(2))
    assert one == other


@given(st.lists(st.floats(-3, 3), min_size=10, max_size=10), st.lists(st.floats(-3, 3), min_size=10, max_size=10))
def test_rank_and_uplift_stay_within_their_bounds(expected: list[float], true: list[float]) -> None:
    deal = np.arange(10).reshape(2, 5)
    assert -1 - 1e-9 <= spearman(np.array(expected), np.array(true)) <= 1 + 1e-9
    assert uplift(np.array(expected), np.array(true), deal) <= 1 + 1e-9
    if np.ptp(true) > 1e-6:
        assert uplift(np.array(true), np.array(true), deal) == pytest.approx(1)


def test_an_interval_over_accounts_holds_their_mean() -> None:
    low, high = interval([0.1, 0.2, 0.3, 0.4], rng())
    assert 0.1 < low < 0.25 < high < 0.4


def test_what_stands_behind_a_row_is_handed_over_post_by_post_without_asking_a_model_again(account: Account) -> None:
    posts = account(330, topic=0.5)
    oracle, seen = Oracle(posts), list[Judged]()
    rows = judge(posts, [oracle, AccountMean()], rng(), ks=(50, 200), on_judged=seen.append)
    assert len(oracle.asked) * 2 == len(seen) == len(rows)
    for row, judged in zip(rows, seen, strict=True):
        assert (row.model, row.k) == (judged.model, len(judged.window.history))
        assert len(judged.true) == len(judged.window.later) == WINDOW
        assert row.coverage == judged.inside.mean()
        assert row.nll == judged.nll.mean()
        assert row.crps == judged.crps.mean()
    assert np.abs(seen[0].median - seen[0].true).mean() < 0.1 < np.abs(seen[1].median - seen[1].true).mean()
