"""The documents cannot lie: what they name is there, what is there they name, and the blocks of the guide run."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from bot.cli import app
from bot.cli.say import Exit

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
CLI = (DOCS / "cli.md").read_text(encoding="utf-8")
GUIDE = (DOCS / "getting-started.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!\\)\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", re.MULTILINE)
OF_A_MACHINE = re.compile(
    r"(?<![\w.~/-])/(?:work|root|home|Users|mnt|srv)/[\w.-]+"
    r"|\b(?:pypi|pythonhosted|npmjs|crates|pytorch)\.(?:org|com|io)\b"
)
READS_VARIABLE = re.compile(r"environ(?:ment)?(?:\.get\(|\[)\"([A-Z_]+)\"")
OPTION = re.compile(r"^\| (`--.*?) \|", re.MULTILINE)

Step = tuple[str, list[str]]


def commands(group: object = None, within: str = "") -> dict[str, list[str]]:
    """Long options of every command; one of a group is called by both names."""
    group = group or typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    found: dict[str, list[str]] = {}
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            found |= commands(command, f"{name} ")
        else:
            flags = (flag for param in command.params for flag in (*param.opts, *param.secondary_opts))
            found[within + name] = [flag for flag in flags if flag[:2] == "--"]
    return found


def section(command: str) -> str:
    """What docs/cli.md says of one command."""
    found = re.search(rf"^### `kairos {command}\b.*?(?=^##)", CLI, re.MULTILINE | re.DOTALL)
    return found[0] if found else ""


def anchors(page: Path) -> set[str]:
    """Names under which a page's headings can be linked to."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> Iterator[str]:
    text = page.read_text(encoding="utf-8")
    yield from (next(filter(None, found)) for found in LINK.findall(text))


def steps() -> Iterator[Step]:
    """Commands of the guide's console blocks, in order, each with the lines it is said to print."""
    for language, block in FENCE.findall(GUIDE):
        if language != "console":
            continue
        for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            first, *shown = command.rstrip("\n").split("\n")
            yield first, shown


def pattern(line: str) -> re.Pattern[str]:
    """A shown line, where ... stands for anything; runs of blanks are alike."""
    return re.compile(".*".join(r"\s+".join(map(re.escape, re.split(r"\s+", part))) for part in line.split("...")))


def missing(shown: list[str], said: list[str]) -> list[str]:
    """Shown lines that were not said, each looked for after the one before."""
    at, lost = 0, []
    for line in shown:
        wanted = pattern(line.rstrip())
        place = next((place for place in range(at, len(said)) if wanted.fullmatch(said[place].rstrip())), None)
        if place is None:
            lost.append(line)
        else:
            at = place if line.strip() == "..." else place + 1
    return lost


# --- commands ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", sorted(commands()))
def test_a_command_is_documented_with_exactly_its_options_and_an_example(command: str) -> None:
    described = section(command)
    listed = [flag for cell in OPTION.findall(described) for flag in re.findall(r"`(--[a-z-]+)`", cell)]
    assert listed == sorted(listed, key=commands()[command].index)
    assert sorted(listed) == sorted(commands()[command])
    assert f"$ kairos {command}" in described


def test_no_command_is_documented_that_does_not_exist() -> None:
    assert set(re.findall(r"^### `kairos ([a-z]+(?: [a-z]+)?)", CLI, re.MULTILINE)) == set(commands())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_line_in_a_page_can_be_typed(page: Path) -> None:
    known = commands()
    for line in re.findall(r"^(?:\$ )?kairos (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
        name, *words = shlex.split(line.split("||")[0], comments=True)
        if words and f"{name} {words[0]}" in known:
            name = f"{name} {words.pop(0)}"
        assert name in known, line
        assert [word for word in words if word.startswith("--") and word not in known[name]] == [], line


def test_every_exit_code_is_documented_and_no_other() -> None:
    table = CLI.split("## Exit codes")[1].split("\n## ")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == [int(code) for code in Exit]
    assert [int(code) for code in re.findall(r"(\d+) [a-z]", str(app.info.epilog))] == [int(code) for code in Exit]


def test_every_variable_of_the_environment_is_documented() -> None:
    code = (ROOT / "bot" / "settings.py").read_text(encoding="utf-8")
    read = set(READS_VARIABLE.findall(code))
    assert read
    table = CLI.split("## Environment")[1].split("\n## ")[0]
    assert read <= set(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE))


def test_every_connector_is_documented() -> None:
    table = CLI.split("## Connectors")[1].split("\n## ")[0]
    ours = {point.name for point in entry_points(group="kairos.connectors") if point.value.startswith("connectors.")}
    assert ours
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == ours


# --- pages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    dead = []
    for link in links(page):
        target, _, anchor = link.partition("#")
        if "://" in link:
            continue
        file = page if not target else (page.parent / target).resolve()
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(link)
    assert dead == []


def test_every_page_is_linked_from_another() -> None:
    linked = {
        (page.parent / file).resolve()
        for page in PAGES
        for file in {link.partition("#")[0] for link in links(page)}
        if file and (page.parent / file).resolve() != page
    }
    assert {page for page in PAGES if page.name != "README.md"} - linked == set()


def test_the_readme_is_short_and_reaches_its_first_command_early() -> None:
    assert len(README) <= 160
    assert README.index("make demo") < 25
    rules = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"`make (\w+)", "\n".join(README))) <= set(rules)


def test_figures_in_the_readme_name_the_command_that_makes_them() -> None:
    text = "\n".join(README)
    blocks = re.findall(r"<!-- figures:(\w+)  made by: (.+?) -->\n(.*?)<!-- /figures:(\w+) -->", text, re.DOTALL)
    assert [begun for begun, *_ in blocks] == [ended for *_, ended in blocks] == ["demo", "backtest", "kill"]
    assert text.count("<!-- figures:") == len(blocks)


def test_the_newest_version_in_the_changelog_is_the_projects_own() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = re.findall(
        r"^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert versions[0] == project["version"]


def test_the_architecture_names_every_room_and_every_table() -> None:
    from sqlmodel import SQLModel

    import storage.models

    assert storage.models
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    rooms = {
        f"{path.parent.relative_to(ROOT).as_posix()}/"
        for room in ("bot", "connectors", "scheduler", "storage")
        for path in (ROOT / room).rglob("__init__.py")
    }
    assert {room for room in rooms if f"`{room}`" not in text} == set()
    assert {table for table in SQLModel.metadata.tables if f"| `{table}` |" not in text} == set()
    states = {state.value for state in storage.models.State}
    assert {state for state in states if f"`{state}`" not in text} == set()


def test_no_tracked_text_names_a_machine_or_a_registry() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout, so nothing is tracked")
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        file = ROOT / name
        if not file.is_file():
            continue
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{name}: {word}" for word in OF_A_MACHINE.findall(text)]
    assert found == []


@pytest.mark.parametrize("begun", ["see /work/{}", "cd /home/{}/kairos", "https://pypi.{}/simple", "npmjs.{}"])
def test_a_machine_or_a_registry_would_be_seen(begun: str) -> None:
    assert OF_A_MACHINE.search(begun.format("org"))


# --- the guide ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_guide_does_what_it_shows(tmp_path: Path) -> None:
    (table,) = [block for language, block in FENCE.findall(GUIDE) if language == "csv"]
    (tmp_path / "posts.csv").write_text(table, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KAIROS_")}
    environment |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    for command, shown in steps():
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        said = [*done.stdout.splitlines(), *done.stderr.splitlines()]
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert missing(shown, said) == [], "\n".join([command, *said])


def test_the_guide_would_notice_a_line_that_is_not_said() -> None:
    assert missing(["1: approved", "..."], ["2: approved", "more"]) == ["1: approved"]
    assert missing(["a...", "...b", "c"], ["a word", "...", "and b", "c"]) == []
