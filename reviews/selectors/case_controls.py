"""Control by control of the regulations a case names: what in this very case shows it. Pure: from the decision view alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from governance.domain.decision import DecisionView
from governance.domain.vocabulary import Role
from governance.policy.regimes import Control, Regime, regimes_named

_COUNTED = {
    "attestations": "attestations",
    "change_requests": "change_items",
    "conditions": "conditions",
    "conflicts_of_interest": "interests",
    "evidence_files": "evidence",
    "findings": "findings",
    "sign_offs": "sign_offs",
    "waivers": "waivers",
}
"""Records of a mapping that a case view holds, and where. The others are kept for a period, not for one case."""


@dataclass(frozen=True)
class CaseControl:
    """One control and what shows it, in words."""

    control: Control
    says: str


@dataclass(frozen=True)
class CaseControls:
    """The controls of one regime."""

    regime: Regime
    rows: tuple[CaseControl, ...]


def case_controls(view: DecisionView) -> tuple[CaseControls, ...]:
    """The regimes the case names, each with all of its controls. Empty when it names none that has a mapping."""
    fact = next((fact for fact in view.facts if fact.name == "regulation.regimes"), None)
    named: list[str] = []
    for statement in fact.statements if fact is not None else ():
        named += statement.value if isinstance(statement.value, list) else []
    return tuple(
        CaseControls(
            regime, tuple(CaseControl(control, "; ".join(_shown(view, control)) or "nothing") for control in regime.controls)
        )
        for regime in regimes_named(named)
    )


def _shown(view: DecisionView, control: Control) -> Iterable[str]:
    fired, held = {row.rule: row.says for row in view.reasons}, {row.rule: row.says for row in view.held}
    for rule in control.rules:
        if rule in fired:
            yield f"{rule} raised the track: {fired[rule]}"
        elif rule in held:
            yield f"{rule} was checked: {held[rule]}"
    for code in control.gates:
        gate = view.gate(code)
        if gate is not None and gate.verdict not in ("not_assessed", "not_applicable"):
            yield f"{code} {gate.shown.replace('_', ' ')}"
    answered = {answer.id for answer in view.answers if answer.answered} | {fact.name for fact in view.facts if fact.statements}
    yield from (f"{question} is known" for question in control.questions if question in answered)
    for row in reversed(view.sign_offs):
        if row.voided_at is None and Role(row.role) in control.steps:
            yield f"signed by the {row.role_label}"
    for record in control.records:
        number = len(getattr(view, _COUNTED[record])) if record in _COUNTED else 0
        if number:
            yield f"{number} {record.replace('_', ' ')}"
    if "permits" in control.records and view.permit is not None:
        yield "a permit was issued"
    if "dossiers" in control.records and view.dossier_digest:
        yield f"dossier {view.dossier_digest[:19]}…"
    if "risk_sign_offs" in control.records and any(row.residual_risk and row.voided_at is None for row in view.sign_offs):
        yield "residual risk accepted in words"
