"""The sandbox network: a simulated platform behind the ordinary interface, for first use, tests and dry runs.

Everything it counts is simulated and says so (`Capabilities.simulated`). The truth about its audience is on the network
object, which the bot never holds: a connector shows only what a real platform would.
"""

import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np

from connectors import chatter
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
    Mention,
    MentionPage,
    OwnPost,
    Receipt,
    Ref,
    Surroundings,
)
from connectors.chatter import Said
from connectors.errors import AuthExpired, OutcomeUnknown, RateLimited, Rejected, Unavailable
from connectors.ledger import Entry, Ledger

MAX_LENGTH = 500
REMEMBERED = timedelta(days=14)
"""How long a post tires the audience."""
FIRST_LOOK = timedelta(days=2)
"""How far back mentions go when there is no cursor."""
Fault = Literal["rate_limit", "auth", "reject", "unavailable", "lost_answer", "slow"]


class Faults:
    """What goes wrong on request: the next writes in order, or a seeded share of all of them."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._next: deque[Fault] = deque()
        self._rates: Mapping[Fault, float] = {}
        self._rng = rng
        self.delay = 0.05
        """Seconds a slow answer takes."""

    def fail_next(self, fault: Fault, times: int = 1) -> None:
        """Let the next writes fail this way."""
        self._next.extend([fault] * times)

    def rates(self, rates: Mapping[Fault, float]) -> None:
        """Let this share of all writes fail in each way."""
        self._rates = rates

    def draw(self) -> Fault | None:
        """What happens to the write that comes now."""
        if self._next:
            return self._next.popleft()
        chance = self._rng.random()
        for fault, rate in self._rates.items():
            if chance < rate:
                return fault
            chance -= rate
        return None


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
        self.faults = Faults(np.random.default_rng([seed, 9]))
        self.ledger = Ledger(path)
        self.native_idempotency = native_idempotency
        self._finals: dict[int, dict[str, float]] = {}

    def connector(self, account: str) -> Connector:
        """The connector of one account."""
        return _SandboxConnector(self, account)

    def seed_history(self, account: str, posts: Iterable[tuple[datetime, str, str]]) -> None:
        """Let the account have posted before: (when, text, kind), oldest first; no faults."""
        for at, text, kind in posts:
            self.ledger.write(account, None, text, kind, at, None, once=False)

    def shown(self, account: str, before: datetime) -> list[Shown]:
        """What the audience still remembers of an account."""
        return [
            Shown(entry.text, entry.kind, entry.at)
            for entry in self.ledger.posts(account)
            if before - REMEMBERED <= entry.at < before and entry.in_reply_to is None
        ]

    def final(self, entry: Entry) -> dict[str, float]:
        """Final counts of a published post."""
        if entry.number not in self._finals:
            recent = self.shown(entry.account, entry.at)
            self._finals[entry.number] = self.truth.final(entry.number, Shown(entry.text, entry.kind, entry.at), recent)
        return self._finals[entry.number]


class _SandboxConnector:
    """One account on the sandbox network, as a real platform would show it."""

    def __init__(self, network: SandboxNetwork, account: str) -> None:
        self._network, self._account = network, account

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
        network.ledger.request(self._account, key)
        fault = network.faults.draw()
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
        if not draft.text.strip() or len(draft.text) > MAX_LENGTH:
            raise Rejected(f"sandbox: a text has 1 to {MAX_LENGTH} characters, this one {len(draft.text)}")
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
        for entry in self._network.ledger.posts(self._account):
            if entry.at >= since and entry.text == draft.text and entry.in_reply_to == answered:
                return _receipt(entry)
        return None

    def measure(self, refs: Sequence[Ref]) -> Mapping[str, Counts]:
        """Simulated counts now."""
        wanted = {ref.id for ref in refs}
        now = self._network.clock()
        return {
            str(entry.number): self._counts(entry, now)
            for entry in self._network.ledger.posts(self._account)
            if str(entry.number) in wanted
        }

    def own_posts(self, since: datetime | None) -> Iterable[OwnPost]:
        """Our posts since then, with counts, oldest first; answers are not among them."""
        now = self._network.clock()
        return [
            OwnPost(Ref(str(entry.number)), entry.text, entry.at, entry.kind, self._counts(entry, now))
            for entry in self._network.ledger.posts(self._account)
            if (since is None or entry.at >= since) and entry.at <= now and entry.in_reply_to is None
        ]

    def mentions(self, cursor: str | None) -> MentionPage:
        """What simulated people said after the cursor, which is a moment in microseconds."""
        now = self._network.clock()
        since = _moment(cursor) if cursor is not None else now - FIRST_LOOK
        # A whole number of microseconds: the cursor must name exactly the last text shown.
        found = sorted(
            (mention for mention in self._said(since, now) if since < mention.created_at <= now),
            key=lambda mention: (mention.created_at, mention.ref.id),
        )
        reached = found[-1].created_at if found else since
        return MentionPage(tuple(found), _cursor(reached))

    def delete(self, ref: Ref) -> None:
        """Remove one of our posts."""
        self._network.ledger.delete(self._account, int(ref.id))

    def _counts(self, entry: Entry, now: datetime) -> Counts:
        return self._network.truth.counts(self._network.final(entry), now - entry.at)

    def _said(self, since: datetime, now: datetime) -> Iterable[Mention]:
        network, settings = self._network, self._network.truth.settings
        first, last = (since - EPOCH).days, (now - EPOCH).days
        seed = network.seed + zlib.crc32(self._account.encode())
        for day in range(first, last + 1):
            start = EPOCH + timedelta(days=day)
            for place, said in enumerate(chatter.background(seed, day, start, settings.mentions_per_day)):
                yield self._mention(said, f"m{day}-{place}", None, None)
        for entry in self._network.ledger.posts(self._account):
            number = str(entry.number)
            if entry.at < since - REMEMBERED:
                continue
            if entry.in_reply_to is None:
                for place, said in enumerate(
                    chatter.under_post(seed, entry.number, entry.at, network.final(entry)["replies"])
                ):
                    yield self._mention(said, f"p{number}-{place}", number, f"t{number}-{place}")
            else:
                author = chatter_author(entry.in_reply_to, seed, self._network.ledger.posts(self._account), network)
                back = chatter.after_reply(seed, entry.number, author, entry.at) if author else None
                if back is not None:
                    yield self._mention(back, f"a{number}", number, f"t-{entry.in_reply_to}")

    def _mention(self, said: Said, name: str, to: str | None, thread: str | None) -> Mention:
        return Mention(
            Ref(name),
            said.author_id,
            f"@{said.author_id}",
            said.text,
            said.at,
            said.address,
            Ref(to) if to is not None else None,
            Ref(thread or f"t-{name}"),
            said.is_bot,
        )


def chatter_author(name: str, seed: int, posts: Sequence[Entry], network: SandboxNetwork) -> str | None:
    """Who said the text of this name; None for a name the network never gave."""
    if name.startswith("m"):
        day, place = (int(part) for part in name[1:].split("-"))
        start = EPOCH + timedelta(days=day)
        said = chatter.background(seed, day, start, network.truth.settings.mentions_per_day)
        return said[place].author_id if place < len(said) else None
    if name.startswith("p"):
        number, place = (int(part) for part in name[1:].split("-"))
        for entry in posts:
            if entry.number == number:
                under = chatter.under_post(seed, number, entry.at, network.final(entry)["replies"])
                return under[place].author_id if place < len(under) else None
    return None


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
    return Receipt(Ref(str(entry.number)), entry.at, f"sandbox://{entry.account}/{entry.number}")


def _cursor(moment: datetime) -> str:
    return str((moment - EPOCH) // timedelta(microseconds=1))


def _moment(cursor: str) -> datetime:
    return EPOCH + timedelta(microseconds=int(cursor))
