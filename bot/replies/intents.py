"""Which reply rule a text falls under, and how surely; what is answered, and whether it may be, is decided elsewhere.

A logistic regression fitted to the rules' own examples when a run begins. Every intent is a class, and so is everyday
talk in the examples' languages: a text must resemble one rule *and* stand out from the others and from what people say
anywhere. It sees a text's meaning (the encoder's vector) and its letters. A wrong answer is worse than a held one: the
default threshold is meant for a precision of 95 % and above, not for reach.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from bot.campaign.schema import ReplyRule
from bot.replies.bare import bare
from bot.replies.everyday import everyday_talk
from bot.replies.letters import Rows, letters
from connectors.base import Embed

LOOSENESS = 4.0
"""Inverse penalty of the fit: looser fits sound surer than they are."""
DOUBT, LEAST_DOUBT = 0.8, 1.25
"""How much heavier rivals weigh: DOUBT times ln(1 + intents), for the more there are, the likelier it is that a
stranger's text resembles one; never less than LEAST_DOUBT, which languages the encoder knows little of need."""
LETTERS = 0.7
"""Length of the letters' vector beside the meaning's, which has 1."""
SAME_MEANING, SAME_WRITING = 0.6, 0.3
"""Everyday talk this close (cosines) to an example is left out: that rule, as one for thanks, is about such talk."""


@dataclass(frozen=True)
class Match:
    """What a text comes nearest to; similarities lie in 0 to 1."""

    place: int | None
    """Place of the rule that applies; None where none is near enough."""
    nearest: str
    """The nearest intent, near enough or not; empty where there are no rules or the text has no known word."""
    similarity: float
    runner_up: float
    """Similarity of the second intent."""

    @property
    def intent(self) -> str | None:
        """The intent, where a rule is near enough."""
        return None if self.place is None else self.nearest


class Intents:
    """Reply rules learnt from their examples. Rules of one intent name, from several campaigns, stand together.

    `embed` turns texts into an array (n, d) of unit rows.
    """

    def __init__(self, rules: Sequence[ReplyRule], embed: Embed) -> None:
        self._rules, self._embed = tuple(rules), embed
        self._names = tuple(dict.fromkeys(rule.intent for rule in rules))
        if not rules:
            return
        texts = [bare(text) for rule in rules for text in rule.examples]
        self._examples = self._seen(texts)
        self._owners = np.repeat(np.arange(len(rules)), [len(rule.examples) for rule in rules])
        classes = np.array([self._names.index(rule.intent) for rule in rules])[self._owners]
        talk = self._seen(self._apart(everyday_talk(texts), texts))
        self._model = LogisticRegression(C=LOOSENESS, class_weight="balanced", max_iter=2000)
        self._model.fit(
            np.concatenate([self._examples, talk]), np.concatenate([classes, np.full(len(talk), len(self._names))])
        )

    def match(self, text: str) -> Match:
        """The rule a text falls under, or how near it came."""
        if not self._rules:
            return Match(None, "", 0.0, 0.0)
        (seen,) = self._seen([bare(text)])
        if not seen.any():
            return Match(None, "", 0.0, 0.0)
        shares = self._model.predict_proba(seen[None])[0]
        talk, intents = float(shares[-1]), shares[: len(self._names)]
        best, *others = (int(place) for place in np.argsort(-intents, kind="stable"))
        first, second = float(intents[best]), float(intents[others[0]]) if others else 0.0
        doubt = max(LEAST_DOUBT, DOUBT * math.log1p(len(intents)))
        similarity = first / (first + doubt * (second + talk))
        place = self._nearest_rule(self._names[best], seen)
        enough = similarity >= self._rules[place].threshold
        runner_up = second / (second + doubt * (first + talk))
        return Match(place if enough else None, self._names[best], similarity, runner_up)

    def _nearest_rule(self, intent: str, seen: Rows) -> int:
        """Of the rules of one intent, the one with the example nearest to the text."""
        own = np.array([rule.intent == intent for rule in self._rules])[self._owners]
        return int(self._owners[np.where(own, self._examples @ seen, -np.inf).argmax()])

    def _apart(self, talk: Sequence[str], examples: Sequence[str]) -> list[str]:
        """The talk that no rule is about; all of it where the rules seem to be about everything."""
        meaning = self._embed(talk) @ self._embed(examples).T
        same = ((meaning >= SAME_MEANING) & (letters(talk) @ letters(examples).T >= SAME_WRITING)).any(axis=1)
        return [line for line, is_same in zip(talk, same, strict=True) if not is_same] or list(talk)

    def _seen(self, texts: Sequence[str]) -> Rows:
        """Rows (n, d + 2048): what the texts mean beside how they are written."""
        return np.concatenate([self._embed(texts), LETTERS * letters(texts)], axis=1)
