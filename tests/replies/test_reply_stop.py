"""Who asks for silence is heard in many languages, and nobody is silenced by a bus stop."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.replies.stop import asks_for_silence
from connectors.chatter import TEXTS

ASK_FOR_SILENCE = (
    "stop",
    "no, stop messaging me",
    "No! Stop messaging me.",
    "no stop messaging me",
    "I said no. Do not contact us.",
    "thanks, but please don't write to me",
    "Hör bitte auf, mich anzuschreiben",
    "Non smettete... ok, smettetela di scrivermi",
    "STOP!!!",
    "Stop.",
    "please stop",
    "stop please",
    "@kairos stop",
    "Stop it now",
    "please stop messaging me",
    "stop replying to me",
    "Can you stop?",
    "could you please stop replying to me? thanks",
    "Don't ever contact me again",
    "do not write to me",
    "leave me alone",
    "unsubscribe",
    "Please unsubscribe me from this",
    "opt out",
    "I don't want to hear from you",
    "stop tagging us in your posts",
    "I’m not interested, stop sending me this",
    "take me off your list",
    "no. stop.",
    "STOP STOP STOP",
    "stop 🛑",
    "bitte nicht mehr schreiben",
    "Hört auf, mir zu schreiben!",
    "Schreib mir nie wieder",
    "Lass mich in Ruhe",
    "Stopp",
    "Bitte keine Nachrichten mehr",
    "Ich möchte keine weiteren Nachrichten",
    "arrêtez de me contacter svp",
    "Arrête",
    "ne m'écrivez plus",
    "Laissez-moi tranquille",
    "désabonnez-moi",
    "deja de escribirme por favor",
    "¡Basta ya!",
    "no me contacten más",
    "déjame en paz",
    "smettetela di scrivermi",
    "non scrivermi più",
    "lasciami in pace",
    "pare de me mandar mensagens",
    "não me contactem mais",
    "me deixe em paz",
    "hou op",
    "stop met mij te berichten",
    "laat me met rust",
    "przestań do mnie pisać",
    "nie pisz do mnie",
    "zostaw mnie w spokoju",
    "sluta skriva till mig",
    "Lämna mig ifred",
    "hold op med at skrive til mig",
    "slutt å skrive til meg",
    "lopeta",
    "přestaňte mi psát",
    "bana yazmayı bırak",
    "lütfen dur",
    "не пишите мне больше",
    "отстаньте",
    "оставьте меня в покое",
    "досить",
    "やめてください",
    "連絡しないでください",
    "もうリプしないで",
    "不要再联系我",
    "退订",
    "请不要再给我发消息",
    "그만하세요",
    "연락하지 마세요",
    "توقف",
    "لا تراسلني",
)
ASK_FOR_NOTHING_OF_THE_KIND = (
    "your team don't reply, they never respond to us",
    "if you don't reply to me I will fork it",
    "why do you never write to me",
    "Der Support antwortet mir nicht",
    "Le support ne me contacte jamais",
    "no me responde nadie",
    "non smettete di scrivermi, sono fan",
    "please don't stop",
    "don't stop writing to us, we love it",
    "never stop messaging me, you are fun",
    "non-stop",
    "I listened to it non-stop",
    "where is the next bus stop?",
    "stop shipping bugs",
    "the bus stop near me is closed",
    "can't stop using this",
    "I can't stop writing about it",
    "does the server stop when I close the lid?",
    "how do I stop the server?",
    "how do I stop it from crashing?",
    "full stop",
    "a one-stop shop for search",
    "stop the war",
    "Stop by our booth tomorrow",
    "when will you stop supporting python 3.9?",
    "it stops after 100 pages",
    "what does it cost?",
    "is there an unsubscribe feature in the newsletter module?",
    "how can my users unsubscribe from a list?",
    "no",
    "no thanks",
    "ok thanks",
    "enough pages to index 1000 posts",
    "I had enough of the old one, this is great",
    "nicht schlecht",
    "ich kann nicht mehr schreiben seit dem Update",
    "Die Haltestelle heißt Stop",
    "Wie melde ich meine Seite an?",
    "c'est génial, merci",
    "je ne peux plus arrêter de lire",
    "Est-ce que ça s'arrête tout seul?",
    "para empezar, ¿qué necesito?",
    "¿para qué sirve?",
    "no me funciona",
    "basta installare il pacchetto?",
    "non funziona",
    "pare que funciona?",
    "não funciona para mim",
    "dat is niet erg",
    "nie działa",
    "det funkar inte",
    "fungerar det på svenska?",
    "çalışmıyor",
    "не работает",
    "как написать вам?",
    "これはいくらですか",
    "これを止める方法は?",
    "怎么安装",
    "不要紧",
    "설치가 안 돼요",
    "does it block me from indexing PDFs?",
    "don't you reply to issues any more?",
    "why do you not reply to my issue",
    "I will write to you tomorrow",
    "remove me as maintainer? how does that work in the config",
    "go away message plugin",
    "please leave a comment",
    "don't tell me it is free",
    "do not send the index to a server, right?",
    "could it send me an email when the index is ready?",
    "it doesn't email me when done",
)


@pytest.mark.parametrize("text", ASK_FOR_SILENCE)
def test_a_request_for_silence_is_heard(text: str) -> None:
    assert asks_for_silence(text)


@pytest.mark.parametrize("text", ASK_FOR_NOTHING_OF_THE_KIND)
def test_other_texts_silence_nobody(text: str) -> None:
    assert not asks_for_silence(text)


@pytest.mark.parametrize("text", [text for kind in TEXTS for text in TEXTS[kind]])
def test_of_what_simulated_people_say_exactly_the_stop_words_are_heard(text: str) -> None:
    assert asks_for_silence(text) == (text in TEXTS["stop"])


@given(st.sampled_from(ASK_FOR_SILENCE), st.sampled_from(["@kairos ", "@kairos@social.example: ", "  "]))
def test_a_handle_before_a_request_changes_nothing(text: str, before: str) -> None:
    assert asks_for_silence(before + text)
    assert asks_for_silence(before + text.upper().replace("İ", "i")) or text.upper().casefold() != text.casefold()


@given(st.text(max_size=400))
def test_any_text_has_an_answer(text: str) -> None:
    assert asks_for_silence(text) in (True, False)


@pytest.mark.parametrize(
    "piece", ["stop now ", "basta ya ", "please ", "@", "@a.-", "don't never ", "hör bitte ", "a@"]
)
def test_texts_made_to_keep_us_busy_are_done_at_once(piece: str) -> None:
    assert asks_for_silence(piece * 5000 + "x") is False
