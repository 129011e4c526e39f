import re
from pathlib import Path

from bot.attention import SHIPPED

DOCS = Path(__file__).parent.parent.parent / "docs"


def test_the_example_in_the_docs_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "model.md").read_text(), flags=re.S)
    exec(compile(code, "docs/model.md", "exec"), {})


def test_the_docs_and_the_card_give_the_same_figures() -> None:
    def figures(text: str) -> list[str]:
        (part,) = re.findall(r"^### Facebook.*^- k=800[^\n]*", text, flags=re.S | re.M)  # to the last of them
        return [line for line in part.splitlines() if re.match(r"### |\| .*\d\.\d\d\d|- k=", line)]

    shown = figures((DOCS / "model.md").read_text())
    assert len([line for line in shown if line.startswith("| attention")]) == 2
    assert shown == figures((SHIPPED / "README.md").read_text())
