"""Freezing the working copy into a revision, with its provisional track, in the transaction of the submit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models.functions import Now

from governance.domain.facts import FactSet
from governance.models import Answer, Evidence, MetadataSource, PolicyPack, Revision, Submission, SystemVersion, TrackDecision
from governance.policy import Assessment, Pack
from governance.selectors.champions import Champion
from governance.selectors.facts import facts_within, pending_collectors
from governance.services.drafts import forget_confirmations
from governance.services.tracks import TRACK_FIELDS, assign
from governance.services.work import Work

FROZEN_FIELDS = (*TRACK_FIELDS, "revision", "champion", "dossier_digest", "submitted_at")


@dataclass(frozen=True)
class Frozen:
    """What a submit produced: the revision, its facts, the provisional track, the pack it was judged by and the rows frozen."""

    revision: Revision
    facts: FactSet
    decision: TrackDecision
    assessment: Assessment
    policy: PolicyPack
    pack: Pack
    answers: tuple[Answer, ...]
    evidence: tuple[Evidence, ...]
    sources: tuple[MetadataSource, ...]
    champion: Champion | None = None


def freeze(work: Work, submission: Submission, *, note: str = "", request_key: str = "", request_digest: str = "") -> Frozen:
    """Make the next revision of a locked submission and assign its provisional track.

    `request_key`, `request_digest`: by which the request is recognised when it comes again. The submission's own fields are
    set and not saved: `FROZEN_FIELDS` go with the move of the lifecycle that follows.
    """
    assert work.caller.person is not None
    policy, pack = work.policy(submission.kind)
    around = work.background(submission)
    champion = around.champion
    copy = work.working_copy(submission)
    sources, evidence = copy.sources, copy.evidence
    facts = facts_within(around, submission, sources=sources, answers=copy.answers)
    answers = forget_confirmations(submission, facts, copy.answers)
    artifact = _remember_artifact(submission, evidence, facts)
    submission.revision += 1
    # a new revision is judged afresh: what its own facts say, no longer what an earlier revision's did
    submission.track, submission.track_is_final = "", False
    submission.champion = champion.submission if champion else None
    submission.dossier_digest = ""
    revision = Revision.objects.create(
        submission=submission,
        number=submission.revision,
        facts=facts.to_json(),
        answers=[
            {
                "question": a.question,
                "value": a.value,
                "provenance": a.provenance,
                "replaced": a.replaced,
                "reason": a.reason,
                "by": a.by_id,
            }
            for a in answers
        ],
        evidence=[
            {
                "role": e.role,
                "sha256": e.file.sha256,
                "name": e.file.name,
                "size": e.file.size,
                "columns": e.columns,
                "format": e.format,
            }
            for e in evidence
        ],
        sources=[{"name": s.name, "sha256": s.sha256, "reader": s.reader} for s in sources],
        artifact_digest=artifact,
        request_key=request_key,
        request_digest=request_digest,
        note=note,
        submitted_by=work.caller.person,
    )
    submission.submitted_at = Now()
    decision, assessment = assign(
        work,
        submission=submission,
        policy=policy,
        pack=pack,
        facts=facts,
        pending=pending_collectors(pack),
        final=False,
        save=False,
    )
    return Frozen(revision, facts, decision, assessment, policy, pack, tuple(answers), evidence, sources, champion)


def _remember_artifact(submission: Submission, evidence: Iterable[Evidence], facts: FactSet) -> str:
    """Record which artefact this version is now: from the model file handed in, else as the metadata declares.

    Returns its digest, "" when nothing says it; the revision keeps it, whatever later revisions hand in.
    """
    version: SystemVersion = submission.version
    model = next((e.file.sha256 for e in evidence if e.role == "candidate_model"), "")
    declared = str(facts.value("model.digest") or _sha256(str(facts.value("artifact.digest") or "")))
    found = (f"sha256:{model}" if model else declared)[:80]
    if found and found != version.artifact_digest:
        version.artifact_digest = found
        version.save(update_fields=["artifact_digest"])
    return found


def _sha256(text: str) -> str:
    """A digest as deployment tools ask for it: `registry/shop@sha256:AB…` and a bare one as `sha256:ab…`; others as they are."""
    found = re.fullmatch(r"(?:.*@)?(?:sha256:)?([0-9a-f]{64})", text.strip().lower())
    return f"sha256:{found[1]}" if found else text.strip()
