"""The gates' part of the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from gates import registry
from governance.domain.vocabulary import Kind, Role, RunStatus, Scope
from governance.models import Unit
from governance.selectors.access import SYSTEM
from governance.services.packs import load_shipped_packs
from governance.services.tokens import issue_token
from tests.gates import making

pytestmark = pytest.mark.django_db


def ask(address: str, *, unit: Unit | None = None, scopes: tuple[Scope, ...] = (Scope.READ,)) -> Any:
    where = unit or making.unit()
    _, secret = issue_token(caller=SYSTEM, person=making.person(where, Role.SUBMITTER), unit=where, name="tests", scopes=scopes)
    return Client().get(address, headers={"Authorization": f"Bearer {secret}"})


def test_the_catalogue() -> None:
    body = ask("/api/v1/gates").json()
    assert (body["next"], body["previous"]) == (None, None)
    assert [row["code"] for row in body["results"]] == list(registry.gates())
    assert all(row["risk"] and row["learn"] == f"/gates/{row['code']}" for row in body["results"])


def test_the_catalogue_of_one_kind() -> None:
    body = ask("/api/v1/gates?kind=ml_model").json()
    assert [row["code"] for row in body["results"]] == [g.code for g in registry.gates().values() if Kind.ML_MODEL in g.kinds]
    wrong = ask("/api/v1/gates?kind=toaster")
    assert (wrong.status_code, wrong["Content-Type"]) == (422, "application/problem+json")
    assert wrong.json()["errors"][0]["pointer"] == "/kind"


def test_one_gate_with_documentation_and_the_limits_in_force() -> None:
    load_shipped_packs(caller=SYSTEM)
    body = ask("/api/v1/gates/GF101").json()
    assert list(body["documentation"]) == [
        "What it checks",
        "Why it matters",
        "What good enough looks like",
        "How to fix",
        "Tools",
    ]
    assert body["in_force"][0]["pack"] == "ml_model"
    assert {"pass", "fail", "not_assessed"} <= {row["verdict"] for row in body["examples"]}


def test_an_unknown_gate() -> None:
    answer = ask("/api/v1/gates/GZ999")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_nobody_in_particular_is_asked_to_sign_in() -> None:
    assert Client().get("/api/v1/gates").status_code == 401


def test_progress_of_the_runs() -> None:
    of = making.submission()
    making.run(of, "performance")
    making.run(of, "fairness", status=RunStatus.DONE, seconds=2.0)
    body = ask(f"/api/v1/submissions/S-{of.pk}/runs").json()
    assert (body["submission"], body["done"], body["total"], body["finished"]) == (f"S-{of.pk}", 1, 2, False)
    assert {run["collector"]: run["status"] for run in body["runs"]} == {"performance": "queued", "fairness": "done"}


def test_progress_is_for_the_unit_and_the_scope() -> None:
    of = making.submission()
    address = f"/api/v1/submissions/{of.pk}/runs"
    assert ask(address).status_code == 200
    assert ask(address, unit=making.unit("shop")).status_code == 404
    assert ask(address, scopes=(Scope.SUBMIT,)).status_code == 403
