"""Which reply rule a text falls under, and how surely; what is answered, and whether it may be, is decided elsewhere.

A logistic regression fitted to the rules' own examples when a run begins. Every intent is a class, and so is everyday
talk: a text must resemble one rule *and* stand out from the others and from what people say anywhere. It sees a text's
meaning (the encoder's vector) and its letters. A wrong answer is worse than a held one: the default threshold is meant
for precision of 95 %, not for reach.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression

from bot.campaign.schema import ReplyRule
from bot.replies.bare import bare
from bot.replies.everyday import EVERYDAY
from connectors.base import Embed

LOOSENESS = 4.0
"""Inverse penalty of the fit: looser fits sound surer than they are."""
DOUBT = 2.5
"""How much heavier rivals weigh: the best intent must be so many times surer than they for a similarity of .5."""
NEAR = 0.6
"""Everyday talk this close (cosine) to a rule's example is left out: that rule is about such talk."""
LETTERS = 0.7
"""Length of the letters' vector beside the meaning's, which has 1."""
_letters = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 4), n_features=2048, norm="l2")

Rows = NDArray[np.float32]


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
        examples = [bare(text) for rule in rules for text in rule.examples]
        self._examples: Rows = embed(examples)
        self._owners = np.repeat(np.arange(len(rules)), [len(rule.examples) for rule in rules])
        talk = np.asarray(embed(EVERYDAY))
        apart = np.flatnonzero((talk @ self._examples.T).max(axis=1) < NEAR)
        classes = np.array([self._names.index(rule.intent) for rule in rules])[self._owners]
        self._model = LogisticRegression(C=LOOSENESS, class_weight="balanced", max_iter=2000)
        self._model.fit(
            np.concatenate([_seen(examples, self._examples), _seen(EVERYDAY, talk)[apart]]),
            np.concatenate([classes, np.full(len(apart), len(self._names))]),
        )

    def match(self, text: str) -> Match:
        """The rule a text falls under, or how near it came."""
        words = bare(text)
        vector: Rows | None = self._embed([words])[0] if self._rules else None
        if vector is None or not vector.any():
            return Match(None, "", 0.0, 0.0)
        shares = self._model.predict_proba(_seen([words], vector[None]))[0]
        talk, intents = float(shares[-1]), shares[: len(self._names)]
        best, *others = (int(place) for place in np.argsort(-intents, kind="stable"))
        first, second = float(intents[best]), float(intents[others[0]]) if others else 0.0
        similarity = first / (first + DOUBT * (second + talk))
        place = self._nearest_rule(self._names[best], vector)
        enough = similarity >= self._rules[place].threshold
        runner_up = second / (second + DOUBT * (first + talk))
        return Match(place if enough else None, self._names[best], similarity, runner_up)

    def _nearest_rule(self, intent: str, vector: Rows) -> int:
        """Of the rules of one intent, the one with the example nearest to the text."""
        own = np.array([rule.intent == intent for rule in self._rules])[self._owners]
        return int(self._owners[np.where(own, self._examples @ vector, -np.inf).argmax()])


def _seen(texts: Sequence[str], vectors: Rows) -> Rows:
    """Rows (n, d + 2048): what the texts mean beside how they are written."""
    return np.concatenate([vectors, LETTERS * _letters.transform(texts).toarray().astype(np.float32)], axis=1)
