"""What the review page shows, in the order a reviewer reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse

from governance.domain.decision import DecisionView
from governance.domain.decision_gates import GateView, PictureView
from governance.domain.decision_json import to_json
from governance.domain.decision_review import ActionView
from governance.domain.requirements import Requirement
from governance.policy.narrative import narrative
from reviews.selectors.case_page import CasePage
from reviews.selectors.glance import glance_of
from reviews.selectors.seen import Seen, section_of

SECTIONS = (
    ("performance", "Performance against the champion", "Performance"),
    ("fairness", "Fairness by group", "Fairness"),
    ("explanations", "Explanations and their stability", "Explanations"),
    ("data", "Data, drift and personal data", "Data"),
    ("rollback", "Rollback and decision flips", "Rollback"),
    ("monitoring", "Monitoring", "Monitoring"),
    ("cost", "Cost and latency", "Cost"),
    ("experiment", "A/B test", "A/B test"),
    ("build", "Build, code and components", "Build"),
    ("pipeline", "Pipeline", "Pipeline"),
    ("other", "Other gates", "Other"),
)
"""Address, title, title in the navigation. Which gates stand in which: reviews/selectors/seen.py."""

HISTORY_SHOWN = 8
"""Events of the history that are shown at once; the others are folded."""
NOTES_SHOWN = 1

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


def case_context(view: DecisionView, page: CasePage | None = None, *, shown: str = "") -> dict[str, Any]:
    """Context of the review page; without `page`, of the pages around it, which show parts of the case only.

    `shown`: since when the reader has the case before them, signed; the ways to the decisions carry it on.
    """
    seen = page.seen if page is not None else {}
    return {
        "v": view,
        "narrative": narrative(view),
        "why": _why(view),
        "reasons": _reasons(view),
        "sections": [section for section in (_section(view, *row, seen) for row in SECTIONS) if section["gates"]],
        "actions": [row for row in (_action(view, action, shown) for action in view.actions) if row is not None],
        "claim": next((row for row in view.actions if row.action in ("claim", "release") and row.available), None),
        "topics": _topics(view),
        "running": view.state == "in_checks",
        "editable": view.state in {"draft", "checks_failed", "changes_requested"},
        "not_passed": [gate for gate in view.gates if gate.verdict in {"fail", "warn", "not_assessed"}],
        "passed": sum(gate.verdict == "pass" for gate in view.gates),
        "recent": view.history[:HISTORY_SHOWN],
        "earlier": view.history[HISTORY_SHOWN:],
        **(_page_context(page) if page is not None else {}),
    }


def _page_context(page: CasePage) -> dict[str, Any]:
    """What the review page alone shows."""
    counts = Counter(row.state.value for row in page.requirements)
    return {
        "seen": page.seen,
        "glance": glance_of(page),
        "requirements": page.requirements,
        "states": [(state.value, counts[state.value]) for state in Requirement if counts[state.value]],
        "first": [row for row in page.requirements if row.state not in _QUIET],
        "changed": [(name, _TITLES.get(name, name.capitalize())) for name, mark in page.seen.items() if mark.state == "changed"],
        "compared": page.compared,
        "choices": [
            {
                "label": choice.label,
                "href": f"?compare={choice.key}#changes",
                "current": page.compared is not None and page.compared.key == choice.key,
            }
            for choice in page.choices
        ],
        "carried": page.carried,
        "may_raise": page.may_raise,
        "handed": page.handed,
        "frozen": page.frozen,
    }


_QUIET = frozenset({Requirement.SATISFIED, Requirement.NOT_APPLICABLE})
_TITLES = {slug: short for slug, _, short in SECTIONS} | {
    "context": "What it is for",
    "why": "Why this track",
    "answers": "Questionnaire",
    "findings": "Findings",
    "evidence": "Evidence",
}


def _reasons(view: DecisionView) -> list[dict[str, Any]]:
    """What raised the track, each with what the version in force had."""
    had = {row.rule: {"before": row.before, "before_of": row.before_of} for row in view.checked}
    return [to_json(reason) | had.get(reason.rule, {}) for reason in view.reasons]


def _why(view: DecisionView) -> tuple[str, str]:
    """What stands above and below the list of reasons: the sentence of the track without the reasons, which the list says."""
    if not view.reasons:
        return view.track_says, ""
    lead, because, rest = view.track_says.partition(" because: ")
    if not because:
        return view.track_says, ""
    _, also, asked = rest.partition(" Also asked: ")
    return f"{lead} because:", f"Also asked: {asked}" if also else ""


def _section(view: DecisionView, slug: str, title: str, short: str, seen: Mapping[str, Seen]) -> dict[str, Any]:
    """One section of gates: those that need looking at as cards; those that hold in one fold, a line each."""
    gates = [_gate(gate, view) for gate in view.gates if section_of(gate) == slug]
    loud = [gate for gate in gates if gate["shown"] not in ("pass", "not_applicable")]
    quiet = [gate for gate in gates if gate["shown"] in ("pass", "not_applicable")]
    folded = {"quiet": quiet, "holds": _holds(quiet)}
    return {"slug": slug, "title": title, "short": short, "gates": gates, "loud": loud, "seen": seen.get(slug), **folded}


def _holds(quiet: Sequence[Mapping[str, Any]]) -> str:
    """What stands on the fold: how many gates hold, and how many do not apply."""
    hold = sum(gate["shown"] == "pass" for gate in quiet)
    rest = len(quiet) - hold
    parts = [f"{hold} gate{'' if hold == 1 else 's'} hold{'s' if hold == 1 else ''}"] if hold else []
    if rest:
        parts.append(f"{rest}{'' if hold else ' gate' if rest == 1 else ' gates'} do{'es' if rest == 1 else ''} not apply")
    return ", ".join(parts)


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
        "evidence_href": f"#measures-{gate.code}" if gate.measures else "",
        "waiver": gate.waiver,
        "waiver_href": reverse("waiver_new", args=[view.id, gate.code]) if stopped and gate.waivable and not open_already else "",
        "not_waivable": gate.not_waivable if stopped and not gate.waivable else "",
        "conflict_href": f"{reverse('rule_conflict_new')}?pack={view.policy.pack}&about={gate.code}&submission={view.submission}"
        if view.policy is not None and gate.verdict in {"fail", "warn", "not_assessed"}
        else "",
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


def _action(view: DecisionView, action: ActionView, shown: str) -> dict[str, Any] | None:
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
        "href": reverse(name, args=[view.id]) + (f"?shown={shown}" if shown and name.startswith("decide_") else ""),
    }


def _topics(view: DecisionView) -> list[dict[str, Any]]:
    """Questions with their answers by topic, and how many of each have no answer."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for answer in view.answers:
        row = {"label": answer.ask, "value": answer.value if answer.answered else "not answered", "provenance": answer.provenance}
        if answer.conflict:
            row["hint"] = "Sources disagree; the stricter statement counts."
        grouped.setdefault(answer.topic, []).append(row)
    return [
        {"title": title, "rows": rows, "open": sum(row["value"] == "not answered" for row in rows)}
        for title, rows in grouped.items()
    ]
