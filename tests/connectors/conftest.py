"""A clock set by hand and a sandbox network on it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.sandbox import SandboxNetwork, hashed

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Hand:
    """A clock that shows what a test says."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Hand:
    """A clock at noon."""
    return Hand()


@pytest.fixture
def network(clock: Hand) -> SandboxNetwork:
    """A sandbox network in memory."""
    return SandboxNetwork(clock, hashed, seed=3)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a network may be kept."""
    return tmp_path / "state" / "sandbox.db"
