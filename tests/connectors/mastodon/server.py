"""Somebody else's imitation of a Mastodon server (mastodon_mock), one for all tests, with a wire in front of it."""

import atexit
import json
from functools import cache
from typing import Any

import pytest
from mastodon import Mastodon

from connectors.archives.mastodon import plain
from connectors.base import Connector, Surroundings
from connectors.mastodon import connect
from tests.connectors.mastodon.wire import Wire

TIMEOUT = (2.0, 30.0)


class Network:
    """The server behind the wire, and the people on it: `ada` is us, `grace` is somebody."""

    def __init__(self, server: Any) -> None:
        self.server, self.wire = server, Wire(server.base_url)
        self.secrets: dict[str, str] = {}
        self._people: dict[str, Any] = {}

    def fresh(self, *, empty: bool = True) -> None:
        """As on the first day; without `empty`, what was posted stays, which is quicker."""
        self.wire.mend()
        if empty:
            self.server.reset()
            self._people.clear()
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
        if name not in self._people:
            self._people[name] = Mastodon(
                access_token=f"{name}_token",
                api_base_url=self.server.base_url,
                request_timeout=10,
                version_check_mode="created",
                mastodon_version="4.6.0",
            )
        return self._people[name]

    def ours(self) -> list[str]:
        """Texts of all that we have posted, answers too, newest first."""
        path = f"/api/v1/accounts/{self._asked('/api/v1/accounts/verify_credentials')['id']}/statuses?limit=40"
        return [plain(status["content"]) for status in self._asked(path)]

    def _asked(self, path: str) -> Any:
        return json.loads(self.wire.reply("GET", path, {"Authorization": "Bearer ada_token"}, b"")[2])


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
        rules=["No spam.", "Bots post \x1b[2Junlisted."],
        database=DatabaseConfig(path=":memory:"),
        seed=SeedConfig(
            accounts=[SeedAccount(username=name, bot=name != "grace", access_token=f"{name}_token") for name in people]
        ),
    )
    server = testing.MockServer(config=config)
    server.start()
    atexit.register(server.stop)
    return Network(server)
