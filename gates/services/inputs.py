"""What a collector may look at, frozen when its run is planned: evidence by digest, facts, numbers from the pack, registers."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gates.collecting import Inputs
from gates.registry import Collector
from governance.domain.canonical import digest
from governance.domain.facts import FactSet
from governance.domain.vocabulary import State
from governance.models import DataSource, Revision, Submission

REGISTERS = ("registered_sources", "known_versions")
_APPROVED = (State.APPROVED, State.SUPERSEDED, State.EXPIRED)
_MOST_VERSIONS = 50


@dataclass(frozen=True)
class Surroundings:
    """What the collectors of one revision share. `settings`: numbers of the pack; `registers`: what the organisation knows."""

    evidence: Mapping[str, Mapping[str, Any]]
    facts: FactSet
    settings: Mapping[str, Any]
    registers: Mapping[str, Any]


def surroundings(*, submission: Submission, revision: Revision, settings: Mapping[str, Any], facts: FactSet) -> Surroundings:
    """Gather the shared inputs. Four queries."""
    evidence = {row["role"]: row for row in revision.evidence}
    registers = {"registered_sources": _sources(submission.unit_id), "known_versions": _versions(submission)}
    return Surroundings(evidence, facts, settings, registers)


def frozen_inputs(collector: Collector, around: Surroundings) -> dict[str, Any]:
    """The inputs of one collector as JSON: only roles and facts it says it uses, so that other changes leave its digest alone.

    A collector module may say `USES_REGISTERS = (…)` to get fewer registers than all.
    """
    roles = [*collector.requires, *collector.optional]
    registers: Collection[str] = getattr(importlib.import_module(collector.module), "USES_REGISTERS", REGISTERS)
    return {
        "evidence": {
            role: {
                "sha256": item["sha256"],
                "name": item["name"],
                "columns": item.get("columns") or {},
                "format": item.get("format") or "",
            }
            for role in sorted(roles)
            if (item := around.evidence.get(role)) is not None
        },
        "facts": {name: value for name in sorted(collector.uses_facts) if (value := around.facts.value(name)) is not None},
        "settings": {**around.settings, **{name: around.registers[name] for name in registers}},
        "seed": Inputs().seed,
    }


def input_digest(collector: Collector, inputs: Mapping[str, Any]) -> str:
    """One digest for "the same measurement again": collector and version, and its inputs without the files' display names."""
    evidence = {role: {key: item[key] for key in ("sha256", "columns", "format")} for role, item in inputs["evidence"].items()}
    return digest({"collector": collector.name, "version": collector.version, **inputs, "evidence": evidence})


def _sources(unit_id: int) -> dict[str, Any]:
    rows = DataSource.objects.filter(unit_id=unit_id).order_by("name")
    return {
        row.name: {
            "owner": row.owner,
            "approved": row.approved,
            "consent_basis": row.consent_basis,
            "holds_personal_data": row.holds_personal_data,
            "refreshed_on": row.refreshed_on.isoformat() if row.refreshed_on else None,
        }
        for row in rows
    }


def _versions(submission: Submission) -> dict[str, Any]:
    """The latest other versions of the same system: whether approved, with which features, and the artefact's digest."""
    same = Submission.objects.filter(system_id=submission.system_id).exclude(version_id=submission.version_id).exclude(revision=0)
    found: dict[str, Any] = {}
    for row in same.select_related("version").order_by("-id")[:_MOST_VERSIONS]:
        before = found.get(row.version.version)
        approved = row.state in _APPROVED or bool(before and before["approved"])
        found[row.version.version] = {
            "approved": approved,
            "digest": row.version.artifact_digest,
            "submission": row.pk if before is None else before["submission"],
        }
    features = _features([item["submission"] for item in found.values()])
    return {
        version: {"approved": item["approved"], "digest": item["digest"], "features": features.get(item["submission"], [])}
        for version, item in sorted(found.items())
    }


def _features(submissions: list[int]) -> dict[int, list[str]]:
    latest = Revision.objects.filter(submission_id__in=submissions).order_by("submission_id", "-number").distinct("submission_id")
    return {
        submission_id: [str(name) for name in FactSet.from_json(facts).value("model.features") or []]
        for submission_id, facts in latest.values_list("submission_id", "facts")
    }
