"""A preview on one machine, without server or database: the same readers, rules, collectors and gates, on files of a folder.

What only an installation knows is not known here: the version in force, approved sources, approvals. What follows from them stays
unknown, and unknown is never green.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gates import registry
from gates.services.judging import judged_gates
from gates.services.local_runs import LocalFile, local_settings, measure_locally
from gates.services.planning import needed_collectors
from governance.domain.errors import FieldError, InvalidInput
from governance.domain.facts import Fact
from governance.domain.incoming import NewAnswer
from governance.domain.vocabulary import EvidenceRole, Track, strictest
from governance.models import PolicyPack
from governance.policy import Pack, advice, asked, evaluate, missing, what_would_change
from governance.prefill.reading import read_source
from governance.prefill.source import Problem
from governance.selectors.answers import parsed_answers
from governance.selectors.facts import answer_fact, complete, pending_collectors
from governance.selectors.previewing import Preview
from governance.selectors.surroundings import Registers
from reviews.selectors.verdict import measured_document, preview_document
from reviews.services.settling import unsettled_fact

SAYS = (
    "Nothing was recorded, and no server was asked: this is what the shipped rules and gates say of these files. The version in "
    "force and the registers are not known here, so the track may differ when it is submitted."
)


def preview_locally(
    *,
    system: str,
    version: str,
    environment: str,
    sources: Sequence[tuple[str, bytes]],
    answers: Mapping[str, Any],
    evidence: Sequence[LocalFile],
    pack: Pack,
) -> dict[str, Any]:
    """The verdict document of files on this machine. Raises `InvalidInput` for answers or roles that do not exist."""
    for file in evidence:
        if file.role not in EvidenceRole._value2member_map_:
            detail = f"There is no role “{file.role}”. Roles: {', '.join(EvidenceRole)}."
            raise InvalidInput(detail, errors=(FieldError("/evidence", "unknown", detail),))
    facts: list[Fact] = []
    problems: list[Problem] = []
    for name, content in sources:
        reading = read_source(name, content)
        facts += reading.facts
        problems += reading.problems
    given = {name: value if isinstance(value, NewAnswer) else NewAnswer(value) for name, value in answers.items()}
    facts += [answer_fact(question, value, "local") for question, value in parsed_answers(pack, given).items()]
    known = complete(facts, champion=None, registers=Registers(frozenset(), frozenset(), {}))
    pending, roles = pending_collectors(pack), frozenset(file.role for file in evidence)
    assessment = evaluate(pack, known, pending=pending)
    preview = Preview(
        policy=PolicyPack(name=pack.name, kind=pack.kind, version=pack.version, digest=pack.digest),
        pack=pack,
        facts=known,
        pending=pending,
        assessment=assessment,
        ways=what_would_change(pack, known, assessment, pending=pending),
        advice=advice(pack, known, assessment),
        questions=asked(pack.form, known),
        missing=missing(pack.form, known),
        evidence_roles=roles,
        champion_version=None,
        champion_submission=None,
        problems=tuple(problems),
    )
    base = preview_document(preview, system=system, version=version, environment=environment)
    names = [each.name for each in needed_collectors(pack, pack.gate_kind, assessment.track)]
    found = measure_locally(names, files=evidence, facts=known, settings=local_settings(pack, known))
    known = known.with_facts(found.facts())
    provisional = track = assessment.track
    for second in (False, True):
        assessment = evaluate(pack, known, pending=frozenset())
        track = strictest(assessment.track, provisional)
        gates = judged_gates(pack, pack.gate_kind, track, known, found.measured(), found.statuses(registry.collectors()))
        unsettled = unsettled_fact(gates)
        if second or track is not Track.GREEN or unsettled is None:
            break
        known = known.with_facts([unsettled])
    document = measured_document(
        base,
        track=track,
        assessment=assessment,
        ways=what_would_change(pack, known, assessment, pending=frozenset()),
        advice=advice(pack, known, assessment),
        gates=gates,
    )
    return {**document, "says": SAYS}


def body_from(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `preview_locally` from what the client sends. Raises `InvalidInput`."""
    try:
        return {
            "system": str(given["system"]),
            "version": str(given["version"]),
            "environment": str(given["environment"]),
            "sources": [(str(row["name"]), str(row["content"]).encode()) for row in given["sources"]],
            "answers": dict(given["answers"]),
            "evidence": [
                LocalFile(str(row["role"]), Path(row["path"]), dict(row.get("columns") or {}), str(row.get("format") or ""))
                for row in given["evidence"]
            ],
        }
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise InvalidInput(f"What the client sent cannot be read ({exc!r}). Use client and server of one version.") from exc
