"""The JSON Schema of campaign files, for editors and for naming the known keys; no file is written here."""

import json
from functools import cache
from typing import Any

from bot.campaign.problems import Where
from bot.campaign.schema import Campaign

INCLUDE = {
    "type": "array",
    "items": {"type": "string"},
    "description": "Further files whose keys belong to this campaign.",
}


@cache
def campaign_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a campaign file."""
    models = Campaign.model_json_schema(by_alias=True)
    models["properties"] = {**models["properties"], "include": INCLUDE}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Kairos campaign",
        **{key: value for key, value in models.items() if key != "title"},
    }


def schema_text() -> str:
    """The schema as it is written to disk."""
    return json.dumps(campaign_schema(), indent=2, ensure_ascii=False) + "\n"


def known_keys(where: Where) -> list[str]:
    """The keys a mapping at this place may have; empty where any goes or nothing is known."""
    found = [_resolved(campaign_schema())]
    for step in where:
        found = [inner for part in found for inner in _step(part, step)]
    return sorted({key for part in found for key in part.get("properties", {})})


def _step(part: dict[str, Any], step: str | int) -> list[dict[str, Any]]:
    if isinstance(step, int):
        inner = part.get("items")
    else:
        inner = part.get("properties", {}).get(step, part.get("additionalProperties"))
    return _options(inner) if isinstance(inner, dict) else []


def _options(part: dict[str, Any]) -> list[dict[str, Any]]:
    part = _resolved(part)
    return [_resolved(option) for option in part["anyOf"]] if "anyOf" in part else [part]


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        part = campaign_schema()["$defs"][part["$ref"].rpartition("/")[2]]
    return part
