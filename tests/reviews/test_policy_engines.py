"""The organisation's own rules: facts go out as OPA's input, a decision comes back as a gate; manifests are judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from gates.collecting import Collected, Inputs
from gates.registry import collectors, gates
from gates.spec import Measured
from governance.domain.vocabulary import Scope, Track, Verdict
from tests.governance import making
from tests.governance.services.test_deciding_elsewhere import MANIFESTS
from tests.reviews import making as cases

pytestmark = pytest.mark.django_db(transaction=True)
REGO = """
package guiderail.decision

import rego.v1

deny contains "Credit models need the regional board." if input.facts["decision.domain"] == "credit"

warn contains "Say who answers at night." if not input.facts["system.owner"]
"""


@pytest.fixture
def rego(settings: Any, tmp_path: Path) -> Path:
    (tmp_path / "decision.rego").write_text(REGO)
    settings.REGO_DIR = str(tmp_path)
    return tmp_path


def headers(*scopes: Scope) -> dict[str, str]:
    return making.bearer(making.token(making.person("dana"), *scopes))


def test_the_facts_of_a_case_as_opa_reads_them() -> None:
    row = cases.in_review(Track.RED)
    client = Client(**headers(Scope.READ))  # type: ignore[arg-type]
    given = client.get(f"/api/v1/submissions/{row.number}/facts?as=opa").json()["input"]
    assert given["schema"] == "guiderail/opa-input/1"
    assert given["facts"]["decision.domain"] == "credit" and given["facts"]["performance.relative_change"] == 0.02
    plain = client.get(f"/api/v1/submissions/{row.number}/facts").json()
    assert {"name", "value", "assurance", "origin"} <= set(plain["facts"][0])
    assert client.get(f"/api/v1/submissions/{row.number}/facts?as=rego").status_code == 422
    draft = making.opened(making.new("7.0.0", system="other", answers={"decision.domain": "marketing"}))
    facts = client.get(f"/api/v1/submissions/{draft.number}/facts?as=opa").json()["input"]["facts"]
    assert facts["decision.domain"] == "marketing" and facts["system.first_deployment"] is True


def judged(facts: dict[str, Any]) -> Any:
    """What the gate says of what the collector measured."""
    found: Collected = collectors()["policy_engine"].collect(Inputs(facts=facts))
    gate = gates()["GR107"]
    not_measured = {"policy_engine": found.not_measured} if found.not_measured else {}
    return gate.judge(Measured(found.measures, not_measured), gate.limits_with({}))


def test_a_decision_is_a_gates_result_and_no_decision_blocks(rego: Path, settings: Any) -> None:
    denied = judged({"decision.domain": "credit"})
    assert denied.verdict is Verdict.FAIL and "regional board" in denied.says and "at night" in " ".join(denied.notes)
    assert judged({"decision.domain": "fraud"}).verdict is Verdict.WARN
    assert judged({"decision.domain": "fraud", "system.owner": "risk-team"}).verdict is Verdict.PASS
    settings.REGO_DIR = ""
    nobody = judged({"decision.domain": "fraud"})
    assert nobody.verdict is Verdict.NOT_ASSESSED and "GUIDERAIL_OPA_URL" in nobody.says
    settings.OPA_URL = "http://127.0.0.1:9"
    assert judged({}).verdict is Verdict.NOT_ASSESSED


def review(thing: Any, operation: str = "CREATE") -> dict[str, Any]:
    request = {"uid": "u-1", "operation": operation, "object": thing}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


def test_a_manifest_is_judged_for_ci_and_for_the_cluster(settings: Any) -> None:
    client = Client(**headers(Scope.PERMIT))  # type: ignore[arg-type]

    def ask(where: str, body: Any) -> Any:
        return client.post(where, json.dumps(body), content_type="application/json")

    text = (MANIFESTS / "kfp-2.17.0.pipeline.yaml").read_text()
    assert ask("/api/v1/manifests", {"manifest": text}).json()["allowed"] is True
    without = ask("/api/v1/manifests", {"manifest": text.replace("step: monitoring", "step: training")}).json()
    assert without["allowed"] is False and "label 'monitoring'" in without["reasons"][0]
    for wrong in ({}, {"manifest": ""}, {"manifest": "a: [1"}, {"manifest": "a: &x 1\nb: *x"}, {"manifest": "{"}, []):
        assert ask("/api/v1/manifests", wrong).status_code == 422, wrong

    where = "/kubernetes/validate-pipeline"
    workflow = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "train"},
        "spec": {"templates": []},
    }
    refused = ask(where, review(workflow)).json()["response"]
    assert (refused["uid"], refused["allowed"]) == ("u-1", False) and "label 'monitoring'" in refused["status"]["message"]
    workflow["spec"] = {"templates": [{"name": "watch", "metadata": {"labels": {"guiderail.io/step": "monitoring"}}}]}
    assert ask(where, review(workflow)).json()["response"] == {"uid": "u-1", "allowed": True}
    assert ask(where, review(None, "DELETE")).json()["response"]["allowed"] is True
    assert ask(where, {"apiVersion": "v1"}).status_code == 422
    settings.OPA_URL = "http://127.0.0.1:9"
    away = ask(where, review(workflow)).json()["response"]
    assert away["allowed"] is False and "gave no decision" in away["status"]["message"], "nobody decided, so it stays out"
