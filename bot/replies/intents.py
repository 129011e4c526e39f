"""Which reply rule a text falls under, and how surely; what is answered, and whether it may be, is decided elsewhere.

A logistic regression over text vectors, fitted to the rules' own examples when a run begins: every intent is a class,
and so is everyday talk, so a text must resemble one rule *and* stand out from all others and from what people say
anywhere. A wrong answer is worse than a held one: the default threshold is meant for 95 % precision, not for reach.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from bot.campaign.schema import ReplyRule
from bot.replies.everyday import EVERYDAY
from connectors.base import Embed

INVERSE_PENALTY = 5.0
"""Looser fits sound surer than they are: at 5, a similarity of .55 is right 19 times in 20 (docs/replies.md)."""
NEAR = 0.6
"""Everyday talk this close (cosine) to a rule's example is left out: that rule is about such talk."""
_NOT_WORDS = re.compile(r"https?://\S+|(?<!\w)@[\w.@-]*\w|\s+")


@dataclass(frozen=True)
class Match:
    """What a text comes nearest to. `place` is the rule's in the list, `similarity` lies in 0 to 1."""

    place: int | None
    """None where no rule is near enough."""
    nearest: str
    """The nearest intent, matched or not; empty where there are no rules or the text has no known word."""
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
        self._examples: NDArray[np.float32] = embed([bare(text) for rule in rules for text in rule.examples])
        self._owners = np.repeat(np.arange(len(rules)), [len(rule.examples) for rule in rules])
        labels = np.array([self._names.index(rule.intent) for rule in rules])[self._owners]
        talk: NDArray[np.float32] = embed(EVERYDAY)
        talk = talk[(talk @ self._examples.T).max(axis=1) < NEAR]
        self._model = LogisticRegression(C=INVERSE_PENALTY, class_weight="balanced", max_iter=1000)
        self._model.fit(
            np.concatenate([self._examples, talk]), np.concatenate([labels, np.full(len(talk), len(self._names))])
        )

    def match(self, text: str) -> Match:
        """The rule a text falls under, or how near it came."""
        vector = self._vector(text)
        if vector is None:
            return Match(None, "", 0.0, 0.0)
        shares = self._model.predict_proba(vector[None])[0][: len(self._names)]
        ranked = np.argsort(-shares, kind="stable")
        best = int(ranked[0])
        place = self._nearest_rule(self._names[best], vector)
        similarity = float(shares[best])
        runner_up = float(shares[ranked[1]]) if len(ranked) > 1 else 0.0
        enough = similarity >= self._rules[place].threshold
        return Match(place if enough else None, self._names[best], similarity, runner_up)

    def _vector(self, text: str) -> NDArray[np.float32] | None:
        """Its direction; None where there are no rules, or no word in it is known."""
        if not self._rules:
            return None
        vector: NDArray[np.float32] = self._embed([bare(text)])[0]
        return vector if vector.any() else None

    def _nearest_rule(self, intent: str, vector: NDArray[np.float32]) -> int:
        """Of the rules of one intent, the one with the example nearest to the text."""
        own = [rule.intent == intent for rule in self._rules]
        cosines = np.where(np.array(own)[self._owners], self._examples @ vector, -np.inf)
        return int(self._owners[int(cosines.argmax())])


def bare(text: str) -> str:
    """A text without addresses and handles, which say nothing about what is asked."""
    return _NOT_WORDS.sub(" ", text).strip()
