"""The imitation of a server, as new, and our account on it."""

from pathlib import Path
from typing import Any

import pytest

from connectors.base import Connector
from tests.connectors.mastodon.server import Network, network


@pytest.fixture
def net() -> Network:
    """Nothing posted, nothing wrong."""
    net = network()
    net.fresh()
    return net


@pytest.fixture
def used() -> Network:
    """Nothing wrong, but perhaps something posted before."""
    net = network()
    net.fresh(empty=False)
    return net


@pytest.fixture
def ours(net: Network, clock: Any, tmp_path: Path) -> Connector:
    """Our account, ada."""
    return net.open(clock, tmp_path)
