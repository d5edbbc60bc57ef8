"""A submission in the formats that other tools keep: CycloneDX ML-BOM, Hugging Face front matter, in-toto test result, Markdown.

Made of the decision view and the facts only, so that each says what the page says. What is not known is left out, never made up.

Sources: CycloneDX 1.6 (`modelCard`), Hugging Face model cards (`model-index`), in-toto attestation `test-result` v0.1.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import yaml

from governance.domain.decision import DecisionView
from governance.domain.facts import FactSet

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
_NAMESPACE = uuid.UUID("6f1d0f5e-6c0b-5d8e-9a57-2b8b1d2f4c11")


def cyclonedx(view: DecisionView, facts: FactSet) -> dict[str, Any]:
    """The version as a machine-learning model in a bill of materials. The same dossier gives the same document."""
    limits = _texts(facts, "model.limitations")
    card: dict[str, Any] = {
        "modelParameters": _known(
            {
                "task": facts.value("model.task"),
                "architectureFamily": facts.value("model.framework"),
                "modelArchitecture": facts.value("model.architecture"),
                "datasets": [{"type": "dataset", "name": name} for name in _texts(facts, "data.sources")],
            }
        ),
        "quantitativeAnalysis": {
            "performanceMetrics": [{"type": name, "value": str(value)} for name, value in sorted(_metrics(facts).items())]
        },
        "considerations": _known(
            {
                "useCases": _texts(facts, "model.intended_use"),
                "technicalLimitations": limits,
                "fairnessAssessments": [
                    {"groupAtRisk": gate.group or "all groups", "harms": gate.says}
                    for gate in view.gates
                    if gate.code.startswith("GF") and gate.verdict in ("fail", "warn")
                ],
            }
        ),
    }
    digest = view.artifact_digest.removeprefix("sha256:")
    component = {
        "type": "machine-learning-model",
        "bom-ref": f"{view.system}@{view.version}",
        "name": view.system,
        "version": view.version,
        **({"hashes": [{"alg": "SHA-256", "content": digest}]} if digest else {}),
        **({"licenses": [{"license": {"name": str(facts.value("model.license"))}}]} if facts.value("model.license") else {}),
        "externalReferences": [{"type": "documentation", "url": view.url}],
        "modelCard": {name: part for name, part in card.items() if part and any(part.values())},
        "properties": [
            {"name": f"guiderail:{name}", "value": str(value)}
            for name, value in {
                "submission": view.submission,
                "state": view.state,
                "track": view.track,
                "environment": view.environment,
                "dossier": view.dossier_digest,
            }.items()
            if value
        ],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, f'{view.submission} {view.dossier_digest}')}",
        "version": max(1, view.revision),
        "components": [component],
    }


def front_matter(view: DecisionView, facts: FactSet) -> str:
    """The YAML block at the head of a Hugging Face model card."""
    metrics = [{"type": name, "value": value} for name, value in sorted(_metrics(facts).items())]
    sources = _texts(facts, "data.sources")
    task = facts.value("model.task")
    result = {
        "task": {"type": str(task or "tabular-classification")},
        "dataset": {"type": "private", "name": sources[0] if sources else "evaluation"},
        "metrics": metrics,
    }
    content = _known(
        {
            "license": facts.value("model.license"),
            "library_name": facts.value("model.framework"),
            "pipeline_tag": task,
            "datasets": sources,
            "tags": [f"guiderail-{view.state}", f"guiderail-track-{view.track}"],
            "model-index": [{"name": f"{view.system} {view.version}", "results": [result]}] if metrics else None,
        }
    )
    return f"---\n{yaml.safe_dump(content, sort_keys=False, allow_unicode=True)}---\n"


def tests_passed(view: DecisionView) -> dict[str, Any]:
    """What the gates said, as an in-toto statement about the artefact (about the dossier where no artefact is named)."""
    said: dict[str, list[str]] = {"passed": [], "warned": [], "failed": []}
    for gate in view.gates:
        name = f"{gate.code} {gate.name}"
        if gate.verdict == "pass":
            said["passed"].append(name)
        elif gate.verdict in ("fail", "not_assessed") and gate.blocking:
            said["failed"].append(name)
        elif gate.verdict != "not_applicable":
            said["warned"].append(name)
    # no gate that spoke is no pass
    result = "FAILED" if said["failed"] or not view.gates else "WARNED" if said["warned"] else "PASSED"
    named = f"{view.system}:{view.version}" if view.artifact_digest else f"{view.submission} dossier"
    digest = (view.artifact_digest or view.dossier_digest).removeprefix("sha256:")
    policy = view.policy
    configuration = (
        []
        if policy is None
        else [{"name": f"{policy.pack} {policy.version}", "digest": {"sha256": policy.digest.removeprefix("sha256:")}}]
    )
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": named, "digest": {"sha256": digest}}],
        "predicateType": TEST_RESULT,
        "predicate": {
            "result": result,
            "configuration": configuration,
            "url": view.url,
            "passedTests": said["passed"],
            "warnedTests": said["warned"],
            "failedTests": said["failed"],
        },
    }


def _metrics(facts: FactSet) -> dict[str, float]:
    value = facts.value("performance.metrics")
    return {str(name): number for name, number in value.items()} if isinstance(value, Mapping) else {}


def _texts(facts: FactSet, name: str) -> list[str]:
    value = facts.value(name)
    return [str(each) for each in (value if isinstance(value, list) else [value]) if each not in (None, "")]


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}
