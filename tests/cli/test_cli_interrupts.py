"""Ctrl-C at any moment: one line, exit code 130, nothing lost, nothing doubled; doing it again completes the work."""

import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from bot.cli import main
from bot.cli.interrupts import all_done, between_steps, never_swallow

# A key pressed between the opening of a file and its `with` leaves it to the garbage collector, which says so.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
WORDS = "interrupted; what was done is kept, run it again to go on\n"
TEXTS = ["Sow your peas now.", "Clean the spade.", "Water in the morning, not at noon."]


@contextmanager
def ctrl_c_after(seconds: float) -> Iterator[None]:
    """Whatever SIGINT does comes once this process has worked for so long, as a key pressed at that moment would.

    A press before or after the command, in the tests' own code, comes to nothing.
    """

    def press(number: int, frame: FrameType | None) -> None:
        answer, inside = signal.getsignal(signal.SIGINT), frame
        while inside is not None and inside.f_code is not main.__code__:
            inside = inside.f_back
        if callable(answer) and inside is not None:
            answer(signal.SIGINT, frame)

    former = signal.signal(signal.SIGPROF, press)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, former)


def interrupted(kairos: Callable[..., Any], seconds: float, *arguments: object) -> int:
    """Run a command and interrupt it; gives back its exit code."""
    with ctrl_c_after(seconds):
        ran = kairos(*arguments)
    assert (ran.code, ran.err.endswith(WORDS)) in ((130, True), (0, False)), ran
    return int(ran.code)


def moments(kairos: Callable[..., Any], count: int, *arguments: object) -> list[float]:
    """So many moments, early and late ones, of the time this command takes now."""
    kairos(*arguments)  # what is loaded at first use is loaded now
    began = time.process_time()
    kairos(*arguments)
    whole = time.process_time() - began
    luck = random.Random(5)
    return sorted(luck.uniform(0, whole) for _ in range(count))


def test_a_rehearsal_interrupted_again_and_again_publishes_every_post_once(
    kairos: Any, campaign: Any, dry: Any
) -> None:
    campaign()
    run = ("run", "garden.yaml", "--baseline", "--days", 4)
    times = moments(kairos, 12, *run, "--fresh")
    assert kairos(*run[:3], "--days", 1, "--fresh").code == 0
    assert 130 in [interrupted(kairos, at, *run) for at in times]
    assert kairos("run", "garden.yaml", "--baseline", "--days", 14).code == 0
    assert dry.public() == TEXTS
    assert set(dry.states().values()) == {"published"}


def test_an_interrupted_plan_leaves_whole_files_only(home: Path, kairos: Any, campaign: Any, dry: Any) -> None:
    campaign()
    plan_it = ("plan", "garden.yaml", "--baseline")
    assert 130 in [interrupted(kairos, at, *plan_it) for at in moments(kairos, 8, *plan_it)]
    (plan,) = kairos("plan", "garden.yaml", "--baseline", "--json").data
    for file in (home / ".kairos" / "plans").iterdir():
        assert file.suffix == ".json"
    assert kairos("run", "garden.yaml", "--baseline", "--plan", plan["file"]).code == 0
    assert dry.posts()


def test_an_interrupted_import_is_completed_by_doing_it_again(home: Path, kairos: Any, dry: Any) -> None:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=300)
    rows = (f"sandbox,main,{n},{(start + timedelta(minutes=n)).isoformat()},Post {n},{n}" for n in range(4000))
    lines = ["platform,account,post_id,created_at,text,likes", *rows]
    (home / "posts.csv").write_text("\n".join(lines), encoding="utf-8")
    times = moments(kairos, 5, "import", "posts.csv")
    (home / ".kairos" / "kairos.db").unlink()
    assert 130 in [interrupted(kairos, at, "import", "posts.csv") for at in times]
    (outcome,) = kairos("import", "posts.csv", "--json").data["accounts"].values()
    assert outcome["added"] + outcome["unchanged"] == 4000
    with closing(sqlite3.connect(home / ".kairos" / "kairos.db")) as connection:
        assert connection.execute("select count(*), count(distinct ref) from history").fetchone() == (4000, 4000)
        assert connection.execute("select count(*) from snapshot").fetchone() == (4000,)


def test_an_interrupted_training_goes_on(home: Path, kairos: Any) -> None:
    import_module("bot.attention.training")  # here, where no interrupt leaves it half loaded for other tests
    assert interrupted(kairos, 1.5, "train", "--steps", 100000, "--out", "weights") == 130
    assert not (home / "weights" / "model.safetensors").exists()
    ran = kairos("train", "--steps", 1, "--out", "weights", "--json")
    assert ran.code == 0
    assert set(ran.data) == {"weights", "validation"}
    assert {file.name for file in (home / "weights").iterdir()} == {
        "config.json",
        "log.jsonl",
        "model.safetensors",
        "training.json",
    }


def test_an_interrupted_demo_writes_no_report(home: Path, kairos: Any) -> None:
    import_module("bot.demo.show")
    import_module("bot.attention.forecaster")
    assert interrupted(kairos, 1.5, "demo", "--seeds", 2) == 130
    assert list(home.iterdir()) == []


def test_the_first_ctrl_c_waits_for_the_end_of_a_step_and_the_second_does_not() -> None:
    former = signal.getsignal(signal.SIGINT)
    with between_steps() as check:
        check()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            check()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is former


def test_an_interrupt_that_python_ignores_comes_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Awkward:
        def __del__(self) -> None:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("sys.unraisablehook", lambda unraisable: None)
        never_swallow()
        Awkward()
        with pytest.raises(KeyboardInterrupt):
            time.sleep(10)
        Awkward()
        all_done()  # what came to nothing does not disturb whatever follows the command
        time.sleep(0.05)
    assert capsys.readouterr().err == ""


def test_an_interrupt_that_a_library_hands_on_as_its_own_error_is_still_one(
    kairos: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*asked: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise LookupError("something inside broke") from None

    monkeypatch.setattr("bot.campaign.loading.load_campaign", load)
    ran = kairos("validate", "garden.yaml")
    assert (ran.code, ran.err) == (130, WORDS)
