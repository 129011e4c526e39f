"""Accounts where nothing but luck decides: whoever is chosen there must do no harm and claim nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.attention import load
from bot.attention.baselines import AccountMean, rivals
from bot.attention.belief import LEAST, Believed, as_decided, share_of
from bot.attention.choice import LEAST_HEARD, Choice, choose
from bot.attention.encoder import StaticEncoder
from bot.attention.evaluation import Window, by_post, interval
from bot.attention.forecast import Candidate, Forecast, Forecaster, PastPost
from bot.demo.past import FRAMES, SUBJECTS

Account = Callable[..., list[PastPost]]
START = datetime(2026, 1, 5, tzinfo=UTC)
LUCKS: dict[str, Callable[[np.random.Generator], float]] = {
    "even": lambda rng: 4 + 0.8 * rng.normal(),
    "heavy": lambda rng: min(4 + 0.5 * rng.standard_t(3), 15.0),
    "few": lambda rng: float(np.log1p(rng.poisson(rng.gamma(1.0, 2.0)))),
}
"""log1p of the likes of a post, whatever it says and whenever it goes out."""
JUDGED = 60
GAP = 10


def luck_alone(n: int, seed: int) -> list[PastPost]:
    """An account with texts, kinds and a rhythm as others have them; its likes are drawn, and know nothing of these."""
    rng = np.random.default_rng([seed, 77])
    draw = list(LUCKS.values())[seed % len(LUCKS)]
    pace, at, posts = rng.uniform(4, 40), START, []
    for number in range(n):
        at += timedelta(hours=float(rng.lognormal(np.log(pace), 0.8)))
        subject, slug, fact, advice = SUBJECTS[int(rng.integers(len(SUBJECTS)))]
        kind, frame = FRAMES[int(rng.integers(len(FRAMES)))]
        text = f"{frame.format(subject=subject, slug=slug, fact=fact, advice=advice)} {number}"
        posts.append(PastPost("sandbox", text, kind, at, {"likes": max(round(float(np.expm1(draw(rng)))), 0)}))
    return posts


@pytest.fixture(scope="module")
def forecasters() -> list[Forecaster]:
    """The model and the rivals that are quick to fit; LightGBM and the Gaussian process would triple the time."""
    embed = StaticEncoder.load().encode
    return [load(), *(rival for rival in rivals(embed) if rival.name not in {"lightgbm", "catboost", "gp"})]


@dataclass(frozen=True)
class Harm:
    """What a forecaster lost against the account's mean on each account (n,)."""

    squares: list[float]
    crps: list[float]

    def at_most(self, squares: float, crps: float) -> bool:
        """Whether even the upper ends of the 95 % intervals of the mean losses stay below these."""
        ends = [interval(values, np.random.default_rng(0))[1] for values in (self.squares, self.crps)]
        return ends[0] < squares and ends[1] < crps


def harm(found: Sequence[tuple[Window, Forecaster]]) -> Harm:
    squares, crps = [], []
    for window, forecaster in found:
        ours, plain = (
            by_post(one.name, window, one.predict(window.history, window.candidates), "likes")
            for one in (forecaster, AccountMean())
        )
        misses = [float(((judged.expected - judged.true) ** 2).mean()) for judged in (ours, plain)]
        squares.append(misses[0] - misses[1])
        crps.append(float(ours.crps.mean() - plain.crps.mean()))
    return Harm(squares, crps)


def worlds(k: int, count: int) -> list[Window]:
    accounts = [luck_alone(k + GAP + JUDGED, seed) for seed in range(count)]
    return [Window(0, tuple(posts[:k]), tuple(posts[k + GAP :])) for posts in accounts]


def chosen(k: int, count: int, forecasters: Sequence[Forecaster]) -> list[tuple[Window, Choice]]:
    return [(window, choose(window.history, forecasters)) for window in worlds(k, count)]


@pytest.fixture(scope="module")
def choices(forecasters: list[Forecaster]) -> dict[int, list[tuple[Window, Choice]]]:
    """By length of history."""
    return {k: chosen(k, count, forecasters) for k, count in ((10, 60), (50, 60), (200, 24))}


# Of outcomes whose variance is 1. Ten posts cannot tell luck from an audience: there the price of belief is paid.
@pytest.mark.parametrize(("k", "squares", "crps"), [(10, 0.16, 0.05), (50, 0.1, 0.03), (200, 0.05, 0.015)])
def test_where_luck_alone_decides_the_chosen_one_is_hardly_worse_than_the_accounts_mean(
    choices: dict[int, list[tuple[Window, Choice]]], k: int, squares: float, crps: float
) -> None:
    assert harm([(window, choice.forecaster) for window, choice in choices[k]]).at_most(squares, crps)


def test_a_forecaster_believed_wholly_would_do_more_harm(choices: dict[int, list[tuple[Window, Choice]]]) -> None:
    careful = harm([(window, choice.forecaster) for window, choice in choices[50]])
    bold = harm([(window, wholly(choice.forecaster)) for window, choice in choices[50]])
    assert np.mean(careful.squares) < 0.7 * np.mean(bold.squares)
    guesses = harm([(window, Guess()) for window, _ in choices[50]])
    assert not guesses.at_most(0.1, 0.03)


def test_a_guess_that_came_first_is_held_near_the_accounts_mean() -> None:
    found = [(window, choose(window.history, [Guess()])) for window in worlds(200, 12)]
    assert all(shares == LEAST for shares in (share(choice.forecaster) for _, choice in found))
    assert harm([(window, choice.forecaster) for window, choice in found]).at_most(0.05, 0.015)


def test_where_luck_alone_decides_no_skill_is_claimed(choices: dict[int, list[tuple[Window, Choice]]]) -> None:
    told = [choice.words for found in choices.values() for _, choice in found]
    claims = [words for words in told if "too few to compare" not in words and "luck alone could give" not in words]
    assert len(claims) <= 3
    assert sum("are believed at" in words for words in told) > len(told) / 3


def test_where_the_audience_has_a_taste_skill_is_claimed_and_believed(
    account: Account, forecasters: list[Forecaster]
) -> None:
    for seed in range(4):
        choice = choose(account(200, seed, topic=0.6, kind=0.4), forecasters)
        assert "luck" not in choice.words
        assert share(choice.forecaster) > 0.9


def test_mixing_keeps_the_order_and_what_was_looked_at(account: Account, forecasters: list[Forecaster]) -> None:
    posts = account(90, topic=0.7)
    window = Window(0, tuple(posts[:60]), tuple(posts[60:]))
    model = forecasters[0]
    plain = AccountMean().predict(window.history, window.candidates)
    whole = model.predict(window.history, window.candidates)
    half = Believed(model, 0.5).predict(window.history, window.candidates)
    for one, mixed, mean in zip(whole, half, plain, strict=True):
        assert mixed.probabilities.sum() == pytest.approx(1)
        assert mixed.mean == pytest.approx((one.mean + mean.mean) / 2, abs=1e-3)
        assert mixed.attended[0] == one.attended[0]
    assert np.array_equal(np.argsort([one.mean for one in half]), np.argsort([one.mean for one in whole]))
    assert Believed(model, 0.5).predict(window.history, []) == []


def test_scales_of_their_own_do_not_disturb_the_mixture(account: Account) -> None:
    class Elsewhere(Guess):
        def predict(
            self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
        ) -> list[Forecast]:
            return [Forecast.normal(0, 1, 2.0, 0.5) for _ in candidates]

    history = account(40)
    candidate = Candidate("sandbox", "words", "photo", history[-1].at + timedelta(days=1))
    (mean,) = AccountMean().predict(history, [candidate])
    (mixed,) = Believed(Elsewhere(), 0.25).predict(history, [candidate])
    expected = 0.25 * 2.0 + 0.75 * (mean.centre + mean.spread * mean.mean)
    assert mixed.centre + mixed.spread * mixed.mean == pytest.approx(expected, abs=0.02)


def test_belief_grows_with_what_comes_true_and_ends_with_what_does_not(account: Account) -> None:
    posts = account(160, kind=1.0)
    window = Window(0, tuple(posts[:100]), tuple(posts[100:]))
    order = sorted(("photo", "link"), key=lambda kind: np.mean([likes(one) for one in posts if one.kind == kind]))
    right = Knows(*order[::-1])
    wrong = Knows(*order)
    assert share_of(right.predict(window.history, window.candidates), window) == 1
    assert share_of(wrong.predict(window.history, window.candidates), window) == LEAST
    assert share_of(AccountMean().predict(window.history, window.candidates), window) == 1


def test_with_fewer_posts_than_can_say_anything_a_forecaster_is_taken_at_its_word(account: Account) -> None:
    assert share(choose(account(3 * LEAST_HEARD - 1), [Guess()]).forecaster) == 1
    assert share(choose(account(3 * LEAST_HEARD + 20), [Guess()]).forecaster) < 1


def test_a_logged_decision_names_its_forecaster_and_how_far_it_was_believed() -> None:
    model, other = Guess("attention", "3fa9"), Guess("hour of week")
    for one in (model, Believed(model, 0.4), other, Believed(other, 0.07)):
        found = as_decided(f"{one.name} {one.version}".strip(), [model, other])
        assert found is not None
        assert (found.name, found.version, share(found)) == (one.name, one.version, share(one))
    for gone in ("attention 77aa", "attention 77aa at 40%", "attention 3fa9 at most%", "ridge"):
        assert as_decided(gone, [model, other]) is None


@dataclass
class Guess:
    """Says of every candidate something else, with much confidence."""

    name: str = "guess"
    version: str = ""

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        mean = AccountMean().predict(history, candidates[:1], action)[0]
        means = np.random.default_rng(len(history)).normal(size=len(candidates))
        return [Forecast.normal(float(drawn), 0.6, mean.centre, mean.spread) for drawn in means]


class Knows(Guess):
    """Expects one spread more of a kind and one less of another."""

    def __init__(self, more: str, less: str) -> None:
        super().__init__()
        self._means = {more: 1.0, less: -1.0}

    def predict(
        self, history: Sequence[PastPost], candidates: Sequence[Candidate], action: str = "likes"
    ) -> list[Forecast]:
        mean = AccountMean().predict(history, candidates[:1], action)[0]
        return [Forecast.normal(self._means[one.kind], 0.6, mean.centre, mean.spread) for one in candidates]


def likes(post: PastPost) -> int:
    assert post.counts is not None
    return post.counts["likes"] or 0


def wholly(forecaster: Forecaster) -> Forecaster:
    return forecaster.forecaster if isinstance(forecaster, Believed) else forecaster


def share(forecaster: Forecaster) -> float:
    return forecaster.share if isinstance(forecaster, Believed) else 1.0
