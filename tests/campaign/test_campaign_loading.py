"""A good campaign file says what it says: values, environment, includes, wordings, fingerprint, limits."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.campaign.loading import load_campaign
from bot.campaign.problems import CampaignErrors, Problem
from bot.campaign.schema import Campaign, Variant, Wording
from bot.campaign.values import parse_duration, write_duration

FULL = """\
version: 1
name: launch-week
objective: {reply: 5, share: 2, like: 1}
accounts: [mastodon/main, bluesky/main, x/brand]
timezone: Europe/Berlin
mode: auto
budget: {x_usd_per_month: 5}
when:
  window: {days: [Mon, tue], from: 08:00, to: 21:30}
  posts_per_week: 7
  pick: fixed
  at: [mon 9:00, "17:30"]
  holdout: 25%
  spacing: 90m
posts:
  - id: hello
    title: One
    link: https://a.example/1
    variants:
      - text: "{title} is out: {link}"
      - {id: q, text: Is it no?, kind: question, link: https://a.example/2}
    on:
      x: {text: "short {link}"}
      x/brand: {title: Brand}
      bluesky/main: {variants: [{id: s, text: sky}, {text: blue}]}
  - id: docs
    on: {x: {text: only there}}
    recurring: {every: 30d, until: 2027-03-01}
    at: 2026-12-01 09:30
mentions_allowed: ["@Friend"]
hashtags: ["#One"]
"""


@pytest.fixture
def full(tmp_path: Path) -> Campaign:
    (tmp_path / "c.yaml").write_text(FULL)
    return load_campaign(tmp_path / "c.yaml", {})


def test_values_are_read_as_their_owner_meant_them(full: Campaign) -> None:
    assert full.objective.weights == {"likes": 1.0, "replies": 5.0, "shares": 2.0}
    assert (full.when.window.from_, full.when.window.to) == (time(8), time(21, 30))
    assert full.when.window.days == ["mon", "tue"]
    assert full.when.fixed_times == [("mon", time(9)), (None, time(17, 30))]
    assert full.when.holdout == 0.25
    assert full.when.spacing == timedelta(minutes=90)
    assert full.posts[1].at == datetime(2026, 12, 1, 9, 30)  # noqa: DTZ001  a local time has no zone
    assert full.posts[1].recurring is not None
    assert full.posts[1].recurring.until == date(2027, 3, 1)
    assert (full.mentions_allowed, full.hashtags) == (["friend"], ["one"])
    assert [age.total_seconds() / 3600 for age in full.snapshots] == [1, 6, 24, 48, 168]


def test_a_file_that_says_little_gets_the_careful_defaults(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("version: 1\nname: x\naccounts: [x/a]\ntimezone: UTC\nposts: [{id: a, text: b}]\n")
    campaign = load_campaign(file, {})
    assert campaign.mode == "approve"
    assert (campaign.when.pick, campaign.when.holdout) == ("best", 0.1)
    assert (campaign.when.spacing, campaign.when.late_limit) == (timedelta(hours=2), timedelta(hours=6))
    assert campaign.replies.rules == []
    assert campaign.objective.weights["replies"] > campaign.objective.weights["likes"]


def test_the_nearest_wording_wins_and_the_rest_is_inherited(full: Campaign) -> None:
    hello, docs = full.posts
    assert full.wording(hello, "mastodon/main") == [
        Variant(
            id="1",
            text="One is out: https://a.example/1",
            kind="link",
            title="One",
            link="https://a.example/1",
        ),
        Variant(id="q", text="Is it no?", kind="question", title="One", link="https://a.example/2"),
    ]
    assert full.wording(hello, "x/brand") == [
        Variant(id="x-1", text="short https://a.example/1", kind="link", title="Brand", link="https://a.example/1")
    ]
    assert [variant.id for variant in full.wording(hello, "bluesky/main")] == [
        "bluesky-main-s",
        "bluesky-main-2",
    ]
    assert [variant.text for variant in full.wording(docs, "x/brand")] == ["only there"]
    assert full.wording(docs, "mastodon/main") == []
    both = full.posts[1].model_copy(update={"on": {"x/brand": Wording(text="own"), "x": Wording(text="any")}})
    assert [variant.text for variant in full.wording(both, "x/brand")] == ["own"]
    assert [variant.text for variant in full.wording(both, "x/other")] == ["any"]


def test_the_fingerprint_follows_the_content_and_nothing_else(full: Campaign, tmp_path: Path) -> None:
    def of(text: str, name: str = "other.yaml") -> str:
        (tmp_path / name).write_text(text)
        return load_campaign(tmp_path / name, {}).fingerprint

    lines = FULL.splitlines(keepends=True)
    reordered = "".join([*lines[1:7], "# a comment\n", lines[0], *lines[7:]])
    assert of(reordered) == full.fingerprint
    first, second = '      x: {text: "short {link}"}\n', "      x/brand: {title: Brand}\n"
    assert of(FULL.replace(first + second, second + first)) == full.fingerprint
    assert of(FULL.replace("25%", "0.25").replace("90m", '"90m"')) == full.fingerprint
    assert of(FULL.replace("25%", "20%")) != full.fingerprint
    assert of(FULL.replace("Is it no?", "Is it so?")) != full.fingerprint
    assert full.in_folder(Path("/elsewhere")).fingerprint == full.fingerprint


def test_a_campaign_survives_being_written_and_read_again(full: Campaign) -> None:
    again = Campaign.model_validate_json(full.model_dump_json(by_alias=True))
    assert again == full.in_folder(again.folder)
    assert again.fingerprint == full.fingerprint


def test_a_campaign_does_not_change_after_reading(full: Campaign) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        full.mode = "draft"


def test_the_environment_fills_values_and_defaults_fill_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(
        "version: 1\nname: x\naccounts: ['x/${BRAND:?which account}']\ntimezone: ${ZONE:-Asia/Tokyo}\n"
        "when: {posts_per_week: '${COUNT:-3}'}\nposts: [{id: a, text: 'say $${HOME}, version ${V}'}]\n"
    )
    campaign = load_campaign(file, {"BRAND": "shop", "V": "2: # 'x'"})
    assert campaign.accounts == ["x/shop"]
    assert campaign.timezone == "Asia/Tokyo"
    assert campaign.when.posts_per_week == 3
    assert campaign.posts[0].text == "say ${HOME}, version 2: # 'x'"


def test_included_files_add_posts_and_keys(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text(
        "posts:\n  - {id: b, text: two}\nreplies: {rules: [{intent: a, examples: [b], answer: c}]}\n"
    )
    (tmp_path / "c.yaml").write_text(
        "include: [more.yaml]\nversion: 1\nname: x\naccounts: [x/a]\ntimezone: UTC\nposts: [{id: a, text: one}]\n"
    )
    campaign = load_campaign(tmp_path / "c.yaml", {})
    assert [item.id for item in campaign.posts] == ["a", "b"]
    assert campaign.replies.rules[0].intent == "a"


def test_faults_of_included_files_are_named_there_and_conflicts_refused(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("mode: auto\nposts:\n  - {id: a, text: 5}\n")
    (tmp_path / "c.yaml").write_text(
        "include: [more.yaml]\nversion: 1\nname: x\naccounts: [x/a]\ntimezone: UTC\nmode: draft\n"
        "posts: [{id: a, text: one}]\n"
    )
    with pytest.raises(CampaignErrors) as caught:
        load_campaign(tmp_path / "c.yaml", {})
    assert [str(problem) for problem in caught.value.problems] == [
        "more.yaml:1:1: mode: also given in c.yaml, line 6: keep one",
        "more.yaml:3:10: posts[1].id: the id 'a' is taken by posts[0]",
        "more.yaml:3:19: posts[1].text: text is needed, not 5: put it in quotes",
    ]


def test_an_anchor_shares_a_block_and_faults_in_it_are_named_where_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    head = "version: 1\nname: x\naccounts: [x/a]\ntimezone: UTC\nposts:\n"
    file.write_text(head + "  - {id: a, text: a, media: &m []}\n  - {id: b, text: b, media: *m}\n")
    assert len(load_campaign(file, {}).posts) == 2
    file.write_text(
        head + "  - {id: a, text: a, recurring: &r {every: 1d, times: 2}}\n  - {id: b, text: b, recurring: *r}\n"
    )
    with pytest.raises(CampaignErrors) as caught:
        load_campaign(file, {})
    assert [(p.place.line, p.path) for p in caught.value.problems] == [
        (6, "posts[0].recurring.every"),
        (6, "posts[1].recurring.every"),
    ]


def test_aliases_cannot_grow_without_end(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    (tmp_path / "c.yaml").write_text("\n".join(lines))
    with pytest.raises(CampaignErrors, match="more than"):
        load_campaign(tmp_path / "c.yaml", {})


@pytest.mark.parametrize("words", ["30m", "4h", "2d", "2w", "90m"])
def test_durations_are_written_as_they_are_read(words: str) -> None:
    assert write_duration(parse_duration(words)) == words


PIECES = st.lists(
    st.sampled_from(
        ["version: 1\n", "posts:\n", "  - id: a\n", "    text: ", "\t", "'", '"', "{", "}", "[", "]", "*a", "&a ", "? ",
         "!!x ", "|\n", ">-\n", ": ", "- ", "#", "%YAML 1.1\n", "---\n", "...\n", "<<: *a\n", "${X}", "${X:?y}", "\n",
         "accounts: [x/a]\n", "when: {window: {from: 1, days: [x]}}\n", "sources: [{rss: a}]\n",
         "replies: {rules: [1]}\n", "objective: {like: .inf}\n", "on: {x: {text: a}}\n", "include: [c.yaml]\n",
         "timezone: ../../etc\n", "0x", "\ud7ff"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(PIECES, st.text(max_size=60), st.binary(max_size=60)))
def test_no_text_whatever_raises_anything_but_named_faults(tmp_path: Path, text: str | bytes) -> None:
    file = tmp_path / "c.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    problems: list[Problem] = []
    try:
        load_campaign(file, {"X": "\x00"}, today=date(2026, 11, 24))
    except CampaignErrors as errors:
        problems = errors.problems
    assert all(str(problem).isprintable() for problem in problems)
