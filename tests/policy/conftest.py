"""A plain world for the rules: one proposal a test changes where it must, and facts written as values."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.policy.base import Addressed, Proposal
from connectors.base import Capabilities, Draft, Ref

NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)

Propose = Callable[..., Proposal]


def _post(text: str = "We shipped a search that needs no server.", **changes: Any) -> Proposal:
    draft = changes.pop("draft", None) or Draft(text)
    account = changes.pop("account", "sandbox/main")
    plain = Proposal(
        account=account,
        platform=account.partition("/")[0],
        campaign="launch",
        item="hello",
        draft=draft,
        at=changes.pop("at", NINE),
        capabilities=changes.pop("capabilities", Capabilities(simulated=True)),
    )
    return replace(plain, **changes)


def _reply(ref: str = "m1", *, person: str = "ann", **changes: Any) -> Proposal:
    known = {name: changes.pop(name) for name in tuple(changes) if name in Addressed.__dataclass_fields__}
    account = changes.get("account", "sandbox/main")
    inbound = Addressed(
        mention_id=1,
        platform=account.partition("/")[0],
        ref=ref,
        author_hash=person,
        author_is_bot=False,
        author_is_us=False,
        address="mention",
        thread=None,
        depth=0,
    )
    draft = Draft(changes.pop("text", "It is free."), in_reply_to=Ref(ref))
    return _post(draft=draft, addressed=replace(inbound, **known), **changes)


@pytest.fixture
def nine() -> datetime:
    """Nine in the morning, UTC."""
    return NINE


@pytest.fixture
def post() -> Propose:
    """A harmless post on a simulated account, with changes by keyword."""
    return _post


@pytest.fixture
def reply() -> Propose:
    """A harmless reply to somebody who mentioned us; keywords change the proposal or the mention."""
    return _reply
