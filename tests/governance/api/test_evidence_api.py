"""`POST /api/v1/evidence`, `/api/v1/policies/…`, the probes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from governance.domain.vocabulary import Scope
from governance.models import EvidenceFile
from governance.selectors.evidence import evidence_path
from tests.governance import making

pytestmark = pytest.mark.django_db
WHERE = "/api/v1/evidence"


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, settings: Any) -> None:
    settings.EVIDENCE_DIR = tmp_path / "evidence"


@pytest.fixture
def ci() -> Client:
    return Client(**making.bearer(making.token(making.person())))


def raw(client: Client, content: bytes, *, name: str = "rows.csv", content_type: str = "text/csv") -> Any:
    return client.generic("POST", f"{WHERE}?name={name}", content, content_type=content_type)


def test_a_raw_body_is_201_and_again_200(ci: Client) -> None:
    content = b"a\n1\n"
    first, second = raw(ci, content), raw(ci, content, name="other.csv")
    assert (first.status_code, second.status_code) == (201, 200)
    digest = hashlib.sha256(content).hexdigest()
    assert first.json() == {"sha256": digest, "size": 4, "name": "rows.csv", "media_type": "text/csv"}
    assert second.json() == first.json(), "the row that is there already"


def test_multipart_is_the_same(ci: Client) -> None:
    answer = ci.post(WHERE, {"file": SimpleUploadedFile("../up/rows.csv", b"a\n1\n", "text/csv")})
    assert answer.status_code == 201
    assert answer.json()["name"] == "rows.csv"
    assert raw(ci, b"a\n1\n").status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["application/octet-stream", "application/x-www-form-urlencoded", "application/json", "text/csv; charset=utf-8", "", "x"],
)
def test_the_bytes_are_kept_whatever_type_is_said(ci: Client, content_type: str) -> None:
    """`curl --data-binary` says form-urlencoded unless told otherwise."""
    content = b"a=1&b=%00\xff"
    answer = raw(ci, content, content_type=content_type)
    assert answer.status_code == 201, answer.content
    assert evidence_path(answer.json()["sha256"]).read_bytes() == content


def test_a_person_signed_in_can_send_a_file_from_a_page() -> None:
    client = making.browser(making.person(), enforce_csrf_checks=True)
    page = client.get("/account/logout/").content.decode()
    csrf = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = {"file": SimpleUploadedFile("a.csv", b"x"), "csrfmiddlewaretoken": csrf}
    assert client.post(WHERE, form).status_code == 201
    refused = client.post(WHERE, {"file": SimpleUploadedFile("a.csv", b"y")})
    assert refused.status_code == 403 and refused["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("how", ["empty", "no field", "empty field", "too large"])
def test_422_says_what_is_wrong_and_leaves_nothing(ci: Client, settings: Any, how: str) -> None:
    settings.EVIDENCE_MAX_BYTES = 10
    answer = {
        "empty": lambda: raw(ci, b""),
        "no field": lambda: ci.post(WHERE, {"data": SimpleUploadedFile("a.csv", b"x")}),
        "empty field": lambda: ci.post(WHERE, {"file": SimpleUploadedFile("a.csv", b"")}),
        "too large": lambda: raw(ci, b"x" * 11),
    }[how]()
    assert answer.status_code == 422, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    expected = {"empty": "empty_file", "no field": "invalid_input", "empty field": "empty_file", "too large": "too_large"}
    assert json.loads(answer.content)["code"] == expected[how]
    assert not EvidenceFile.objects.exists()


def test_a_token_without_the_scope_and_nobody_at_all() -> None:
    reader = Client(**making.bearer(making.token(making.person(), Scope.READ, Scope.SUBMIT)))
    assert raw(reader, b"x").status_code == 403
    assert raw(Client(), b"x").status_code == 401
    assert not EvidenceFile.objects.exists()


def test_a_name_of_300_characters_or_none(ci: Client) -> None:
    assert len(raw(ci, b"1", name="n" * 300).json()["name"]) == 255
    assert ci.generic("POST", WHERE, b"2", content_type="text/csv").json()["name"] == "evidence"


def test_the_policy_in_force_with_rules_and_questions(ci: Client) -> None:
    making.policy()
    body = ci.get("/api/v1/policies/ml_model").json()
    assert body["digest"].startswith("sha256:") and body["active_from"]
    assert {"TR-020", "TR-060"} <= {rule["id"] for rule in body["pack"]["rules"]}
    assert len(body["questionnaire"]["questions"]) > 30


def test_the_policy_needs_somebody() -> None:
    making.policy()
    assert Client().get("/api/v1/policies/ml_model").status_code == 401


def test_healthz_touches_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert Client().get("/healthz").json() == {"status": "ok"}


def test_readyz_names_database_and_broker(broker: object) -> None:
    assert Client().get("/readyz").json() == {"database": "ok", "broker": "ok"}


def test_the_schema_is_public_and_names_every_operation() -> None:
    text = Client().get("/api/v1/schema/", HTTP_ACCEPT="application/json").content.decode()
    for path in ("/api/v1/evidence", "/api/v1/submissions", "/api/v1/policies/{pack}", "/api/v1/permits"):
        assert path in text
