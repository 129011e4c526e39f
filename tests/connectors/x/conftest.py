"""An account on a stand-in for X, and proof afterwards that all that was said fits X's own document."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Connector, Surroundings
from connectors.x.account import XAccount
from tests.connectors.x.standin import StandIn


@pytest.fixture
def standin(clock: Any) -> Iterator[StandIn]:
    """A small X; every request and answer is judged when the test is over."""
    made = StandIn(clock)
    yield made
    made.stop()
    assert made.breaches == []


@pytest.fixture
def secrets() -> dict[str, str]:
    """What is kept for the account."""
    return {"x/main/oauth2": json.dumps({"access_token": "token-1"}), "x/main/user_id": "4001"}


@pytest.fixture
def around(clock: Any, tmp_path: Path, secrets: dict[str, str]) -> Surroundings:
    """Surroundings that store into `secrets`."""

    def keep(same: str, value: str | None) -> None:
        if value is None:
            secrets.pop(same, None)
        else:
            secrets[same] = value

    return Surroundings(clock, tmp_path / "state", secrets.get, keep=keep)


@pytest.fixture
def opened(standin: StandIn, around: Surroundings) -> Callable[..., Connector]:
    """Makes connectors of the account; timeouts may be given."""

    def make(timeout: tuple[float, float] = (5.0, 15.0)) -> Connector:
        return XAccount("main", around, standin.base, timeout)

    return make


@pytest.fixture
def account(opened: Callable[..., Connector]) -> Connector:
    """The account."""
    return opened()
