"""The examples, the documentation and the schema say the same as the code, and the examples run as they are."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.campaign.json_schema import campaign_schema, schema_text
from bot.campaign.loading import load_campaign
from bot.campaign.scaffold import SCHEMA_LINE, already_there, init
from bot.campaign.schema import Campaign
from bot.campaign.sources import look

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
DOCS = (ROOT / "docs" / "campaigns.md").read_text(encoding="utf-8")


def breaches(value: Any, part: dict[str, Any], where: str = "") -> Iterator[str]:
    """Where a value breaks a JSON Schema, as far as our schema uses the language."""
    while "$ref" in part:
        part = campaign_schema()["$defs"][part["$ref"].rpartition("/")[2]]
    if "anyOf" in part:
        if all(any(breaches(value, option)) for option in part["anyOf"]):
            yield f"{where}: fits no option"
        return
    kinds: dict[str, Any] = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "null": type(None),
    }
    if "type" in part and not isinstance(value, kinds[part["type"]]):
        yield f"{where}: {value!r} is no {part['type']}"
        return
    if value not in part.get("enum", [value]) or value != part.get("const", value):
        yield f"{where}: {value!r} is not allowed"
    if isinstance(value, str) and not re.search(part.get("pattern", ""), value):
        yield f"{where}: {value!r} does not match {part['pattern']}"
    if isinstance(value, int | float) and not part.get("minimum", value) <= value <= part.get("maximum", value):
        yield f"{where}: {value!r} is out of bounds"
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from breaches(item, part.get("items", {}), f"{where}[{place}]")
    if isinstance(value, dict):
        yield from (f"{where}: {key} is missing" for key in part.get("required", []) if key not in value)
        for key, inner in value.items():
            rule = part.get("properties", {}).get(key, part.get("additionalProperties"))
            if rule is False or rule is None:
                yield f"{where}: {key} is unknown"
            else:
                yield from breaches(inner, rule, f"{where}.{key}")


def typed(file: Path) -> Any:
    """A YAML file as an editor reads it, dates as text."""
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")), default=str))


def keys(part: Any) -> Iterator[str]:
    """Every key a schema names."""
    for name, inner in part.items() if isinstance(part, dict) else ():
        if name == "properties":
            yield from inner
        yield from keys(inner)
    for inner in part if isinstance(part, list) else ():
        yield from keys(inner)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_loads_and_runs_on_the_sandbox_alone(file: Path) -> None:
    campaign = load_campaign(file, {}, platforms=["sandbox"])
    assert campaign.name == file.stem
    assert campaign.accounts == ["sandbox/main"]
    for item in campaign.posts:
        wordings = campaign.wording(item, "sandbox/main")
        assert wordings
        assert all("{" not in variant.text and len(variant.text) <= 280 for variant in wordings)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_fits_the_schema_that_editors_use(file: Path) -> None:
    assert list(breaches(typed(file), campaign_schema())) == []
    assert file.read_text(encoding="utf-8").startswith(SCHEMA_LINE + "\n")


def test_the_schema_marks_what_the_loader_refuses() -> None:
    good = typed(EXAMPLES[0])
    for change in ({"whne": 1}, {"mode": "atuo"}, {"version": 2}, {"accounts": ["x"]}, {"snapshots": ["1y"]}):
        assert any(breaches({**good, **change}, campaign_schema())), change
    assert any(breaches({key: value for key, value in good.items() if key != "timezone"}, campaign_schema()))


def test_every_key_of_the_schema_tells_what_it_is_for() -> None:
    parts = [campaign_schema(), *campaign_schema()["$defs"].values()]
    named = [inner for part in parts for inner in part.get("properties", {}).items()]
    assert len(named) > 60
    assert [key for key, inner in named if len(inner.get("description", "")) < 10] == []


def test_the_main_example_has_enough_to_choose_from() -> None:
    campaign = load_campaign(ROOT / "examples" / "launch-week.yaml", {})
    assert len(campaign.posts) >= 12
    assert all(2 <= len(campaign.wording(item, "sandbox/main")) <= 3 for item in campaign.posts)
    kinds = {variant.kind for item in campaign.posts for variant in campaign.wording(item, "sandbox/main")}
    assert kinds >= {"text", "link", "question", "tip", "photo"}
    assert {rule.intent for rule in campaign.replies.rules} == {"pricing", "install", "docs", "roadmap"}
    assert all(5 <= len(rule.examples) <= 8 for rule in campaign.replies.rules)
    assert all("{" not in rule.filled for rule in campaign.replies.rules)


@pytest.mark.parametrize(("name", "count"), [("newsletter-feed", 7), ("evergreen-tips", 5)])
def test_the_sources_of_the_examples_give_every_item_once(name: str, count: int) -> None:
    campaign = load_campaign(ROOT / "examples" / f"{name}.yaml", {})
    ids: list[str] = []
    for source in campaign.sources:
        seen: set[str] = set()
        while found := look(source, campaign.folder, seen):
            seen |= {item.guid for item in found}
            ids += [item.item.id for item in found]
            assert all(campaign.wording(item.item, "sandbox/main") for item in found)
    assert len(ids) == len(set(ids)) == count


def test_every_key_of_a_campaign_is_documented() -> None:
    named = set(keys(campaign_schema()))
    assert len(named) > 40
    assert sorted(key for key in named if f"`{key}`" not in DOCS) == []


def test_the_campaigns_in_the_documentation_load(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(version:.*?)```", DOCS, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        (tmp_path / "c.yaml").write_text(block)
        load_campaign(tmp_path / "c.yaml", {})


def test_init_writes_a_campaign_that_loads_and_the_schema_it_names(tmp_path: Path) -> None:
    written = init(tmp_path / "new")
    assert sorted(str(path.relative_to(tmp_path / "new")) for path in written) == [
        ".kairos/campaign.schema.json",
        "campaign.yaml",
        "faq.md",
    ]
    campaign = load_campaign(tmp_path / "new" / "campaign.yaml", {}, platforms=["sandbox"])
    assert isinstance(campaign, Campaign)
    assert (tmp_path / "new" / "campaign.yaml").read_text().startswith(SCHEMA_LINE + "\n")
    schema = tmp_path / "new" / ".kairos" / "campaign.schema.json"
    assert schema.read_text(encoding="utf-8") == schema_text()
    assert json.loads(schema.read_text(encoding="utf-8")) == campaign_schema()
    assert list(breaches(typed(tmp_path / "new" / "campaign.yaml"), campaign_schema())) == []


def test_init_never_overwrites_what_an_owner_wrote(tmp_path: Path) -> None:
    (tmp_path / "campaign.yaml").write_text("mine")
    assert already_there(tmp_path) == [tmp_path / "campaign.yaml"]
    assert tmp_path / "campaign.yaml" not in init(tmp_path)
    assert (tmp_path / "campaign.yaml").read_text() == "mine"
    assert init(tmp_path) == []


def test_init_brings_an_old_schema_up_to_date(tmp_path: Path) -> None:
    init(tmp_path)
    schema = tmp_path / ".kairos" / "campaign.schema.json"
    schema.write_text("{}")
    assert init(tmp_path) == [schema]
    assert json.loads(schema.read_text(encoding="utf-8")) == campaign_schema()
