"""Lineage, serialization, monitoring, documentation and the rollback target: judged from facts, each with a case on either
side.
"""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import pytest

from gates import registry
from gates.collecting import EvidenceInput, Inputs
from gates.metrics.documentation import words
from gates.metrics.lineage import moment
from gates.metrics.monitoring import kind_of, window_days
from gates.spec import GateResult, Measured
from governance.domain.vocabulary import Verdict

FULL = "a" * 64
LINEAGE = {
    "data.sources": ["warehouse.loans", "Bureau.Scores"],
    "training.dataset_digest": FULL,
    "evaluation.dataset_digest": "b" * 64,
    "training.code_commit": "9f1c2d3",
    "training.run_id": "run-1",
    "training.ended_at": "2026-11-01",
    "data.snapshot_date": "2026-10-01",
}
REGISTER = {"warehouse.loans": {"owner": "data-platform", "approved": True}, "bureau.scores": {"owner": "risk", "approved": True}}


def judged(
    code: str, facts: dict[str, Any], settings: dict[str, Any] | None = None, evidence: dict[str, EvidenceInput] | None = None
) -> GateResult:
    gate = registry.gate(code)
    collected = registry.collector(gate.collectors[0]).collect(Inputs(evidence or {}, facts, settings or {}))
    reasons = {gate.collectors[0]: collected.not_measured} if collected.not_measured else {}
    return gate.judge(Measured(collected.measures, reasons), gate.limits)


@pytest.mark.parametrize(
    ("change", "register", "verdict"),
    [
        ({}, REGISTER, Verdict.PASS),
        ({"data.sources": ["warehouse.loans", "scraped"]}, REGISTER, Verdict.FAIL),
        ({}, {**REGISTER, "bureau.scores": {"owner": "risk", "approved": False}}, Verdict.FAIL),
        ({}, {**REGISTER, "bureau.scores": {"owner": "", "approved": True}}, Verdict.FAIL),
        ({"evaluation.dataset_digest": FULL}, REGISTER, Verdict.FAIL),
        ({"training.dataset_digest": hashlib.sha256(b"").hexdigest()}, REGISTER, Verdict.FAIL),
        ({"data.snapshot_date": "2026-11-02"}, REGISTER, Verdict.FAIL),
        ({"data.snapshot_date": "2026-03-01"}, REGISTER, Verdict.WARN),
        ({"training.code_commit": None}, REGISTER, Verdict.WARN),
        ({"training.dataset_digest": "1ab2c3d4"}, REGISTER, Verdict.PASS),
        ({"data.sources": []}, REGISTER, Verdict.NOT_ASSESSED),
        ({}, None, Verdict.NOT_ASSESSED),
    ],
)
def test_lineage(change: dict[str, Any], register: dict[str, Any] | None, verdict: Verdict) -> None:
    assert judged("GD102", {**LINEAGE, **change}, {"registered_sources": register}).verdict is verdict


def test_the_unknown_source_is_named() -> None:
    assert "scraped" in judged("GD102", {**LINEAGE, "data.sources": ["scraped"]}, {"registered_sources": REGISTER}).says


def test_moments_of_any_spelling() -> None:
    spelt = {moment(value) for value in ("2026-11-01T00:00:00Z", "2026-11-01", 1793491200000, 1793491200)}
    assert len(spelt) == 1
    assert moment("yesterday") is None
    assert moment(True) is None


VERSIONS = {
    "1.4.0": {
        "approved": True,
        "features": [{"name": "a", "type": "long"}, {"name": "b", "type": "double"}],
        "digest": "sha256:1",
    }
}
SERVED = [{"name": "a", "type": "long"}, {"name": "b", "type": "double"}, {"name": "c", "type": "long"}]


@pytest.mark.parametrize(
    ("facts", "versions", "target", "schema"),
    [
        ({"rollout.rollback_target": "1.4.0", "model.features": SERVED}, VERSIONS, Verdict.PASS, Verdict.PASS),
        ({"rollout.rollback_target": "v1.4.0", "model.features": ["a"]}, VERSIONS, Verdict.PASS, Verdict.FAIL),
        (
            {"rollout.rollback_target": "1.4.0", "model.features": [{"name": "a", "type": "string"}, "b"]},
            VERSIONS,
            Verdict.PASS,
            Verdict.FAIL,
        ),
        ({"rollout.rollback_target": "0.9", "model.features": SERVED}, VERSIONS, Verdict.FAIL, Verdict.NOT_ASSESSED),
        ({"rollout.rollback_target": "1.4.0"}, {"1.4.0": {"approved": False}}, Verdict.FAIL, Verdict.NOT_ASSESSED),
        ({"rollout.rollback_target": "1.4.0"}, None, Verdict.NOT_ASSESSED, Verdict.NOT_ASSESSED),
        ({}, VERSIONS, Verdict.FAIL, Verdict.NOT_ASSESSED),
        ({"rollout.rollback_target": "First version", "champion.exists": False}, {}, Verdict.PASS, Verdict.NOT_APPLICABLE),
        ({"rollout.rollback_target": "First version", "champion.exists": True}, VERSIONS, Verdict.FAIL, Verdict.NOT_ASSESSED),
    ],
)
def test_rollback_target(facts: dict[str, Any], versions: dict[str, Any] | None, target: Verdict, schema: Verdict) -> None:
    settings = {"known_versions": versions}
    assert judged("GR102", facts, settings).verdict is target
    assert judged("GR104", facts, settings).verdict is schema


WHOLE = {
    "kind": "data_drift",
    "features": "all",
    "test": "psi",
    "limit": 0.25,
    "window": "7d",
    "owner": "team-risk",
    "alert": "#risk",
}
OUTCOME = {**WHOLE, "kind": "performance"}


@pytest.mark.parametrize(
    ("plan", "facts", "monitors", "kinds"),
    [
        ([WHOLE, OUTCOME], {}, Verdict.PASS, Verdict.PASS),
        ([WHOLE], {}, Verdict.PASS, Verdict.FAIL),
        ([WHOLE], {"decision.affects_customers": False}, Verdict.PASS, Verdict.WARN),
        ([{**WHOLE, "features": ["a"]}, OUTCOME], {"model.features": ["a", "b"]}, Verdict.FAIL, Verdict.PASS),
        ([{**WHOLE, "owner": ""}, OUTCOME], {}, Verdict.WARN, Verdict.PASS),
        ([{**WHOLE, "window": "daily"}, OUTCOME], {"impact.people_per_month": 6000}, Verdict.WARN, Verdict.PASS),
        ([{**WHOLE, "window": "daily"}, OUTCOME], {"impact.people_per_month": 15000}, Verdict.PASS, Verdict.PASS),
        (["prediction drift weekly, owner: risk, alerts to #risk, limit > 0.2"], {}, Verdict.WARN, Verdict.FAIL),
        ([], {}, Verdict.FAIL, Verdict.FAIL),
    ],
)
def test_monitoring(plan: list[Any], facts: dict[str, Any], monitors: Verdict, kinds: Verdict) -> None:
    facts = {"monitoring.plan": plan, **facts}
    assert judged("GM101", facts).verdict is monitors
    assert judged("GM102", facts).verdict is kinds


def test_kinds_and_windows_in_words() -> None:
    assert [kind_of(text) for text in ("concept drift", "score drift", "feature drift", "AUC", "cost", "?")] == [
        "concept_drift",
        "prediction_drift",
        "data_drift",
        "performance",
        "cost",
        "other",
    ]
    assert [window_days(value) for value in ("7d", "24h", "weekly", "2 weeks", "P7D", "P1M", 3, "", None)] == [
        7,
        1,
        7,
        14,
        7,
        30,
        3,
        None,
        None,
    ]


def test_documentation() -> None:
    card = {
        "business.context": "Limits for existing card customers",
        "model.limitations": "Not tested below age 21; assumes verified income",
        "system.owner": "risk-ml",
    }
    assert judged("GD106", card).verdict is Verdict.PASS
    assert judged("GD106", {**card, "model.limitations": "Not tested on people below age 21"}).verdict is Verdict.WARN
    assert judged("GD106", {**card, "model.limitations": "[More Information Needed]"}).verdict is Verdict.FAIL
    assert words(["a", " b"]) == "a; b"


def test_serialization(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(pickle.dumps([1, 2]))
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    disguised = {"candidate_model": EvidenceInput("candidate_model", str(path), "model.onnx", sha)}
    assert judged("GR101", {}, evidence=disguised).verdict is Verdict.FAIL
    path.write_text('{"learner": {}}')
    safe = {
        "candidate_model": EvidenceInput("candidate_model", str(path), "m.json", hashlib.sha256(path.read_bytes()).hexdigest())
    }
    assert judged("GR101", {"model.serialization": "xgboost"}, evidence=safe).verdict is Verdict.PASS
    assert judged("GR101", {"model.serialization": "onnx"}, evidence=safe).verdict is Verdict.WARN
    assert judged("GR101", {"model.digest": "sha256:" + "0" * 64}, evidence=safe).verdict is Verdict.FAIL
    assert judged("GR101", {"model.serialization": "cloudpickle"}).verdict is Verdict.FAIL
    assert judged("GR101", {"model.serialization": "skops"}).verdict is Verdict.PASS
    assert judged("GR101", {}).verdict is Verdict.NOT_ASSESSED
