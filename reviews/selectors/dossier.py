"""The dossier: everything a decision rests on, in one canonical structure with one digest.

It is computed from the rows as they are now, never from a stored digest, so that a change by whatever path is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gates.models import GateOutcome
from gates.selectors.outcomes import outcomes_of
from governance.domain.canonical import digest
from governance.domain.vocabulary import EvidenceRole
from governance.models import Answer, Evidence, MetadataSource, Submission, TrackDecision
from governance.policy import Pack
from governance.selectors.policy import pack_of
from reviews.models import Attested, Waiver
from reviews.selectors.waiving import live

SCHEMA = "guiderail/dossier/1"


@dataclass(frozen=True)
class Material:
    """The rows a dossier is made of, loaded once and shared with the views.

    `pack` is None before a policy was applied; `waivers` are those that hold now, `attested` is all that people attested.
    """

    submission: Submission
    decision: TrackDecision | None
    answers: tuple[Answer, ...]
    evidence: tuple[Evidence, ...]
    sources: tuple[MetadataSource, ...]
    outcomes: tuple[GateOutcome, ...]
    pack: Pack | None
    waivers: tuple[Waiver, ...] = ()
    attested: tuple[Attested, ...] = ()


@dataclass(frozen=True)
class DossierContent:
    """A dossier and its digest."""

    content: dict[str, Any]
    digest: str


def material_of(submission: Submission, *, lock: bool = False) -> Material:
    """Load what the dossier is made of: seven queries and the cached pack.

    With `lock`, answers, evidence and sources are locked as well, so that what is read here is still so at commit.
    """
    answers = Answer.objects.filter(submission=submission).select_related("by").order_by("id")
    evidence = Evidence.objects.filter(submission=submission).select_related("file", "added_by").order_by("id")
    sources = MetadataSource.objects.filter(submission=submission).defer("content").order_by("id")
    if lock:
        answers, evidence, sources = (
            answers.select_for_update(of=("self",)),
            evidence.select_for_update(of=("self",)),
            sources.select_for_update(of=("self",)),
        )
    decisions = TrackDecision.objects.filter(submission=submission, revision=submission.revision).select_related("policy")
    decision = decisions.defer("policy__source", "policy__questionnaire").order_by("-id").first()
    return Material(
        submission=submission,
        decision=decision,
        answers=tuple(answers),
        evidence=tuple(evidence),
        sources=tuple(sources),
        outcomes=tuple(outcomes_of(submission.pk, submission.revision)),
        pack=pack_of(decision.policy) if decision else None,
        waivers=tuple(live(Waiver.objects.filter(submission=submission)).order_by("id")),
        attested=tuple(Attested.objects.filter(submission=submission).defer("shown").order_by("id")),
    )


def dossier(submission: Submission, *, lock: bool = False) -> DossierContent:
    """The dossier of a submission as it stands."""
    return dossier_from(material_of(submission, lock=lock))


def dossier_from(material: Material) -> DossierContent:
    """The dossier of rows already loaded.

    Not part of it, so that they void nothing: comments, answers and facts the pack calls immaterial, added documents, file names.
    """
    submission, decision = material.submission, material.decision
    aside = immaterial(material.pack)
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "submission": submission.number,
        "revision": submission.revision,
        "system": submission.system.slug,
        "version": submission.version.version,
        "artifact_digest": submission.version.artifact_digest,
        "environment": submission.environment,
        "champion": f"S-{submission.champion_id}" if submission.champion_id else None,
        "track": submission.track,
        "track_is_final": submission.track_is_final,
        "policy": decision.policy.digest if decision else None,
        "facts": sorted((row for row in (decision.facts if decision else []) if row["name"] not in aside), key=digest),
        "answers": {
            a.question: {"value": a.value, "provenance": a.provenance, "reason": a.reason}
            for a in material.answers
            if a.question not in aside
        },
        "evidence": {
            e.role: {"sha256": e.file.sha256, "columns": e.columns, "format": e.format}
            for e in material.evidence
            if e.role != EvidenceRole.DOCUMENT
        },
        "sources": sorted(source.sha256 for source in material.sources),
        "outcomes": {
            o.code: {
                "verdict": o.verdict,
                "blocking": o.blocking,
                "observed": o.observed,
                "low": o.low,
                "high": o.high,
                "n": o.n,
                "limit": o.limit,
                "group": o.group,
                "says": o.says,
            }
            for o in material.outcomes
        },
    }
    if material.waivers:
        content["waivers"] = {
            w.number: {
                "gate": w.gate,
                "says": w.says,
                "reason": w.reason,
                "compensating_control": w.compensating_control,
                "owner": w.owner_id,
                "until": w.expires_at.isoformat(),
                "audit_due_on": w.audit_due_on.isoformat(),
            }
            for w in material.waivers
        }
    if material.attested:
        content["attested"] = [
            {
                "what": row.what,
                "item": row.item,
                "subject": row.subject,
                "role": row.role,
                "by": row.by_id,
                "yes": row.yes,
                "comment": row.comment,
                "revision": row.revision,
            }
            for row in material.attested
        ]
    return DossierContent(content, digest(content))


def immaterial(pack: Pack | None) -> frozenset[str]:
    """Questions (and the facts of their name) whose change voids no decision, as the pack says."""
    if pack is None or pack.questionnaire is None:
        return frozenset()
    return frozenset(question.id for question in pack.questionnaire.questions if not question.material)


def current_digest(submission_id: int) -> str:
    """The digest of a submission's dossier as it stands: what a decision made now has to name."""
    rows = Submission.objects.select_related("system", "version")
    return dossier(rows.get(pk=submission_id)).digest
