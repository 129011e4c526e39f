"""Bluesky for the contract: the real PDS behind a wire that can be cut, with a small app view behind it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectors.base import Connector, Ref, Surroundings
from connectors.bluesky import connect
from connectors.bluesky.records import address, cid_of, ref_of, rkey_of
from tests.connectors.bluesky.server import network

Parts = tuple[Connector, Any, Callable[[], object], Callable[[], object], Callable[[], object], Callable[[str], Ref]]


def bluesky(folder: Path, clock: Any) -> Parts:
    """The fields of a Stage, in order."""
    net = network()
    person = net.person()
    net.view.readers[person.did] = clock
    around = Surroundings(clock, folder, person.secrets.get, keep=person.keep)
    return (
        connect("main", around),
        clock,
        lambda: net.wire.fail("drop", written=True),
        net.wire.refuse,
        lambda: net.wire.fail("429"),
        inbound,
    )


def inbound(name: str) -> Ref:
    """Somebody else's post by a name of ours."""
    return ref_of(address("did:plc:strangerstrangerstranger", rkey_of(name)), cid_of({"text": name}))
