"""Every operation of the OpenAPI document with made-up requests that fit it, and some that do not: never a fault of ours.

Five requests an operation; 100 with `-m nightly`. What is made up comes from the document as the code says it now.
"""

from __future__ import annotations

import json
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase

from governance.domain.vocabulary import Role, Scope, Track
from tests.governance import making
from tests.reviews import making as cases

SLOW = ("wait",)
"""Parameters that let the server wait."""


def document() -> dict[str, Any]:
    made = SchemaGenerator().get_schema(request=None, public=True)
    return json.loads(json.dumps(made))


def operations() -> list[Any]:
    schema = schemathesis.openapi.from_dict(document())
    return [found.ok() for found in schema.get_all_operations()]


def world() -> Client:
    """A unit with a case under review and a draft, and a token that may do whatever tokens may."""
    making.policy()
    dana = making.person("dana", Role.SUBMITTER)
    cases.in_review(Track.RED, submitter=dana)
    making.opened(making.new("9.0.0", system="other"))
    return Client(raise_request_exception=False, **making.bearer(making.token(dana, *Scope)))  # type: ignore[arg-type]


def check(client: Client, operation: Any, examples: int) -> list[str]:
    """What went wrong, with the request that shows it."""
    wrong: list[str] = []

    @hypothesis.given(case=operation.as_strategy())
    @hypothesis.settings(
        max_examples=examples,
        phases=[Phase.explicit, Phase.generate],
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def one(case: Any) -> None:
        query = {name: value for name, value in (case.query or {}).items() if name not in SLOW}
        headers = {f"HTTP_{name.upper().replace('-', '_')}": _ascii(value) for name, value in (case.headers or {}).items()}
        body = case.body if not isinstance(case.body, schemathesis.core.NotSet) else None
        kind = case.media_type or "application/json"
        if kind == "multipart/form-data":
            return  # the client library's own encoding is what would be tested
        sent = body if isinstance(body, bytes) else json.dumps(body) if body is not None else ""
        answer = client.generic(case.method, case.formatted_path, sent, content_type=kind, query_params=query, **headers)
        said = answer.get("Content-Type", "")
        fault = answer.status_code >= 500 and answer.status_code != 503
        if fault or (answer.status_code >= 400 and not said.startswith("application/problem+json")):
            wrong.append(f"{case.method} {case.formatted_path} {query} {str(sent)[:300]} -> {answer.status_code} {said}")

    one()
    return wrong


def _ascii(value: Any) -> str:
    return str(value).encode("ascii", "ignore").decode()


def run(examples: int) -> None:
    client, wrong, seen = world(), {}, 0
    for operation in operations():
        seen += 1
        if found := check(client, operation, examples):
            wrong[operation.label] = found[:3]
    assert seen >= 30, "the document lists the operations"
    assert not wrong, json.dumps(wrong, indent=1)


def test_no_operation_has_a_fault_of_ours(db: None) -> None:
    run(5)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_no_operation_has_a_fault_of_ours_for_long(db: None) -> None:
    run(100)
