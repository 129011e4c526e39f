"""Somebody else's imitation of a Mastodon server (mastodon_mock), one for all tests, with a wire in front of it."""

import atexit
from functools import cache
from typing import Any

import pytest
from mastodon import Mastodon

from connectors.base import Connector, Surroundings
from connectors.mastodon import connect
from tests.connectors.mastodon.wire import Wire

TIMEOUT = (2.0, 5.0)


class Network:
    """The server behind the wire, and the people on it: `ada` is us, `grace` is somebody."""

    def __init__(self, server: Any) -> None:
        self.server, self.wire = server, Wire(server.base_url)
        self.secrets: dict[str, str] = {}

    def fresh(self) -> None:
        """As on the first day."""
        self.wire.mend()
        self.server.reset()
        self.secrets = {"mastodon/main/instance": self.wire.url, "mastodon/main/access_token": "ada_token"}

    def keep(self, name: str, value: str | None) -> None:
        if value is None:
            self.secrets.pop(name, None)
        else:
            self.secrets[name] = value

    def open(self, clock: Any, folder: Any, timeout: tuple[float, float] = TIMEOUT) -> Connector:
        return connect("main", self.around(clock, folder), timeout=timeout)

    def around(self, clock: Any, folder: Any) -> Surroundings:
        return Surroundings(clock, folder, self.secrets.get, keep=self.keep)

    def person(self, name: str) -> Any:
        """Somebody at their own client, past the wire."""
        return Mastodon(access_token=f"{name}_token", api_base_url=self.server.base_url, request_timeout=10)


@cache
def network() -> Network:
    """The one server of this test run, started at first use."""
    testing = pytest.importorskip("mastodon_mock.testing", reason="mastodon_mock is not installed")
    from mastodon_mock.config import (
        DatabaseConfig,
        MastodonMockConfig,
        SeedAccount,
        SeedConfig,
    )

    people = ("ada", "grace", "alan")
    config = MastodonMockConfig(
        mocked_version="4.6.4",
        database=DatabaseConfig(path=":memory:"),
        seed=SeedConfig(
            accounts=[SeedAccount(username=name, bot=name != "grace", access_token=f"{name}_token") for name in people]
        ),
    )
    server = testing.MockServer(config=config)
    server.start()
    atexit.register(server.stop)
    return Network(server)
