"""A dossier as other tools keep it: each says what the page says, and nothing that is not known."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.test import Client

from governance.domain.vocabulary import Scope, Track
from governance.services.signing import encoded, published_keys
from tests.governance import making
from tests.reviews import making as cases

pytestmark = pytest.mark.django_db(transaction=True)
FACTS = {
    "model__task": "tabular-classification",
    "model__framework": "xgboost",
    "model__license": "apache-2.0",
    "model__limitations": "Never tested below 21 years.",
    "data__sources": ["s3://bucket/loans.parquet"],
    "performance__metrics": {"auc": 0.81, "brier": 0.11},
}


def test_each_form_of_one_case() -> None:
    gates = (cases.Gate("GP101"), cases.Gate("GF101", "warn", says="0.78, limit 0.80", extra={"group": "sex=female"}))
    row = cases.in_review(Track.RED, gates=gates, facts=cases.facts_for(Track.RED, **FACTS))
    client = Client(**making.bearer(making.token(making.person("dana"), Scope.READ)))  # type: ignore[arg-type]

    def ask(form: str) -> Any:
        return client.get(f"/api/v1/submissions/{row.number}/export?as={form}")

    bom = ask("cyclonedx").json()
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6") and bom == ask("cyclonedx").json()
    (model,) = bom["components"]
    assert model["type"] == "machine-learning-model" and model["hashes"][0]["content"] == "a" * 64
    card = model["modelCard"]
    assert card["modelParameters"]["datasets"] == [{"type": "dataset", "name": "s3://bucket/loans.parquet"}]
    assert {"type": "auc", "value": "0.81"} in card["quantitativeAnalysis"]["performanceMetrics"]
    assert card["considerations"]["fairnessAssessments"][0]["groupAtRisk"] == "sex=female"
    assert "useCases" not in card["considerations"], "what is not known is left out"

    front = ask("huggingface").content.decode()
    assert front.startswith("---\n") and front.endswith("---\n")
    said = yaml.safe_load(front.strip("-\n"))
    assert said["license"] == "apache-2.0" and said["tags"] == ["guiderail-in_review", "guiderail-track-red"]
    assert {"type": "auc", "value": 0.81} in said["model-index"][0]["results"][0]["metrics"]

    signed = ask("in-toto").json()
    payload = base64.b64decode(signed["payload"])
    key = published_keys()["keys"][0]["x"]
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)))
    public.verify(base64.b64decode(signed["signatures"][0]["sig"]), encoded(signed["payloadType"], payload))
    statement = json.loads(payload)
    assert statement["predicate"]["result"] == "WARNED" and statement["predicate"]["warnedTests"] == ["GF101 gf101"]
    assert statement["subject"][0]["digest"]["sha256"] == "a" * 64

    assert row.number in client.get(f"/api/v1/submissions/{row.number}/export").content.decode()
    assert ask("pdf").status_code == 422
    draft = making.opened(making.new("9.0.0", system="other"))
    assert client.get(f"/api/v1/submissions/{draft.number}/export").status_code == 409


@pytest.mark.parametrize(("verdict", "result"), [("fail", "FAILED"), ("not_assessed", "FAILED"), ("pass", "PASSED")])
def test_a_blocking_gate_that_did_not_pass_is_a_failed_test(verdict: str, result: str) -> None:
    row = cases.in_review(Track.RED, gates=(cases.Gate("GP101", verdict),))
    client = Client(**making.bearer(making.token(making.person("dana"), Scope.READ)))  # type: ignore[arg-type]
    signed = client.get(f"/api/v1/submissions/{row.number}/export?as=in-toto").json()
    assert json.loads(base64.b64decode(signed["payload"]))["predicate"]["result"] == result
