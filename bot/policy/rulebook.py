"""The rulebook: every rule in the order it is asked, and the two questions asked of it; the rules live beside it."""

from collections.abc import Iterable, Mapping

from bot.policy.addressing import DO_NOT_CONTACT, NO_LOOPS, ONE_REPLY, WHEN_ADDRESSED
from bot.policy.base import Facts, Proposal, Refused, Rule, Settings, Split, Stage
from bot.policy.content import FITS, NO_REPETITION, NO_TREND_JACKING, NO_UNSOLICITED_MENTIONS
from bot.policy.safety import AS_APPROVED, CAPS, DRY_BY_DEFAULT, KILL_SWITCH, PAUSED

RULES: tuple[Rule, ...] = (
    KILL_SWITCH,
    DRY_BY_DEFAULT,
    WHEN_ADDRESSED,
    ONE_REPLY,
    DO_NOT_CONTACT,
    NO_LOOPS,
    NO_UNSOLICITED_MENTIONS,
    NO_REPETITION,
    NO_TREND_JACKING,
    FITS,
    PAUSED,
    AS_APPROVED,
    CAPS,
)
"""In the order they are asked: what stops everything, then what ends a draft for good, then what makes it wait."""


def permit(
    proposal: Proposal, facts: Facts, settings: Settings, stage: Stage, rules: Iterable[Rule] = RULES
) -> Refused | None:
    """The first refusal of a rule that applies at this stage, or None where all permit."""
    if proposal.at.tzinfo is None:
        raise ValueError(f"naive datetime {proposal.at!r}: a proposal's time needs a zone")
    answers = (rule.check(proposal, facts, settings) for rule in rules if stage in rule.stages)
    return next((refused for refused in answers if refused is not None), None)


def split(
    proposals: Iterable[Proposal],
    facts: Facts,
    settings: Settings | Mapping[str, Settings],
    stage: Stage,
    rules: Iterable[Rule] = RULES,
) -> Split:
    """Sort proposals into those that may go on and those refused, each judged alone against the facts.

    `settings` are one campaign's, or by campaign name. Proposals do not count against each other: they are alternatives
    until one is chosen; `bot.policy.ahead.Ahead` makes the chosen count.
    """
    book = tuple(rules)
    kept: list[Proposal] = []
    removed: list[tuple[Proposal, Refused]] = []
    for proposal in proposals:
        own = settings if isinstance(settings, Settings) else settings.get(proposal.campaign, Settings())
        refused = permit(proposal, facts, own, stage, book)
        if refused is None:
            kept.append(proposal)
        else:
            removed.append((proposal, refused))
    return Split(tuple(kept), tuple(removed))
