"""The tables of Kairos and the one time type they use; the questions asked of them live in the files beside this one.

Every time is stored in UTC and comes back aware; a naive datetime is refused at the door. Snapshots and decisions are
only ever added. Secrets are here as ciphertext alone, and of other people's names only a keyed hash outlives a pending
reply.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, DateTime, Dialect, Enum, Index, TypeDecorator, UniqueConstraint
from sqlmodel import Field, SQLModel


class UTCDateTime(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC; naive ones raise ValueError before they reach the database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, move the rest to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: Kairos stores only times with a zone")
        moved = value.astimezone(UTC)
        return moved.replace(tzinfo=None) if dialect.name == "sqlite" else moved

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc(nullable: bool = False, index: bool = False) -> Any:
    """A field of UTC time."""
    if nullable:
        return Field(default=None, sa_type=UTCDateTime, nullable=True, index=index)
    return Field(sa_type=UTCDateTime, nullable=False, index=index)


class State(StrEnum):
    """Where a post stands. The call to a platform happens only in `sending`, after that state is committed."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    SENDING = "sending"
    PUBLISHED = "published"
    FAILED = "failed"
    UNKNOWN = "unknown"
    HELD = "held"
    CANCELLED = "cancelled"


def _values(states: type[State]) -> list[str]:
    return [state.value for state in states]


class Account(SQLModel, table=True):
    """One of our identities on one platform; `id` reads platform/name."""

    id: str = Field(primary_key=True)
    platform: str
    name: str
    created_at: datetime = utc()
    paused_reason: str | None = None
    mention_cursor: str | None = None
    backfilled_at: datetime | None = utc(nullable=True)
    checked_at: datetime | None = utc(nullable=True)
    """When the platform last told us who we are."""


class Post(SQLModel, table=True):
    """An outbox row: one draft meant for one account at one slot. `text` and the rest of the draft are in `draft`."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("account", "campaign", "item", "local_slot", name="one_post_per_slot"),
        Index("due", "state", "not_before"),
        Index("sent", "state", "published_at"),
        Index("public", "account", "ref"),
        # Ids name a post in logs and in memory: one that was withdrawn must not come back as another post.
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    account: str
    campaign: str
    item: str
    """The campaign's post id; `reply:<mention row id>` for a reply."""
    variant: str = ""
    local_slot: str
    """Wall-clock time of the slot in `zone`, as 2026-11-24T09:00; replies use the mention's own UTC time."""
    zone: str = "UTC"
    slot_at: datetime = utc()
    not_before: datetime = utc()
    """When it may be tried: the slot, or later after a failed try."""
    kind: str = "post"
    """`post` or `reply`."""
    draft: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    digest: str
    """SHA-256 of the draft as planned."""
    approved_digest: str | None = None
    approved_at: datetime | None = utc(nullable=True)
    key: str = Field(unique=True)
    """Idempotency key, the same at every try."""
    state: State = Field(
        default=State.PLANNED,
        sa_column=Column(Enum(State, native_enum=False, length=12, values_callable=_values), nullable=False),
    )
    attempts: int = 0
    in_doubt: bool = False
    """An earlier try may be public. From then on no failure makes it `planned` again: only a look can settle it."""
    claimed_by: str | None = None
    claimed_at: datetime | None = utc(nullable=True)
    intent_at: datetime | None = utc(nullable=True)
    ref: str | None = None
    extras: str = ""
    url: str | None = None
    published_at: datetime | None = utc(nullable=True)
    rule: str | None = None
    """Id of the rule that refused or held it."""
    reason: str | None = None
    """Why it is where it is, in words for a person."""
    holdout: bool = False
    decision_id: int | None = Field(default=None, foreign_key="decision.id", index=True)
    mention_id: int | None = Field(default=None, foreign_key="mention.id", unique=True)
    created_at: datetime = utc()
    updated_at: datetime = utc()


class History(SQLModel, table=True):
    """One public post of our own account, however it came to be: published by us, backfilled or imported."""

    __table_args__ = (
        UniqueConstraint("account", "ref", name="one_row_per_public_post"),
        Index("history_in_order", "account", "created_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    account: str
    ref: str
    extras: str = ""
    text: str
    kind: str = "text"
    """What the draft or the platform calls it; `reply` for an answer, which is never measured or learnt from."""
    created_at: datetime = utc(index=True)
    source: str
    """`kairos`, `backfill` or `import:<format>`."""
    post_id: int | None = Field(default=None, foreign_key="outbox.id", index=True)


class Snapshot(SQLModel, table=True):
    """Counts of one public post at one age; rows are added, never changed. None: the platform did not say."""

    __table_args__ = (UniqueConstraint("history_id", "due_age_s", name="one_snapshot_per_age"),)

    id: int | None = Field(default=None, primary_key=True)
    history_id: int = Field(foreign_key="history.id")
    due_age_s: int
    """The nominal age in seconds this snapshot was due at (3600, 21600 ...)."""
    age_s: int
    """The true age in seconds when it was taken."""
    taken_at: datetime = utc()
    likes: int | None = None
    replies: int | None = None
    shares: int | None = None
    clicks: int | None = None
    impressions: int | None = None


class Inbound(SQLModel, table=True):
    """Something a person said to us. Handle and text are emptied once nothing is pending; the hash stays."""

    __tablename__ = "mention"
    __table_args__ = (
        UniqueConstraint("account", "ref", name="one_row_per_mention"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    account: str
    ref: str = Field(index=True)
    extras: str = ""
    author_hash: str = Field(index=True)
    author: str = ""
    text: str = ""
    address: str
    author_is_bot: bool = False
    in_reply_to: str | None = None
    thread: str | None = Field(default=None, index=True)
    created_at: datetime = utc(index=True)
    seen_at: datetime = utc()
    outcome: str = "new"
    """new | answered | held | refused | ignored."""
    intent: str | None = None
    similarity: float | None = None
    rule: str | None = None
    reason: str | None = None


class Decision(SQLModel, table=True):
    """One choice of the planner with all it chose from, so that off-policy estimates are defined."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = utc(index=True)
    account: str = Field(index=True)
    campaign: str
    item: str
    model: str
    """Name and version of what scored."""
    weights: dict[str, float] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """The objective by plural action, as it was forecast: what score, mean, low and high are points of."""
    seed: int
    propensity: float
    holdout: bool = False
    chosen: int
    """Place of the chosen candidate in `candidates`."""
    candidates: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    """Each: variant, text, kind, slot, score, mean, sd, low, high, propensity."""
    removed: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """Each: variant, slot, rule, reason."""
    attended: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """Past posts the forecast looked at: history_id, weight."""
    reason: str


class Refusal(SQLModel, table=True):
    """A rule said no: which, from what source, in what words, about which post or mention."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = utc(index=True)
    account: str
    rule: str
    source: str
    words: str
    stage: str
    """validate | plan | gate | reply."""
    post_id: int | None = None
    mention_id: int | None = None


class DoNotContact(SQLModel, table=True):
    """A person who asked for silence, by keyed hash; permanent, across campaigns."""

    author_hash: str = Field(primary_key=True)
    platform: str = ""
    since: datetime = utc()
    why: str = ""


class Seen(SQLModel, table=True):
    """A source's item that has been taken, so that each comes once."""

    campaign: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    guid: str = Field(primary_key=True)
    item: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    """The post item made of it, for later plans."""
    at: datetime = utc()


class Note(SQLModel, table=True):
    """A named value of the installation itself: the kill switch, the install id, the sandbox clock."""

    name: str = Field(primary_key=True)
    value: str
    at: datetime = utc()


class Sealed(SQLModel, table=True):
    """One secret of one account, as ciphertext; its key is never in a database."""

    account: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    """What the platform's connector calls it: access_token, password ..."""
    ciphertext: str
    at: datetime = utc()
