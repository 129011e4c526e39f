"""The demo shows what it says: nothing sent twice, mishaps healed, four ways to choose compared, and honest words."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bot.cli.say import write_json
from bot.cli.showing import demo_view
from bot.demo.compare import KAIROS, ORACLE, RANDOM, _words
from bot.demo.show import Shown, run_demo

HOURS = "hour of week"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "made" / "report.html"


@pytest.fixture(scope="module")
def steps() -> list[tuple[float, float, str]]:
    return []


@pytest.fixture(scope="module")
def shown(out: Path, steps: list[Any]) -> Shown:
    """A demo of one week and two worlds, in which every third write goes wrong on its way."""

    def step(done: float | None = None, total: float | None = None, line: str | None = None) -> None:
        steps.append((done, total, line))

    return run_demo(2, out, step, 1, {"unavailable": 0.1, "rate_limit": 0.1, "lost_answer": 0.1})


def test_posts_go_out_and_none_is_sent_twice_whatever_goes_wrong_on_the_way(shown: Shown) -> None:
    assert shown.published > 10
    assert shown.mishaps > 0
    assert shown.twice == 0


def test_people_are_answered_or_left_to_a_person(shown: Shown) -> None:
    assert shown.replies["answered"] > 0
    assert shown.replies["held"] > 0


def test_four_ways_to_choose_are_compared_and_the_one_that_knows_the_truth_is_best(shown: Shown) -> None:
    ways = {way.name: way for way in shown.comparison.ways}
    assert set(ways) == {KAIROS, ORACLE, RANDOM, HOURS}
    assert shown.comparison.ways[0].name == ORACLE
    assert ways[ORACLE].of_oracle == pytest.approx(1)
    assert (ways[RANDOM].gain, ways[RANDOM].of_oracle) == (1, 0)
    assert all(way.low <= way.gain <= way.high for way in ways.values())
    assert (shown.comparison.worlds, shown.comparison.posts) == (2, 6)


def test_a_lift_that_is_not_known_yet_is_not_claimed(shown: Shown) -> None:
    assert shown.lift.verdict == "not yet known"
    assert shown.lift.ratio is None


def test_decisions_are_explained(shown: Shown) -> None:
    assert shown.explained
    assert all(sum(option.chosen for option in one.options) == 1 for one in shown.explained)


def test_the_report_says_that_it_is_simulated_and_who_won(shown: Shown, out: Path) -> None:
    page = out.read_text(encoding="utf-8")
    assert shown.report == out
    assert "SIMULATED" in page.upper()
    assert "Everything on this page is simulated" in page
    assert shown.comparison.words in page
    assert [file.name for file in out.parent.iterdir()] == ["report.html"]


def test_what_is_shown_on_the_terminal_says_so_too(shown: Shown) -> None:
    console = Console(width=160, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(demo_view(shown))
    said = captured.get()
    assert "SIMULATED" in said
    assert "none was sent twice" in said
    assert shown.comparison.words in said
    assert shown.lift.words in said


def test_a_machine_can_read_it(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    write_json(shown.as_data())
    told = json.loads(capsys.readouterr().out)
    assert (told["simulated"], told["published"], told["twice"]) == (True, shown.published, 0)
    assert [way["name"] for way in told["comparison"]] == [way.name for way in shown.comparison.ways]


def test_progress_goes_up_to_the_whole(shown: Shown, steps: list[tuple[float, float, str]]) -> None:
    done = [step[0] for step in steps]
    assert done == sorted(done)
    assert steps[-1][0] == steps[-1][1]


@pytest.mark.parametrize(
    ("kairos", "hours", "words"),
    [
        ([130, 131, 129, 132], [100, 101, 99, 100], f"Kairos won: x1.30 [1.29, 1.32] of {HOURS} over 4 worlds."),
        ([80, 81, 79, 80], [100, 101, 99, 100], f"Kairos lost: x0.80 [0.80, 0.80] of {HOURS} over 4 worlds."),
        (
            [120, 90, 100, 115],
            [100, 110, 105, 90],
            f"No clear winner: Kairos is at x1.05 [0.75, 1.45] of {HOURS} over 4 worlds; the interval holds 1.",
        ),
    ],
)
def test_words_say_plainly_who_won(kairos: list[float], hours: list[float], words: str) -> None:
    oracle = [200.0] * 4
    assert _words({KAIROS: kairos, HOURS: hours, RANDOM: [50, 51, 49, 50], ORACLE: oracle}) == words


def test_kairos_is_measured_against_the_best_that_knows_no_more_than_it() -> None:
    points = {KAIROS: [100.0, 101.0], HOURS: [50.0, 50.0], RANDOM: [90.0, 90.5], ORACLE: [300.0, 300.0]}
    assert f" of {RANDOM} over 2 worlds" in _words(points)
