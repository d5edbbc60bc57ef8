"""What the review page shows, in the order a reviewer reads it."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from governance.domain.decision import ActionView, DecisionView, GateView, PictureView
from governance.policy.narrative import narrative

SECTIONS = (
    ("performance", "Performance against the champion", "Performance", "GP"),
    ("fairness", "Fairness by group", "Fairness", "GF"),
    ("explanations", "Explanations and their stability", "Explanations", "GX"),
    ("data", "Data, drift and personal data", "Data", "GD"),
    ("rollback", "Rollback and decision flips", "Rollback", "GR"),
    ("monitoring", "Monitoring", "Monitoring", "GM"),
    ("cost", "Cost and latency", "Cost", "GC"),
    ("experiment", "A/B test", "A/B test", "GE"),
)
"""Address, title, title in the navigation, gates."""

NOTES_SHOWN = 2

ACTION_URLS = {
    "submit": "draft_check",
    "revise": "revise",
    "withdraw": "withdraw",
    "recheck": "recheck",
    "revoke": "revoke",
    "complete_review": "decide_approve",
    "approve": "decide_approve",
    "approve_with_conditions": "decide_conditions",
    "request_changes": "decide_changes",
    "reject": "decide_reject",
}


def case_context(view: DecisionView) -> dict[str, Any]:
    """Context of the review page."""
    return {
        "v": view,
        "narrative": narrative(view),
        "why": _why(view),
        "sections": [section for section in (_section(view, *row) for row in SECTIONS) if section["gates"]],
        "actions": [row for row in (_action(view, action) for action in view.actions) if row is not None],
        "claim": next((row for row in view.actions if row.action in ("claim", "release") and row.available), None),
        "topics": _topics(view),
        "running": view.state == "in_checks",
        "editable": view.state in {"draft", "checks_failed", "changes_requested"},
        "not_passed": [gate for gate in view.gates if gate.verdict in {"fail", "warn", "not_assessed"}],
        "passed": sum(gate.verdict == "pass" for gate in view.gates),
    }


def _why(view: DecisionView) -> tuple[str, str]:
    """What stands above and below the list of reasons: the sentence of the track without the reasons, which the list says."""
    if not view.reasons:
        return view.track_says, ""
    lead, because, rest = view.track_says.partition(" because: ")
    if not because:
        return view.track_says, ""
    _, also, asked = rest.partition(" Also asked: ")
    return f"{lead} because:", f"Also asked: {asked}" if also else ""


def _section(view: DecisionView, slug: str, title: str, short: str, prefix: str) -> dict[str, Any]:
    gates = [_gate(gate, view) for gate in view.gates if gate.code.startswith(prefix)]
    return {"slug": slug, "title": title, "short": short, "gates": gates}


def _gate(gate: GateView, view: DecisionView) -> dict[str, Any]:
    """A gate as its card takes it, with pictures and the measurements beneath.

    Where it stopped the case, its card leads to the waiver, or says why there can be none.
    """
    stopped = view.state == "checks_failed" and gate.blocking and gate.verdict in {"fail", "not_assessed"}
    open_already = gate.waiver is not None and gate.waiver.ended_at is None
    return {
        "code": gate.code,
        "name": gate.name,
        "title": gate.title,
        "verdict": gate.verdict,
        "blocking": gate.blocking,
        "observed": gate.observed,
        "interval": gate.interval,
        "limit": gate.limit,
        "n": gate.n,
        "group": gate.group,
        "says": gate.says,
        "fix": gate.fix,
        "notes": gate.notes[:NOTES_SHOWN],
        "more_notes": gate.notes[NOTES_SHOWN:],
        "learn": gate.learn,
        "pictures": [picture_of(picture) for picture in gate.pictures],
        "measures": gate.measures,
        "shown": gate.shown,
        "waiver": gate.waiver,
        "waiver_href": reverse("waiver_new", args=[view.id, gate.code]) if stopped and gate.waivable and not open_already else "",
        "not_waivable": gate.not_waivable if stopped and not gate.waivable else "",
    }


def picture_of(picture: PictureView) -> dict[str, Any]:
    """A chart as the figure component takes it."""
    address = f"/charts/{picture.id}"
    return {
        "id": f"chart-{picture.id}",
        "title": picture.title,
        "description": picture.description,
        "light": f"{address}.svg",
        "dark": f"{address}.svg?theme=dark",
        "csv": f"{address}.csv",
        "columns": picture.columns,
        "rows": [[_cell(cell) for cell in row] for row in picture.rows],
    }


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def _action(view: DecisionView, action: ActionView) -> dict[str, Any] | None:
    name = ACTION_URLS.get(action.action)
    if name is None:
        return None
    return {
        "action": action.action,
        "label": action.label,
        "details": action.details,
        "available": action.available,
        "why_not": action.why_not,
        "danger": action.danger,
        "href": reverse(name, args=[view.id]),
    }


def _topics(view: DecisionView) -> list[dict[str, Any]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for answer in view.answers:
        row = {"label": answer.ask, "value": answer.value if answer.answered else "not answered", "provenance": answer.provenance}
        if answer.conflict:
            row["hint"] = "Sources disagree; the stricter statement counts."
        grouped.setdefault(answer.topic, []).append(row)
    return [{"title": title, "rows": rows} for title, rows in grouped.items()]
