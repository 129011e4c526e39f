"""The sandbox network: a simulated platform behind the ordinary interface, for first use, tests and dry runs.

Everything it counts is simulated and says so (`Capabilities.simulated`). The truth about its audience is on the network
object, which the bot never holds: a connector shows only what a real platform would.
"""

import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from connectors.audience import EPOCH, Audience, AudienceSettings, Shown
from connectors.base import (
    Capabilities,
    Clock,
    Connector,
    Counts,
    Draft,
    Embed,
    Identity,
    Limits,
    MentionPage,
    OwnPost,
    Receipt,
    Ref,
    Surroundings,
)
from connectors.conversation import Conversation, luck_of
from connectors.errors import AuthExpired, OutcomeUnknown, RateLimited, Rejected, Unavailable
from connectors.faults import Faults
from connectors.ledger import Entry, Ledger, number_of

MAX_LENGTH = 500
REMEMBERED = timedelta(days=14)
"""How long a post tires the audience."""
FIRST_LOOK = timedelta(days=2)
"""How far back mentions go when there is no cursor."""


class SandboxNetwork:
    """One simulated platform with one audience; any number of accounts. `path` keeps it across restarts."""

    def __init__(
        self,
        clock: Clock,
        embed: Embed,
        seed: int = 0,
        path: Path | None = None,
        settings: AudienceSettings | None = None,
        *,
        native_idempotency: bool = True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.clock, self.seed, self.sleep = clock, seed, sleep
        self.truth = Audience(seed, embed, settings or AudienceSettings())
        self.faults = Faults(seed)
        self.ledger = Ledger(path)
        self.native_idempotency = native_idempotency
        self._finals: dict[int, dict[str, float]] = {}

    def connector(self, account: str) -> Connector:
        """The connector of one account."""
        return _SandboxConnector(self, account)

    def seed_history(self, account: str, posts: Iterable[tuple[datetime, str, str]]) -> None:
        """Let the account have posted before: (when, text, kind), oldest first; no faults."""
        self.ledger.fill(account, posts)

    def shown(self, account: str, before: datetime) -> list[Shown]:
        """What the audience still remembers of an account, deleted or not."""
        return [
            Shown(entry.text, entry.kind, entry.at)
            for entry in self.ledger.ever(account, before - REMEMBERED, before)
            if entry.in_reply_to is None
        ]

    def final(self, entry: Entry) -> dict[str, float]:
        """Final counts of a published post."""
        if entry.number not in self._finals:
            recent = self.shown(entry.account, entry.at)
            shown = Shown(entry.text, entry.kind, entry.at)
            self._finals[entry.number] = self.truth.final(luck_of(entry), shown, recent)
        return self._finals[entry.number]


class _SandboxConnector:
    """One account on the sandbox network, as a real platform would show it."""

    def __init__(self, network: SandboxNetwork, account: str) -> None:
        self._network, self._account = network, account
        self._conversation = Conversation(
            account,
            network.seed,
            network.ledger,
            network.truth.settings.mentions_per_day,
            lambda entry: network.final(entry)["replies"],
        )

    @property
    def capabilities(self) -> Capabilities:
        """What the network can do; everything on it is simulated."""
        return Capabilities(
            native_idempotency=self._network.native_idempotency,
            alt_text=True,
            impressions=True,
            may_train=True,
            simulated=True,
        )

    def check(self) -> Identity:
        """Who we are here."""
        return Identity(f"sandbox-{self._account}", self._account, ("read", "write"), bot_label=True)

    def limits(self) -> Limits:
        """What may be posted."""
        return Limits(max_length=MAX_LENGTH)

    def length(self, text: str) -> int:
        """Characters."""
        return len(text)

    def publish(self, draft: Draft, key: str) -> Receipt:
        """Accept a draft, or fail as asked."""
        network = self._network
        tries = network.ledger.request(self._account, key)
        fault = network.faults.draw(f"{self._account}\0{key}", tries)
        match fault:
            case "rate_limit":
                raise RateLimited("sandbox: too many requests", network.clock() + timedelta(minutes=5))
            case "auth":
                raise AuthExpired("sandbox: the token is no longer valid")
            case "reject":
                raise Rejected("sandbox: refused this draft")
            case "unavailable":
                raise Unavailable("sandbox: connection refused")
            case "slow":
                network.sleep(network.faults.delay)
            case _:
                pass
        for text in (draft.text, *draft.parts):
            if not text.strip() or len(text) > MAX_LENGTH:
                raise Rejected(f"sandbox: a text has 1 to {MAX_LENGTH} characters, this one {len(text)}")
        entry = network.ledger.write(
            self._account,
            key,
            draft.text,
            draft.kind,
            network.clock(),
            draft.in_reply_to.id if draft.in_reply_to else None,
            once=network.native_idempotency,
        )
        if fault == "lost_answer":
            raise OutcomeUnknown("sandbox: the connection was lost before the answer")
        return _receipt(entry)

    def find(self, draft: Draft, since: datetime) -> Receipt | None:
        """Look for this draft among our posts since then."""
        answered = draft.in_reply_to.id if draft.in_reply_to else None
        found = self._network.ledger.alike(self._account, draft.text, answered, since)
        return _receipt(found[0]) if found else None

    def measure(self, refs: Sequence[Ref]) -> Mapping[str, Counts]:
        """Simulated counts now."""
        now = self._network.clock()
        wanted = (number for ref in refs if (number := number_of(ref.id)) is not None)
        return {entry.name: self._counts(entry, now) for entry in self._network.ledger.named(self._account, wanted)}

    def own_posts(self, since: datetime | None) -> Iterable[OwnPost]:
        """Our posts since then, with counts, oldest first; answers are not among them."""
        now = self._network.clock()
        return [
            OwnPost(Ref(entry.name), entry.text, entry.at, entry.kind, self._counts(entry, now))
            for entry in self._network.ledger.posts(self._account, since, now)
            if entry.in_reply_to is None
        ]

    def mentions(self, cursor: str | None) -> MentionPage:
        """What simulated people said after the cursor, which is a moment in microseconds."""
        now = self._network.clock()
        since = _moment(cursor) if cursor is not None else now - FIRST_LOOK
        found = self._conversation.between(since, now)
        # A whole number of microseconds: the cursor must name exactly the last text shown.
        return MentionPage(tuple(found), _cursor(found[-1].created_at if found else since))

    def delete(self, ref: Ref) -> None:
        """Remove one of our posts."""
        number = number_of(ref.id)
        if number is not None:
            self._network.ledger.delete(self._account, number)

    def _counts(self, entry: Entry, now: datetime) -> Counts:
        return self._network.truth.counts(self._network.final(entry), now - entry.at)


def connect(account: str, around: Surroundings) -> Connector:
    """The entry point: an account on a sandbox network of its own, seeded by its name, kept in `around.folder`."""
    network = SandboxNetwork(
        around.clock,
        around.embed or hashed,
        seed=zlib.crc32(account.encode()),
        path=around.folder / "sandbox.db",
    )
    return network.connector(account)


def hashed(texts: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Words hashed into 64 numbers, rows of unit length: text vectors where nothing better is at hand."""
    rows = np.zeros((len(texts), 64), dtype=np.float32)
    for place, text in enumerate(texts):
        for word in text.lower().split():
            code = zlib.crc32(word.encode())
            rows[place, code % 64] += 1.0 if code & 64 else -1.0
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), dtype=np.float32)


def _receipt(entry: Entry) -> Receipt:
    return Receipt(Ref(entry.name), entry.at, f"sandbox://{entry.account}/{entry.number}")


def _cursor(moment: datetime) -> str:
    return str((moment - EPOCH) // timedelta(microseconds=1))


def _moment(cursor: str) -> datetime:
    try:
        return EPOCH + timedelta(microseconds=int(cursor))
    except (ValueError, OverflowError):
        raise Rejected(f"sandbox: the cursor {cursor!r} is none of ours") from None
