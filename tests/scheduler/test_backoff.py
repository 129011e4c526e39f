"""When a failed write is tried again: a pure decision."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import AuthExpired, ConnectorError, OutcomeUnknown, RateLimited, Rejected, Unavailable
from scheduler.backoff import FIRST, JITTER, LONGEST, next_try

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def test_after_a_rate_limit_it_waits_for_the_reset_and_a_little_longer() -> None:
    reset = NOW + timedelta(minutes=12)
    again = next_try(1, RateLimited("slow down", reset), NOW, np.random.default_rng(0))
    assert again is not None
    assert reset < again < reset + JITTER


def test_a_reset_in_the_past_does_not_mean_at_once() -> None:
    again = next_try(1, RateLimited("slow down", NOW - timedelta(hours=1)), NOW, np.random.default_rng(0))
    assert again is not None
    assert again > NOW


def test_waits_for_an_absent_platform_double_up_to_a_cap() -> None:
    def wait(attempts: int) -> timedelta:
        again = next_try(attempts, Unavailable("gone"), NOW, np.random.default_rng(7))
        assert again is not None
        return again - NOW

    assert FIRST <= wait(1) <= 1.2 * FIRST
    assert wait(3) / wait(1) == pytest.approx(4)
    assert wait(50) == wait(5000) <= 1.2 * LONGEST


@pytest.mark.parametrize("error", [AuthExpired("log in"), Rejected("no"), OutcomeUnknown("lost")])
def test_what_may_be_public_or_never_will_be_is_not_tried_again(error: ConnectorError) -> None:
    assert next_try(1, error, NOW, np.random.default_rng(0)) is None


@given(st.integers(0, 10**9), st.integers(0, 2**32), st.timedeltas(timedelta(days=-30), timedelta(days=30)))
def test_the_next_try_always_lies_in_the_future(attempts: int, seed: int, reset: timedelta) -> None:
    for error in (Unavailable("gone"), RateLimited("slow down", NOW + reset)):
        again = next_try(attempts, error, NOW, np.random.default_rng(seed))
        assert again is not None
        assert again > NOW
