"""Every fault of a campaign file is named with its line, column and likely cure."""
# ruff: noqa: E501  one fault a line reads as a table

from datetime import date
from pathlib import Path

import pytest

from bot.campaign.loading import load_campaign
from bot.campaign.problems import CampaignErrors

HEAD = "version: 1\nname: x\naccounts: [mastodon/main, x/brand]\ntimezone: Europe/Berlin\n"
"""Four good lines; what a case adds begins in line 5."""
POST = "posts:\n  - id: a\n    text: hello\n"
"""Three good lines more."""


def problems(folder: Path, text: str | bytes, environment: dict[str, str] | None = None) -> list[str]:
    """The lines an owner would read."""
    file = folder / "c.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CampaignErrors) as caught:
        load_campaign(file, environment or {}, today=date(2026, 11, 24))
    return [str(problem) for problem in caught.value.problems]


FAULTS: list[tuple[str, str, str]] = [
    # the file itself
    ("", "1:1", "the file is empty"),
    ("# only a comment\n", "1:1", "the file is empty"),
    ("just words\n", "1:1", "`key: value` lines are needed"),
    ("- a\n- b\n", "1:1", "`key: value` lines are needed"),
    ("version: 1\nwhen:\n\tpick: best\n", "3:1", "a tab is used as indentation"),
    ("version: 1\nname: a: b\n", "2:8", "put the text in quotes"),
    ("version: 1\nname: 'x\n", "3:1", "unexpected end of stream"),
    ("%YAML 1.1\n---\nversion: 1\n", "1:1", "% directives are not allowed"),
    ("version: 1\n---\nversion: 1\n", "2:1", "a second document"),
    ("version: 1\nname: *there\n", "2:7", "*there: an alias without its anchor"),
    ("version: 1\nname: \x00\n", "2:7", "the character \\x00 is not allowed"),
    ("a: " + "[" * 40, "1:34", "nested deeper than 30 levels"),
    ("a:\n" + "  - 1\n" * 20_001, "19999:5", "more than 20000 values"),
    ("a: &a [1]\nb: [" + "*a, " * 101 + "]\n", "2:405", "more than 100 aliases"),
    ("? [a]\n: b\n", "1:3", "a key must be one word"),
    ("# " + "x" * 1_000_001, "1:1", "larger than 1 MB"),
    # keys
    (HEAD + POST + "name: again\n", "8:1", "name: the same key again (first in line 2)"),
    (HEAD + POST + "whne: {}\n", "8:1", "whne: unknown key, did you mean 'when'?"),
    (HEAD + POST + "when:\n  holdotu: 5%\n", "9:3", "when.holdotu: unknown key, did you mean 'holdout'?"),
    (HEAD + "posts:\n  - {id: a, text: hello, titel: x}\n", "6:26", "posts[0].titel: unknown key, did you mean 'title'?"),
    (HEAD + POST + "    recurring: {every: 30d, tmies: 2, times: 2}\n", "8:29", "recurring.tmies: unknown key, did you mean 'times'?"),
    (HEAD + POST + "zzz: 1\n", "8:1", "zzz: unknown key, known here: accounts, budget"),
    (HEAD + POST + "objective: {lkie: 1}\n", "8:13", "objective.lkie: unknown key, did you mean 'like'?"),
    (HEAD + POST + "mode:\n", "8:1", "mode: nothing is written here"),
    (HEAD + POST + "budget: {access_token: abc}\n", "8:10", "a secret is never written in a campaign file"),
    (HEAD + POST + "x_api_key: abc\n", "8:1", "`kairos accounts add` asks for it"),
    (HEAD + POST + "    password: abc\n", "8:5", "posts[0].password: a secret is never written"),
    ("name: x\naccounts: [x/a]\ntimezone: UTC\n" + POST, "1:1", "version: missing"),
    ("version: 1\nname: x\naccounts: [x/a]\n" + POST, "1:1", "timezone: missing: `timezone` is needed"),
    # single values
    (HEAD.replace("version: 1", "version: 2") + POST, "1:10", "2 is not one of 1"),
    (HEAD.replace("name: x", "name: My Launch") + POST, "2:7", "lower-case letters, digits, - and _"),
    (HEAD.replace("Europe/Berlin", "Europe/Berlni") + POST, "4:11", "did you mean 'Europe/Berlin'?"),
    (HEAD.replace("Europe/Berlin", "tokyo") + POST, "4:11", "did you mean 'Asia/Tokyo'?"),
    (HEAD + POST + "mode: atuo\n", "8:7", "'atuo' is not one of draft, approve, auto, did you mean 'auto'?"),
    (HEAD + POST + "objective: click\n", "8:12", "'click' is no preset: choose balanced, clicks, conversation"),
    (HEAD + POST + "objective: {like: 0}\n", "8:12", "at least one action needs a weight above 0"),
    (HEAD + POST + "objective: {like: -1}\n", "8:19", "objective.like: must be at least 0, not -1"),
    (HEAD + POST + "objective: {like: inf}\n", "8:19", "a number is needed, not 'inf'"),
    (HEAD + POST + "budget: {x_usd_per_month: nan}\n", "8:27", "a number is needed, not 'nan'"),
    (HEAD.replace("Europe/Berlin", "5") + POST, "4:11", "text is needed, not 5"),
    (HEAD.replace("version: 1", "version: true") + POST, "1:10", "a number is needed, not true or false"),
    (HEAD + POST + "when: {window: {days: [thursday]}}\n", "8:24", "did you mean 'thu'?"),
    (HEAD + POST + 'when: {window: {from: "25:00"}}\n', "8:23", 'a time of day is written as "09:00"'),
    (HEAD + POST + "when: {window: {from: 750}}\n", "8:23", 'a time of day is written as "09:00"'),
    (HEAD + POST + "when: {pick: bets}\n", "8:14", "'bets' is not one of best, fixed, even, did you mean 'best'?"),
    (HEAD + POST + "when: {posts_per_week: many}\n", "8:24", "a whole number is needed, not 'many'"),
    (HEAD + POST + "when: {posts_per_week: 0}\n", "8:24", "must be at least 1, not 0"),
    (HEAD + POST + "when: {posts_per_week: true}\n", "8:24", "a number is needed, not true or false"),
    (HEAD + POST + "when: {holdout: 60%}\n", "8:17", "must be at most 0.5"),
    (HEAD + POST + "when: {holdout: some}\n", "8:17", "a share is written as 10% or 0.1"),
    (HEAD + POST + "when: {spacing: 4 hours}\n", "8:17", "a duration is written as 30m, 4h, 30d or 2w"),
    (HEAD + POST + 'when: {pick: fixed, at: ["mno 09:00"]}\n', "8:26", "did you mean 'mon'?"),
    (HEAD + POST + 'when: {pick: fixed, at: ["9"]}\n', "8:26", 'a time of day is written as "09:00"'),
    (HEAD + POST + "snapshots: [1h, soon]\n", "8:17", "snapshots[1]: a duration is written as"),
    (HEAD + "posts:\n  - id: a\n    text: 1.0\n", "7:11", "text is needed, not 1.0: put it in quotes"),
    (HEAD + 'posts:\n  - id: a\n    text: "  "\n', "7:11", "posts[0].text: nothing is written here"),
    (HEAD + 'posts:\n  - id: a\n    at: "tomorrow"\n    text: a\n', "7:9", 'written as "2026-12-01 09:30"'),
    (HEAD + 'posts:\n  - id: a\n    at: "2026-12-01T09:30+01:00"\n    text: a\n', "7:9", "carries no offset"),
    (HEAD + "posts: hello\n", "5:8", "posts: a list is needed"),
    (HEAD + "posts: [hello]\n", "5:9", "posts[0]: `key: value` lines are needed here, not 'hello'"),
    (HEAD + POST + "replies: {rules: [{intent: a, answer: b, examples: [c], threshold: 2}]}\n", "8:68", "at most 1"),
    (HEAD + POST + "replies: {rules: [{intent: a, answer: b, examples: []}]}\n", "8:52", "at least one is needed"),
    (HEAD + POST + "posts_per_week: !!int 5\n", "8:17", "tags such as"),
    (HEAD + POST + "    title: ${TITLE:?the release's name}\n", "8:12", "TITLE is not set in the environment: the release's name"),
    (HEAD + POST + "    title: ${KAIROS_X_A_TOKEN:-b}\n", "8:12", "KAIROS_X_A_TOKEN may hold a secret of Kairos: no campaign"),
    (HEAD + POST + "    title: ${title}\n", "8:12", "write ${NAME:?why} or ${NAME:-default}"),
    (HEAD + POST + '"${KEY}": 1\n', "8:1", "${...} is filled in inside values only"),
    (HEAD + POST + "when: {pick: ${PICK}}\n", "8:15", "needs quotes"),
    # one part against another
    ("version: 1\nname: x\naccounts: []\ntimezone: UTC\n" + POST, "3:11", "accounts: at least one is needed"),
    (HEAD.replace("mastodon/", "mastadon/") + POST, "3:12", "unknown platform 'mastadon', did you mean 'mastodon/main'?"),
    (HEAD.replace("x/brand", "twitter/brand") + POST, "3:27", "did you mean 'x/brand'?"),
    (HEAD.replace("x/brand", "mastodon/main") + POST, "3:27", "'mastodon/main' is named twice"),
    (HEAD.replace("x/brand", "brand") + POST, "3:27", "write it as platform/name, not 'brand'"),
    (HEAD, "1:1", "nothing to say"),
    (HEAD + POST + "  - id: a\n    text: again\n", "8:9", "the id 'a' is taken by posts[0]"),
    (HEAD + "posts:\n  - id: a\n", "6:5", "posts[0]: no wording: write `text`"),
    (HEAD + POST + "    variants: [{text: b}]\n", "8:15", "both `text` and `variants`"),
    (HEAD + "posts:\n  - id: a\n    variants: [{text: b}, {text: ' B '}]\n", "7:34", "the same wording as another"),
    (HEAD + POST + "    on: {mastdon: {text: b}}\n", "8:10", "no account of this campaign is 'mastdon', did you mean 'mastodon'?"),
    (HEAD + POST + "    accounts: [x/brnad]\n", "8:16", "not in the campaign's `accounts`, did you mean 'x/brand'?"),
    (HEAD + POST + "    media: [{file: none.png, alt: A}]\n", "8:20", "there is no file 'none.png'"),
    (HEAD + POST + "    media: [{file: c.yaml}]\n", "8:13", "media[0].alt: missing: `alt` is needed"),
    (HEAD + POST + 'when: {window: {from: "21:00", to: "08:00"}}\n', "8:36", "closes at 08:00 before it opens at 21:00"),
    (HEAD + POST + 'when: {window: {from: "08:00", to: "08:00"}}\n', "8:36", "no post could go out"),
    (HEAD + POST + "when: {window: {days: []}}\n", "8:23", "at least one is needed"),
    (HEAD + POST + "when: {pick: fixed}\n", "8:14", "`pick: fixed` needs the times"),
    (HEAD + POST + 'when: {at: ["09:00"]}\n', "8:12", "used only with `pick: fixed`"),
    (HEAD + POST + "    recurring: {every: 1d, times: 3}\n", "8:24", "repeated after 7d at the earliest"),
    (HEAD + POST + "    recurring: {every: 7d}\n", "8:16", "needs an end: either `until` or `times`"),
    (HEAD + POST + "    recurring: {every: 7d, until: 2020-01-01}\n", "8:35", "2020-01-01 is past"),
    (HEAD + POST + "    recurring: {every: 7d, until: soon}\n", "8:35", "a date is written as 2027-03-01"),
    (HEAD + POST + "    at: 2027-02-01 09:30\n    recurring: {every: 7d, until: 2027-01-01}\n", "9:35", "before it begins on 2027-02-01"),
    (HEAD + POST + "    at: 2020-02-01 09:30\n", "8:9", "2020-02-01 is past"),
    (HEAD + 'posts:\n  - id: a\n    text: "see {link}"\n', "7:11", "{link} stands in the text, but the post has no `link`"),
    (HEAD + 'posts:\n  - id: a\n    text: "see {lnik}"\n', "7:11", "unknown placeholder {lnik}, did you mean 'link'?"),
    (HEAD + "sources:\n  - rss: https://a.example/f\n    text: '{titel}'\n", "7:11", "unknown placeholder {titel}, did you mean 'title'?"),
    (HEAD + "sources:\n  - rss: https://a.example/f\n", "6:5", "no wording"),
    (HEAD + "sources:\n  - text: '{title}'\n", "6:5", "a source reads one of rss, csv or folder"),
    (HEAD + "sources:\n  - csv: none.csv\n", "6:10", "there is no file 'none.csv'"),
    (HEAD + "sources:\n  - folder: none\n", "6:13", "there is no folder 'none'"),
    (HEAD + POST + "replies: {knowledge: [none.md]}\n", "8:23", "there is no file 'none.md'"),
    (HEAD + POST + "replies: {rules: [{intent: a, examples: [b], answer: 'c {link}'}]}\n", "8:54", "but the rule has no `link`"),
    (HEAD + POST + "replies: {rules: [{intent: a, examples: [b], answer: 'c {name}'}]}\n", "8:54", "unknown placeholder {name}"),
    (HEAD + POST + "replies:\n  rules:\n    - {intent: a, examples: [b], answer: c}\n    - {intent: a, examples: [b], answer: c}\n", "11:16", "the intent 'a' is taken by replies.rules[0]"),
    (HEAD + 'posts:\n  - id: a\n    text: "hi @stranger"\n', "7:11", "@stranger is not in `mentions_allowed` (rule P1)"),
    (HEAD + 'hashtags: [search]\nposts:\n  - id: a\n    text: "new #serach"\n', "8:11", "(rule P3), did you mean 'search'?"),
    (HEAD + 'posts:\n  - id: a\n    text: "#a #b #c #d #e #f"\n', "7:11", "6 hashtags, at most 5"),
    (HEAD + POST + "budget: {xx_usd_per_month: 5}\n", "8:10", "unknown budget"),
    (HEAD + POST + "budget: {x_usd_per_month: -5}\n", "8:27", "a budget is not negative"),
    (HEAD + POST + "include: [none.yaml]\n", "1:1", "there is no such file"),
    (HEAD + POST + "include: none.yaml\n", "8:10", "a list of files is needed"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "at", "words"), FAULTS)
def test_a_fault_is_named_with_its_line_and_column(tmp_path: Path, text: str, at: str, words: str) -> None:
    lines = problems(tmp_path, text)
    assert len(lines) == 1, lines
    file, line, column, rest = lines[0].split(":", 3)
    assert (f"{line}:{column}", words in rest) == (at, True), lines[0]
    assert file in {"c.yaml", "none.yaml"}


def test_five_faults_are_reported_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        "version: 1\nname: x\naccounts: [mastadon/main]\ntimezone: Berlin\nmode: atuo\n"
        'when: {evrey: 3}\nposts:\n  - {id: a, text: "hi @you"}\n'
    )
    lines = problems(tmp_path, text)
    assert [line.split(": ")[1] for line in lines] == [
        "accounts[0]", "timezone", "mode", "when.evrey", "posts[0].text",
    ]  # fmt: skip


def test_text_that_is_not_utf8_is_named_with_its_place(tmp_path: Path) -> None:
    assert problems(tmp_path, b"version: 1\nname: caf\xe9\n") == ["c.yaml:2:10: not UTF-8 text: save it as UTF-8"]


def test_a_missing_file_and_a_folder_are_one_line_each(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none.yaml", "there is no such file"), (tmp_path, "this is a folder")):
        with pytest.raises(CampaignErrors, match=words):
            load_campaign(path, {})


def test_the_calendar_is_checked_only_for_a_file_about_to_start(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(HEAD + POST + "    recurring: {every: 7d, until: 2020-01-01}\n")
    assert load_campaign(file, {}).posts[0].recurring is not None


def test_a_platform_that_is_not_installed_is_a_fault_once_the_installed_are_known(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(HEAD + POST)
    load_campaign(file, {}, platforms=["x", "mastodon"])
    with pytest.raises(CampaignErrors, match=r"unknown platform 'mastodon' \(known: sandbox, x\)"):
        load_campaign(file, {}, platforms=["x", "sandbox"])


def test_a_value_from_the_environment_is_never_repeated_in_a_message(tmp_path: Path) -> None:
    text = HEAD + POST + "mode: ${MODE}\nwhen: {holdout: '${SHARE}'}\n"
    lines = problems(tmp_path, text, {"MODE": "canary-1", "SHARE": "canary-2"})
    assert len(lines) == 2
    assert "canary" not in "".join(lines)
