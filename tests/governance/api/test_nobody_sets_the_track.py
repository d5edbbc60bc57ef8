"""No route, field or header lets anybody set a track, a tier or a state: read from the OpenAPI document, whatever it grows to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from tests.stack import ROOT

DOCUMENT = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
NAMES = re.compile(r"(^|[_.\-])(track|tier|risk_level|risk_tier|track_is_final)($|[_.\-])", re.IGNORECASE)


def fields(schema: Any, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Every property name a request may hold, references followed."""
    if isinstance(schema, list):
        for part in schema:
            yield from fields(part, seen)
    elif isinstance(schema, dict):
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference not in seen:
            yield from fields(DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]], seen | {reference})
        for name, part in schema.get("properties", {}).items():
            yield name
            yield from fields(part, seen)
        for key in ("items", "allOf", "anyOf", "oneOf", "additionalProperties"):
            yield from fields(schema.get(key), seen)


def writes() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, verbs in DOCUMENT["paths"].items():
        for verb, operation in verbs.items():
            if verb in ("post", "put", "patch", "delete"):
                yield f"{verb} {path}", operation


def test_no_field_no_parameter_and_no_route_sets_a_track() -> None:
    operations = dict(writes())
    assert len(operations) >= 10
    for name, operation in operations.items():
        assert not NAMES.search(name.rpartition("/")[2]), name
        given = [parameter["name"] for parameter in operation.get("parameters", [])]
        for content in operation.get("requestBody", {}).get("content", {}).values():
            given += list(fields(content.get("schema", {})))
        assert not [field for field in given if NAMES.search(field)], name


def test_what_is_looked_for_would_be_found() -> None:
    """The answers name the track, so the search sees it there."""
    shapes = DOCUMENT["components"]["schemas"]
    assert any("track" in set(fields(shape)) for shape in shapes.values())
