from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from bot.attention.evaluation import Judged, Window
from bot.attention.forecast import PastPost
from bot.attention.slices import cuts, kind, part_of_day, slices

Account = Callable[..., list[PastPost]]
START = datetime(2026, 1, 5, tzinfo=UTC)


def judged(model: str, off: float, sure: bool, number: int = 0) -> Judged:
    """Four posts, two photos and two links; a photo is missed by `off`, a link by half of it."""
    times = [START + timedelta(hours=7 * turn) for turn in range(4)]
    later = tuple(PastPost("sandbox", "", kind, at) for kind, at in zip(("photo", "link") * 2, times, strict=True))
    missed = off * np.array([1.0, 0.5, 1.0, 0.5])
    zeros, inside = np.zeros(4), np.array([sure, True, sure, True])
    history = tuple(replace(later[0], at=START - timedelta(days=9, hours=turn)) for turn in range(20))
    return Judged(model, Window(number, history, later), missed, missed, zeros, inside, zeros, zeros)


WINDOWS = {
    ("sandbox", "one"): [judged("attention", 0.6, False), judged("account mean", 1.0, True), judged("gp", 9.0, False)],
    ("sandbox", "two"): [judged("account mean", 1.0, True), judged("attention", 1.2, True)],
}


def test_each_kind_has_its_coverage_and_its_error_beside_the_accounts_mean() -> None:
    found = {one.name: one for one in slices(WINDOWS, {"kind": kind}, least=1)}
    assert set(found) == {"photo", "link"}
    photo = found["photo"]
    assert (photo.platform, photo.cut, photo.k, photo.accounts, photo.posts) == ("sandbox", "kind", 20, 2, 4)
    assert photo.coverage == pytest.approx(0.5)
    assert photo.error == pytest.approx((0.6 + 1.2) / 2)
    assert found["link"].coverage == 1


def test_small_slices_are_left_out() -> None:
    assert slices(WINDOWS, {"kind": kind}, least=5) == []
    assert {one.posts for one in slices(WINDOWS, {"kind": kind}, least=4)} == {4}


def test_windows_of_one_account_are_not_mixed_up() -> None:
    second = [judged("account mean", 3.0, True, 1), judged("attention", 3.0, True, 1)]
    both = {("sandbox", "one"): [*WINDOWS["sandbox", "one"], *second]}
    (photo,) = [one for one in slices(both, {"kind": kind}, least=1) if one.name == "photo"]
    assert photo.posts == 4
    assert photo.error == pytest.approx((0.6 + 3.0) / (1.0 + 3.0))


@pytest.mark.parametrize(("hour", "part"), [(0, "00-06"), (5, "00-06"), (6, "06-12"), (13, "12-18"), (23, "18-24")])
def test_the_day_has_four_parts(hour: int, part: str) -> None:
    assert part_of_day(PastPost("sandbox", "", "text", START.replace(hour=hour))).startswith(part)


def test_a_part_of_day_is_told_in_utc() -> None:
    late = datetime(2026, 1, 5, 22, tzinfo=ZoneInfo("America/New_York"))
    assert part_of_day(PastPost("sandbox", "", "text", late)).startswith("00-06")


@pytest.mark.skipif(find_spec("py3langid") is None, reason="py3langid is not installed")
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The committee will publish its report on the new railway line next week", "en"),
        ("O time venceu mais uma vez e a torcida fez a festa no estádio ontem à noite", "pt"),
        ("Der Verein hat gestern Abend noch einmal verloren und steigt wohl ab", "de"),
        ("#GoTeam", "not told"),
        ("", "not told"),
    ],
)
def test_a_text_has_a_language_where_there_is_enough_of_it(text: str, name: str) -> None:
    assert cuts()["language"](PastPost("sandbox", text, "text", START)) == name
