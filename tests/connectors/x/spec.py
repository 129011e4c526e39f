"""X's own OpenAPI document as a judge: which requests and answers of the stand-in are as X says they must be."""

import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

FILE = Path(__file__).parents[4] / "shared" / "data" / "specs" / "x_openapi.json.gz"

HOME = "urn:x"


class Spec:
    """Judges by path template; gives back what is wrong, in words, or nothing."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._paths = document["paths"]
        self._parameters = document["components"]["parameters"]
        schemas = Resource.from_contents(
            _plain({"components": {"schemas": document["components"]["schemas"]}}), DRAFT202012
        )
        self._registry = Registry().with_resource(HOME, schemas).crawl()

    def request(self, method: str, path: str, query: dict[str, str], body: Any) -> list[str]:
        operation, values = self._operation(method, path)
        if operation is None:
            return [f"{method} {path} is not in the document"]
        known = {one["name"]: one for one in map(self._whole, operation.get("parameters", []))}
        wrong = [f"{method} {path}: no parameter {name}" for name in query if name not in known]
        for name, one in known.items():
            told = values.get(name) if one["in"] == "path" else query.get(name)
            if told is not None:
                wrong += self._faults(one["schema"], _typed(told, one["schema"]), f"{path} {name}")
            elif one.get("required"):
                wrong.append(f"{method} {path}: {name} is missing")
        if body is not None:
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            wrong += (
                self._faults(content["schema"], body, f"{path} body") if content else [f"{method} {path} has no body"]
            )
        elif operation.get("requestBody", {}).get("required"):
            wrong.append(f"{method} {path}: the body is missing")
        return wrong

    def answer(self, method: str, path: str, status: int, body: Any) -> list[str]:
        operation, _ = self._operation(method, path)
        if operation is None:
            return [f"{method} {path} is not in the document"]
        told = operation["responses"].get(str(status))
        if told is None:
            if status < 400:
                return [f"{method} {path}: no answer {status}"]
            return self._faults({"$ref": "#/components/schemas/Problem"}, body, f"{path} {status}")
        return self._faults(told["content"]["application/json"]["schema"], body, f"{path} {status}")

    def _operation(self, method: str, path: str) -> tuple[dict[str, Any] | None, dict[str, str]]:
        best: tuple[dict[str, Any] | None, dict[str, str]] = (None, {})
        for template, operations in self._paths.items():
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
            found = re.fullmatch(pattern, path)
            if found and method.lower() in operations and (best[0] is None or not found.groupdict()):
                best = operations[method.lower()], found.groupdict()
        return best

    def _whole(self, parameter: dict[str, Any]) -> dict[str, Any]:
        named = parameter.get("$ref", "").rpartition("/")[2]
        whole: dict[str, Any] = self._parameters[named] if named else parameter
        return whole

    def _faults(self, schema: dict[str, Any], value: Any, where: str) -> list[str]:
        checks = Draft202012Validator(_plain(schema), registry=self._registry)
        return [f"{where}: {fault.json_path}: {fault.message[:200]}" for fault in checks.iter_errors(value)]


@cache
def spec() -> Spec | None:
    """The document, or None where it is not on this machine."""
    return Spec(json.loads(gzip.decompress(FILE.read_bytes()))) if FILE.exists() else None


def _typed(told: str, schema: dict[str, Any]) -> Any:
    if schema.get("type") == "array":
        return told.split(",")
    return int(told) if schema.get("type") == "integer" and told.isdecimal() else told


def _plain(schema: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: null is a type there, and the discriminator a hint."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": HOME + schema["$ref"]}
    plain = {name: _plain(one) for name, one in schema.items() if name not in ("discriminator", "example", "nullable")}
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        plain["type"] = [schema["type"], "null"]
    return plain
