from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.attention import features

AT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


@given(st.text(max_size=600))
def test_any_text_has_a_bounded_surface(text: str) -> None:
    row = np.array(features.surface(text))
    assert row.shape == (features.SURFACE,)
    assert np.isfinite(row).all()
    assert np.abs(row).max() < 310


@pytest.mark.parametrize(
    ("plain", "marked"),
    [
        ("hello", "hello?"),
        ("hello", "hello!"),
        ("hello", "hello #tag"),
        ("hello", "hello @you"),
        ("hello", "hello http://a.b"),
        ("hello", "hello 😀"),
        ("hello", "hello 2026"),
        ("hello world", "HELLO world"),
        ("a b", "a\nb"),
        ("said", 'said "no"'),
    ],
)
def test_marks_of_a_text_show_in_its_surface(plain: str, marked: str) -> None:
    assert features.surface(plain) != features.surface(marked)


def test_the_same_moment_has_the_same_clock_in_every_zone() -> None:
    berlin = AT.astimezone(timezone(timedelta(hours=1)))
    assert features.seconds([AT]) == features.seconds([berlin])


def test_the_clock_goes_round_in_a_week() -> None:
    now = features.seconds([AT])
    assert features.clock(now) == pytest.approx(features.clock(now + 7 * features.DAY_S), abs=1e-5)
    assert not np.allclose(features.clock(now), features.clock(now + features.DAY_S), atol=0.1)
    day = features.clock(now)[:, :6]
    assert day == pytest.approx(features.clock(now + features.DAY_S)[:, :6], abs=1e-5)


def test_kinds_have_slots_of_their_own_and_unknown_ones_share_the_rest() -> None:
    slots = [features.kind_slot(kind) for kind in features.KINDS]
    assert slots == list(range(len(features.KINDS)))
    assert features.kind_slot("Photo") == features.kind_slot("photo")
    assert len(features.KINDS) <= features.kind_slot("hologram") < features.KIND_SLOTS


def test_rhythm_looks_only_backwards_and_never_at_the_post_itself() -> None:
    known = features.seconds([AT, AT + timedelta(hours=2), AT + timedelta(hours=30)])
    rows = features.rhythm(known, known, known[-1])
    gap_h = np.exp(rows[:, 0] * 3)
    assert gap_h == pytest.approx([features.FAR_S / 3600, 2, 28], rel=1e-3)
    before = np.expm1(rows[:, 1] * 2)
    assert before == pytest.approx([0, 1, 0], abs=1e-4)


def test_tokens_are_as_wide_as_they_say() -> None:
    at = features.seconds([AT, AT + timedelta(hours=1)])
    rows = features.tokens(at, features.kinds(["text", "link"]), features.surfaces(["a", "b"]), at, at[-1])
    assert rows.shape == (2, features.WIDTH)
    assert rows.dtype == np.float32
