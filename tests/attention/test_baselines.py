from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from bot.attention.baselines import (
    FEW,
    AccountMean,
    GaussianProcess,
    HourAndKind,
    HourOfWeek,
    LightGbm,
    Nearest,
    Ridge,
    Rival,
    rivals,
)
from bot.attention.encoder import StaticEncoder
from bot.attention.evaluation import spearman
from bot.attention.forecast import Candidate, PastPost
from bot.attention.outcomes import finished
from bot.attention.tabular import Known, Rows

Account = Callable[..., list[PastPost]]
AsCandidates = Callable[[list[PastPost]], list[Candidate]]


def embed(texts: list[str]) -> np.ndarray:
    return StaticEncoder.load().encode(texts)


def skill(rival: Rival, posts: list[PastPost], as_candidates: AsCandidates, later: int = 80) -> float:
    forecasts = rival.predict(posts[:-later], as_candidates(posts[-later:]))
    return spearman(np.array([one.mean for one in forecasts]), finished(posts[-later:], "likes"))


@pytest.mark.parametrize(
    ("rival", "effect"),
    [
        (HourOfWeek(), {"hour": 0.8}),
        (HourAndKind(), {"hour": 0.8}),
        (HourAndKind(), {"kind": 0.8}),
        (Nearest(embed), {"topic": 0.8}),
        (Ridge(embed), {"topic": 0.8}),
        (Ridge(embed), {"kind": 0.8}),
        (GaussianProcess(embed), {"topic": 0.8}),
        (GaussianProcess(embed), {"kind": 0.8}),
        (GaussianProcess(embed), {"hour": 0.8}),
        (LightGbm(embed), {"topic": 0.8}),
        (LightGbm(embed), {"hour": 0.8}),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_each_baseline_finds_the_effect_it_can_see(
    rival: Rival, effect: dict[str, float], account: Account, as_candidates: AsCandidates
) -> None:
    assert skill(rival, account(400, seed=3, **effect), as_candidates) > 0.35


@pytest.mark.parametrize("rival", rivals(embed), ids=lambda rival: rival.name)
def test_where_there_is_only_luck_a_baseline_says_next_to_nothing(
    rival: Rival, account: Account, as_candidates: AsCandidates
) -> None:
    posts = account(260, seed=5)
    forecasts = rival.predict(posts[:200], as_candidates(posts[200:]))
    assert np.std([one.mean for one in forecasts]) < 0.35
    assert np.mean([one.sd for one in forecasts]) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("rival", rivals(embed), ids=lambda rival: rival.name)
def test_with_few_posts_a_baseline_stays_at_the_mean(
    rival: Rival, account: Account, as_candidates: AsCandidates
) -> None:
    posts = account(FEW + 20, seed=1, topic=1.0, kind=1.0, hour=1.0)
    forecasts = rival.predict(posts[: FEW - 1], as_candidates(posts[FEW:]))
    assert {round(one.mean, 6) for one in forecasts} == {round(forecasts[0].mean, 6)}
    assert forecasts[0].mean == pytest.approx(0, abs=0.01)
    assert forecasts[0].sd > 1


@pytest.mark.parametrize("rival", rivals(embed), ids=lambda rival: rival.name)
def test_without_history_a_baseline_gives_the_prior(
    rival: Rival, account: Account, as_candidates: AsCandidates
) -> None:
    (forecast,) = rival.predict([], as_candidates(account(1)))
    assert forecast.mean == pytest.approx(0, abs=0.01)
    assert forecast.sd == pytest.approx(1, abs=0.05)
    assert forecast.count_quantile(0.5) == pytest.approx(10, abs=1)


@pytest.mark.parametrize("rival", rivals(embed), ids=lambda rival: rival.name)
def test_a_baselines_forecast_does_not_depend_on_the_other_candidates(
    rival: Rival, account: Account, as_candidates: AsCandidates
) -> None:
    posts = account(130, seed=2, topic=0.8, hour=0.5)
    history, candidates = posts[:100], as_candidates(posts[100:])
    together = rival.predict(history, candidates)
    alone = rival.predict(history, candidates[7:8])[0]
    assert alone.mean == pytest.approx(together[7].mean, abs=1e-6)


def test_the_registry_goes_from_plain_to_strong_without_a_name_twice() -> None:
    names = [rival.name for rival in rivals(embed)]
    assert names[:3] == [AccountMean.name, HourOfWeek.name, HourAndKind.name]
    assert len(set(names)) == len(names)


def test_only_measured_posts_are_known_and_in_order_of_time(
    account: Account, unmeasured: Callable[[PastPost], PastPost]
) -> None:
    posts = account(6)
    known = Known.of([posts[4], unmeasured(posts[2]), posts[0]], "likes")
    assert [post.ref for post in known.posts] == ["0", "4"]
    assert known.z.mean() == pytest.approx(0)


def test_the_hour_of_the_week_is_counted_in_utc_from_monday(account: Account) -> None:
    (post,) = account(1)
    monday = post.at.replace(hour=5, minute=0)
    rows = Rows.of([Candidate("sandbox", "a", "text", monday + timedelta(days=2))], [], None)
    assert rows.hour_of_week.tolist() == [2 * 24 + 5]


def test_a_baseline_that_reads_texts_says_what_it_needs(account: Account, as_candidates: AsCandidates) -> None:
    posts = account(30)
    with pytest.raises(ValueError, match="give it `embed`"):
        Ridge().predict(posts, as_candidates(posts[:1]))


def test_texts_are_read_once_however_the_rows_are_split(account: Account, as_candidates: AsCandidates) -> None:
    calls = []

    def counting(texts: list[str]) -> np.ndarray:
        calls.append(len(texts))
        return embed(texts)

    posts = account(50)
    Nearest(counting).predict(posts[:40], as_candidates(posts[40:]))
    assert calls == [40, 10] or calls == [10, 40]
