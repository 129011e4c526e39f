"""Rules R: whom we may answer and how often; what an answer says is not looked at here."""

from bot.policy.base import Facts, Proposal, Refused, Rule, Settings, Stage

MOST_ABOVE = 2
"""Replies of ours in one chain of answers."""
MOST_IN_THREAD = 5

ADDRESSED = (
    "X developer policy and Bluesky's bot guidelines: automated replies only to those who address the bot (Aug 2026)"
)
ONCE = "X developer policy: one automated reply to an interaction (Aug 2026)"
SILENCE = "X developer policy: an easy way to opt out, honoured at once (Aug 2026)"
LOOPS = "Kairos safety design; r/Bottiquette: do not answer bots or yourself"

_REPLYING: frozenset[Stage] = frozenset({"gate", "reply"})


def _only_when_addressed(proposal: Proposal, facts: Facts, settings: Settings) -> Refused | None:
    if not proposal.is_reply:
        return None
    inbound, answered = proposal.addressed, proposal.draft.in_reply_to
    words = None
    if inbound is None:
        words = "this reply answers a text that was never addressed to us; strangers are not answered"
    elif answered is None or answered.id != inbound.ref:
        words = "this reply does not stand under the text it is meant to answer"
    elif inbound.address == "none":
        words = "the text neither mentions, quotes nor answers us; only those who address us are answered"
    elif proposal.capabilities.reply_only_when_mentioned and inbound.address not in ("mention", "quote"):
        words = f"{proposal.platform} allows automated replies only to mentions and quotes; this is a {inbound.address}"
    return None if words is None else Refused("R1", ADDRESSED, words)


def _once(proposal: Proposal, facts: Facts, settings: Settings) -> Refused | None:
    inbound = proposal.addressed
    if inbound is None or not facts.answered(inbound.platform, inbound.ref, apart_from=proposal.post_id):
        return None
    return Refused("R2", ONCE, "this text has its one automated reply already")


def _no_contact(proposal: Proposal, facts: Facts, settings: Settings) -> Refused | None:
    if proposal.addressed is None or not facts.do_not_contact(proposal.addressed.author_hash):
        return None
    return Refused("R3", SILENCE, "this person asked not to be contacted; that holds for good and for every campaign")


def _no_loops(proposal: Proposal, facts: Facts, settings: Settings) -> Refused | None:
    inbound = proposal.addressed
    if inbound is None:
        return None
    words = None
    if inbound.author_is_us:
        words = "the text is our own; we do not answer ourselves"
    elif inbound.author_is_bot:
        words = "the text comes from a bot; bots are not answered"
    elif inbound.depth >= MOST_ABOVE:
        words = f"{inbound.depth} replies of ours already lead up to this text; the cap is {MOST_ABOVE} in a chain"
    elif inbound.thread is not None:
        count = facts.replies_in(proposal.account, inbound.thread, apart_from=proposal.post_id)
        if count >= MOST_IN_THREAD:
            words = f"{count} replies of ours already stand in this thread; the cap is {MOST_IN_THREAD}"
    return None if words is None else Refused("R4", LOOPS, words)


WHEN_ADDRESSED = Rule(
    "R1", "Only those who address us are answered", ADDRESSED, _REPLYING | {"validate", "plan"}, _only_when_addressed
)
ONE_REPLY = Rule("R2", "One automated reply to one text", ONCE, _REPLYING, _once)
DO_NOT_CONTACT = Rule("R3", "Who asks for silence gets it, for good", SILENCE, _REPLYING, _no_contact)
NO_LOOPS = Rule(
    "R4",
    f"Never ourselves, never bots, at most {MOST_ABOVE} replies in a chain and {MOST_IN_THREAD} in a thread",
    LOOPS,
    _REPLYING,
    _no_loops,
)
