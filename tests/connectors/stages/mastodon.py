"""Mastodon for the contract: somebody else's imitation of the server, behind a wire that can be cut."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectors.base import Connector, Ref
from tests.connectors.mastodon.server import Network, network

Parts = tuple[Connector, Any, Callable[[], object], Callable[[], object], Callable[[], object], Callable[[str], Ref]]


def mastodon(folder: Path, clock: Any) -> Parts:
    """The fields of a Stage, in order. Whenever time passes, somebody says something to us."""
    net = network()
    net.fresh()
    named: dict[str, Ref] = {}

    def inbound(name: str) -> Ref:
        if name not in named:
            named[name] = Ref(str(net.person("grace").status_post(f"@ada {name}")["id"]))
        return named[name]

    return (
        net.open(clock, folder),
        Chatter(clock, net),
        lambda: net.wire.fail("drop", written=True),
        net.wire.refuse,
        lambda: net.wire.fail("429"),
        inbound,
    )


class Chatter:
    """The clock of a test, which makes people talk as it goes on."""

    def __init__(self, clock: Any, net: Network) -> None:
        self._clock, self._net, self._said = clock, net, 0

    def __call__(self) -> Any:
        return self._clock()

    def later(self, **by: float) -> None:
        self._clock.later(**by)
        self._said += 1
        self._net.person("grace").status_post(f"@ada remark {self._said}")
