"""What a collector may look at, frozen when its run is planned: evidence by digest, facts, numbers from the pack, registers."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Func, JSONField, Value

from gates.collecting import Inputs
from gates.registry import Collector
from governance.domain.canonical import canonical_json
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
    _settings: dict[tuple[str, ...], tuple[dict[str, Any], bytes]] = field(default_factory=dict, compare=False, repr=False)

    def settings_with(self, registers: tuple[str, ...]) -> tuple[dict[str, Any], bytes]:
        """The settings with these registers, and their canonical JSON: made once, as most collectors share them."""
        if registers not in self._settings:
            settings = {**self.settings, **{name: self.registers[name] for name in registers}}
            self._settings[registers] = settings, canonical_json(settings)
        return self._settings[registers]


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
        "settings": around.settings_with(registers_of(collector))[0],
        "seed": Inputs().seed,
    }


def registers_of(collector: Collector) -> tuple[str, ...]:
    """The registers a collector gets: all of them unless its module says which."""
    return tuple(getattr(importlib.import_module(collector.module), "USES_REGISTERS", REGISTERS))


def input_digest(collector: Collector, inputs: Mapping[str, Any], *, settings: bytes | None = None) -> str:
    """One digest for "the same measurement again": collector and version, and its inputs without the files' display names.

    `settings`: the canonical JSON of `inputs["settings"]` where the caller has it already. Canonical JSON of an object is its
    members in order of their names, so parts made before give the same bytes.
    """
    evidence = {role: {key: item[key] for key in ("sha256", "columns", "format")} for role, item in inputs["evidence"].items()}
    whole = {"collector": collector.name, "version": collector.version, **inputs, "evidence": evidence}
    ready = {} if settings is None else {"settings": settings}
    members = (canonical_json(name) + b":" + (ready.get(name) or canonical_json(whole[name])) for name in sorted(whole))
    return "sha256:" + hashlib.sha256(b"{" + b",".join(members) + b"}").hexdigest()


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
    rows = same.select_related("version").only("state", "version__version", "version__artifact_digest")
    for row in rows.order_by("-id")[:_MOST_VERSIONS]:
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
    """The features of each submission's latest revision. The database picks them out: the other facts are not sent."""
    if not submissions:
        return {}
    latest = Revision.objects.filter(submission_id__in=submissions).order_by("submission_id", "-number").distinct("submission_id")
    spoken = Func(
        F("facts"),
        Value('$[*] ? (@.name == "model.features")'),
        function="jsonb_path_query_array",
        template="%(function)s(%(expressions)s::jsonpath)",
        output_field=JSONField(),
    )
    return {
        submission_id: [str(name) for name in FactSet.from_json(facts).value("model.features") or []]
        for submission_id, facts in latest.values_list("submission_id", spoken)
    }
