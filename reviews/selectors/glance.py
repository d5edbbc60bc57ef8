"""Four things a reviewer asks first, each with the way to its numbers: champion, worst group, explanations, what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from governance.domain.decision import DecisionView
from governance.domain.decision_gates import GateView
from governance.domain.requirements import Requirement
from reviews.selectors.case_page import CasePage, RequirementRow

_OPEN = (Requirement.ERROR, Requirement.UNSATISFIED, Requirement.RUNNING)


@dataclass(frozen=True)
class Glance:
    """One line: what is asked, the answer in words, and where the numbers stand."""

    asks: str
    says: str
    href: str
    tone: str


def glance_of(page: CasePage) -> tuple[Glance, ...]:
    """The lines for a case whose checks have spoken; empty before."""
    view = page.view
    if not view.gates:
        return ()
    return (
        _champion(view, page),
        _gate("Worst group", "fairness", "No gate compared groups.", _of(view, "GF"), group=True),
        _stability(view),
        _missing(view, page.requirements),
    )


def _champion(view: DecisionView, page: CasePage) -> Glance:
    gate = _first(_of(view, "GP101", "GP"))
    if not view.champion:
        return Glance("Against the champion", "There is none: this is the first deployment.", "#performance", "grey")
    says = gate.says if gate is not None else "No gate compared the performance."
    if page.compared is not None and page.compared.key == "champion":
        says += f" {page.compared.says}"
    return Glance(f"Against champion {view.champion}", says, "?compare=champion#changes", _tone(gate))


def _gate(asks: str, section: str, none: str, gates: list[GateView], *, group: bool = False) -> Glance:
    gate = _first(gates, named=group)
    if gate is None:
        return Glance(asks, none, f"#{section}", "grey")
    says = f"{gate.group}: {gate.says}" if group and gate.group and gate.group not in gate.says else gate.says
    return Glance(asks, says, f"#gate-{gate.code}", _tone(gate))


def _stability(view: DecisionView) -> Glance:
    """What GX101 says. Where it does not apply, that: no other gate compares explanations."""
    gate = next((gate for gate in view.gates if gate.code == "GX101"), None)
    if gate is not None and gate.verdict == "not_applicable":
        return Glance("Least stable explanation", f"Not compared: {gate.says}", "#gate-GX101", "grey")
    return _gate("Least stable explanation", "explanations", "No gate compared explanations.", [gate] if gate is not None else [])


def _missing(view: DecisionView, requirements: Iterable[RequirementRow]) -> Glance:
    parts = []
    if view.missing_evidence:
        parts.append("evidence: " + ", ".join(row.role.replace("_", " ") for row in view.missing_evidence))
    if unknown := [row.ask for row in view.questions.missing]:
        parts.append(f"{len(unknown)} unanswered question{'' if len(unknown) == 1 else 's'}: {unknown[0]}")
    waits = [f"{row.code} {row.title[:1].lower()}{row.title[1:]}" for row in requirements if row.state in _OPEN and row.blocking]
    if waits:
        parts.append("requirements not met: " + ", ".join(waits))
    says = "; ".join(parts)
    if not says:
        return Glance("What is missing", "Nothing the policy asks for.", "#requirements", "green")
    return Glance("What is missing", says[0].upper() + says[1:] + ".", "#requirements" if waits else "#evidence", "yellow")


def _of(view: DecisionView, *begins: str) -> list[GateView]:
    """Gates by the beginnings of their codes, in that order; within one, what needs attention first."""
    found = {gate.code: gate for start in begins for gate in view.gates if gate.code.startswith(start)}
    return list(found.values())


def _first(gates: list[GateView], *, named: bool = False) -> GateView | None:
    """The first that says something; with `named`, rather one that names a group."""
    spoken = [gate for gate in gates if gate.verdict != "not_applicable"]
    return (
        next((gate for gate in spoken if gate.group), None)
        if named and any(g.group for g in spoken)
        else next(iter(spoken), None)
    )


def _tone(gate: GateView | None) -> str:
    if gate is None:
        return "grey"
    return {"pass": "green", "warn": "yellow", "fail": "red", "waived": "purple"}.get(gate.shown, "purple")
