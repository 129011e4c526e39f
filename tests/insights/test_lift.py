"""The lift: what is compared, when nothing is said, and that its interval holds however often one looks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import exp, expm1, inf, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bot.insights.lift import ALPHA, LEAST, SMALL, half_width, lift, lift_over_time
from storage.decisions import DecidedOutcome

LIKES = {"likes": 1.0}
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
Floats = NDArray[np.float64]


def outcome(value: float | None, holdout: bool = False, place: int = 0, **values: object) -> DecidedOutcome:
    given = DecidedOutcome(
        decision_id=place,
        history_id=place,
        holdout=holdout,
        propensity=0.1 if holdout else 0.9,
        published_at=NOON + timedelta(days=place),
        likes=None if value is None else round(value),
        replies=None,
        shares=None,
        clicks=None,
        impressions=None,
        age_s=200_000,
        finished=True,
    )
    return replace(given, **values)


def arms(chosen: Sequence[float], held: Sequence[float]) -> list[DecidedOutcome]:
    """Outcomes of two arms, given as log1p of likes, held-out ones spread between the chosen."""
    rows = [outcome(expm1(value)) for value in chosen]
    for place, value in enumerate(held):
        rows.insert(place * 3, outcome(expm1(value), holdout=True))
    return [replace(row, published_at=NOON + timedelta(days=day)) for day, row in enumerate(rows)]


def normal(mean: float, n: int, seed: int, sd: float = 0.5) -> list[float]:
    return list(np.random.default_rng(seed).normal(mean, sd, n))


def test_too_few_held_out_posts_are_no_result_and_the_words_say_how_many_are_needed() -> None:
    found = lift(arms(normal(4, 40, 1), normal(3, LEAST - 1, 2)), LIKES)
    assert found.verdict == "not yet known"
    assert found.words == "not yet known: 7 held-out posts measured, at least 8 are needed"
    assert (found.ratio, found.low, found.high, found.chosen_n, found.holdout_n) == (None, None, None, 40, 7)


def test_too_few_chosen_posts_are_no_result_either() -> None:
    assert "5 chosen posts measured" in lift(arms(normal(4, 5, 1), normal(4, 20, 2)), LIKES).words


def test_nothing_at_all_is_not_yet_known() -> None:
    assert lift([], LIKES).words == "not yet known: 0 held-out posts measured, at least 8 are needed"


def test_a_clear_gain_helps_and_its_ratio_is_of_typical_outcomes() -> None:
    found = lift(arms(normal(5, 100, 1), normal(4, 40, 2)), LIKES)
    assert found.verdict == "helps"
    assert found.words.startswith("helps: ")
    assert found.ratio == pytest.approx(exp(1), rel=0.25)
    assert found.low is not None
    assert 1 < found.low < found.ratio < (found.high or 0)


def test_a_clear_loss_hurts() -> None:
    assert lift(arms(normal(4, 100, 1), normal(5, 40, 2)), LIKES).verdict == "hurts"


def test_an_interval_around_one_is_not_yet_known_while_it_is_wide() -> None:
    found = lift(arms(normal(4, 60, 1), normal(4, 15, 2)), LIKES)
    assert found.verdict == "not yet known"
    assert found.ratio is not None
    assert "room for help and for harm" in found.words


def test_a_narrow_interval_around_one_says_no_effect_found_and_what_is_ruled_out() -> None:
    found = lift(arms(normal(6, 600, 1, sd=0.2), normal(6, 200, 2, sd=0.2)), LIKES)
    assert found.verdict == "no effect found"
    assert found.low is not None
    assert found.high is not None
    assert -SMALL <= log(found.low) < log(found.high) <= SMALL
    assert "% is ruled out" in found.words


def test_unfinished_posts_do_not_count() -> None:
    rows = arms(normal(5, 100, 1), normal(4, 40, 2))
    assert lift([replace(row, finished=False) for row in rows], LIKES).chosen_n == 0


def test_a_post_without_counts_is_left_out_and_never_counted_as_nothing() -> None:
    rows = arms(normal(5, 100, 1), normal(4, 40, 2))
    silent = [outcome(None, place=500 + place) for place in range(30)]
    assert lift([*rows, *silent], LIKES) == lift(rows, LIKES)


def test_a_post_that_could_not_have_been_held_out_is_not_compared() -> None:
    rows = arms(normal(5, 100, 1), normal(4, 40, 2))
    certain = [outcome(100_000, place=500 + place, propensity=1.0) for place in range(30)]
    assert lift([*rows, *certain], LIKES) == lift(rows, LIKES)


def test_the_objective_weighs_the_actions() -> None:
    rows = [replace(row, replies=50 if row.holdout else 0) for row in arms(normal(4, 100, 1), normal(4, 40, 2))]
    assert lift(rows, LIKES).verdict != "hurts"
    assert lift(rows, {"likes": 1.0, "replies": 10.0}).verdict == "hurts"


def test_an_action_the_platform_does_not_tell_is_left_out_for_all_posts_alike() -> None:
    rows = arms(normal(5, 100, 1), normal(4, 40, 2))
    few = [replace(row, clicks=1000) if place % 10 == 0 else row for place, row in enumerate(rows)]
    assert lift(few, {"likes": 1.0, "clicks": 5.0}).ratio == lift(rows, LIKES).ratio


def test_posts_that_all_did_the_same_are_no_comparison() -> None:
    found = lift([outcome(7, holdout=place % 3 == 0, place=place) for place in range(60)], LIKES)
    assert found.ratio is None
    assert found.verdict == "not yet known"


def test_the_lift_over_time_ends_where_the_lift_stands_and_begins_when_it_is_known() -> None:
    rows = arms(normal(5, 100, 1), normal(4, 40, 2))
    steps = lift_over_time(rows, LIKES)
    assert steps[-1] == (rows[-1].published_at, lift(rows, LIKES))
    assert steps[0][1].holdout_n == LEAST
    assert [at for at, _ in steps] == sorted(at for at, _ in steps)
    assert lift_over_time(rows[:10], LIKES) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 10**9), min_size=LEAST, max_size=30),
    st.lists(st.integers(0, 10**9), min_size=LEAST, max_size=30),
)
def test_any_counts_give_an_ordered_interval_or_a_reason(chosen: list[int], held: list[int]) -> None:
    rows = [outcome(value) for value in chosen] + [outcome(value, holdout=True) for value in held]
    found = lift(rows, LIKES)
    assert found.words.startswith(found.verdict)
    if found.ratio is not None:
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= found.ratio <= found.high < inf


def alike(rng: np.random.Generator, runs: int, n: int) -> tuple[Floats, Floats, float]:
    held = rng.normal(size=(runs, n))
    return held + 0.2, held, 0.2


def unequal(rng: np.random.Generator, runs: int, n: int) -> tuple[Floats, Floats, float]:
    return rng.normal(0.2, 0.5, (runs, n)), rng.normal(0, 1.5, (runs, n)), 0.2


def skewed(rng: np.random.Generator, runs: int, n: int) -> tuple[Floats, Floats, float]:
    return rng.exponential(size=(runs, n)) + 0.3, rng.exponential(size=(runs, n)), 0.3


def counts(rng: np.random.Generator, runs: int, n: int) -> tuple[Floats, Floats, float]:
    chosen, held = (np.log1p(rng.poisson(rng.lognormal(1.3, 1, (runs, n)))) for _ in range(2))
    return chosen, held, 0.0


def ever_missed(chosen: Floats, held: Floats, truth: float, share: float, rng: np.random.Generator) -> float:
    """Share of the runs in which any look, one after each post, misses the truth; arms drawn by a coin."""
    out = rng.random(chosen.shape) < share
    missed = np.zeros(len(chosen), dtype=bool)
    for run in range(len(chosen)):
        ours, theirs = Running(), Running()
        for drawn, a, b in zip(out[run].tolist(), chosen[run].tolist(), held[run].tolist(), strict=True):
            (theirs.add(b) if drawn else ours.add(a))
            if min(ours.n, theirs.n) < LEAST:
                continue
            half = half_width(ours.n, ours.variance, theirs.n, theirs.variance)
            if abs(ours.mean - theirs.mean - truth) > half:
                missed[run] = True
                break
    return float(missed.mean())


class Running:
    """Mean and variance of values as they come."""

    def __init__(self) -> None:
        self.n, self.mean, self._squares = 0, 0.0, 0.0

    def add(self, value: float) -> None:
        self.n += 1
        off = value - self.mean
        self.mean += off / self.n
        self._squares += off * (value - self.mean)

    @property
    def variance(self) -> float:
        return self._squares / (self.n - 1)


@pytest.mark.parametrize("share", [0.1, 0.3])
@pytest.mark.parametrize("world", [alike, unequal, skewed, counts])
def test_looking_after_every_post_misses_the_truth_in_at_most_five_percent_of_the_runs(
    world: Callable[[np.random.Generator, int, int], tuple[Floats, Floats, float]], share: float
) -> None:
    rng = np.random.default_rng(20261124)
    runs = 1000
    chosen, held, truth = world(rng, runs, 200)
    allowed = ALPHA + 2 * (ALPHA * (1 - ALPHA) / runs) ** 0.5  # what chance adds in so few runs
    assert ever_missed(chosen, held, truth, share, rng) <= allowed
