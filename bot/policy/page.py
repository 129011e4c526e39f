"""The rulebook as a page to read, made of RULES so that it cannot drift; no rule lives here."""

from collections.abc import Iterable

from bot.policy.base import Rule, Stage
from bot.policy.rulebook import RULES

_STAGES: dict[Stage, str] = {
    "validate": "`kairos validate`, on the file alone",
    "plan": "planning, for each wording in each slot",
    "reply": "triage, for each answer to a mention",
    "gate": "the gate: the last instant before the call to a platform",
}

_OPENING = """# The rulebook

This page is printed by `python -m bot.policy` from the rules themselves; a test keeps it equal.

Every draft is asked about more than once, and the first rule that says no decides. Each refusal is kept with the rule's
id, its source and words for a person. A campaign can make the numbers smaller, never larger. No rule sees a forecast.

Where rules are asked:
"""

_CLOSING = """## Kept without a rule

| id | what | how it is kept |
|---|---|---|
| P4 | no likes, follows, votes, list entries or opened talks | connectors have no such verbs; a test keeps it so |

## What becomes of a refused draft

It is dropped for good, held until a person decides, or tried again later. A draft that is only being planned finds
another slot. In the outbox, one over the hourly cap waits until the hour has room; over a daily cap it is held. Windows
slide: any 60 minutes count as an hour, any 24 hours as a day. While everything is stopped, or an account is paused,
drafts wait.
"""


def page(rules: Iterable[Rule] = RULES) -> str:
    """The page, in markdown, one row a rule in the order they are asked."""
    stages = "\n".join(f"- **{stage}**: {where}" for stage, where in _STAGES.items())
    rows = "\n".join(_row(rule) for rule in rules)
    table = f"| id | rule | asked at | source |\n|---|---|---|---|\n{rows}"
    return f"{_OPENING}\n{stages}\n\n## The rules\n\n{table}\n\n{_CLOSING}"


def _row(rule: Rule) -> str:
    asked = ", ".join(stage for stage in _STAGES if stage in rule.stages)
    return f"| {rule.id} | {rule.title} | {asked} | {rule.source} |"
