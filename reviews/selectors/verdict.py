"""The verdict document `guiderail/verdict/1`: what CI reads. Built from the decision view, so that page and pipeline agree."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from gates.models import GateOutcome
from governance.domain.canonical import canonical_json
from governance.domain.decision import DecisionView
from governance.domain.decision_gates import GateView
from governance.domain.decision_json import to_json
from governance.domain.decision_review import StepView
from governance.domain.vocabulary import State, Track
from governance.models import AuditEvent, SystemVersion
from governance.policy import Advice, Assessment, WayOut, explain
from governance.selectors.previewing import Preview
from reviews.selectors.assessed import from_preview, reason_views, way_views
from reviews.selectors.barred import bar_on, words_of
from reviews.selectors.view_answers import questionnaire_view

SCHEMA = "guiderail/verdict/1"
APPROVED, FAILED, WAITING = 0, 1, 3
_EXIT = {
    State.APPROVED: APPROVED,
    State.SUPERSEDED: APPROVED,
    State.CHECKS_FAILED: FAILED,
    State.REJECTED: FAILED,
    State.WITHDRAWN: FAILED,
    State.REVOKED: FAILED,
    State.EXPIRED: FAILED,
}
_NEXT = {
    State.DRAFT: "Submit it when it is complete.",
    State.IN_CHECKS: "Wait: the gates are running.",
    State.CHECKS_FAILED: "Mend what the findings name, then submit a revision.",
    State.IN_REVIEW: "Wait for the reviewer whose turn it is.",
    State.CHANGES_REQUESTED: "Answer each requested change, then submit a revision.",
    State.APPROVED: "Deploy it while the permit is valid.",
    State.REJECTED: "Read what would be accepted instead, and submit a new version.",
    State.WITHDRAWN: "Submit the version again if it is still wanted.",
    State.SUPERSEDED: "Nothing: a later version is approved.",
    State.REVOKED: "Do not deploy it; roll back where it runs.",
    State.EXPIRED: "Submit the version again: approvals have an age limit.",
}


def verdict_document(view: DecisionView) -> dict[str, Any]:
    """The document of a submission."""
    state = State(view.state)
    code = _EXIT.get(state, WAITING)
    barred = _barred(view) if code == APPROVED or state is State.CHECKS_FAILED else ""
    return {
        "schema": SCHEMA,
        "submission": view.submission,
        "url": view.url,
        "system": view.system,
        "version": view.version,
        "environment": view.environment,
        "state": view.state,
        "final": view.final,
        "turn": list(view.turn),
        "due_at": to_json(view.due_at),
        "reason_code": "barred" if barred else reason_code(view),
        "says": barred or _says(view),
        "next_step": "Train and register another build; this one stays refused." if barred else _NEXT[state],
        "track": view.track,
        "track_is_final": view.track_is_final,
        "track_says": view.track_says,
        "reasons": to_json(view.reasons),
        "would_change": [{"to": w.to, "possible": w.possible, "if": to_json(w.changes)} for w in view.would_change],
        "steps": [_step(step) for step in view.steps],
        "gates": [_gate(gate) for gate in view.gates],
        "findings": [
            {"id": f.id, "severity": f.severity, "says": f.says, "fix": f.fix, "about": f.about, "state": f.state}
            for f in view.findings
        ],
        "change_items": [
            {"id": i.id, "about": i.about, "asks": i.asks, "good_enough": i.good_enough, "reply": i.reply, "revision": i.revision}
            for i in view.change_items
        ],
        "questions": to_json(view.questions),
        "missing_evidence": to_json(view.missing_evidence),
        "source_problems": [{"source": s.name, "says": text} for s in view.sources for text in s.problems],
        "policy": to_json(view.policy),
        "dossier_digest": view.dossier_digest or None,
        "permit": to_json(view.permit),
        "exit_code": FAILED if barred else code,
    }


def preview_document(preview: Preview, *, system: str, version: str, environment: str) -> dict[str, Any]:
    """The same document for something that does not exist: nothing was recorded, nobody waits."""
    assessed = from_preview(preview)
    questions = questionnaire_view(assessed.pack, assessed.facts, (), {}, preview.offers)
    would_fail = any(item.blocks_at == "checks" for item in preview.advice)
    return {
        "schema": SCHEMA,
        "submission": None,
        "url": None,
        "system": system,
        "version": version,
        "environment": environment,
        "state": "preview",
        "final": False,
        "turn": [],
        "due_at": None,
        "reason_code": "preview",
        "says": "Nothing was recorded. This is what would happen if it were submitted now.",
        "next_step": "Answer what is missing, then submit it.",
        "track": assessed.track,
        "track_is_final": False,
        "track_says": explain(preview.assessment),
        "reasons": to_json(assessed.reasons),
        "would_change": [{"to": w.to, "possible": w.possible, "if": to_json(w.changes)} for w in assessed.would_change],
        "steps": [{"role": step.role.value, "state": "waiting", "by": None, "due_at": None} for step in preview.assessment.steps],
        "gates": [],
        "advice": [item.to_json() for item in preview.advice],
        "findings": [],
        "change_items": [],
        "questions": to_json(questions.counts),
        "missing_evidence": to_json(assessed.missing_evidence(sorted(preview.evidence_roles))),
        "source_problems": [{"source": p.file, "says": p.detail} for p in preview.problems],
        "policy": to_json(assessed.policy),
        "dossier_digest": None,
        "permit": None,
        "exit_code": FAILED if would_fail else APPROVED,
    }


def measured_document(
    base: dict[str, Any],
    *,
    track: Track,
    assessment: Assessment,
    ways: Sequence[WayOut],
    advice: Sequence[Advice],
    gates: Sequence[GateOutcome],
) -> dict[str, Any]:
    """The document of a preview once its gates have run: `base` is what the rules alone said."""
    ways_out = way_views([way.to_json() for way in ways])
    blocked = [gate for gate in gates if gate.blocking and gate.verdict in ("fail", "not_assessed")]
    would_fail = bool(blocked) or any(item.blocks_at == "checks" for item in advice)
    return {
        **base,
        "reason_code": f"gate:{blocked[0].code}" if blocked else "preview",
        "says": "Nothing was recorded. "
        + (f"It would stop at the checks: {blocked[0].says}" if blocked else "No gate would stop it at the checks."),
        "next_step": "Mend what the gates name, then preview again." if would_fail else "Submit it.",
        "track": track.value,
        "track_is_final": True,
        "track_says": explain(assessment),
        "reasons": to_json(reason_views(assessment.to_json()["reasons"])),
        "would_change": [{"to": w.to, "possible": w.possible, "if": to_json(w.changes)} for w in ways_out],
        "steps": [{"role": step.role.value, "state": "waiting", "by": None, "due_at": None} for step in assessment.steps],
        "gates": [
            {
                "code": gate.code,
                "name": gate.name,
                "verdict": str(gate.verdict),
                "blocking": gate.blocking,
                "observed": gate.observed,
                "interval": None if gate.low is None or gate.high is None else [gate.low, gate.high],
                "limit": gate.limit,
                "n": gate.n,
                "group": gate.group,
                "says": gate.says,
                "fix": gate.fix,
                "learn": f"/gates/{gate.code}",
                "waived": None,  # nobody asks for a waiver of what was not handed in
            }
            for gate in gates
        ],
        "advice": [item.to_json() for item in advice],
        "exit_code": FAILED if would_fail else APPROVED,
    }


def reason_code(view: DecisionView) -> str:
    """A stable code of why it stands where it stands."""
    if view.state == State.CHECKS_FAILED:
        blocked = [g.code for g in view.gates if g.blocking and g.shown in ("fail", "not_assessed")]
        return f"gate:{blocked[0]}" if blocked else "no_rollback_target"
    if view.state == State.IN_REVIEW:
        return f"waiting:{view.turn[0]}" if view.turn else "waiting"
    return view.state


def _barred(view: DecisionView) -> str:
    """Why the build is refused for ever, or "": an approval from before its bar does not count."""
    bar = bar_on(SystemVersion.objects.filter(submissions=view.id))
    return words_of(bar) if bar is not None else ""


def etag_of(document: dict[str, Any]) -> str:
    """A strong tag over the content."""
    return '"' + hashlib.sha256(canonical_json(document)).hexdigest()[:32] + '"'


def last_event(submission_id: int) -> int:
    """The number of the last audit event of a submission: one cheap query that tells whether anything happened."""
    rows = AuditEvent.objects.filter(object=f"submission:{submission_id}").order_by("-seq")
    return rows.values_list("seq", flat=True).first() or 0


def _says(view: DecisionView) -> str:
    state = State(view.state)
    head = f"{view.submission} ({view.system} {view.version} for {view.environment}) is {view.state_words}."
    if state is State.CHECKS_FAILED:
        reasons = [g.says for g in view.gates if g.blocking and g.shown in ("fail", "not_assessed")] or [
            f.says for f in view.findings if f.state == "open"
        ]
        return f"{head} {reasons[0]}" if reasons else head
    if state in (State.REJECTED, State.CHANGES_REQUESTED) and view.sign_offs:
        last = view.sign_offs[0]
        instead = f" What would be accepted: {last.accepted_instead}" if last.accepted_instead else ""
        return f"{head} {last.comment}".strip() + instead
    if state is State.IN_REVIEW:
        step = next((s for s in view.steps if s.state == "open"), None)
        return f"{head} It is the turn of the {step.role_label}." if step is not None else head
    return f"{head} {view.track_says}"


def _step(step: StepView) -> dict[str, Any]:
    return {
        "role": step.role,
        "state": step.state,
        "by": step.by or None,
        "due_at": to_json(step.due_at),
        "since": to_json(step.since),
        "decision": step.decision or None,
        "decided_at": to_json(step.decided_at),
        "attests": step.attests,
    }


def _gate(gate: GateView) -> dict[str, Any]:
    return {
        "code": gate.code,
        "name": gate.name,
        "verdict": gate.verdict,
        "blocking": gate.blocking,
        "observed": gate.observed,
        "interval": list(gate.interval) if gate.interval is not None else None,
        "limit": gate.limit,
        "n": gate.n,
        "group": gate.group,
        "says": gate.says,
        "fix": gate.fix,
        "learn": gate.learn,
        "waived": _waived(gate),
    }


def _waived(gate: GateView) -> dict[str, Any] | None:
    """The waiver that covers a failure now; the verdict stays what the gate said."""
    if gate.shown != "waived" or gate.waiver is None:
        return None
    kept = gate.waiver
    return {"waiver": kept.number, "until": to_json(kept.expires_at), "owner": kept.owner, "control": kept.compensating_control}
