"""What is given wrong gets one clear line on stderr and exit code 2; nothing is written, and no traceback is shown."""

import json
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

LAST_YEAR = datetime.now(UTC) - timedelta(days=365)
COMMANDS = (  # noqa: SIM905
    "demo init doctor validate plan run status stop resume queue approve reject import backtest explain report train"
).split()


def table(home: Path, *rows: tuple[str, str, str], platform: str = "sandbox", account: str = "main") -> Path:
    """A CSV of (id, ISO time, likes)."""
    file = home / "posts.csv"
    lines = [f'{platform},{account},{number},{at},"Post {number}",{likes}' for number, at, likes in rows]
    file.write_text("\n".join(["platform,account,post_id,created_at,text,likes", *lines]) + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
def test_a_campaign_file_that_cannot_be_read_is_named(home: Path, kairos: Any, command: str) -> None:
    (home / "folder.yaml").mkdir()
    (home / "latin.yaml").write_bytes("name: gr\xfcn".encode("latin-1"))
    (home / "broken.yaml").write_text("version: 1\nname: [garden\n", encoding="utf-8")
    for name, words in {
        "missing.yaml": "missing.yaml:1:1: there is no such file",
        "folder.yaml": "folder.yaml:1:1: this is a folder, a campaign file is needed",
        "latin.yaml": "latin.yaml:1:9: not UTF-8 text: save it as UTF-8",
    }.items():
        ran = kairos(command, name)
        assert (ran.code, ran.out, ran.line) == (2, "", words)
    assert kairos(command, "broken.yaml").line.startswith("broken.yaml:3:1: not YAML: ")
    assert not (home / ".kairos").exists()


def test_every_fault_of_every_file_is_told_at_once(kairos: Any, campaign: Any) -> None:
    campaign(more="acounts: [sandbox/main]\n", name="one.yaml")
    two = campaign(name="two.yaml")
    two.write_text(two.read_text().replace("Europe/Berlin", "Europe/Berlni"), encoding="utf-8")
    ran = kairos("validate", "one.yaml", "two.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines() == [
        "one.yaml:11:1: acounts: unknown key, did you mean 'accounts'?",
        "two.yaml:4:11: timezone: 'Europe/Berlni' is no IANA time zone (such as Europe/Berlin), "
        "did you mean 'Europe/Berlin'?",
    ]
    (first, _) = kairos("validate", "one.yaml", "two.yaml", "--json").data
    assert first == {
        "file": "one.yaml",
        "line": 11,
        "column": 1,
        "path": "acounts",
        "what": "unknown key, did you mean 'accounts'?",
    }


def test_two_campaigns_of_one_name_are_refused(kairos: Any, campaign: Any) -> None:
    campaign(name="a.yaml")
    campaign(name="b.yaml")
    ran = kairos("validate", "a.yaml", "b.yaml")
    assert (ran.code, ran.line) == (2, "b.yaml: the campaign 'garden' is in a.yaml as well; rename one")


def test_a_sound_file_is_summed_up(kairos: Any, campaign: Any) -> None:
    campaign("approve", "replies: {rules: [{intent: price, examples: [how much], answer: Nothing.}]}\n")
    ran = kairos("validate", "garden.yaml")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "garden.yaml: garden is fine: 3 posts, 1 reply rule for sandbox/main, mode approve\n"


@pytest.mark.parametrize("command", ["plan", "run"])
def test_an_account_nobody_knows_gets_the_nearest_one(kairos: Any, campaign: Any, dry: Any, command: str) -> None:
    campaign()
    ran = kairos(command, "garden.yaml", "--baseline", "--account", "sandbox/mian")
    assert (ran.code, ran.line) == (2, "unknown account 'sandbox/mian', did you mean 'sandbox/main'?")
    assert kairos(command, "garden.yaml", "--baseline", "--account", "zzz").line.endswith("there are: sandbox/main")


def test_an_account_may_be_named_before_anything_is_known_of_it(kairos: Any, campaign: Any, dry: Any) -> None:
    file = campaign()
    file.write_text(file.read_text().replace("[sandbox/main]", "[sandbox/main, sandbox/second]"), encoding="utf-8")
    ran = kairos("plan", "garden.yaml", "--baseline", "--account", "second", "--json")
    assert {post["account"] for post in ran.data[0]["posts"]} == {"sandbox/second"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["report", "--account", "sandbox/mian"], "unknown account 'sandbox/mian', did you mean 'sandbox/main'?"),
        (["report", "--timezone", "Mars/Base"], "'Mars/Base' is no IANA time zone (such as Europe/Berlin)"),
        (["resume", "--account", "mian"], "unknown account 'mian', did you mean 'main'?"),
        (["backtest", "--dry", "--account", "zzz"], "unknown account 'zzz'; there are: sandbox/main"),
        (
            ["backtest", "--action", "hearts"],
            "--action hearts: choose one of likes, replies, shares, clicks, impressions",
        ),
        (["explain", "77"], "there is no post 77: `kairos status` lists them"),
        (["approve", "1", "--text", " "], "--text needs words"),
        (["approve", "1", "--again", "--text", "x"], "--again sends exactly what was sent before: leave --text out"),
        (["approve", "all", "--text", "x"], "--text is for one post or mention: the same words twice would be refused"),
        (["run", "garden.yaml", "--live", "--fresh"], "--approve-all and --fresh are for rehearsals"),
        (["report", "--out", "here"], "here: a folder, not a file"),
        (["demo", "--out", "here"], "here: a folder; name a file for the report: --out here/kairos-demo.html"),
        (["init", "garden.yaml"], "garden.yaml/.kairos: a file where a folder is needed"),
        (["run", "garden.yaml", "--plan", "none.json"], "none.json: cannot be read: No such file or directory"),
        (["run", "garden.yaml", "--plan", "garden.yaml"], "garden.yaml: not a plan: "),
    ],
)
def test_a_wrong_value_is_told_in_one_line(
    home: Path, kairos: Any, held: Any, arguments: list[str], words: str
) -> None:
    (home / "here").mkdir()
    ran = kairos(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.line.startswith(words)
    assert list((home / "here").iterdir()) == []


@pytest.mark.parametrize("command", ["queue", "approve 1", "reject 1", "explain 1", "report", "backtest --dry"])
def test_a_world_in_which_nothing_happened_is_said_to_be_empty(home: Path, kairos: Any, command: str) -> None:
    ran = kairos(*command.split())
    assert (ran.code, ran.out) == (2, "")
    assert ran.line.startswith("nothing has happened in the rehearsal yet; start with `kairos run`")
    assert not (home / ".kairos").exists()


def test_an_empty_history_cannot_be_tested_on_and_says_so(kairos: Any, held: Any) -> None:
    ran = kairos("backtest", "--dry", "--account", "main")
    assert ran.code == 5
    assert ran.out.startswith("sandbox/main has 0 posts with likes: too few to test on.")
    assert kairos("backtest").line.startswith("say which account with --account; there are none yet: `kairos import")


def test_rows_from_the_future_and_rows_given_twice_are_told_and_the_rest_is_taken(home: Path, kairos: Any) -> None:
    at, later = LAST_YEAR.isoformat(), (datetime.now(UTC) + timedelta(days=400)).isoformat()
    table(home, ("p1", at, "3"), ("p1", at, "5"), ("p2", later, "1"), ("p3", "yesterday", "1"))
    ran = kairos("import", "posts.csv")
    assert (ran.code, ran.err) == (0, "")
    assert "left out: 1 earlier rows of the same post" in ran.out
    assert "2 rows could not be read" in ran.out
    assert "line 4: " in ran.out
    assert "line 5: " in ran.out
    again = kairos("import", "posts.csv", "--json").data
    assert again["accounts"] == {"sandbox/main": {"added": 0, "unchanged": 1, "updated": 0}}


def test_an_archive_that_cannot_be_read_is_named(home: Path, kairos: Any) -> None:
    assert kairos("import", "none.csv").line == "none.csv: cannot be read (No such file or directory)"
    (home / "posts.csv").write_bytes(b"\xff\xfe\x00")
    ran = kairos("import", "posts.csv")
    assert (ran.code, ran.out) == (2, "")
    assert ran.line.startswith("posts.csv")
    table(home, ("p1", LAST_YEAR.isoformat(), "3"))
    ran = kairos("import", "posts.csv", "--account", "mian")
    assert (ran.code, ran.line) == (2, "posts.csv: holds no post of mian, did you mean 'sandbox/main'?")


@pytest.mark.parametrize("number", ["0", "-1", "zwölf", "m", "99999999999999999999", "٣"])
def test_what_is_no_number_of_a_post_is_refused(kairos: Any, held: Any, number: str) -> None:
    for command in ("approve", "reject"):
        ran = kairos(command, "--", number)
        assert (ran.code, ran.out) == (3, "")
        assert ran.line in {f"{number}: not a number of `kairos queue`", f"{number}: there is no such post"}
    assert kairos("explain", "--", number).code == 2
    assert {post.approved_digest for post in held.posts()} == {None}


@pytest.mark.parametrize("arguments", ["plan --bogus", "bogus", "approve", "plan", "run x --days 0", "train --steps x"])
def test_a_usage_error_shows_the_usage(kairos: Any, arguments: str) -> None:
    ran = kairos(*arguments.split())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Usage: kairos ")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_page(home: Path, kairos: Any, command: str) -> None:
    ran = kairos(command, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert f"Usage: kairos {command} " in ran.out
    assert "--json" in ran.out
    assert command in kairos("--help").out
    assert list(home.iterdir()) == []


def test_first_files_are_written_once_and_are_sound(home: Path, kairos: Any) -> None:
    first = kairos("init", "garden", "--json").data
    assert first["written"] == ["garden/.kairos/campaign.schema.json", "garden/campaign.yaml", "garden/faq.md"]
    (home / "garden" / "faq.md").write_text("mine", encoding="utf-8")
    assert kairos("init", "garden", "--json").data == {"written": [], "kept": ["garden/campaign.yaml", "garden/faq.md"]}
    assert (home / "garden" / "faq.md").read_text(encoding="utf-8") == "mine"
    assert kairos("validate", "garden/campaign.yaml").code == 0
    json.loads((home / "garden" / ".kairos" / "campaign.schema.json").read_text(encoding="utf-8"))


def test_the_version_is_that_of_the_distribution(kairos: Any) -> None:
    assert kairos("--version").out == f"kairos {version('kairos-bot')}\n"
