from pathlib import Path

import numpy as np
import pytest

from bot.attention import encoder
from bot.attention.encoder import EncoderMissing, StaticEncoder


@pytest.fixture(scope="module")
def static() -> StaticEncoder:
    return StaticEncoder.load()


def test_vectors_are_of_unit_length_and_do_not_depend_on_their_neighbours(static: StaticEncoder) -> None:
    rows = static.encode(["a cat sleeps", "rates rise again", "a cat sleeps"])
    assert rows.shape == (3, static.dimension)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(rows[0], rows[2])
    assert np.array_equal(static.encode(["rates rise again"])[0], rows[1])


def test_similar_texts_are_nearer_than_others(static: StaticEncoder) -> None:
    cat, kitten, bank = static.encode(["the cat is asleep", "a kitten sleeping", "the central bank raised rates"])
    assert cat @ kitten > cat @ bank + 0.2


@pytest.mark.parametrize("text", ["", "   ", "\x00\x00", "\ud800"])
def test_a_text_without_a_known_word_does_no_harm(text: str, static: StaticEncoder) -> None:
    assert np.isfinite(static.encode([text])).all()


def test_no_text_gives_no_row(static: StaticEncoder) -> None:
    assert static.encode([]).shape == (0, static.dimension)


def test_memory_for_texts_is_bounded(static: StaticEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "REMEMBERED", 5)
    small = StaticEncoder(static._tokenizer, static._rows, static._scales)
    small.encode([f"text {number}" for number in range(20)])
    assert len(small._known) == 5


def test_a_folder_without_a_table_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(EncoderMissing, match="no text encoder here"):
        StaticEncoder.load(tmp_path)
