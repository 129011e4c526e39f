"""A text falls under a rule only when it is surely meant; everything else is left for a person."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.attention.encoder import StaticEncoder
from bot.campaign.loading import load_campaign
from bot.campaign.schema import ReplyRule
from bot.replies.everyday import everyday_talk
from bot.replies.intents import Intents
from connectors.chatter import TEXTS

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
MEANT = {"praise": "thanks", "complaint": "bug"}
"""Where the simulated people's kinds have another name than the rules for them."""


def learn(*rules: ReplyRule) -> Intents:
    return Intents(rules, StaticEncoder.load().encode)


def rule(intent: str, examples: Sequence[str], **changes: Any) -> ReplyRule:
    return ReplyRule.model_validate({"intent": intent, "examples": list(examples), "answer": "yes"} | changes)


@pytest.fixture
def price(pricing: dict[str, Any]) -> ReplyRule:
    return ReplyRule.model_validate(pricing)


@pytest.fixture
def manual(docs: dict[str, Any]) -> ReplyRule:
    return ReplyRule.model_validate(docs)


def test_a_question_falls_under_the_rule_that_is_about_it(price: ReplyRule, manual: ReplyRule) -> None:
    match = learn(price, manual).match("where can I find the docs?")
    assert (match.place, match.intent, match.nearest) == (1, "docs", "docs")
    assert 0 <= match.runner_up < match.similarity <= 1


def test_a_text_about_neither_falls_under_none_and_names_the_nearest(price: ReplyRule, manual: ReplyRule) -> None:
    match = learn(price, manual).match("what should we cook for dinner")
    assert (match.place, match.intent) == (None, None)
    assert match.nearest in ("pricing", "docs")


def test_the_threshold_of_a_rule_decides(pricing: dict[str, Any], manual: ReplyRule) -> None:
    text = "what does a license for a team of five cost?"
    similarity = learn(ReplyRule.model_validate(pricing), manual).match(text).similarity
    low, high = (ReplyRule.model_validate(pricing | {"threshold": similarity + by}) for by in (-0.01, 0.01))
    assert learn(low, manual).match(text).intent == "pricing"
    assert learn(high, manual).match(text).intent is None


def test_handles_and_addresses_do_not_count(price: ReplyRule, manual: ReplyRule) -> None:
    intents = learn(price, manual)
    bare = intents.match("how much does it cost")
    assert intents.match("@lanternfish@social.example how much does it cost https://a.example/x?y=1") == bare


def test_rules_of_one_intent_in_two_campaigns_do_not_hinder_each_other(price: ReplyRule, manual: ReplyRule) -> None:
    other = rule("pricing", ["what are the fees", "how expensive is it", "can I use it for nothing"])
    match = learn(price, manual, other).match("how expensive is it?")
    assert (match.intent, match.place) == ("pricing", 2)
    assert learn(other, manual, price).match("is there a free plan?").place == 2


def test_a_rule_about_thanks_is_not_drowned_by_everyday_thanks() -> None:
    thanks = rule("thanks", ["thank you so much", "thank you for this project", "great work, thanks"])
    assert learn(thanks).match("thank you so much for this!").intent == "thanks"


def test_everyday_talk_is_in_the_languages_of_the_examples(pricing: dict[str, Any], docs: dict[str, Any]) -> None:
    english = [*pricing["examples"], *docs["examples"]]
    german = [text for examples in ELSEWHERE["German"][0].values() for text in examples]
    assert "what is the name of this song" in everyday_talk(english)
    assert "was ist denn hier passiert" not in everyday_talk([*english, german[0]])
    both = everyday_talk(english + german)
    assert {"what is the name of this song", "was ist denn hier passiert"} <= set(both)


def test_without_rules_or_words_nothing_matches(price: ReplyRule) -> None:
    assert learn().match("how much is it") == learn(price).match("") == learn(price).match("@somebody")


@given(st.text(max_size=200))
def test_any_text_gets_a_similarity(text: str) -> None:
    match = LEARNT.match(text)
    assert 0 <= match.runner_up <= match.similarity <= 1
    assert match.place in (None, 0, 1)


LEARNT = learn(rule("a", ["how much does it cost", "is it free"]), rule("b", ["where is the manual"]))


@pytest.mark.parametrize(
    ("files", "at_least"),
    [(["launch-week.yaml"], 6), (["community-replies.yaml"], 3), (["launch-week.yaml", "community-replies.yaml"], 6)],
)
def test_of_what_simulated_people_say_no_text_gets_a_wrong_answer(files: list[str], at_least: int) -> None:
    intents = learn(*(rule for file in files for rule in load_campaign(EXAMPLES / file, {}).replies.rules))
    said = [(MEANT.get(kind, kind), intents.match(text).intent) for kind in TEXTS for text in TEXTS[kind]]
    answered = [(meant, intent) for meant, intent in said if intent is not None]
    assert [pair for pair in answered if pair[0] != pair[1]] == []
    assert len(answered) >= at_least


ELSEWHERE: dict[str, tuple[dict[str, tuple[str, ...]], tuple[str, ...]]] = {
    "German": (
        {
            "preis": (
                "was kostet das",
                "gibt es eine kostenlose Version",
                "wie teuer ist die Lizenz",
                "muss ich dafür bezahlen",
                "ist das gratis für Firmen",
            ),
            "doku": (
                "wo finde ich die Dokumentation",
                "gibt es eine Anleitung",
                "habt ihr Beispiele",
                "wo kann ich mehr über die Einstellungen lesen",
            ),
        },
        (
            "was für ein schöner Tag heute",
            "wo ist der nächste Bahnhof",
            "gibt es heute Abend Fußball",
            "ich habe das Buch gelesen und war enttäuscht",
            "wer hat gestern gewonnen",
            "das letzte Update hat alles kaputt gemacht",
            "danke, tolle Arbeit!",
            "wie heißt der Hund auf dem Bild?",
            "kann ich mit einem Menschen sprechen?",
            "mir gefällt die alte Version besser",
            "wann kommt ihr nach Berlin?",
            "meine Katze schläft auf der Tastatur",
            "ist das ein Witz",
            "warum antwortet niemand",
            "guten Morgen zusammen",
        ),
    ),
    "French": (
        {
            "prix": (
                "combien ça coûte",
                "y a-t-il une version gratuite",
                "quel est le prix de la licence",
                "est-ce que je dois payer",
            ),
            "doc": ("où est la documentation", "avez-vous un tutoriel", "où trouver des exemples", "y a-t-il un guide"),
        },
        (
            "quelle belle journée",
            "où est la gare",
            "est-ce que tu viens ce soir",
            "la dernière mise à jour a tout cassé",
            "c'est génial, merci",
            "qui a gagné le match hier",
            "mon chat dort sur le clavier",
            "pourquoi personne ne répond",
            "comment s'appelle ce chien",
            "je préfère l'ancienne version",
            "c'est une blague ?",
            "quand venez-vous à Paris ?",
        ),
    ),
    "Spanish": (
        {
            "precio": (
                "cuánto cuesta",
                "hay una versión gratis",
                "cuál es el precio de la licencia",
                "tengo que pagar",
            ),
            "doc": ("dónde está la documentación", "tienen un tutorial", "dónde encuentro ejemplos", "hay una guía"),
        },
        (
            "qué día tan bonito",
            "dónde está la estación",
            "vienes esta noche",
            "la última actualización lo rompió todo",
            "es genial, gracias",
            "quién ganó el partido ayer",
            "mi gato duerme sobre el teclado",
            "por qué nadie responde",
            "cómo se llama ese perro",
            "prefiero la versión antigua",
            "es una broma",
            "cuándo vienen a Madrid",
        ),
    ),
    "Japanese": (
        {
            "price": ("いくらですか", "無料プランはありますか", "料金を教えてください", "ライセンスの値段は"),
            "doc": ("ドキュメントはどこですか", "チュートリアルはありますか", "使い方の例を見たい"),
        },
        (
            "今日はいい天気ですね",
            "駅はどこですか",
            "昨日の試合は誰が勝ちましたか",
            "猫がキーボードの上で寝ています",
            "ありがとう、すごいですね",
            "アップデートで全部壊れました",
        ),
    ),
    "Russian": (
        {
            "price": ("сколько это стоит", "есть ли бесплатная версия", "какая цена лицензии", "нужно ли платить"),
            "doc": ("где документация", "есть ли руководство", "где найти примеры"),
        },
        (
            "какая сегодня погода",
            "где вокзал",
            "кто вчера выиграл",
            "кошка спит на клавиатуре",
            "спасибо, отлично",
            "последнее обновление всё сломало",
        ),
    ),
}


def test_in_other_languages_everyday_talk_matches_less_than_once_in_twenty() -> None:
    wrong, said = [], 0
    for rules, talk in ELSEWHERE.values():
        intents = learn(*(rule(intent, examples) for intent, examples in rules.items()))
        wrong += [text for text in talk if intents.match(text).intent]
        said += len(talk)
    assert len(wrong) < said / 20, wrong


@pytest.mark.parametrize("language", ELSEWHERE)
def test_in_other_languages_a_politer_question_falls_under_its_rule(language: str) -> None:
    rules, _ = ELSEWHERE[language]
    intents = learn(*(rule(intent, examples) for intent, examples in rules.items()))
    said = [(intent, f"{text.capitalize()}, please?") for intent, texts in rules.items() for text in texts]
    assert all(intents.match(text).nearest == intent for intent, text in said)
    assert sum(intents.match(text).intent is not None for _, text in said) >= 2 / 3 * len(said)


@pytest.mark.parametrize(("campaigns", "rules", "right"), [(12, (3, 8), 0.95), (4, (12, 20), 0.93)])
def test_real_questions_are_answered_rightly_or_not_at_all(
    shared_data: Path, campaigns: int, rules: tuple[int, int], right: float
) -> None:
    """Six examples a rule, as many texts about other things as about the rules: 150 intents and texts out of scope."""
    known, asked, elsewhere = _clinc(shared_data)
    rng = np.random.default_rng(3)
    given = meant = wrong = answers = 0
    for _ in range(campaigns):
        names = list(rng.choice(sorted(known), int(rng.integers(*rules, endpoint=True)), replace=False))
        intents = learn(
            *(rule(f"i{place}", rng.choice(known[name], 6, replace=False)) for place, name in enumerate(names))
        )
        inside = [(f"i{place}", text) for place, name in enumerate(names) for text in asked[name]]
        others = [text for name in asked if name not in names for text in asked[name]] + elsewhere
        outside = [("", text) for text in rng.choice(others, len(inside), replace=False)]
        for truth, text in inside + outside:
            intent = intents.match(text).intent
            answers += intent is not None
            wrong += intent not in (None, truth)
            meant += truth != ""
            given += intent == truth
    assert (answers - wrong) / answers >= right
    assert given / meant >= 0.5


def _clinc(folder: Path) -> tuple[dict[str, list[str]], dict[str, list[str]], list[str]]:
    """Texts to learn from and to ask, by intent, and texts about anything else."""
    texts: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    with gzip.open(folder / "intents" / "intents.csv.gz", "rt", encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["source"] == "clinc150":
                texts[row["split"]][row["label"]].append(row["text"])
    elsewhere = [text for split in ("oos_train", "oos_val") for text in texts[split]["oos"]]
    return dict(texts["train"]), dict(texts["val"]), elsewhere
