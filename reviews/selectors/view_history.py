"""The history of a submission in words, from the audit trail."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from governance.domain.decision import EventView
from governance.domain.vocabulary import DecisionKind, Role
from governance.models import AuditEvent
from reviews.models import SignOff
from reviews.selectors.loading import person_of

# action -> (sentence, tone, icon)
_WORDS: dict[str, tuple[str, str, str]] = {
    "submission.opened": ("opened the draft", "grey", "file-plus"),
    "submission.source_added": ("added a metadata file", "grey", "file-plus"),
    "submission.source_removed": ("removed a metadata file", "grey", "file-minus"),
    "submission.answered": ("answered questions: {questions}", "grey", "pencil"),
    "submission.answer_discarded": ("took back an answer: {question}", "grey", "pencil"),
    "submission.evidence_attached": ("attached {role} as evidence", "grey", "paperclip"),
    "submission.evidence_detached": ("removed {role} from the evidence", "grey", "paperclip"),
    "submission.submit": ("submitted revision {revision}", "blue", "send"),
    "submission.revise": ("submitted revision {revision}", "blue", "send"),
    "submission.replied": ("replied to the requested changes", "blue", "message"),
    "submission.withdraw": ("withdrew the submission", "grey", "arrow-back-up"),
    "submission.recheck": ("asked for the stopped checks to run again", "blue", "refresh"),
    "submission.track_assigned": ("assigned the {track} track{final_words}", "{track}", "route"),
    "gate_runs.planned": ("planned the checks", "grey", "list-check"),
    "gate_runs.cancelled": ("cancelled checks that were still waiting", "grey", "x"),
    "gate_runs.queued_again": ("queued the stopped checks again", "grey", "refresh"),
    "gate_run.cancelled": ("cancelled the check {collector}", "grey", "x"),
    "gate_run.queued_again": ("asked for the check {collector} to run again", "blue", "refresh"),
    "gates.judged": ("judged the gates", "grey", "gauge"),
    "finding.opened": ("opened a finding about {about}", "yellow", "alert-triangle"),
    "finding.closed": ("closed the finding about {about}", "green", "circle-check"),
    "submission.pass_checks": ("found every blocking gate passed: the review begins", "green", "circle-check"),
    "submission.fail_checks": ("stopped at {blocked_by}: the submitter’s turn", "red", "circle-x"),
    "submission.approve_by_policy": ("approved by policy {policy_words}", "green", "circle-check"),
    "submission.complete_review": ("approved the case", "green", "circle-check"),
    "submission.request_changes": ("sent the case back for changes", "yellow", "message"),
    "submission.reject": ("rejected the version", "red", "circle-x"),
    "submission.supersede": ("superseded by {by}", "grey", "versions"),
    "submission.revoke": ("revoked the approval", "red", "ban"),
    "submission.expire": ("let the approval lapse at its age limit", "grey", "clock"),
    "submission.dossier_changed": (
        "found the dossier changed: {voided} decision(s) void, the review starts again",
        "purple",
        "refresh",
    ),
    "personal_data.column_marked": ("marked the column {column} as {mark}: {reason}", "purple", "tag"),
    "review.requested": ("asked the {role_label} to review", "blue", "user"),
    "review.claimed": ("took the case on", "blue", "user"),
    "review.released": ("gave the case back to the queue", "grey", "user"),
    "review.handed_over": ("handed the case over as {role_label}", "blue", "user"),
    "section.seen": ("marked “{section}” as seen", "grey", "eye"),
    "decision.readings_refused": ("was asked to write readings anew: {missing} missing, {copied} copied", "grey", "edit"),
    "finding.fixed": ("reported the finding about {about} as fixed", "blue", "tool"),
    "finding.verified": ("verified the fix of the finding about {about}", "green", "circle-check"),
    "finding.reopened": ("found the fix of the finding about {about} not enough", "yellow", "alert-triangle"),
    "finding.assigned": ("set owner and due date of the finding about {about}", "grey", "user"),
    "sign_off.recorded": ("decided as {role_label}: {decision_words}", "blue", "writing-sign"),
    "attestation.recorded": ("attested as {role_label}: {yes} yes, {no} no, of {of} asked", "purple", "writing-sign"),
    "submission.pass_with_waiver": ("sent the case on with {waived} waived: the review begins", "purple", "clock-pause"),
    "submission.lapse": ("took the case back: {because}", "red", "alert-octagon"),
    "waiver.requested": ("asked for a waiver of {gate}", "purple", "clock-pause"),
    "waiver.signed": ("signed the waiver of {gate} as {part_words}", "purple", "pencil"),
    "waiver.signature_refused": ("refused to sign the waiver of {gate}", "red", "ban"),
    "waiver.granted": ("granted the waiver of {gate} and scheduled its audit", "purple", "clock-pause"),
    "waiver.ended": ("ended the waiver of {gate}: {how_words}", "red", "clock-pause"),
    "waiver.audited": ("recorded the audit of the waiver of {gate}", "blue", "report-search"),
    "evaluation.scheduled": ("scheduled the post-release evaluation", "grey", "calendar-due"),
    "evaluation.recorded": ("recorded the post-release evaluation: {result_words}", "blue", "report-search"),
    "condition.met": ("recorded a condition as met", "green", "check"),
    "deployment_gate.told": ("answered the deployment that waits on {host}: {answer}", "blue", "rocket"),
    "deployment.reported": ("deployed it to {environment}", "blue", "rocket"),
    "deployment.rolled_back": ("rolled it back to {to}", "yellow", "rotate"),
    "deployment.unpermitted": ("found it running without a live permit", "red", "alert-octagon"),
    "exposure.requested": ("asked to go from {from} % to {to} %", "blue", "chart-histogram"),
    "exposure.granted": ("let it go from {from} % to {to} %", "green", "check"),
    "exposure.refused": ("refused to let it go up to {to} %", "red", "ban"),
    "exposure.withdrawn": ("took the request for more exposure back", "grey", "circle-minus"),
    "permit.issued": ("issued the permit", "green", "certificate"),
    "permit.revoked": ("ended the permit", "red", "ban"),
}
_DECISIONS = {
    DecisionKind.APPROVE: "approve",
    DecisionKind.APPROVE_WITH_CONDITIONS: "approve with conditions",
    DecisionKind.REQUEST_CHANGES: "request changes",
    DecisionKind.REJECT: "reject",
}


class _Blank(dict[str, Any]):
    """Words for what an older event did not record."""

    def __missing__(self, key: str) -> str:
        return "…"


def history(events: Iterable[AuditEvent], sign_offs: Iterable[SignOff], names: Mapping[int, str]) -> tuple[EventView, ...]:
    """The events of a submission, newest first. Free text comes from the records, never from the events, which hold none."""
    comments = {sign_off.pk: sign_off.comment for sign_off in sign_offs}
    lines = []
    for event in events:
        data = json.loads(event.payload)["data"]
        words, tone, icon = _WORDS.get(event.action, (event.action.replace(".", ": ").replace("_", " "), "grey", "circle"))
        filled = _Blank(_plain(data))
        lines.append(
            EventView(
                seq=event.seq,
                at=event.at,
                who=_who(event, names),
                action=event.action,
                says=words.format_map(filled),
                comment=comments.get(data.get("sign_off"), "") if event.action == "sign_off.recorded" else "",
                tone=tone.format_map(filled),
                icon=icon,
            )
        )
    return tuple(reversed(lines))


def _who(event: AuditEvent, names: Mapping[int, str]) -> str:
    person = person_of(event.actor)
    if person is None:
        return "The policy" if event.actor == "policy" else event.actor
    return names.get(person, "somebody") + (" (by token)" if "/token:" in event.actor else "")


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: _words_of(value) for key, value in data.items()}
    if "role" in data:
        found["role"] = str(data["role"]).replace("_", " ")
        found["role_label"] = Role(data["role"]).label if data["role"] in set(Role) else found["role"]
    if "decision" in data and data["decision"] in set(DecisionKind):
        found["decision_words"] = _DECISIONS[DecisionKind(data["decision"])]
    if "final" in data:
        found["final_words"] = "" if data["final"] else " so far"
    for name in ("part", "how", "result"):
        if name in data:
            found[f"{name}_words"] = str(data[name]).replace("_", " ")
    policy = data.get("policy")
    if isinstance(policy, dict):
        found["policy_words"] = f"{policy.get('pack')} {policy.get('version')}"
    return found


def _words_of(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value[:8])) + (f" and {len(value) - 8} more" if len(value) > 8 else "")
    return str(value)
