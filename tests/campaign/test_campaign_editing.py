"""Writing a value back changes one line of the file and no other."""
# ruff: noqa: E501  a change a line reads as a table

import difflib
from pathlib import Path

import pytest

from bot.campaign.editing import NotEditable, set_value
from bot.campaign.problems import Where

FILE = """\
# top
version: 1   # format
name: 'x'
when: {pick: best, holdout: 10%}   # flow
posts:
  - id: a   # first
    text: "hé: llo"
  - id: b
    text: |
      long
      text
  - id: c
mode:
"""


@pytest.mark.parametrize(
    ("where", "value", "change"),
    [
        (("mode",), "auto", ["- mode:", '+ mode: "auto"']),
        (("version",), 2, ["- version: 1   # format", "+ version: 2   # format"]),
        (("when", "pick"), "fixed", ["- when: {pick: best, holdout: 10%}   # flow", '+ when: {pick: "fixed", holdout: 10%}   # flow']),
        (("when", "spacing"), "4h", ["- when: {pick: best, holdout: 10%}   # flow", '+ when: {spacing: "4h", pick: best, holdout: 10%}   # flow']),
        (("posts", 0, "at"), "2026-12-01 09:30", ['+     at: "2026-12-01 09:30"']),
        (("posts", 0, "text"), '"a" # b: ü\nc', ['-     text: "hé: llo"', '+     text: "\\"a\\" # b: ü\\nc"']),
        (("posts", 2, "text"), "new", ['+     text: "new"']),
        (("timezone",), "UTC", ['+ timezone: "UTC"']),
    ],
)  # fmt: skip
def test_one_line_changes_and_the_rest_stays(tmp_path: Path, where: Where, value: str, change: list[str]) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(FILE)
    set_value(file, where, value)
    lines = difflib.ndiff(FILE.splitlines(), file.read_text().splitlines())
    assert [line for line in lines if line[0] in "+-"] == change
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("where", [("posts", 1, "text"), ("posts", 7, "text"), ("posts",), ("nowhere", "x"), ()])
def test_what_would_change_more_is_refused_and_the_file_stays(tmp_path: Path, where: Where) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(FILE)
    with pytest.raises(NotEditable):
        set_value(file, where, "x")
    assert file.read_text() == FILE


@pytest.mark.parametrize(
    ("text", "where", "value"),
    [
        ("a: {x: &t one}\nb: {x: *t}\n", ("a", "x"), "two"),
        ("a: {x: &t one}\nb: {x: *t}\n", ("b", "x"), "two"),
        ("a: one\n", ("a",), "${HOME}"),
    ],
)
def test_a_change_that_would_say_something_else_is_refused(tmp_path: Path, text: str, where: Where, value: str) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(text)
    with pytest.raises(NotEditable, match="by hand"):
        set_value(file, where, value)
    assert file.read_text() == text
