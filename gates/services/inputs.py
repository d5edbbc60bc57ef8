"""What a collector may look at, frozen when its run is planned: evidence by digest, facts, numbers from the pack, registers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from gates.collecting import Inputs
from gates.registry import Collector
from gates.services.elsewhere import measured_elsewhere
from gates.services.registers import registers_of
from governance.domain.canonical import canonical_json
from governance.domain.facts import FactSet
from governance.domain.vocabulary import State
from governance.models import Revision, Submission
from governance.policy.cel import CelCondition, asked_of

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


def surroundings(
    *,
    submission: Submission,
    revision: Revision,
    settings: Mapping[str, Any],
    facts: FactSet,
    conditions: Iterable[CelCondition] = (),
) -> Surroundings:
    """Gather the shared inputs. `conditions`: the pack's in CEL, each of which is given the facts
    it reads. Two queries, one more for a revision with an experiment, one for one with a cost report."""
    evidence = {row["role"]: row for row in revision.evidence}
    registers = {
        **registers_of(submission),
        **measured_elsewhere(submission, evidence),
        "known_versions": _versions(submission),
        "cel_conditions": asked_of(conditions, facts),
    }
    return Surroundings(evidence, facts, settings, registers)


def frozen_inputs(collector: Collector, around: Surroundings) -> dict[str, Any]:
    """The inputs of one collector as JSON: only roles and facts it says it uses, so that other changes leave its digest alone.

    Registers go only to those that name them in `USES_REGISTERS`.
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
        "settings": around.settings_with(collector.uses_registers)[0],
        "seed": Inputs().seed,
    }


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


_VERSIONS = """
SELECT version, bool_or(approved), (array_agg(digest ORDER BY id DESC))[1], (array_agg(id ORDER BY id DESC))[1]
FROM (
  SELECT s.id, v.version, v.artifact_digest AS digest, s.state = ANY(%(approved)s) AS approved
  FROM governance_submission s JOIN governance_systemversion v ON v.id = s.version_id
  WHERE s.system_id = %(system)s AND s.version_id <> %(version)s AND s.revision <> 0 ORDER BY s.id DESC LIMIT %(most)s
) latest GROUP BY version
"""
_FEATURES = f"""
SELECT known.*, (
  SELECT jsonb_path_query_array(r.facts, '$[*] ? (@.name == "model.features" || @.name == "training.run_id")')
  FROM governance_revision r WHERE r.submission_id = known.id ORDER BY r.number DESC LIMIT 1
) FROM ({_VERSIONS}) known (version, approved, digest, id) ORDER BY version COLLATE "C"
"""


def _versions(submission: Submission) -> dict[str, Any]:
    """The latest other versions of the same system: whether approved, the artefact's digest, and features and training run of
    the latest revision of the latest submission. The database picks these out: the other facts are not sent."""
    wanted: dict[str, Any] = {
        "approved": [state.value for state in _APPROVED],
        "system": submission.system_id,
        "version": submission.version_id,
        "most": _MOST_VERSIONS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FEATURES, wanted)
        rows = cursor.fetchall()
    found = {}
    for version, approved, digest, _, facts in rows:
        said = FactSet.from_json(json.loads(facts or "[]"))
        found[version] = {
            "approved": approved,
            "digest": digest,
            "features": [str(name) for name in said.value("model.features") or []],
            "run_id": str(said.value("training.run_id") or ""),
        }
    return found
