"""While everything is stopped nothing goes out, by the file or the note alone; only `resume` lets it go on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.app import open_dry
from bot.campaign.loading import load_campaign
from bot.cli.happenings import Happenings
from bot.rounds import Rounds, Wish
from bot.running import rehearse
from bot.settings import Settings
from bot.switch import pull
from storage import engagement
from storage.models import Account
from storage.notes import STOPPED, note

FIRST_OF_MAY, WEEK = datetime(2026, 5, 1, 6, tzinfo=UTC), timedelta(days=7)
RUN = ("run", "garden.yaml", "--baseline", "--days", 14)
TEXTS = ["Sow your peas now.", "Clean the spade.", "Water in the morning, not at noon."]


def test_while_stopped_posts_wait_and_after_it_they_go_out(home: Path, kairos: Any, campaign: Any, dry: Any) -> None:
    campaign()
    kairos("run", "garden.yaml", "--baseline", "--days", 1)
    before = len(dry.public())
    ran = kairos("stop", "--why", "a storm")
    assert (ran.code, ran.err) == (0, "")
    places = [home / ".kairos" / name for name in ("STOP", "kairos.db", "dry/kairos.db")]
    assert ran.out.splitlines() == [f"stopped: {place}" for place in places]
    stands = kairos(*RUN, "--json")
    assert (stands.code, stands.data["stopped"], stands.data["events"]) == (3, "a storm", {})
    assert stands.line == "everything is stopped (a storm): the clock stands; `kairos resume`, then run again"
    assert stands.data["from"] == stands.data["to"]
    assert len(dry.public()) == before
    assert kairos("status", "--json").data["stopped"] is True
    assert "EVERYTHING IS STOPPED" in kairos("status").out
    assert kairos("resume").out.splitlines() == [f"resumed: {place}" for place in places]
    assert kairos(*RUN).code == 0
    assert dry.public() == TEXTS


@pytest.mark.parametrize("left", ["file", "note"])
def test_either_the_file_or_the_note_is_enough(home: Path, kairos: Any, campaign: Any, dry: Any, left: str) -> None:
    campaign()
    if left == "file":
        (home / ".kairos" / "STOP").touch()
    else:
        kairos("stop")
        (home / ".kairos" / "STOP").unlink()
    assert kairos(*RUN).code == 3
    assert kairos("status", "--json").data["stopped"] is True
    assert "everything is stopped" in kairos("doctor", "--json").out
    assert dry.public() == []
    assert kairos("resume").code == 0
    assert kairos(*RUN).code == 0


def test_a_stop_in_the_middle_of_a_rehearsal_holds_at_once(home: Path, campaign: Any, dry: Any) -> None:
    settings = Settings(home / ".kairos")
    happened = Happenings()
    file = campaign()
    world = open_dry(settings, FIRST_OF_MAY, happened)
    rounds = Rounds(world, [load_campaign(file, {})], Wish(baseline=True))

    def step(now: Any) -> None:
        if happened.counts["post.published"] == 1:
            pull(settings, "enough", now)

    lapse = rehearse(world, rounds, FIRST_OF_MAY + WEEK, on_step=step)
    world.close()
    assert lapse.stopped == "enough"
    assert dry.public() == TEXTS[:1]


def test_resuming_what_was_not_stopped_says_so(kairos: Any, dry: Any) -> None:
    ran = kairos("resume")
    assert (ran.code, ran.out, ran.line) == (0, "", "nothing was stopped")


def test_a_stop_before_anything_is_there_holds_for_what_comes(home: Path, kairos: Any, campaign: Any) -> None:
    campaign()
    assert kairos("stop", "--json").data == {"stopped": [str(home / ".kairos" / "STOP")], "failed": []}
    assert kairos(*RUN).code == 3


def test_the_file_alone_holds_where_the_database_is_damaged(home: Path, kairos: Any, campaign: Any, dry: Any) -> None:
    campaign()
    file = home / ".kairos" / "kairos.db"
    file.write_bytes(b"not a database, whatever its name says" * 100)
    ran = kairos("stop")
    assert ran.code == 0
    assert ran.line.startswith(f"not written: {file}: the file is not a database")
    assert (home / ".kairos" / "STOP").exists()
    standing = kairos("status", "--json")
    assert (standing.code, standing.data["stopped"]) == (4, True)
    assert standing.data["live"] == {
        "unreadable": f"{file}: the file is not a database; name another file, or restore a backup"
    }
    assert standing.data["rehearsal"]["stopped"] == "a person pulled the kill switch"
    file.unlink()
    assert kairos(*RUN).code == 3
    assert kairos("resume").code == 0


def test_the_note_holds_where_the_file_cannot_be_written(home: Path, kairos: Any, dry: Any) -> None:
    (home / ".kairos" / "STOP").symlink_to(home / "nowhere" / "STOP")
    ran = kairos("stop")
    assert ran.code == 0
    assert ran.line == f"not written: {home / '.kairos' / 'STOP'}: No such file or directory"
    with dry.database() as db, db.read() as session:
        assert note(session, STOPPED) == "a person pulled the kill switch"


def test_where_nothing_can_be_written_it_is_said_that_nothing_is_stopped(home: Path, kairos: Any) -> None:
    (home / ".kairos").write_text("a file where a folder should be", encoding="utf-8")
    ran = kairos("stop")
    assert (ran.code, ran.out) == (4, "")
    assert ran.err.splitlines()[-1].startswith("NOTHING IS STOPPED")


def test_a_paused_account_goes_on_when_a_person_says_so(kairos: Any, held: Any) -> None:
    def pause(session: Any) -> None:
        session.get(Account, "sandbox/main").paused_reason = "the token is no longer valid"

    held.change(pause)
    assert "PAUSED: the token is no longer valid" in kairos("status").out
    kairos("approve", "all")
    kairos(*RUN)
    assert held.public() == []
    ran = kairos("resume", "--account", "main")
    assert ran.out == "sandbox/main goes on; it was paused: the token is no longer valid\n"
    with held.database() as db, db.read() as session:
        assert [row.paused_reason for row in engagement.accounts(session)] == [None]
    assert kairos("resume", "--account", "main", "--json").data == {"account": "sandbox/main", "paused": None}
