"""Every refusal of the API is a problem document that says what to do, whatever went wrong and wherever."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from governance.domain.vocabulary import Role, Scope, State
from governance.models import ApiToken, Submission
from governance.selectors.access import SYSTEM
from governance.services.tokens import revoke_token
from reviews.api import submissions
from tests.governance import making

pytestmark = pytest.mark.django_db

SUBMISSIONS = "/api/v1/submissions"
BODY = {"system": "credit-default", "version": "1.0.0", "draft": True}


@pytest.fixture(autouse=True)
def _policy() -> None:
    making.policy()


@pytest.fixture
def ci() -> Client:
    client = Client(raise_request_exception=False)
    client.defaults.update(making.bearer(making.token(making.person())))
    return client


def post(client: Client, where: str = SUBMISSIONS, body: Any = None, **more: Any) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(BODY if body is None else body).encode()
    return client.post(where, data=data, **{"content_type": "application/json", **more})


def is_problem(answer: Any, status: int, code: str = "") -> dict[str, Any]:
    assert answer.status_code == status, (answer.status_code, answer.content[:300])
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.content)
    assert set(body) == {"type", "title", "status", "detail", "code", "errors"}
    assert body["status"] == status and body["title"] and len(body["detail"]) > 15
    assert all(set(error) == {"pointer", "code", "detail"} for error in body["errors"])
    assert answer["X-Request-ID"] and "text/html" not in answer["Content-Type"]
    if code:
        assert body["code"] == code, body
    return body


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b'{"system": ', "line 1, column"),
        (b'{"system": NaN}', "JSON does not know"),
        (b'{"n": ' + b"1" * 5000 + b"}", "JSON does not know"),
        (b"[" * 200_000, "JSON does not know"),
        (b'{"system": "\xff"}', "not UTF-8"),
    ],
)
def test_400_for_what_is_not_json(ci: Client, sent: bytes, says: str) -> None:
    assert says in is_problem(post(ci, body=sent), 400, "parse_error")["detail"]


@pytest.mark.parametrize("sent", [b"[]", b"null", b'"text"', b"7", b""])
def test_422_for_what_is_no_object(ci: Client, sent: bytes) -> None:
    is_problem(post(ci, body=sent), 422)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x y", "Bearer grl_nothing000000", "Basic ZGFuYTpkYW5h", "Bearer \xe9"])
def test_401_without_a_token_that_holds(header: str) -> None:
    client = Client(**({"HTTP_AUTHORIZATION": header} if header else {}))
    answer = client.get(SUBMISSIONS)
    is_problem(answer, 401)
    assert answer["WWW-Authenticate"] == "Bearer"


def test_403_names_the_scope_and_the_role() -> None:
    reader = Client(**making.bearer(making.token(making.person(), Scope.READ)))
    assert "submit" in is_problem(post(reader), 403, "scope_needed")["detail"]
    auditor = Client(**making.bearer(making.token(making.person("ada", Role.AUDITOR), Scope.SUBMIT, Scope.READ)))
    assert "data scientist" in is_problem(post(auditor), 403, "role_needed")["detail"]


def test_404_for_other_units_for_nothing_and_for_addresses_that_do_not_exist(ci: Client) -> None:
    theirs = making.opened(by=making.caller("gus", of=making.unit("shop")))
    hidden = is_problem(ci.get(f"{SUBMISSIONS}/S-{theirs.pk}"), 404)
    absent = is_problem(ci.get(f"{SUBMISSIONS}/S-999999"), 404)
    assert {**hidden, "detail": hidden["detail"].replace(str(theirs.pk), "#")} == {
        **absent,
        "detail": absent["detail"].replace("999999", "#"),
    }
    is_problem(ci.get("/api/v1/nothing/here"), 404)
    is_problem(ci.get("/api/v1/policies/nonsense"), 404)
    is_problem(ci.get("/api/v1/policies/toaster"), 404)


def test_405_names_the_method(ci: Client) -> None:
    answer = ci.delete(SUBMISSIONS)
    assert "DELETE" in is_problem(answer, 405)["detail"]
    assert "POST" in answer["Allow"]


def test_409_says_why_and_what_to_do(ci: Client) -> None:
    assert post(ci).status_code == 201
    body = is_problem(post(ci, body={**BODY, "answers": {"decision.domain": "credit"}}), 409, "already_open")
    assert "raise the version" in body["detail"]
    row = Submission.objects.get()
    Submission.objects.filter(pk=row.pk).update(state=State.IN_REVIEW)
    patched = ci.patch(
        f"{SUBMISSIONS}/S-{row.pk}/answers", json.dumps({"answers": {"decision.domain": "credit"}}), "application/json"
    )
    is_problem(patched, 409, "frozen")


def test_413_for_a_body_no_json_needs_to_be(ci: Client, settings: Any) -> None:
    settings.API_BODY_MAX_BYTES = 1024**2
    body = {**BODY, "sources": [{"name": "a", "content": "x" * 1024**2}]}
    assert "sha256" in is_problem(post(ci, body=body), 413, "too_large")["detail"]


def test_415_for_another_type(ci: Client) -> None:
    is_problem(post(ci, content_type="text/csv"), 415)
    is_problem(ci.post(SUBMISSIONS, {"system": "x"}), 415)


@pytest.mark.parametrize(
    ("change", "pointer", "says"),
    [
        ({"track": "green"}, "/track", "nobody sends it"),
        ({"tier": 1}, "/tier", "nobody sends it"),
        ({"state": "approved"}, "/state", "nobody sends it"),
        ({"versoin": "1"}, "/versoin", "not a field here"),
        ({"system": "Credit Default!"}, "/system", ""),
        ({"version": ""}, "/version", ""),
        ({"version": "1\x00"}, "/version", "NUL"),
        ({"kind": "toaster"}, "/kind", "Expected one of ml_model"),
        ({"sources": [{"name": "MLmodel"}]}, "/sources/0", "content"),
        ({"sources": [{"name": "a", "sha256": "short"}]}, "/sources/0/sha256", ""),
        ({"sources": [{"name": "a\ud800", "content": "x"}]}, "/sources/0/name", "surrogate"),
        ({"evidence": [{"role": "bribe", "sha256": "0" * 64}]}, "/evidence/0/role", ""),
        ({"evidence": [{"role": "bom", "sha256": "0" * 64}]}, "/evidence/bom/sha256", "Send the file first"),
        ({"answers": {"track": "green"}}, "/answers/track", "nobody sends it"),
        ({"answers": {"no/such~one": 1}}, "/answers/no/such~one", "no question"),
        ({"answers": {"decision.automated": "perhaps"}}, "/answers/decision.automated", "yes or no"),
        ({"answers": {"business.context": "a\x00b"}}, "/answers/business.context", "NUL"),
        ({"answers": {"monitoring.plan": [{"kind": "data_drift", "metric": "\ud800"}]}}, "/answers/monitoring.plan/0/metric", ""),
        ({"gates": True}, "/gates", "Leave it out"),
    ],
)
def test_422_points_at_each_mistake(ci: Client, change: dict[str, Any], pointer: str, says: str) -> None:
    body = is_problem(post(ci, body={**BODY, **change}), 422)
    found = {error["pointer"]: error["detail"] for error in body["errors"]}
    assert pointer in found, body
    assert says in found[pointer]
    assert not Submission.objects.exists()


def test_422_when_a_needed_field_is_missing(ci: Client) -> None:
    body = is_problem(post(ci, body={"system": "x"}), 422)
    assert {error["pointer"] for error in body["errors"]} == {"/version"}


def test_a_metadata_file_may_hold_anything(ci: Client) -> None:
    """What cannot be stored in a name or an answer is only a problem of the file, explained."""
    answer = post(ci, body={**BODY, "sources": [{"name": "a.json", "content": '{"a": "\x00"}'}]})
    assert answer.status_code == 201, answer.content
    assert Submission.objects.get().sources.get().problems
    half = post(ci, body={**BODY, "sources": [{"name": "b.json", "content": "\ud800"}]})
    assert is_problem(half, 422)["errors"][0]["pointer"] == "/sources/0/content"


def test_deep_answers_are_refused_not_crashed_on(ci: Client) -> None:
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    is_problem(post(ci, body={**BODY, "answers": {"monitoring.plan": deep}}), 422)


@pytest.mark.parametrize(
    "where", ["?q=%00", "?system=%00", "?state=%00", "?cursor=%00", "?cursor=x", "?limit=0", "?limit=x", "?turn=%00"]
)
def test_odd_list_parameters_are_answered(ci: Client, where: str) -> None:
    answer = ci.get(SUBMISSIONS + where)
    assert answer.status_code in (200, 400, 422), (answer.status_code, answer.content[:200])


def test_a_fault_of_ours_is_a_problem_document_too(ci: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the real handler: an unforeseen exception in a selector."""

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(submissions, "submissions", broken)
    body = is_problem(ci.get(SUBMISSIONS), 500)
    assert "unforeseen" not in json.dumps(body)


def test_a_session_needs_the_csrf_token_for_changes() -> None:
    client = making.browser(making.person(), enforce_csrf_checks=True)
    assert client.get(SUBMISSIONS).status_code == 200
    assert "CSRF" in is_problem(post(client), 403)["detail"]
    client.get("/")
    page = client.get("/submissions/new")
    csrf = page.content.decode().split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    assert post(client, HTTP_X_CSRFTOKEN=csrf).status_code == 201


def test_a_token_needs_none() -> None:
    client = Client(enforce_csrf_checks=True, **making.bearer(making.token(making.person())))
    assert post(client).status_code == 201


def test_a_revoked_token_ends_at_once(ci: Client) -> None:
    assert ci.get(SUBMISSIONS).status_code == 200
    revoke_token(caller=SYSTEM, token=ApiToken.objects.get())
    is_problem(ci.get(SUBMISSIONS), 401)
