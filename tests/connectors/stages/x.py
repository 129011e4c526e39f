"""X for the contract: the stand-in on loopback, with the real SDK in front of it."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.base import Connector, Ref, Surroundings
from connectors.x import connect
from tests.connectors.x.standin import US_NAME, StandIn

Parts = tuple[Connector, Any, Callable[[], object], Callable[[], object], Callable[[], object], Callable[[str], Ref]]

SECRETS = {"x/main/oauth2": json.dumps({"access_token": "token-1"}), "x/main/user_id": "4001"}
_open: list[StandIn] = []


def x(folder: Path, clock: Any) -> Parts:
    """The fields of a Stage, in order. The stand-in before this one is stopped."""
    while _open:
        _open.pop().stop()
    standin = StandIn(clock)
    _open.append(standin)
    standin.chatter = timedelta(hours=9)
    named: dict[str, Ref] = {}

    def inbound(name: str) -> Ref:
        if name not in named:
            named[name] = Ref(standin.say(f"@{US_NAME} {name}").id)
        return named[name]

    return (
        connect("main", Surroundings(clock, folder, SECRETS.get), base=standin.base, timeout=(5.0, 15.0)),
        clock,
        lambda: standin.fail("drop", written=True),
        standin.refuse,
        lambda: standin.fail("429"),
        inbound,
    )
