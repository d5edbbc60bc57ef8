"""From raw source to deployment: what is known of where a version comes from and where it went, from stored facts and rows only.

Every node that has a content digest is named by it, so the same graph cannot mean another thing later. A link nobody recorded is
named as missing instead of being left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from governance.domain.canonical import digest as digest_of
from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import DecisionKind, EvidenceRole, Role
from governance.models import DataSource, Revision, Submission, TrackDecision
from governance.selectors.access import Caller
from reviews.models import Deployment, Permit, SignOff
from reviews.selectors.loading import find_submission

STAGES = ("source", "data", "run", "model", "version", "submission", "decision", "permit", "deployment")
TITLES = {
    "source": "Raw source",
    "data": "Data set",
    "run": "Training run",
    "model": "Model artefact",
    "version": "System version",
    "submission": "Submission",
    "decision": "Decision",
    "permit": "Permit",
    "deployment": "Deployment",
}


@dataclass(frozen=True)
class Node:
    """One thing of the way. `missing`: nobody recorded it; `says` then tells what to record."""

    id: str
    stage: str
    title: str
    name: str
    digest: str = ""
    says: str = ""
    evidence: str = ""
    url: str = ""
    missing: bool = False


@dataclass(frozen=True)
class Edge:
    """One step of the way, and what shows it. `broken`: one of its ends is missing."""

    source: str
    target: str
    says: str
    evidence: str
    broken: bool


@dataclass(frozen=True)
class Lineage:
    """The graph of one submission. `digest` names the whole of it."""

    submission: str
    system: str
    version: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    missing: tuple[str, ...]
    digest: str

    def of(self, stage: str) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.stage == stage)


def lineage(caller: Caller, submission_id: int) -> Lineage:
    """The graph of a submission, from what is stored. Six statements. Raises `NotFound`."""
    submission = find_submission(caller=caller, submission_id=submission_id)
    decision = TrackDecision.objects.filter(submission=submission, revision=submission.revision).order_by("-id").first()
    if decision is not None:
        facts = FactSet.from_json(decision.facts)
    else:
        revision = Revision.objects.filter(submission=submission).order_by("-number").first()
        facts = FactSet.from_json(revision.facts if revision is not None else [])
    nodes = [
        *_sources(submission, facts),
        *_data(facts),
        _run(facts),
        _model(submission, facts),
        Node(
            f"version:{submission.version_id}",
            "version",
            TITLES["version"],
            f"{submission.system.slug} {submission.version.version}",
            digest=submission.version.artifact_digest,
            evidence="inventory",
            url=f"/systems/{submission.system_id}",
        ),
        Node(
            f"submission:{submission.pk}",
            "submission",
            TITLES["submission"],
            f"{submission.number}, revision {submission.revision}",
            digest=submission.dossier_digest,
            says="the digest is that of the dossier decided on" if submission.dossier_digest else "",
            evidence=f"audit trail, submission:{submission.pk}",
            url=f"/submissions/{submission.number}",
        ),
        *_decisions(submission),
        *_permits(submission),
        *_deployments(submission),
    ]
    edges = tuple(_edges(nodes))
    content = {"nodes": [(n.id, n.digest, n.missing) for n in nodes], "edges": [(e.source, e.target) for e in edges]}
    return Lineage(
        submission.number,
        submission.system.slug,
        submission.version.version,
        tuple(nodes),
        edges,
        tuple(f"{node.title}: {node.says}" for node in nodes if node.missing),
        digest_of(content),
    )


def _missing(stage: str, says: str) -> Node:
    return Node(f"{stage}:missing", stage, TITLES[stage], "not recorded", says=says, missing=True)


def _shown_by(fact: Fact | None) -> str:
    return f"{fact.assurance.label}: {fact.origin}{f' {fact.locator}' if fact.locator else ''}" if fact is not None else ""


def _best(facts: FactSet, name: str) -> Fact | None:
    return next((fact for fact in facts.all(name) if fact.value not in (None, "", [])), None)


def _sources(submission: Submission, facts: FactSet) -> list[Node]:
    fact = _best(facts, "data.sources")
    names = [str(name) for name in fact.value] if fact is not None and isinstance(fact.value, list) else []
    if not names:
        return [_missing("source", "name every table or file the model was trained on (data.sources)")]
    known = {
        row.name.lower(): row for row in DataSource.objects.filter(unit_id=submission.unit_id).only("name", "owner", "approved")
    }
    nodes = []
    for name in names[:50]:
        row = known.get(name.lower()) or next(
            (entry for prefix, entry in known.items() if prefix.endswith("/") and name.lower().startswith(prefix)), None
        )
        if row is None:
            says = "not in the register of data sources"
        else:
            says = f"registered, {'approved' if row.approved else 'not approved'}, owner {row.owner}"
        nodes.append(Node(f"source:{name}", "source", TITLES["source"], name, says=says, evidence=_shown_by(fact)))
    return nodes


def _data(facts: FactSet) -> list[Node]:
    nodes = []
    for kind, ask in (("training", "training.dataset_digest"), ("evaluation", "evaluation.dataset_digest")):
        fact = _best(facts, ask)
        if fact is not None:
            value = str(fact.value)
            nodes.append(
                Node(f"data:{kind}", "data", f"{kind.capitalize()} data set", value, digest=value, evidence=_shown_by(fact))
            )
        elif kind == "training":
            nodes.append(_missing("data", f"log the data set with the run, so that its digest is known ({ask})"))
    return nodes


def _run(facts: FactSet) -> Node:
    run, commit = _best(facts, "training.run_id"), _best(facts, "training.code_commit")
    if run is None:
        return _missing("run", "hand in the metadata of the training run (training.run_id)")
    says = f"code {commit.value}" if commit is not None else "the code commit is not recorded (training.code_commit)"
    return Node(f"run:{run.value}", "run", TITLES["run"], str(run.value), says=says, evidence=_shown_by(run))


def _model(submission: Submission, facts: FactSet) -> Node:
    fact = _best(facts, "model.digest")
    file = submission.evidence.filter(role=EvidenceRole.CANDIDATE_MODEL).values_list("file__sha256", "file__name").first()
    if file is not None:
        says = "" if fact is None or str(fact.value).endswith(file[0]) else f"the metadata names another digest: {fact.value}"
        return Node(
            f"model:{file[0]}",
            "model",
            TITLES["model"],
            file[1],
            digest=f"sha256:{file[0]}",
            says=says,
            evidence="evidence store",
        )
    if fact is not None:
        return Node(
            f"model:{fact.value}", "model", TITLES["model"], "as the metadata names it", str(fact.value), evidence=_shown_by(fact)
        )
    if submission.version.artifact_digest:
        value = submission.version.artifact_digest
        return Node(f"model:{value}", "model", TITLES["model"], "as the submission names it", value, evidence="inventory")
    return _missing("model", "hand in the model file, or its digest, so that what is approved is what is deployed")


def _decisions(submission: Submission) -> list[Node]:
    rows = SignOff.objects.filter(submission=submission, voided_at__isnull=True).select_related("by").order_by("id")
    nodes = [
        Node(
            f"decision:{row.pk}",
            "decision",
            TITLES["decision"],
            f"{DecisionKind(row.decision).value.replace('_', ' ')} as {Role(row.role).label}",
            digest=row.dossier_digest,
            says=f"{row.by.name}, {row.at:%d %B %Y}; bound to this dossier",
            evidence=f"signature {row.pk}, audit trail",
            url=f"/submissions/{submission.number}#signed-{row.pk}",
        )
        for row in rows
    ]
    if nodes:
        return nodes
    if submission.state in ("approved", "superseded", "expired", "revoked"):
        says = "every rule held and every gate passed"
        return [
            Node(
                "decision:policy",
                "decision",
                TITLES["decision"],
                "approved by the policy",
                submission.dossier_digest,
                says,
                "audit trail",
            )
        ]
    return [_missing("decision", f"nobody decided yet: it is {submission.state.replace('_', ' ')}")]


def _permits(submission: Submission) -> list[Node]:
    rows = Permit.objects.filter(submission=submission).order_by("issued_at")
    nodes = [
        Node(
            f"permit:{row.pk}",
            "permit",
            TITLES["permit"],
            str(row.pk),
            digest=row.artifact_digest,
            says=f"revoked: {row.revoked_why}"
            if row.revoked_at
            else f"for {row.environment}, up to {row.exposure} %, until {row.expires_at:%d %B %Y}",
            evidence=f"dossier {row.dossier_digest[:19]}…, policy {row.policy_digest[:19]}…",
        )
        for row in rows
    ]
    return nodes or [_missing("permit", "no permit was issued")]


def _deployments(submission: Submission) -> list[Node]:
    rows = Deployment.objects.filter(
        Q(permit__submission=submission) | Q(version=submission.version_id, environment=submission.environment)
    ).order_by("id")
    nodes = [
        Node(
            f"deployment:{row.pk}",
            "deployment",
            TITLES["deployment"],
            f"{row.environment}{f', {row.target}' if row.target else ''}",
            digest=row.artifact_digest,
            says=f"{row.state.replace('_', ' ')} since {row.ended_at or row.at:%d %B %Y}"
            + ("" if row.permit_id else "; seen running without a permit"),
            evidence=f"report {row.pk}",
            url="/deployments",
        )
        for row in rows[:50]
    ]
    return nodes or [_missing("deployment", "no deployment was reported")]


_STEPS = (
    ("source", "data", "read into"),
    ("data", "run", "used by"),
    ("run", "model", "produced"),
    ("model", "version", "is the artefact of"),
    ("version", "submission", "handed in as"),
    ("submission", "decision", "decided by"),
    ("decision", "permit", "allowed"),
    ("permit", "deployment", "let go live"),
)


def _edges(nodes: Iterable[Node]) -> Iterable[Edge]:
    by_stage: dict[str, list[Node]] = {}
    for node in nodes:
        by_stage.setdefault(node.stage, []).append(node)
    for before, after, says in _STEPS:
        for source in by_stage.get(before, []):
            for target in by_stage.get(after, []):
                if (before, after) == ("source", "data") and target.id == "data:evaluation":
                    continue
                evidence = target.evidence or source.evidence
                yield Edge(source.id, target.id, says, evidence, source.missing or target.missing)


def to_document(found: Lineage) -> dict[str, Any]:
    """The graph as JSON, for keeping and for other tools."""
    return {
        "schema": "guiderail/lineage/1",
        "submission": found.submission,
        "system": found.system,
        "version": found.version,
        "digest": found.digest,
        "nodes": [{slot: getattr(node, slot) for slot in node.__dataclass_fields__} for node in found.nodes],
        "edges": [{slot: getattr(edge, slot) for slot in edge.__dataclass_fields__} for edge in found.edges],
        "missing": list(found.missing),
    }
