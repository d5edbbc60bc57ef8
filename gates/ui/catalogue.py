"""The gate catalogue and one page for each gate."""

from __future__ import annotations

from collections import defaultdict

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from gates.registry import Gate
from gates.selectors.catalogue import catalogue, catalogue_page
from gates.spec import HEADINGS
from gates.ui import markdown
from governance.policy.lessons import lessons_about

GROUPS = {
    "GD": "Data and documentation",
    "GF": "Fairness",
    "GP": "Performance",
    "GX": "Explanations",
    "GR": "Rollout and rollback",
    "GM": "Monitoring",
    "GC": "Cost and latency",
    "GE": "A/B tests",
    "GA": "Applications",
    "GL": "Pipelines and lineage",
    "GZ": "This organisation's own",
}


@require_GET
def gates(request: HttpRequest) -> HttpResponse:
    """Every gate, by subject."""
    by_group: dict[str, list[Gate]] = defaultdict(list)
    for gate in catalogue():
        by_group[GROUPS.get(gate.code[:2], "Other")].append(gate)
    groups = [{"title": title, "gates": by_group[title]} for title in (*GROUPS.values(), "Other") if by_group[title]]
    return render(request, "gates/gates.html", {"groups": groups})


@require_GET
def gate(request: HttpRequest, code: str) -> HttpResponse:
    """One gate: what it checks, why, what is good enough, how to fix it, tools, examples and the limits in force."""
    page = catalogue_page(code)
    sections = [{"title": title, "html": markdown.render(page.gate.docs.get(title, ""))} for title in HEADINGS]
    context = {"page": page, "gate": page.gate, "sections": sections, "lessons": lessons_about(gate=code)}
    return render(request, "gates/gate.html", context)
