"""An account on a stand-in for Reddit."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Surroundings
from connectors.reddit.account import RedditAccount
from tests.connectors.reddit.standin import StandIn


@pytest.fixture
def standin(clock: Any) -> Iterator[StandIn]:
    """A small Reddit."""
    made = StandIn(clock)
    yield made
    made.stop()


@pytest.fixture
def secrets() -> dict[str, str]:
    """What is kept for the account."""
    return {
        "reddit/main/client_id": "app-id",
        "reddit/main/client_secret": "app-secret-canary",
        "reddit/main/username": "tester",
        "reddit/main/refresh_token": "refresh-canary",
    }


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
def opened(standin: StandIn, around: Surroundings) -> Callable[..., RedditAccount]:
    """Makes connectors of the account; timeouts may be given."""

    def make(timeout: tuple[float, float] = (10.0, 20.0)) -> RedditAccount:
        return RedditAccount("main", around, standin.session, timeout)

    return make


@pytest.fixture
def account(opened: Callable[..., RedditAccount]) -> RedditAccount:
    """The account."""
    return opened()
