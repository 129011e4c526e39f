"""The report: one file that holds everything, shows strangers' words as words, and says what is simulated."""

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from bot.insights.report import SHOWN, Extra, MentionRow, PostRow, ReportData, collect_report, write_report
from storage import decisions, mentions, outbox
from storage.models import Inbound, Refusal, State

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LIKES = {"likes": 1.0}
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """What a browser would make of it: tags, balanced or not, and the words a reader sees."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.source = path.read_text(encoding="utf-8")
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(self.source)
        self.close()
        self.words = " ".join(self.words.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def data(**values: Any) -> ReportData:
    given = ReportData("Launch", True, NOON, "Europe/Berlin", "attention 1", "likes")
    return replace(given, **values)


def post(text: str, number: int = 1, **values: Any) -> PostRow:
    return replace(PostRow(number, "sandbox/main", text, "text", NOON - timedelta(hours=number), "published"), **values)


def page(tmp_path: Path, given: ReportData) -> Page:
    return Page(write_report(tmp_path / "report.html", given))


def test_a_report_is_one_file_that_loads_and_runs_nothing(tmp_path: Path) -> None:
    made = page(tmp_path, data(posts=[post("Hello")]))
    assert made.open == []
    assert {tag for tag, _ in made.tags}.isdisjoint({"script", "iframe", "link", "object", "form", "base"})
    assert not any(name.startswith("on") for _, attrs in made.tags for name in attrs)
    assert all((image["src"] or "").startswith("data:image/svg+xml;base64,") for image in made.all("img"))
    assert not re.search(r"url\(|@import", made.source)
    policy = [meta["content"] for meta in made.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_a_report_reads_without_its_pictures_and_in_both_schemes(tmp_path: Path) -> None:
    made = page(tmp_path, data())
    assert len(made.all("img")) == 4
    assert all(len(image["alt"] or "") > 20 for image in made.all("img"))
    assert made.all("html") == [{"lang": "en"}]
    assert "prefers-color-scheme:dark" in made.source
    assert all("scope" in cell for cell in made.all("th"))


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style><b>bold</b>",
    "{{ 7 * 7 }} {% raw %}",
    "]]> <!-- &lt;b&gt;",
    "x" * 5000,
    "family 👩‍👩‍👧 and 🇩🇪",
    "price$^2$ \\frac{1}{2}",
]


def every_place(text: str) -> ReportData:
    """A report with a text wherever one can stand."""
    return data(
        title=text,
        model=text,
        posts=[post(text, kind=text, reason=text, stands=text, state="held")],
        mentions=[MentionRow("held", 1, text, text, text)],
        tables=[Extra(text, [text, "n"], [[text, "1"]], text)],
        notes=[text],
    )


@pytest.fixture(scope="module")
def innocent(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return page(tmp_path_factory.mktemp("innocent"), every_place("plain words"))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_only_ever_words(tmp_path: Path, innocent: Page, text: str) -> None:
    attacked = page(tmp_path, every_place(text))
    assert attacked.open == []
    assert [tag for tag, _ in attacked.tags] == [tag for tag, _ in innocent.tags]
    assert attacked.words.count(text[:500]) >= 10


def test_signs_that_reorder_or_hide_are_spelled_out(tmp_path: Path) -> None:
    made = page(tmp_path, data(posts=[post("pay\u202egpj.exe \u200b\x07 \ud800")]))
    assert "pay⟨U+202E⟩gpj.exe ⟨U+200B⟩⟨U+0007⟩ ⟨U+D800⟩" in made.words
    assert "\u202e" not in made.source


def test_only_web_addresses_become_links(tmp_path: Path) -> None:
    bad = ["javascript:alert(1)", "data:text/html,x", "//evil.example", 'https://a.example/" onclick="x']
    rows = [post("a", place, url=url) for place, url in enumerate(bad, start=1)]
    made = page(tmp_path, data(posts=[*rows, post("b", 9, url="https://social.example/9")]))
    assert [link["href"] for link in made.all("a")] == ["https://social.example/9", 'https://a.example/" onclick="x'][
        ::-1
    ]
    assert all(set(link) == {"href", "rel"} for link in made.all("a"))


def test_every_section_with_simulated_numbers_says_so_and_a_true_report_never_does(tmp_path: Path) -> None:
    made = page(tmp_path, data(posts=[post("Hello")], tables=[Extra("More", ["a"], [["1"]])]))
    headings = re.findall(r"<h2>(.*?)</h2>", made.source)
    assert all("SIMULATED" in heading for heading in headings if "How to read" not in heading)
    assert len(headings) >= 7
    assert re.findall(r'class="label">(.*?)</p>', made.source) == [
        f'{name} <span class="sim">SIMULATED</span>' for name in ("published", "planned", "replies sent", "lift")
    ]
    assert "(simulated)</title>" in made.source
    true = page(tmp_path, data(simulated=False, posts=[post("Hello")]))
    assert "simulated" not in true.source.lower()
    pictures = [base64.b64decode((image["src"] or "").partition(",")[2]).decode() for image in true.all("img")]
    assert not any("SIMULATED" in picture for picture in pictures)


def test_a_column_of_numbers_stands_to_the_right_and_words_to_the_left(tmp_path: Path) -> None:
    extra = Extra("Ways", ["Way", "Posts", "Lift"], [["Best time", "28", "x1.2"], ["Kairos", "–", "+4 %"]])
    assert extra.numeric == [False, True, True]
    assert Extra("Empty", ["a"], []).numeric == [False]
    assert '<td class="n">x1.2</td>' in page(tmp_path, data(tables=[extra])).source


def test_a_long_report_stays_small_and_says_what_it_left_out(tmp_path: Path) -> None:
    rows = [
        post(f"Text {place} " + "words " * 45, place, mean=9.0, low=4.0, high=20.0, value=9.0, finished=True)
        for place in range(1, 700)
    ]
    made = page(tmp_path, data(posts=rows))
    assert len(made.source) < 500_000
    assert f"{699 - SHOWN} older posts are not shown" in made.words
    assert "Text 1 words" in made.words
    assert "Text 600 words" not in made.words


def test_a_report_that_cannot_be_finished_leaves_the_former_one(tmp_path: Path) -> None:
    path = write_report(tmp_path / "report.html", data())
    before = path.read_bytes()
    with pytest.raises(ValueError, match="is no IANA time zone"):
        write_report(path, data(zone="Mars/Crater"))
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_collected_posts_stand_with_forecast_and_outcome(stage: Any) -> None:
    stage.published("It went well", likes=30, at=NOON - timedelta(days=3))
    stage.published("It is young", likes=2, at=NOON - timedelta(hours=3), age=timedelta(hours=1))
    stage.planned(
        "It waits",
        stage.decided("It waits"),
        NOON + timedelta(days=1),
        state=State.HELD,
        reason="a person must approve",
    )
    found = collect_report(stage.session, None, NOON, LIKES, "UTC")
    by_text = {row.text: row for row in found.posts}
    assert len(by_text) == 3
    well = by_text["It went well"]
    assert (well.mean, well.low, well.high, well.value, well.finished, well.state) == (
        20.0,
        10.0,
        40.0,
        30.0,
        True,
        "published",
    )
    assert well.measured is not None
    assert well.measured.inside
    assert by_text["It is young"].value == 2.0
    assert by_text["It is young"].measured is None
    assert (by_text["It waits"].state, by_text["It waits"].stands) == ("held", "a person must approve")
    assert [(row.published, row.planned, row.waiting) for row in found.accounts] == [(2, 0, 1)]
    assert found.model == "attention 1"


def test_what_came_is_counted_in_the_points_the_forecast_was_made_in(stage: Any) -> None:
    option = {
        "variant": "1",
        "text": "x",
        "slot": "s",
        "score": 1,
        "mean": 60.0,
        "low": 20.0,
        "high": 200.0,
        "propensity": 0.9,
    }
    stage.published("x", likes=30, at=NOON - timedelta(days=3), candidates=[option], weights={"likes": 3.0})
    (row,) = collect_report(stage.session, None, NOON, LIKES, "UTC").posts
    assert row.value == 90.0


def test_replies_that_went_out_are_counted_apart_from_posts(stage: Any) -> None:
    stage.published("A post", likes=3)
    reply = stage.planned("An answer", kind="reply")
    outbox.published(stage.session, reply.id, ref="r", published_at=NOON + timedelta(days=40), now=NOON)
    (row,) = collect_report(stage.session, None, NOON, LIKES, "UTC").accounts
    assert (row.published, row.known, row.replies) == (1, 1, 1)


def test_every_collected_post_is_in_the_page_as_words(stage: Any, tmp_path: Path) -> None:
    for place, text in enumerate(HOSTILE[:5]):
        stage.published(text, likes=place, at=NOON - timedelta(days=place + 3))
    made = page(tmp_path, collect_report(stage.session, "sandbox/main", NOON, LIKES, "UTC"))
    assert all(text in made.words for text in HOSTILE[:5])
    assert made.all("script") == []


def test_the_lift_of_one_account_is_the_headline(stage: Any) -> None:
    for place in range(40):
        held = place % 3 == 0
        stage.published(
            f"Text {place}",
            likes=5 + place % 4 if held else 40 + place % 7,
            at=NOON - timedelta(days=60 - place),
            holdout=held,
            propensity=0.05 if held else 0.9,
        )
    found = collect_report(stage.session, None, NOON, LIKES, "UTC")
    assert found.lift is not None
    assert found.lift.verdict == "helps"
    assert found.accounts[0].lift == found.lift
    assert found.lift_steps[-1][1] == found.lift


def test_several_accounts_have_a_lift_each_and_none_for_all(stage: Any) -> None:
    stage.published("Here", likes=3, at=NOON - timedelta(days=3))
    stage.account = "sandbox/second"
    stage.published("There", likes=3, at=NOON - timedelta(days=3))
    found = collect_report(stage.session, None, NOON, LIKES, "UTC")
    assert found.lift is None
    assert [row.account for row in found.accounts] == ["sandbox/main", "sandbox/second"]
    assert collect_report(stage.session, "sandbox/second", NOON, LIKES, "UTC").posts[0].text == "There"


def test_mentions_are_counted_by_what_became_of_them_without_names_or_words(stage: Any, tmp_path: Path) -> None:
    stage.published("Here", likes=3)
    ends = [
        ("answered", None, "pricing", None),
        ("held", None, None, "no rule matches"),
        ("refused", "R3", None, "asked for silence"),
    ]
    rows = [
        Inbound(
            account="sandbox/main",
            ref=f"m{place}",
            author_hash="h",
            author="@mallory",
            text="secret words",
            address="m",
            created_at=NOON,
            seen_at=NOON,
            outcome=outcome,
            rule=rule,
            intent=intent,
            reason=reason,
        )
        for place, (outcome, rule, intent, reason) in enumerate([*ends, ends[1], ends[1]])
    ]
    mentions.add_mentions(stage.session, rows)
    found = collect_report(stage.session, None, NOON, LIKES, "UTC")
    assert [(row.outcome, row.count, row.rule) for row in found.mentions] == [
        ("answered", 1, None),
        ("held", 3, None),
        ("refused", 1, "R3"),
    ]
    made = page(tmp_path, found)
    assert "asked for silence" in made.words
    assert "mallory" not in made.source
    assert "secret words" not in made.source


def test_refused_drafts_are_counted_by_rule(stage: Any) -> None:
    stage.published("Here", likes=3)
    answer = Refusal(at=NOON, account="sandbox/main", rule="R3", source="s", words="w", stage="reply", mention_id=1)
    decisions.log_refusal(stage.session, answer)  # told with the mentions already
    for words in ("too near", "nearer still"):
        decisions.log_refusal(
            stage.session,
            Refusal(at=NOON, account="sandbox/main", rule="P2", source="the rules", words=words, stage="plan"),
        )
    (row,) = collect_report(stage.session, None, NOON, LIKES, "UTC").refusals
    assert (row.rule, row.count, row.words, row.source) == ("P2", 2, "nearer still", "the rules")


def test_hours_are_drawn_from_all_that_is_known_of_an_account(stage: Any) -> None:
    stage.past({f"Text {place}": place * 3 for place in range(12)})
    found = collect_report(stage.session, None, NOON, LIKES, "Asia/Tokyo")
    assert sum(hour.count for hour in found.hours) == 12
    assert {hour.hour for hour in found.hours} == {21}


def test_an_empty_installation_has_a_report_too(stage: Any, tmp_path: Path) -> None:
    made = page(tmp_path, collect_report(stage.session, None, NOON, LIKES, "UTC", simulated=False))
    assert "no account yet" in made.words
    assert "No post yet" in made.words


def test_a_report_speaks_in_the_points_of_the_newest_decision_unless_told_otherwise(stage: Any) -> None:
    assert collect_report(stage.session, None, NOON, None, "UTC").measure == "likes"
    stage.published("Old", likes=30, at=NOON - timedelta(days=4), weights={"likes": 1.0})
    stage.published("New", likes=30, at=NOON - timedelta(days=3), weights={"likes": 3.0})
    assert collect_report(stage.session, None, NOON, None, "UTC").measure == "3 x likes"
    assert collect_report(stage.session, None, NOON, LIKES, "UTC").measure == "likes"
