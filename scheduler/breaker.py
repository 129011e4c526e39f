"""The circuit breaker: when an account has failed often enough to be left alone; a pure count without calls."""

from dataclasses import dataclass, field

from scheduler.sending import End, Outcome

STRIKES = 3
"""Failures of one account in a row after which it is paused (S5)."""


@dataclass
class Breaker:
    """Counts failures in a row by account. Waiting for a platform that is down or busy is no failure."""

    _strikes: dict[str, int] = field(default_factory=dict)

    def hear(self, outcome: Outcome) -> str | None:
        """Why this outcome pauses its account, in words for a person, or None."""
        account = outcome.post.account
        if outcome.end is End.PUBLIC:
            self._strikes.pop(account, None)
            return None
        if outcome.end is End.LOCKED:
            self._strikes.pop(account, None)
            return f"the platform no longer accepts our login: {outcome.words}"
        if outcome.end not in (End.REFUSED, End.UNKNOWN):
            return None
        strikes = self._strikes.get(account, 0) + 1
        if strikes < STRIKES:
            self._strikes[account] = strikes
            return None
        self._strikes.pop(account, None)
        return f"{STRIKES} posts in a row failed, the last one because: {outcome.words}"
