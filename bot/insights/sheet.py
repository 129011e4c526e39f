"""What a report holds, as plain values; how it is read from storage and how it looks live in `report`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.insights.hours import Hour
from bot.insights.lift import Lift
from bot.insights.pictures import Measured

NUMBER = re.compile(r"[-+−±x<>~≈.]*\s?\d|–?$")


@dataclass(frozen=True)
class AccountRow:
    """One account: posts of its own that are known, and how many of ours stand where."""

    account: str
    known: int
    published: int
    planned: int
    waiting: int
    replies: int
    """Replies of ours that went out."""
    paused: str | None = None
    lift: Lift | None = None


@dataclass(frozen=True)
class PostRow:
    """A post of ours with its forecast and what came; values are the objective's, None where there is none."""

    number: int
    account: str
    text: str
    kind: str
    at: datetime
    """When it went out, or is to."""
    state: str
    holdout: bool = False
    reason: str = ""
    """Why this wording at this moment."""
    stands: str = ""
    """Why it is where it is, where it is not simply published or planned."""
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    value: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    finished: bool = False
    """Whether its counts hardly grow any more."""
    url: str | None = None

    @property
    def measured(self) -> Measured | None:
        """Forecast beside outcome, once there are both."""
        if self.mean is None or self.low is None or self.high is None or self.value is None or not self.finished:
            return None
        return Measured(self.mean, self.low, self.high, self.value, self.holdout)


@dataclass(frozen=True)
class MentionRow:
    """Mentions with one end: new, answered, held, refused or ignored; `rule` and its words where a rule decided."""

    outcome: str
    count: int
    rule: str | None = None
    intent: str | None = None
    words: str = ""


@dataclass(frozen=True)
class RefusalRow:
    """How often a rule said no to a draft of ours, and its words the last time."""

    rule: str
    count: int
    words: str
    source: str


@dataclass(frozen=True)
class Extra:
    """One more table, as it is; numbers are written out by who adds it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""

    @property
    def numeric(self) -> list[bool]:
        """For each column, whether every value in it opens like a number."""
        return [
            bool(self.rows) and all(NUMBER.match(row[place]) for row in self.rows) for place in range(len(self.columns))
        ]


@dataclass(frozen=True)
class ReportData:
    """Everything a report shows. Where `simulated`, every number is labelled so."""

    title: str
    simulated: bool
    now: datetime
    zone: str
    model: str
    measure: str
    """The objective in words: `likes + 3 x replies`."""
    accounts: Sequence[AccountRow] = ()
    posts: Sequence[PostRow] = ()
    lift: Lift | None = None
    lift_steps: Sequence[tuple[datetime, Lift]] = ()
    hours: Sequence[Hour] = ()
    mentions: Sequence[MentionRow] = ()
    refusals: Sequence[RefusalRow] = ()
    notes: Sequence[str] = ()
    tables: Sequence[Extra] = ()
