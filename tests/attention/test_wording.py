import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bot.attention.encoder import StaticEncoder
from bot.attention.episodes import NoRight
from bot.attention.wording import MOST, SHIPPED, Wordings, numbers
from bot.attention.wording_figures import Arm, figures, split, z_of
from bot.attention.wording_fit import fit, lesson_of, main, read_posts, read_tests
from bot.attention.wording_looks import GRAMS, LOOKS, grams, looks

SUBJECTS = ("the river", "a library", "our bakery", "that bridge", "her garden", "the school", "my bike", "one street")
PLAIN = ("news about {}", "{} this week", "some facts on {}", "a report about {}")
LIKED = ("you should see {}", "what you never knew about {}")
COLUMNS = ("platform", "account", "post_id", "created_at", "text", "kind", "likes", "replies", "shares", "impressions")


def crowd(count: int, seed: int = 0, lift: float = 2.0) -> list[list[Arm]]:
    """Tests of four arms on a crowd that clicks `lift` times as often where it is spoken to."""
    rng = np.random.default_rng(seed)
    tests = []
    for number in range(count):
        subject, base = f"{SUBJECTS[int(rng.integers(8))]} {number + 1000 * seed}", rng.uniform(0.01, 0.03)
        shapes = [rng.choice(LIKED), *rng.choice(PLAIN, 3, replace=False)]
        texts = [str(shape).format(subject) for shape in shapes]
        rates = [base * (lift if "you" in text.split() else 1) for text in texts]
        tests.append([Arm(text, int(rng.binomial(3000, rate)), 3000) for text, rate in zip(texts, rates, strict=True)])
    return tests


def write(folder: Path, tests: list[list[Arm]], platform: str = "upworthy", planted: str | None = None) -> Path:
    rows = [
        {
            "platform": platform,
            "account": f"g{place}",
            "post_id": f"{place}-{turn}",
            "created_at": f"2013-03-{1 + place % 28:02}T10:00:{place // 28:02}Z",
            "text": arm.text,
            "kind": "headline_ab",
            "likes": str(arm.clicks),
            "impressions": str(arm.seen),
        }
        for place, test in enumerate(tests)
        for turn, arm in enumerate(test)
    ]
    if planted:
        rows[2]["platform"] = planted
    return write_rows(folder / "headlines" / "tests.csv.gz", rows)


def write_rows(file: Path, rows: list[dict[str, str]]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(file, "wt", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return file


@pytest.fixture(scope="module")
def static() -> StaticEncoder:
    return StaticEncoder.load()


@pytest.fixture(scope="module")
def shipped() -> Wordings:
    return Wordings.load()


@pytest.fixture(scope="module")
def sentence_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence encoder of the right shape, small and untrained."""
    import torch
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("sentence")
    torch.manual_seed(0)
    config = BertConfig(hidden_size=32, num_hidden_layers=6, num_attention_heads=2, intermediate_size=32)
    BertModel(config).save_pretrained(folder)
    words = Path(str(SHIPPED)).parent / "encoder" / "tokenizer.json"
    marks = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]"}
    PreTrainedTokenizerFast(tokenizer_file=str(words), **marks).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("text", ["", "   ", "\x00", "\ud800", "a" * 5000, "!?" * 400, "7 " * 300])
def test_an_appeal_is_a_bounded_number_whatever_the_text(text: str, shipped: Wordings) -> None:
    (one,) = shipped.appeal([text])
    assert abs(one) <= MOST


def test_an_appeal_does_not_depend_on_what_is_asked_with_it(shipped: Wordings) -> None:
    texts = ["We opened a library", "You won't believe what we opened", "It opens on Monday."]
    together = shipped.appeal(texts)
    assert together.shape == (3,)
    assert together == pytest.approx([float(shipped.appeal([text])[0]) for text in texts], abs=1e-5)
    assert len(set(together)) == 3
    assert shipped.appeal([]).shape == (0,)


def test_the_shipped_weights_are_small_and_their_card_names_the_source() -> None:
    assert {file.name for file in SHIPPED.iterdir()} == {"README.md", "static.safetensors", "sentence.safetensors"}
    for file in SHIPPED.glob("*.safetensors"):
        assert file.stat().st_size <= 200_000
        weights = load_file(file)
        assert all(np.isfinite(value).all() for value in weights.values())
    card = (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert "Upworthy Research Archive, CC BY 4.0" in card
    assert "all-MiniLM-L6-v2" in card


def test_what_a_crowd_likes_is_learned_and_holds_for_subjects_never_seen(static: StaticEncoder) -> None:
    learned = figures(crowd(40, seed=1), Wordings(fit(crowd(80), static), static))
    assert learned.clear.mean > 0.9
    nothing = figures(crowd(40, seed=1), Wordings(fit(crowd(80, lift=1.0), static), static))
    assert abs(nothing.clear.mean - 0.5) < 0.3


def test_an_appeal_is_in_log_odds_shrunk_towards_none(static: StaticEncoder) -> None:
    wordings = Wordings(fit(crowd(150), static), static)
    one, other = wordings.appeal(["you should see the tower 5", "news about the tower 5"])
    assert 0.6 * np.log(2) < one - other < 1.1 * np.log(2)


def test_many_clicks_outweigh_few(static: StaticEncoder) -> None:
    """The same contradiction twice: those who were shown more often are believed."""
    tests = [[Arm(f"you should see {number}", 60, 3000), Arm(f"news about {number}", 30, 3000)] for number in range(30)]
    tests += [[Arm(f"you should see {number}", 0, 20), Arm(f"news about {number}", 1, 20)] for number in range(30, 90)]
    one, other = Wordings(fit(tests, static), static).appeal(["you should see 99", "news about 99"])
    assert one > other


def test_a_lesson_teaches_what_the_tests_do_not_say(static: StaticEncoder) -> None:
    class Teacher(Wordings):
        def __init__(self) -> None:
            pass

        def appeal(self, texts: object) -> np.ndarray:
            return np.array([0.5 if "zebra" in text else -0.5 for text in texts])  # type: ignore[attr-defined]

    posts = [f"{'zebra' if number % 2 else 'pencil'} number {number} of the day" for number in range(80)]
    tests = crowd(40)
    asked = ["a zebra in the yard", "a pencil in the yard"]
    one, other = Wordings(fit(tests, static, lesson_of(Teacher(), posts)), static).appeal(asked)
    plain, rival = Wordings(fit(tests, static), static).appeal(asked)
    assert one - other > 0.2 + (plain - rival)


def test_one_planted_row_without_a_right_stops_the_fit_and_names_its_place(tmp_path: Path) -> None:
    write(tmp_path, crowd(10), planted="x")
    with pytest.raises(NoRight, match=r"tests\.csv\.gz:4: .*X forbids training"):
        main(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_without_tests_or_weights_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no headlines/\*\.csv\.gz here"):
        read_tests(tmp_path)
    with pytest.raises(FileNotFoundError, match="no weights of wordings here"):
        Wordings.load(folder=tmp_path)


def test_weights_fitted_with_another_encoder_are_refused(tmp_path: Path, static: StaticEncoder) -> None:
    weights = load_file(SHIPPED / "static.safetensors")
    save_file(weights | {"probe": -weights["probe"]}, tmp_path / "static.safetensors")
    with pytest.raises(OSError, match="fitted with another encoder than the shipped one"):
        Wordings.load(folder=tmp_path)


def test_the_fit_writes_weights_for_both_encoders_and_a_card_and_they_load_by_path(
    tmp_path: Path, sentence_folder: Path
) -> None:
    write(tmp_path, crowd(40))
    text = "a post of the zoo about animal number"
    posts = [
        {"platform": "facebook", "account": "zoo", "created_at": "2016-03-01T10:00:00Z", "text": f"{text} {number}"}
        for number in range(9)
    ]
    write_rows(tmp_path / "posts" / "facebook.csv.gz", posts)
    out = tmp_path / "out"
    main(tmp_path, out, str(sentence_folder))
    asked = ["you should see the tower", "news about the tower"]
    for encoder in (None, sentence_folder):
        one, other = Wordings.load(encoder, out).appeal(asked)
        assert one > other
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "40 randomised headline tests, 160 arms" in card
    assert "Fitted on 28 earlier tests, judged on the 12 latest" in card
    assert "| `static.safetensors` | the static table | 0." in card
    with pytest.raises(OSError, match="fitted with another encoder"):
        Wordings.load(sentence_folder, SHIPPED)


def test_posts_to_teach_by_are_short_plain_and_of_training_accounts(tmp_path: Path) -> None:
    def post(text: str, at: str = "2016-03-01T10:00:00Z", **more: str) -> dict[str, str]:
        return {"platform": "facebook", "account": "zoo", "created_at": at, "text": text} | more

    kept = "a post about the zoo and its animals"
    rows = [
        post(kept),
        post("short"),
        post("a post with a link to http://example.org in it"),
        post("two lines\nof a post that is long enough"),
        post("a post of May that is used to validate on", at="2016-05-20T10:00:00Z"),
    ]
    file = write_rows(tmp_path / "posts" / "facebook.csv.gz", rows)
    assert read_posts(tmp_path) == [kept]
    write_rows(file, [*rows, post(kept, platform="hackernews")])
    with pytest.raises(NoRight, match="no licence"):
        read_posts(tmp_path)


def test_a_sentence_vector_does_not_depend_on_what_is_encoded_with_it(sentence_folder: Path) -> None:
    from bot.attention.wording_encoder import SentenceEncoder

    encoder = SentenceEncoder(sentence_folder)
    texts = ["a cat", "a much longer text about many other things, and a cat", "\ud800"]
    rows = encoder.encode(texts)
    assert rows.shape == (3, 64)
    assert (rows[:, :32] ** 2).sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert rows[0] == pytest.approx(encoder.encode(texts[:1])[0], abs=1e-5)
    assert encoder.encode([]).shape == (0, 64)


def test_earlier_and_later_tests_share_no_text_and_keep_their_order() -> None:
    tests = crowd(10)
    tests[3] = [*tests[3], tests[9][0]]
    earlier, later = split(tests, 0.7)
    assert later == tests[7:]
    assert earlier == [test for place, test in enumerate(tests[:7]) if place != 3]


def test_pairs_are_counted_by_who_did_better_ties_of_the_model_half_ties_of_the_arms_never() -> None:
    class Longest:
        def appeal(self, texts: object) -> np.ndarray:
            return np.array([len(text) for text in texts], dtype=float)  # type: ignore[attr-defined]

    tests = [
        [Arm("aaa", 90, 1000), Arm("b", 30, 1000)],  # right and clear
        [Arm("c", 31, 1000), Arm("ddd", 30, 1000)],  # wrong, by luck
        [Arm("e", 31, 1000), Arm("f", 30, 1000)],  # a tie of the model
        [Arm("gg", 30, 1000), Arm("h", 30, 1000)],  # a tie of the arms
    ]
    found = figures(tests, Longest())
    assert (found.all.mean, found.all.pairs) == (pytest.approx(1.5 / 3), 3)
    assert (found.clear.mean, found.clear.pairs) == (1.0, 1)
    assert found.all.low <= found.all.mean <= found.all.high
    assert z_of(tests[0][0], tests[0][1]) == pytest.approx(-z_of(tests[0][1], tests[0][0]))
    assert z_of(Arm("", 0, 10), Arm("", 0, 20)) == 0


def test_looks_and_letter_groups_are_the_same_everywhere(static: StaticEncoder) -> None:
    assert looks(["You'll see: 3 cats"]).shape == (1, LOOKS)
    assert numbers(["a", "b"], static).shape == (2, static.dimension + LOOKS)
    assert grams("a") == [1500]
    assert grams("A!") != grams("A")
    assert all(0 <= bucket < GRAMS for bucket in grams("Nothing new"))
    assert grams("Hello There") == grams("hello  there")
