"""When to try a failed write again, as a pure decision; nothing here waits, and nothing here sends."""

from datetime import datetime, timedelta

import numpy as np

from connectors.errors import ConnectorError, RateLimited, Unavailable

FIRST = timedelta(seconds=15)
LONGEST = timedelta(minutes=30)
JITTER = timedelta(seconds=5)
"""Accounts that were told the same reset do not all come back in the same instant."""


def next_try(attempts: int, error: ConnectorError, now: datetime, rng: np.random.Generator) -> datetime | None:
    """When to try again after `attempts` tries (at least 1), or None where trying again is no answer.

    Only errors after which certainly nothing was written have a next try; it always lies after `now`.
    """
    if isinstance(error, RateLimited):
        soonest = max(error.reset_at, now + timedelta(seconds=1))
        return soonest + JITTER * float(rng.random())
    if isinstance(error, Unavailable):
        # 2**12 is beyond the cap already; the exponent is bounded so that it cannot overflow.
        wait = min(FIRST * (1 << min(max(attempts, 1) - 1, 12)), LONGEST)
        return now + wait * (1 + 0.2 * float(rng.random()))
    return None
