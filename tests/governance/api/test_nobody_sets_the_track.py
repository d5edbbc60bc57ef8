"""No route, field or header lets anybody set a track, a tier or a state: read from the OpenAPI document, whatever it grows to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from governance.domain.vocabulary import Role
from governance.models import Submission
from tests.governance import making
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


@pytest.mark.django_db
def test_what_nobody_documents_is_refused_or_not_heard() -> None:
    """Fields and headers sent all the same: a body with them is refused, headers and parameters change nothing."""
    making.policy()
    client, head = making.browser(), making.bearer(making.token(making.person("dana", Role.SUBMITTER)))
    body: dict[str, Any] = {"system": "credit-default", "version": "1.0.0", "answers": {"decision.domain": "credit"}}
    loud = {f"HTTP_{name}": "green" for name in ("X_TRACK", "X_GUIDERAIL_TRACK", "TRACK", "X_RISK_TIER", "GUIDERAIL_TIER")}
    address = "/api/v1/submissions"
    for name in ("track", "tier", "risk_tier", "track_is_final", "state"):
        answer = client.post(address, {**body, name: "green"}, content_type="application/json", **head)
        assert answer.status_code == 422 and name in answer.content.decode(), name
    answers = {**body, "answers": {**body["answers"], "submission.recent_track": "green"}}
    assert client.post(address, answers, content_type="application/json", **head).status_code == 422
    made = client.post(f"{address}?track=green&tier=low", body, content_type="application/json", **head, **loud)
    assert made.status_code == 201, made.content
    assert Submission.objects.get().track == "red"


def test_what_is_looked_for_would_be_found() -> None:
    """The answers name the track, so the search sees it there."""
    shapes = DOCUMENT["components"]["schemas"]
    assert any("track" in set(fields(shape)) for shape in shapes.values())
