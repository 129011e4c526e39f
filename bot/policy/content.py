"""Rules P: what a text may hold: whom it names, whom it repeats, its hashtags, its length; not to whom it goes."""

from datetime import timedelta

from rapidfuzz import fuzz

from bot.policy.base import Facts, PastText, Proposal, Refused, Rule, Settings, Stage
from bot.policy.marks import handles, hashtags, numbers, wording

REPEAT_WINDOW = timedelta(days=30)
LEAST_REPEAT = timedelta(days=7)
SAME_DAY = timedelta(hours=6)
"""Days are counted as a calendar does: a weekly post stays weekly over a late delivery and a change of clocks."""
NEAR_IDENTICAL = 90.0
"""Similarity in percent from which texts of two accounts are the same text."""
REPEATED = 95.0
"""The same within one account, where a series may differ by little; other numbers make another text."""
MOST_HASHTAGS = 5

UNSOLICITED = "X developer policy: no unsolicited automated mentions (Aug 2026)"
DUPLICATES = "X developer policy: no substantially similar content across accounts (Aug 2026)"
TRENDS = "X developer policy: no posting to trends to gain attention (Aug 2026)"
LENGTHS = "the platform's own limit"

_EVERYWHERE: frozenset[Stage] = frozenset({"validate", "plan", "gate", "reply"})


def _unsolicited(proposal: Proposal, facts: Facts, settings: Settings) -> Refused | None:
    allowed = {handle.lstrip("@").lower() for handle in settings.mentions_allowed}
    named = [handle for handle in handles(proposal.texts) if handle not in allowed]
    if not named:
        return None
    listed = ", ".join(f"@{handle}" for handle in named)
    verb = "is" if len(named) == 1 else "are"
    return Refused("P1", UNSOLICITED, f"{listed} {verb} not in the campaign's `mentions_allowed`")


def _repetition(proposal: Proposal, facts: Facts, settings: Settings) -> Refused | None:
    if proposal.is_reply:
        return None
    said = " ".join(proposal.texts)
    around = facts.texts(
        proposal.platform,
        proposal.at - REPEAT_WINDOW,
        proposal.at + REPEAT_WINDOW,
        planned=proposal.post_id is None,
        apart_from=proposal.post_id,
    )
    for past in around:
        words = _repeats_own(proposal, said, past) if past.account == proposal.account else _repeats_other(said, past)
        if words is not None:
            return Refused("P2", DUPLICATES, words)
    return None


def _repeats_own(proposal: Proposal, said: str, past: PastText) -> str | None:
    apart = abs(proposal.at - past.at)
    if proposal.recurring and apart + SAME_DAY >= LEAST_REPEAT:
        return None
    alike = similarity(said, past.text)
    if alike < REPEATED or numbers(said) != numbers(past.text):
        return None
    again = f"{past.account} says the same on {past.at:%Y-%m-%d} ({alike:.0f} % alike)"
    if proposal.recurring:
        return f"{again}, {apart.days} days away; a recurring post comes again after {LEAST_REPEAT.days} days"
    return f"{again}; only a post marked `recurring` may come again within {REPEAT_WINDOW.days} days"


def _repeats_other(said: str, past: PastText) -> str | None:
    alike = similarity(said, past.text)
    if alike < NEAR_IDENTICAL:
        return None
    return (
        f"{past.account} says nearly the same on {past.at:%Y-%m-%d} ({alike:.0f} % alike); "
        f"accounts of one platform must differ within {REPEAT_WINDOW.days} days"
    )


def similarity(one: str, other: str) -> float:
    """How alike the wordings of two texts are, 0 to 100; links, case, signs and spaces do not count."""
    return fuzz.ratio(wording(one), wording(other))


def _trends(proposal: Proposal, facts: Facts, settings: Settings) -> Refused | None:
    tags = hashtags(proposal.texts)
    if len(tags) > MOST_HASHTAGS:
        return Refused("P3", TRENDS, f"{len(tags)} hashtags; the cap is {MOST_HASHTAGS}")
    if settings.hashtags is None:
        return None
    listed = {tag.lstrip("#").lower() for tag in settings.hashtags}
    foreign = [f"#{tag}" for tag in tags if tag not in listed]
    if not foreign:
        return None
    return Refused(
        "P3", TRENDS, f"{', '.join(foreign)} {'is' if len(foreign) == 1 else 'are'} not in the campaign's `hashtags`"
    )


def _length(proposal: Proposal, facts: Facts, settings: Settings) -> Refused | None:
    if proposal.length is None or proposal.max_length is None or proposal.length <= proposal.max_length:
        return None
    unit = proposal.capabilities.length_unit
    counted = "characters as the platform counts them" if unit == "weighted" else unit
    words = f"{proposal.length} {counted}; {proposal.platform} takes at most {proposal.max_length}"
    return Refused("P9", LENGTHS, words)


NO_UNSOLICITED_MENTIONS = Rule(
    "P1", "Posts name only people of `mentions_allowed`", UNSOLICITED, _EVERYWHERE, _unsolicited
)
NO_REPETITION = Rule(
    "P2",
    f"No near-identical texts on two accounts of a platform within {REPEAT_WINDOW.days} days; own repeats only where "
    f"`recurring`, at least {LEAST_REPEAT.days} days apart",
    DUPLICATES,
    frozenset({"plan", "gate"}),
    _repetition,
)
NO_TREND_JACKING = Rule(
    "P3", f"Only hashtags of the campaign's list, at most {MOST_HASHTAGS}", TRENDS, _EVERYWHERE, _trends
)
FITS = Rule("P9", "The text fits the platform", LENGTHS, _EVERYWHERE, _length)
