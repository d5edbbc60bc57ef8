"""What a signature rested on and said, as it stood when it was given: the data of its record.

Read from what never changes (the signature, the kept dossier, decisions before it, the audit chain) and from findings and
conditions as of the moment of signing, so that the record reads the same whenever it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from governance.domain.errors import NotFound
from governance.domain.facts import FactSet
from governance.domain.vocabulary import DecisionKind, Role
from governance.models import AuditCheckpoint, AuditEvent, Submission, TrackDecision
from governance.selectors.access import Caller, visible
from reviews.models import Condition, Dossier, Finding, SignOff

_DECIDED = {
    DecisionKind.APPROVE: "approved",
    DecisionKind.APPROVE_WITH_CONDITIONS: "approved with conditions",
    DecisionKind.REQUEST_CHANGES: "changes requested",
    DecisionKind.REJECT: "rejected",
}


def record_of(caller: Caller, submission_id: int, sign_off_id: int) -> dict[str, Any]:
    """The record of one signature, as plain data. Raises `NotFound` for what the caller may not see."""
    rows = Submission.objects.select_related("unit", "system", "version", "submitter", "champion__version")
    submission = visible(rows, caller).filter(pk=submission_id).first()
    signed = SignOff.objects.select_related("by", "step").filter(pk=sign_off_id, submission_id=submission_id).first()
    if submission is None or signed is None:
        raise NotFound(f"There is no such signature on S-{submission_id} in your business unit.")
    content = Dossier.objects.values_list("content", flat=True).get(submission=submission, digest=signed.dossier_digest)
    facts = FactSet.from_json(content["facts"])
    return {
        "title": f"{Role(signed.role).label.capitalize()}: {_decided(signed)}",
        "lead": f"Record of one signature on {submission.number}, made from what is kept; it can be drawn again at any time.",
        "case": _case(submission, content, facts),
        "why": _why(submission, signed),
        "earlier": [_earlier(row, signed) for row in _before(signed)],
        "open": _open(signed, content),
        "checks": [[row["element"], row["asks"], _answer(row)] for row in signed.checks],
        "decision": _decision(signed),
        "signed": {
            "by": signed.by.name,
            "meaning": signed.meaning,
            "dossier": signed.dossier_digest,
            "at_parts": list(signed.at.astimezone(UTC).timetuple()[:6]),
        },
        "proof": _proof(submission, signed),
    }


def _case(submission: Submission, content: Mapping[str, Any], facts: FactSet) -> list[list[str]]:
    champion = submission.champion.version.version if submission.champion is not None else "none, first deployment"
    return [
        ["Submission", f"{submission.number}, revision {content['revision']}, {submission.unit.name}"],
        ["Version", f"{submission.system.name} {submission.version.version} for {submission.environment}"],
        ["Artefact", content["artifact_digest"] or "no digest was handed in"],
        ["Champion", champion],
        ["Handed in by", submission.submitter.name],
        ["Track", f"{content['track']}"],
        ["Decisions affected", _people(facts)],
        ["Impact of a wrong decision", _known(facts, "impact.financial")],
        ["Rollback", _known(facts, "rollout.rollback_target")],
    ]


def _people(facts: FactSet) -> str:
    value = facts.value("impact.people_per_month")
    return f"{value} people a month" if value is not None else "not known"


def _known(facts: FactSet, name: str) -> str:
    value = facts.value(name)
    return str(value) if value is not None else "not known"


def _why(submission: Submission, signed: SignOff) -> str:
    decision = (
        TrackDecision.objects.filter(submission=submission, revision=signed.revision, at__lte=signed.at).order_by("-id").first()
    )
    return str(decision.assessment.get("sentence", "")) if decision is not None else ""


def _before(signed: SignOff) -> Iterable[SignOff]:
    """Every decision before this one, of earlier revisions too: dissent is part of what is signed."""
    return SignOff.objects.select_related("by").filter(submission_id=signed.submission_id, id__lt=signed.pk).order_by("id")


def _earlier(row: SignOff, signed: SignOff) -> dict[str, str]:
    parts = (row.comment, row.rationale and f"Why: {row.rationale}", row.alternatives and f"Considered: {row.alternatives}")
    void = " (void by then)" if row.voided_at is not None and row.voided_at <= signed.at else ""
    return {
        "who": f"{row.by.name}, {Role(row.role).label}, revision {row.revision}",
        "decision": f"{_decided(row)}{void}",
        "at": _moment(row.at),
        "words": " ".join(part for part in parts if part) or "No words were left.",
    }


def _open(signed: SignOff, content: Mapping[str, Any]) -> list[list[Any]]:
    then = Q(opened_at__lte=signed.at) & (Q(closed_at__isnull=True) | Q(closed_at__gt=signed.at))
    findings = Finding.objects.filter(then, submission_id=signed.submission_id).order_by("id")
    conditions = Condition.objects.select_related("owner").filter(submission_id=signed.submission_id, sign_off_id__lte=signed.pk)
    gates = [f"{code}: {row['says']}" for code, row in sorted(content["outcomes"].items()) if row["verdict"] not in _FINE]
    waivers = content.get("waivers", {})
    return [
        ["Gates that did not pass", gates],
        ["Findings", [f"F-{row.pk} ({row.severity}) {row.about}: {row.says}" for row in findings]],
        [
            "Waivers",
            [
                f"{number} of {w['gate']} until {w['until'][:10]}: {w['compensating_control']}"
                for number, w in sorted(waivers.items())
            ],
        ],
        [
            "Conditions",
            [f"{row.text} ({row.owner.name}, by {row.due_on.isoformat()}; if missed: {row.if_missed})" for row in conditions],
        ],
        ["Readings of gates", [f"{code}: {text}" for code, text in sorted(signed.readings.items())]],
    ]


_FINE = frozenset({"pass", "not_applicable"})


def _answer(row: Mapping[str, Any]) -> str:
    words = str(row["answer"]).replace("_", " ")
    return f"{words}: {row['note']}" if row.get("note") else words


def _decision(signed: SignOff) -> list[list[str]]:
    rows = [
        ["Signed by", f"{signed.by.name}, {Role(signed.role).label}, {_moment(signed.at)}"],
        ["Decision", _decided(signed)],
        ["What the signature means", signed.meaning],
        ["Assessment", signed.comment],
        ["Why", signed.rationale],
        ["What else was considered", signed.alternatives],
        ["Residual risk", signed.residual_risk],
        ["How large it is", signed.residual_level],
        ["What is done about it", signed.residual_plan],
        ["Looked at again on", signed.residual_review_on.isoformat() if signed.residual_review_on is not None else ""],
        ["What would be accepted instead", signed.accepted_instead],
        ["Identity confirmed", _moment(signed.reauthenticated_at) if signed.reauthenticated_at is not None else ""],
    ]
    return [row for row in rows if row[1]]


def _proof(submission: Submission, signed: SignOff) -> list[list[str]]:
    rows = [["Dossier", signed.dossier_digest], ["Policy", signed.policy_digest]]
    event = AuditEvent.objects.filter(
        object=f"submission:{submission.pk}", action="sign_off.recorded", payload__contains=f'"sign_off":{signed.pk},'
    ).first()
    if event is None:
        return rows
    rows += [["Audit event", f"{event.seq}, leaf {bytes(event.leaf).hex(' ', 16)}, chain {bytes(event.chain).hex(' ', 16)}"]]
    checkpoint = AuditCheckpoint.objects.filter(seq__gte=event.seq).order_by("seq").first()
    if checkpoint is None:
        return [*rows, ["Checkpoint", "not covered yet; draw the record again after the next one"]]
    return [
        *rows,
        ["Checkpoint", f"up to event {checkpoint.seq}, root {bytes(checkpoint.root).hex(' ', 16)}, {_moment(checkpoint.at)}"],
        ["Its signature", f"{bytes(checkpoint.signature).hex(' ', 16)} by key {checkpoint.key_id}"],
    ]


def _decided(row: SignOff) -> str:
    return _DECIDED[DecisionKind(row.decision)]


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
