"""Steps, gates, findings and the other parts of a decision view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from gates.models import GateOutcome
from gates.registry import Gate
from gates.registry import gates as all_gates
from governance.domain.decision import PermitView
from governance.domain.decision_facts import EvidenceView, SourceView
from governance.domain.decision_gates import FindingView, GateView, MeasureView, PictureView, RunView, WaiverView
from governance.domain.decision_review import ChangeItemView, CheckView, ConditionView, SignOffView, StepView
from governance.domain.vocabulary import Role, StepState, Verdict
from governance.policy import Pack
from reviews.models import Permit, SignOff
from reviews.selectors.loading import Loaded
from reviews.selectors.readings import NOT_GREEN
from reviews.selectors.waiving import holds, terms_of


def step_views(loaded: Loaded, roles: frozenset[Role], now: datetime) -> tuple[StepView, ...]:
    """The steps of the present revision. `roles`: what the reader holds here, for "your turn"."""
    views = []
    for step in loaded.current_steps:
        signed = _last(loaded.sign_offs, step.pk)
        stands = signed is not None and (signed.voided_at is None or step.state == StepState.VOID)
        views.append(
            StepView(
                id=step.pk,
                order=step.order,
                role=step.role,
                role_label=step.role_label,
                state=step.state,
                attests=step.attests,
                why=step.why,
                added_by_rule=step.added_by_rule,
                since=step.opened_at,
                due_at=step.due_at,
                overdue=step.state == StepState.OPEN and step.due_at is not None and step.due_at < now,
                by=loaded.name(signed.by_id) if signed is not None and stands else "",
                decided_at=signed.at if signed is not None and stands else None,
                decision=signed.decision if signed is not None and stands else "",
                comment=signed.comment if signed is not None and stands else "",
                mine=step.state == StepState.OPEN and Role(step.role) in roles,
                stage=step.stage,
                accountable=step.accountable,
                consulted=tuple(step.consulted),
                informed=tuple(step.informed),
                checklist=_checks(signed.checks if signed is not None and stands and signed.checks else step.checklist),
                outside_team=step.outside_team,
            )
        )
    return tuple(views)


def _checks(rows: Iterable[dict[str, Any]]) -> tuple[CheckView, ...]:
    return tuple(
        CheckView(r["id"], r["element"], r["asks"], bool(r.get("human_only")), r.get("answer", ""), r.get("note", ""))
        for r in rows
    )


def _last(sign_offs: Iterable[SignOff], step_id: int) -> SignOff | None:
    return next((s for s in reversed(tuple(sign_offs)) if s.step_id == step_id), None)


def gate_views(loaded: Loaded, waivers: Sequence[WaiverView] = ()) -> tuple[GateView, ...]:
    """Every outcome with its measurements and pictures, what needs attention first; with the latest waiver of this very failure.

    A picture stands with the first gate that rests on its collector, so that none is shown twice.
    """
    known, taken = all_gates(), set[int]()
    views = []
    for outcome in sorted(loaded.material.outcomes, key=attention):
        gate = known.get(outcome.code)
        pictures = [
            chart
            for chart in loaded.charts
            if gate is not None and chart.run.collector in gate.collectors and chart.pk not in taken
        ]
        taken |= {chart.pk for chart in pictures}
        views.append(
            GateView(
                code=outcome.code,
                name=outcome.name,
                title=gate.title if gate is not None else outcome.name.replace("-", " "),
                verdict=outcome.verdict,
                blocking=outcome.blocking,
                observed=outcome.observed,
                interval=(outcome.low, outcome.high) if outcome.low is not None and outcome.high is not None else None,
                limit=outcome.limit,
                n=outcome.n,
                metric=outcome.metric,
                group=outcome.group,
                says=outcome.says,
                fix=outcome.fix,
                notes=tuple(outcome.notes),
                learn=f"/gates/{outcome.code}",
                risk=gate.risk if gate is not None else "",
                read_by=str(gate.read_by) if gate is not None else "",
                mode=str(gate.mode) if gate is not None else "",
                needs_reading=outcome.verdict in NOT_GREEN,
                pictures=tuple(
                    PictureView(c.pk, c.key, c.title, c.description, tuple(c.columns), tuple(tuple(row) for row in c.rows))
                    for c in pictures
                ),
                measures=_measures(loaded, gate, outcome),
                waivable=(terms := _terms(loaded, outcome)) == "",
                not_waivable=terms,
                waiver=next((w for w in waivers if (w.gate, w.says) == (outcome.code, outcome.says)), None),
            )
        )
    return tuple(views)


def _terms(loaded: Loaded, outcome: GateOutcome) -> str:
    """Why this outcome cannot be waived; "" where it can, or where nothing has to be."""
    pack = loaded.material.pack
    if pack is None or not outcome.blocking or outcome.verdict not in (Verdict.FAIL, Verdict.NOT_ASSESSED):
        return "It stops nothing."
    if outcome.verdict == Verdict.NOT_ASSESSED:
        return f"{outcome.code} could not be assessed, so nobody would know what a waiver accepts."
    terms = terms_of(pack, outcome.code)
    return terms if isinstance(terms, str) else ""


def _measures(loaded: Loaded, gate: Gate | None, outcome: GateOutcome) -> tuple[MeasureView, ...]:
    """What the gate reads, and the rates behind what it compares: a reviewer of a ratio wants to see both of its sides."""
    wanted = set(gate.needs) if gate is not None else {outcome.metric}
    wanted |= {name.removesuffix("_pair") for name in wanted}
    return tuple(
        MeasureView(m.metric, m.group, m.value, m.low, m.high, m.n, m.text, m.reason)
        for m in loaded.measurements
        if m.metric in wanted
    )


_ATTENTION = [("fail", True), ("not_assessed", True), ("fail", False), ("not_assessed", False), ("warn", True), ("warn", False)]


def attention(outcome: GateOutcome) -> tuple[int, str]:
    key = (str(outcome.verdict), outcome.blocking)
    rest = len(_ATTENTION) + (outcome.verdict == "not_applicable")
    return (_ATTENTION.index(key) if key in _ATTENTION else rest, outcome.code)


def run_views(loaded: Loaded) -> tuple[RunView, ...]:
    """Progress of each collector."""
    return tuple(RunView(run.collector, run.title, run.status, run.says, run.seconds, run.attempt) for run in loaded.runs.runs)


def finding_views(loaded: Loaded) -> tuple[FindingView, ...]:
    """Open ones first, then those whose fix waits to be verified, by number."""
    rows = sorted(loaded.findings, key=lambda row: (("open", "fixed", "closed").index(row.state), row.pk))
    return tuple(
        FindingView(
            id=f"F-{row.pk}",
            severity=row.severity,
            says=row.says,
            fix=row.fix,
            about=row.about,
            state=row.state,
            owner=loaded.name(row.owner_id),
            due_at=row.due_on,
            remediation=row.remediation,
            opened_at=row.opened_at,
            closed_at=row.closed_at,
            closed_why=row.closed_why,
            by_person=row.raised_by_id is not None,
            evidence=row.evidence,
            fixed_by=loaded.name(row.fixed_by_id),
            verified_by=loaded.name(row.verified_by_id),
        )
        for row in rows
    )


def change_item_views(loaded: Loaded, pack: Pack | None) -> tuple[ChangeItemView, ...]:
    """Requested changes with their replies, the latest request first."""
    labels = {q.id: q.ask for q in pack.questionnaire.questions} if pack is not None and pack.questionnaire is not None else {}
    known, sign_offs = all_gates(), {row.pk: row for row in loaded.sign_offs}
    views = []
    for item in loaded.change_items:
        sign_off = sign_offs[item.sign_off_id]
        about = item.about_gate or item.about_question
        label = known[about].title if item.about_gate in known else labels.get(about, about)
        views.append(
            ChangeItemView(
                id=item.pk,
                revision=sign_off.revision,
                about=about,
                about_kind="gate" if item.about_gate else "question",
                about_label=label,
                asks=item.asks,
                good_enough=item.good_enough,
                reply=item.reply,
                replied_in_revision=item.replied_in_revision,
                asked_by=loaded.name(sign_off.by_id),
                asked_by_role=Role(sign_off.role).label,
                asked_at=sign_off.at,
            )
        )
    return tuple(sorted(views, key=lambda view: (-view.revision, view.id)))


def condition_views(loaded: Loaded, now: datetime) -> tuple[ConditionView, ...]:
    """Conditions of decisions that stand."""
    void = {row.pk for row in loaded.sign_offs if row.voided_at is not None}
    return tuple(
        ConditionView(
            row.pk,
            row.text,
            loaded.name(row.owner_id),
            row.due_on,
            row.if_missed,
            row.met_at,
            row.met_at is None and row.due_on < now.date(),
        )
        for row in loaded.conditions
        if row.sign_off_id not in void
    )


def sign_off_views(loaded: Loaded) -> tuple[SignOffView, ...]:
    """Every decision ever made on the submission, void ones with the reason, latest first."""
    return tuple(
        SignOffView(
            id=row.pk,
            step=row.step_id,
            revision=row.revision,
            role=row.role,
            role_label=Role(row.role).label,
            by=loaded.name(row.by_id),
            decision=row.decision,
            meaning=row.meaning,
            comment=row.comment,
            residual_risk=row.residual_risk,
            accepted_instead=row.accepted_instead,
            readings=tuple(sorted(row.readings.items())),
            dossier_digest=row.dossier_digest,
            policy_digest=row.policy_digest,
            at=row.at,
            voided_at=row.voided_at,
            voided_why=row.voided_why,
            shown_at=row.shown_at,
            rationale=row.rationale,
            alternatives=row.alternatives,
            checks=_checks(row.checks),
            residual_level=row.residual_level,
            residual_plan=row.residual_plan,
            residual_review_on=row.residual_review_on,
        )
        for row in reversed(loaded.sign_offs)
    )


def permit_view(loaded: Loaded, now: datetime) -> PermitView | None:
    """The latest permit."""
    if not loaded.permits:
        return None
    row = loaded.permits[-1]
    valid = row.revoked_at is None and row.expires_at > now and not _ground_gone(loaded, row, now)
    return PermitView(
        id=str(row.pk),
        environment=row.environment,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        revoked_why=row.revoked_why,
        valid=valid,
        exposure=row.exposure,
    )


def _ground_gone(loaded: Loaded, permit: Permit, now: datetime) -> bool:
    """Whether a waiver that held when the permit was issued does not hold any more."""
    audits = {row.waiver_id: row for row in loaded.waiver_audits}
    return any(
        row.granted_at is not None
        and row.granted_at <= permit.issued_at < row.expires_at
        and (row.ended_at is None or row.ended_at > permit.issued_at)
        and not holds(row, audits.get(row.pk), now)
        for row in loaded.waivers
    )


def evidence_views(loaded: Loaded) -> tuple[EvidenceView, ...]:
    """The files in their roles."""
    return tuple(
        EvidenceView(
            e.role,
            e.file.name,
            e.file.sha256,
            e.file.size,
            e.file.media_type,
            e.format,
            e.columns,
            loaded.name(e.added_by_id),
            e.added_at,
        )
        for e in loaded.material.evidence
    )


def source_views(loaded: Loaded) -> tuple[SourceView, ...]:
    """The metadata files with what could not be read of them."""
    return tuple(
        SourceView(s.pk, s.name, s.sha256, s.reader, len(s.facts), tuple(str(p["detail"]) for p in s.problems))
        for s in loaded.material.sources
    )
