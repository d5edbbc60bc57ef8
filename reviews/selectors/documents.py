"""Documents about a case, made from what is stored: model card, risk assessment, regulatory mapping, data lineage.

A template says which sections; here is how each part of a case becomes text or a table. Values are plain text throughout: whoever
renders a document escapes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from governance.domain.decision import DecisionView
from governance.domain.decision_gates import GateView
from governance.policy.documents import DocumentTemplate, GeneratedDocument, Grid, Nothing, Section, Shown, Text, templates
from governance.policy.narrative import narrative
from reviews.models import Incident, MonitoringReading
from reviews.selectors.case_controls import case_controls
from reviews.selectors.lineage import Lineage

MOST_ALERTS = 200
MOST_LETTERS = 2_000


@dataclass(frozen=True)
class Material:
    """What documents are made of: the decision view, the lineage, and what monitors and incidents say."""

    view: DecisionView
    lineage: Lineage
    alerts: tuple[MonitoringReading, ...]
    incidents: tuple[Incident, ...]


def material_of(view: DecisionView, found: Lineage) -> Material:
    """The material of a case whose view and lineage are at hand. Two statements."""
    readings = MonitoringReading.objects.filter(event__submission_id=view.id, verdict__in=("over", "unknown"))
    return Material(
        view,
        found,
        tuple(readings.select_related("event").order_by("-event__at", "-id")[:MOST_ALERTS]),
        tuple(Incident.objects.filter(submission_id=view.id).order_by("-id")[:MOST_ALERTS]),
    )


def templates_for(kind: str) -> tuple[DocumentTemplate, ...]:
    """The documents a case of that kind has."""
    return tuple(template for template in templates() if kind not in template.not_for)


def generate(template: DocumentTemplate, material: Material) -> GeneratedDocument:
    """The document: the same material gives the same words."""
    view = material.view
    sections = []
    for section in template.sections:
        parts = [part for block in section.blocks for part in _PARTS[block](material)]
        if section.facts:
            parts.append(_facts(view, section.facts))
        sections.append(Section(section.title, section.why, tuple(parts)))
    return GeneratedDocument(
        template=template,
        title=f"{template.title}: {view.system_name or view.system} {view.version}",
        case=f"{view.submission}, revision {view.revision}, for {view.environment}",
        state=view.state_words,
        digest=view.dossier_digest,
        sections=tuple(sections),
    )


def _facts(view: DecisionView, names: Sequence[str]) -> Shown:
    known = {fact.name: fact for fact in view.facts}
    labels = {answer.id: answer.ask for answer in view.answers}
    rows = []
    for name in names:
        fact = known.get(name)
        label = fact.label if fact is not None and fact.label else labels.get(name, name)
        if fact is None or not fact.statements:
            rows.append((label, name, "not recorded", ""))
            continue
        best = fact.statements[0]
        origin = f"{best.provenance.assurance_label}: {best.provenance.origin}" if best.provenance.origin else ""
        rows.append((label, name, shown(best.value), origin + ("; sources disagree" if fact.conflict else "")))
    return Grid("Facts", ("What", "Fact", "Value", "Where from"), tuple(rows))


def shown(value: Any) -> str:
    """A value as people read it, bounded."""
    if value is None or value == [] or value == "":
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(shown(item) for item in value)[:MOST_LETTERS]
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {shown(item)}" for key, item in value.items())[:MOST_LETTERS]
    return str(value)[:MOST_LETTERS]


def _day(value: date | None) -> str:
    return f"{value:%Y-%m-%d}" if value is not None else ""


def _grid(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], nothing: str) -> tuple[Shown, ...]:
    made = tuple(tuple(str(cell) for cell in row) for row in rows)
    return (Grid(title, tuple(columns), made),) if made else (Nothing(nothing),)


def _identity(m: Material) -> tuple[Shown, ...]:
    view = m.view
    rows = [
        ("System", f"{view.system_name} ({view.system})"),
        ("Version", view.version),
        ("Environment", view.environment),
        ("Business unit", view.unit),
        ("Owner", view.system_owner or "nobody is named"),
        ("Handed in by", view.submitter),
        ("Contributors", "; ".join(f"{name}: {why}" for name, why in view.contributors)),
        ("Build", view.artifact_digest or "no digest is known"),
        ("Version in force", view.champion or "none: first deployment"),
        ("Track", view.track or "not assigned yet"),
        ("Policy", f"{view.policy.pack} {view.policy.version} ({view.policy.digest})" if view.policy is not None else ""),
    ]
    return (Grid("Identity", ("What", "Value"), tuple(rows)),)


def _passage(position: int) -> Callable[[Material], tuple[Shown, ...]]:
    return lambda m: (Text(narrative(m.view)[position].text),)


def _gates(*prefixes: str) -> Callable[[Material], tuple[Shown, ...]]:
    def make(m: Material) -> tuple[Shown, ...]:
        chosen = [gate for gate in m.view.gates if gate.code.startswith(prefixes)] if prefixes else list(m.view.gates)
        rows = [(gate.code, gate.title, gate.shown.replace("_", " "), gate.says, _interval(gate), gate.limit) for gate in chosen]
        columns = ("Gate", "About", "Verdict", "What was measured", "Interval", "Limit")
        return _grid("Gates", columns, rows, "No gate of this kind judged it.")

    return make


def _interval(gate: GateView) -> str:
    return f"{gate.interval[0]:.4g} to {gate.interval[1]:.4g}" if gate.interval is not None else ""


def _reasons(m: Material) -> tuple[Shown, ...]:
    rows = [(row.rule, row.track, row.says, shown(row.value), row.limit, row.source, row.editable_by) for row in m.view.reasons]
    columns = ("Rule", "Track", "Why", "Value", "Limit", "Source", "Who can change it")
    return _grid("Rules that raise the track", columns, rows, "No rule raises the track.")


def _findings(m: Material) -> tuple[Shown, ...]:
    rows = [
        (row.id, row.severity, row.state, row.says, row.owner or "nobody", _day(row.due_at), row.remediation or row.closed_why)
        for row in m.view.findings
    ]
    columns = ("Finding", "Severity", "State", "What", "Owner", "Due", "What was done")
    return _grid("Findings", columns, rows, "No finding was recorded.")


def _waivers(m: Material) -> tuple[Shown, ...]:
    rows = [
        (row.number, row.gate, row.state, row.reason, row.compensating_control, row.owner, _day(row.expires_at))
        for row in m.view.waivers
    ]
    columns = ("Waiver", "Gate", "State", "Why", "Control instead", "Owner", "Until")
    return _grid("Waivers", columns, rows, "No gate was waived.")


def _conditions(m: Material) -> tuple[Shown, ...]:
    rows = [(row.text, row.owner, _day(row.due_on), row.if_missed, _day(row.met_at) or "open") for row in m.view.conditions]
    return _grid("Conditions", ("Condition", "Owner", "Due", "If missed", "Met"), rows, "No approval had a condition.")


def _residual(m: Material) -> tuple[Shown, ...]:
    rows = [
        (
            row.by,
            row.role_label,
            _day(row.at),
            row.residual_level,
            row.residual_risk,
            row.residual_plan,
            _day(row.residual_review_on),
        )
        for row in m.view.sign_offs
        if row.residual_risk and row.voided_at is None
    ]
    columns = ("Who", "Role", "When", "Level", "What remains", "What is done about it", "Looked at again")
    return _grid("Residual risk", columns, rows, "Nobody has accepted a residual risk on this case.")


def _permit(m: Material) -> tuple[Shown, ...]:
    permit = m.view.permit
    if permit is None:
        return (Nothing("No permit was issued."),)
    standing = "holds" if permit.valid else f"does not hold{f': {permit.revoked_why}' if permit.revoked_why else ''}"
    row = (permit.id, permit.environment, f"{permit.exposure} %", _day(permit.issued_at), _day(permit.expires_at), standing)
    return (Grid("Permit", ("Permit", "Environment", "Exposure", "Issued", "Until", "Standing"), (row,)),)


def _evidence(m: Material) -> tuple[Shown, ...]:
    files = [(row.role.replace("_", " "), row.name, row.sha256, row.by, _day(row.at)) for row in m.view.evidence]
    files += [("metadata", row.name, row.sha256, "", "") for row in m.view.sources]
    return _grid("Evidence", ("Role", "File", "SHA-256", "By", "When"), files, "No file was handed in.")


def _alerts(m: Material) -> tuple[Shown, ...]:
    rows = [
        (_day(row.event.at), row.signal, f"{row.metric} {row.subject}".strip(), row.verdict, row.severity, row.says)
        for row in m.alerts
    ]
    columns = ("When", "Signal", "Metric", "Verdict", "Severity", "What the monitor reports")
    return _grid("Alerts of monitors", columns, rows, "No monitor reported anything beyond a limit for this version.")


def _incidents(m: Material) -> tuple[Shown, ...]:
    rows = [
        (row.number, row.kind, row.severity, row.state, row.title, _day(row.opened_at), _day(row.resolved_at))
        for row in m.incidents
    ]
    columns = ("Incident", "Kind", "Severity", "State", "What", "Opened", "Resolved")
    return _grid("Incidents", columns, rows, "No incident was recorded for this version.")


def _regimes(m: Material) -> tuple[Shown, ...]:
    found = case_controls(m.view)
    if not found:
        return (Nothing("It names no regulation that has a mapping here (regulation.regimes)."),)
    columns = ("Control", "What it asks", "What shows it in this case", "Not covered here")
    return tuple(
        Grid(
            f"{table.regime.title}, mapping {table.regime.version}",
            columns,
            tuple(
                (f"{row.control.id} {row.control.title}", row.control.asks, row.says, row.control.gap or "") for row in table.rows
            ),
        )
        for table in found
    )


def _lineage(m: Material) -> tuple[Shown, ...]:
    rows = [(n.title, n.name, n.digest, n.says, "missing" if n.missing else n.evidence) for n in m.lineage.nodes]
    return _grid("Nodes", ("Stage", "Name", "Digest", "What is known", "Shown by"), rows, "Nothing is recorded.")


def _links(m: Material) -> tuple[Shown, ...]:
    names = {node.id: f"{node.title} {node.name}" for node in m.lineage.nodes}
    rows = [(names[e.source], e.says, names[e.target], "broken" if e.broken else e.evidence) for e in m.lineage.edges]
    return _grid("Links", ("From", "Link", "To", "Shown by"), rows, "Nothing is recorded.")


def _missing(m: Material) -> tuple[Shown, ...]:
    return tuple(Text(text) for text in m.lineage.missing) or (Nothing("Everything of the way is recorded."),)


_PARTS: dict[str, Callable[[Material], tuple[Shown, ...]]] = {
    "alerts": _alerts,
    "all_gates": _gates(),
    "changes": _passage(1),
    "conditions": _conditions,
    "decided": _passage(3),
    "evidence": _evidence,
    "explanation_gates": _gates("GX"),
    "fairness_gates": _gates("GF"),
    "findings": _findings,
    "identity": _identity,
    "incidents": _incidents,
    "lineage": _lineage,
    "lineage_links": _links,
    "lineage_missing": _missing,
    "lineage_words": _passage(4),
    "measured": _passage(2),
    "operation_gates": _gates("GR", "GM", "GC", "GD"),
    "performance_gates": _gates("GP"),
    "permit": _permit,
    "purpose": _passage(0),
    "reasons": _reasons,
    "regimes": _regimes,
    "residual_risk": _residual,
    "waivers": _waivers,
}
"""How each part of a case is shown."""
