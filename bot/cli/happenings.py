"""What happened during a run, gathered for the live line and the summary; where it is stored for good is storage's."""

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bot.app import World
    from bot.running import Lapse
    from scheduler.events import Event

TROUBLE = ("source.failed", "post.failed", "post.parked", "account.paused")
"""Events a person has to know of, also where no live line was shown."""
WORDS = {
    "post.published": "published",
    "post.held": "held for you",
    "post.cancelled": "dropped",
    "post.later": "waits",
    "post.retry": "tried again later",
    "post.failed": "failed",
    "post.unknown": "answer lost, looking",
    "post.parked": "perhaps public, please look",
    "account.paused": "account paused",
    "source.failed": "source left out",
    "listen.heard": "heard",
    "collect.measured": "measured",
}


class Happenings:
    """Listens to a run's events and counts them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.by_rule: Counter[str] = Counter()
        self.latest = ""
        self.trouble: dict[str, None] = {}
        """Lines about trouble, each once, in order."""

    def __call__(self, event: "Event") -> None:
        """Take in one event."""
        self.counts[event.name] += 1
        if event.rule is not None:
            self.by_rule[event.rule] += 1
        self.latest = line(event)
        if event.name in TROUBLE:
            self.trouble[self.latest] = None


def line(event: "Event") -> str:
    """One event in words; never the text of a post."""
    what = WORDS.get(event.name, event.name)
    number = f" #{event.post_id}" if event.post_id is not None else ""
    where = f" on {event.account}" if event.account else ""
    rule = f" ({event.rule})" if event.rule else ""
    words = f": {event.words}" if event.words else ""
    return f"{what}{number}{where}{rule}{words}"


def outcome_of(world: "World", lapse: "Lapse", happened: Happenings) -> dict[str, Any]:
    """What a rehearsal came to, as plain data."""
    from storage import calendar, decisions, mentions

    with world.db.read() as session:
        states = calendar.count_by_state(session)
        settled = Counter(row.outcome for row in mentions.outcomes(session, lapse.began))
        refused = Counter(row.rule for row in decisions.refusals(session, lapse.began))
    return {
        "simulated": True,
        "from": lapse.began,
        "to": lapse.reached,
        "waits_for": lapse.waiting,
        "stopped": lapse.stopped,
        "events": dict(happened.counts),
        "outbox": {state.value: count for state, count in states.items() if count},
        "mentions": dict(settled),
        "refused_by_rule": dict(refused),
    }


def outcome_view(outcome: dict[str, Any], zone: str) -> "RenderableType":
    """The same for a person."""
    from rich.console import Group
    from rich.table import Table

    from bot.cli.say import local

    title = f"Rehearsal {local(outcome['from'], zone)} to {local(outcome['to'], zone)} {zone} (SIMULATED)"
    table = Table(show_header=False)
    table.add_row("outbox now", _counted(outcome["outbox"]))
    table.add_row("mentions", _counted(outcome["mentions"]))
    table.add_row("refused by rule", _counted(outcome["refused_by_rule"]))
    return Group(title, table)


def _counted(counts: dict[str, int]) -> str:
    return " · ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"
