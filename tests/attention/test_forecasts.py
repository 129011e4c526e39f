from datetime import datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.attention.forecast import BINS, EDGES, Candidate, Forecast, PastPost, Sheaf

bars = st.lists(st.floats(0, 1), min_size=BINS, max_size=BINS).filter(lambda values: sum(values) > 0.01)


@given(bars, st.floats(-2, 12), st.floats(0.05, 4))
def test_quantiles_never_fall_and_stay_inside_the_bars(weights: list[float], centre: float, spread: float) -> None:
    forecast = Forecast(np.array(weights) / sum(weights), centre, spread)
    marks = [forecast.quantile(q) for q in np.linspace(0, 1, 21)]
    assert all(low <= high + 1e-9 for low, high in pairwise(marks))
    assert EDGES[0] <= marks[0] <= marks[-1] <= EDGES[-1] + 1e-9
    counts = [forecast.count_quantile(q) for q in (0.1, 0.5, 0.9)]
    assert 0 <= counts[0] <= counts[1] <= counts[2]


@given(bars, st.floats(0.05, 0.95))
def test_a_quantile_and_the_probability_below_it_agree(weights: list[float], q: float) -> None:
    forecast = Forecast(np.array(weights) / sum(weights), 0, 1)
    assert forecast.below(forecast.quantile(q)) == pytest.approx(q, abs=1e-6)


@given(st.floats(-2, 2), st.floats(0.3, 1.0))
def test_bars_of_a_normal_distribution_keep_its_mean_and_sd(mean: float, sd: float) -> None:
    forecast = Forecast.normal(mean, sd, 0, 1)
    assert forecast.probabilities.sum() == pytest.approx(1)
    assert forecast.mean == pytest.approx(mean, abs=0.1)
    assert forecast.sd == pytest.approx(sd, abs=0.12)


def test_counts_follow_from_z_by_centre_and_spread() -> None:
    forecast = Forecast.normal(0, 1, centre=np.log1p(100), spread=0.5)
    assert forecast.to_count(0) == pytest.approx(100)
    assert forecast.to_count(1) == pytest.approx(np.expm1(np.log1p(100) + 0.5))
    assert forecast.to_count(-100) == 0
    assert forecast.count_mean > 100  # the tail is heavy


def test_a_quantile_outside_0_to_1_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Forecast.normal(0, 1, 0, 1).quantile(1.2)


def test_naive_times_are_refused_at_the_door() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(ValueError, match="zone"):
        PastPost("sandbox", "hello", "text", naive)
    with pytest.raises(ValueError, match="zone"):
        Candidate("sandbox", "hello", "text", naive)


@given(st.lists(bars, min_size=1, max_size=5), st.floats(0.01, 0.99), st.floats(0, 8), st.floats(0.05, 2))
def test_many_forecasts_read_together_say_what_each_says_alone(
    some: list[list[float]], q: float, centre: float, spread: float
) -> None:
    each = [Forecast(np.array(one) / sum(one), centre + place, spread) for place, one in enumerate(some)]
    together = Sheaf.of(each)
    assert together.means == pytest.approx([one.mean for one in each])
    assert together.sds() == pytest.approx([one.sd for one in each])
    assert together.typical_counts() == pytest.approx([one.to_count(one.mean) for one in each])
    assert together.count_quantiles(q) == pytest.approx([one.count_quantile(q) for one in each], rel=1e-6, abs=1e-9)
