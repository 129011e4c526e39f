"""What explanations rest on: how a forecast changes without a post, and whether what it looked at is what moved it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from bot.attention import load
from bot.attention.baselines import AccountMean, HourAndKind
from bot.attention.card import posts_of
from bot.attention.encoder import StaticEncoder
from bot.attention.episodes import read_accounts
from bot.attention.evaluation import distinct, spearman, windows
from bot.attention.forecast import Candidate, Forecast, Forecaster, PastPost
from bot.attention.forecaster import TOP, AttentionForecaster
from bot.attention.influence import influences
from bot.attention.network import AttentionConfig, AttentionNetwork
from bot.attention.outcomes import Scale, finished

Account = Callable[..., list[PastPost]]
AsCandidates = Callable[[list[PastPost]], list[Candidate]]
Case = tuple[Sequence[PastPost], Candidate]


@pytest.fixture(scope="module")
def shipped() -> Forecaster:
    return load()


@pytest.fixture(scope="module")
def untrained() -> Forecaster:
    torch.manual_seed(0)
    return AttentionForecaster(AttentionNetwork(AttentionConfig()), StaticEncoder.load())


class Counting:
    """Expects as many as the account's mean and counts how often it is asked."""

    name, version = "counting", ""

    def __init__(self) -> None:
        self.read: list[int] = []

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        self.read.append(len(history))
        return AccountMean().predict(history, candidates, action)


def test_an_influence_is_the_forecast_made_again_without_the_post(
    account: Account, as_candidates: AsCandidates
) -> None:
    posts = account(40, kind=1.0)
    history, (candidate, *_) = posts[:30], as_candidates(posts[30:])
    found = influences(HourAndKind(), history, candidate, [7, 3], "likes")
    assert [one.index for one in found] == [7, 3]
    (whole,) = HourAndKind().predict(history, [candidate])
    for one in found:
        (without,) = HourAndKind().predict([*history[: one.index], *history[one.index + 1 :]], [candidate])
        logs = [each.centre + each.spread * each.mean for each in (without, whole)]
        assert one.z == pytest.approx((logs[0] - logs[1]) / whole.spread)
        assert one.factor == pytest.approx(without.to_count(without.mean) / whole.to_count(whole.mean))


def test_without_its_best_post_an_account_of_means_expects_less(account: Account, as_candidates: AsCandidates) -> None:
    posts = account(20, kind=1.0)
    logs = finished(posts, "likes")
    order = np.argsort(logs)
    worst, best = influences(AccountMean(), posts, as_candidates(posts)[0], [int(order[0]), int(order[-1])])
    scale = Scale.of(logs)
    assert best.z < 0 < worst.z
    assert best.factor < 1 < worst.factor
    # The mean of the 19 others, in spreads of all 20.
    assert best.z == pytest.approx((np.delete(logs, order[-1]).mean() - scale.centre) / scale.spread, abs=0.02)


def test_the_history_is_read_once_for_each_post_asked_about_and_never_for_none(
    account: Account, as_candidates: AsCandidates
) -> None:
    posts, counting = account(20), Counting()
    candidate = as_candidates(posts)[0]
    assert influences(counting, posts, candidate, []) == []
    assert counting.read == []
    influences(counting, posts, candidate, [4, 9, 0])
    assert counting.read == [20, 19, 19, 19]


def test_the_only_post_there_is_can_be_taken_out(account: Account, as_candidates: AsCandidates) -> None:
    posts = account(2)
    (only,) = influences(AccountMean(), posts[:1], as_candidates(posts)[1], [0])
    assert np.isfinite([only.z, only.factor]).all()


def test_where_nothing_is_expected_no_share_of_it_is_invented(as_candidates: AsCandidates, account: Account) -> None:
    nobody = [PastPost("sandbox", post.text, post.kind, post.at, {"likes": 0}) for post in account(12)]
    (one,) = influences(AccountMean(), nobody, as_candidates(nobody)[0], [3])
    assert one.factor == 1


def simulated(account: Account, as_candidates: AsCandidates, history: int, accounts: int = 4) -> list[Case]:
    found: list[Case] = []
    for seed in range(accounts):
        posts = account(history + 30, seed, topic=0.7, kind=0.4, hour=0.3, luck=0.5)
        found += [(posts[:history], as_candidates(posts)[place]) for place in (-25, -3)]
    return found


def real(data: Path, history: int) -> list[Case]:
    """Pages that were never trained on."""
    pages = [each for each in read_accounts(data / "posts" / "facebook.csv.gz") if each.split == "val"]
    latest = [next(windows(distinct(posts_of(page), "likes"), history, most=1), None) for page in pages]
    return [(one.history, one.candidates[place]) for one in latest if one is not None for place in (10, 60)]


def reach(forecaster: Forecaster, cases: Sequence[Case]) -> float:
    """How many times more the posts attended to most move a forecast than as many others do."""
    rng = np.random.default_rng(0)
    sizes = np.zeros(2)
    for history, candidate in cases:
        (forecast,) = forecaster.predict(history, [candidate])
        top = [seen.index for seen in forecast.attended]
        others = rng.choice(np.setdiff1d(np.arange(len(history)), top), size=len(top), replace=False)
        found = influences(forecaster, history, candidate, [*top, *map(int, others)])
        moved = np.abs([one.z for one in found])
        sizes += moved[: len(top)].mean(), moved[len(top) :].mean()
    return float(sizes[0] / sizes[1])


def test_the_posts_attended_to_most_move_a_forecast_more_than_others(
    shipped: Forecaster, untrained: Forecaster, account: Account, as_candidates: AsCandidates
) -> None:
    cases = simulated(account, as_candidates, 120)
    assert reach(shipped, cases) > 2
    # Where nothing was learned a post only moves the account's mean, attended to or not.
    assert reach(untrained, cases) < 1.9


def test_the_same_holds_on_pages_that_were_never_trained_on(shipped: Forecaster, shared_data: Path) -> None:
    assert reach(shipped, real(shared_data, 150)) > 2


def test_what_is_attended_to_is_asked_about_as_it_is_named(
    shipped: Forecaster, account: Account, as_candidates: AsCandidates
) -> None:
    posts = account(60, topic=0.7)
    candidate = as_candidates(posts)[-1]
    (forecast,) = shipped.predict(posts[:50], [candidate])
    found = influences(shipped, posts[:50], candidate, [seen.index for seen in forecast.attended])
    assert len(found) == TOP
    assert {one.index for one in found} == {seen.index for seen in forecast.attended}


def agreement(forecaster: Forecaster, cases: Sequence[Case], shuffled: bool = False) -> tuple[float, float]:
    """Share of like signs and mean rank correlation of what posts are said to add and what is lost without them.

    What a post does to the account's mean is taken off first: every forecast moves with it, learned or not.
    """
    rng = np.random.default_rng(0)
    signs, ranks = [], []
    for history, candidate in cases:
        (forecast,) = forecaster.predict(history, [candidate])
        top = [seen.index for seen in forecast.attended]
        said = np.array([seen.added for seen in forecast.attended])
        lost = [
            -np.array([one.z for one in influences(each, history, candidate, top)])
            for each in (forecaster, AccountMean())
        ]
        true = lost[0] - lost[1]
        said = rng.permutation(said) if shuffled else said
        signs.append(float(np.mean(np.sign(said) == np.sign(true))))
        ranks.append(spearman(said, true))
    return float(np.mean(signs)), float(np.mean(ranks))


def test_what_posts_are_said_to_add_is_what_is_lost_without_them(
    shipped: Forecaster, untrained: Forecaster, account: Account, as_candidates: AsCandidates
) -> None:
    cases = simulated(account, as_candidates, 120)
    signs, ranks = agreement(shipped, cases)
    assert signs > 0.75
    assert ranks > 0.45
    for chance in (agreement(shipped, cases, shuffled=True), agreement(untrained, cases)):
        assert chance[0] < 0.7
        assert chance[1] < 0.35


def test_it_is_so_on_pages_that_were_never_trained_on(shipped: Forecaster, shared_data: Path) -> None:
    signs, ranks = agreement(shipped, real(shared_data, 150))
    assert signs > 0.75
    assert ranks > 0.45
