"""What monitors reported, as pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from reviews.selectors.monitoring import LABELS, ONLY, event_row, events, find_event
from reviews.ui.paging import address, page_links


@require_GET
def monitoring(request: HttpRequest) -> HttpResponse:
    """Reports, the latest first. What the address asks for and cannot be is said and left out."""
    given = {name: request.GET.get(name, "").strip().replace("\x00", "")[:100] for name in ("kind", "only", "system")}
    problem = ""
    if given["kind"] not in ("", *LABELS) or given["only"] not in ONLY:
        problem = "There is no such filter, so it was left out."
        given = {**given, "kind": "", "only": ""}
    rows, following, before = events(
        caller_of(request), kind=given["kind"], only=given["only"], system=given["system"], cursor=request.GET.get("cursor", "")
    )
    context = {
        "rows": rows,
        "problem": problem,
        "scopes": [
            {"label": label, "href": address(request, only=name, cursor="") or "?", "current": name == given["only"]}
            for name, label in ONLY.items()
        ],
        "filters": [
            FieldView(
                name="kind",
                label="What",
                kind="select",
                value=given["kind"],
                options=[Option("", "everything"), *(Option(name, label) for name, label in LABELS.items())],
            ),
            FieldView(name="system", label="System", value=given["system"]),
        ],
        "page": page_links(request, following, before),
    }
    return render(request, "reviews/monitoring.html", context)


@require_GET
def event(request: HttpRequest, pk: int) -> HttpResponse:
    """One report: every reading with its limit, and what followed."""
    row = find_event(caller=caller_of(request), event_id=pk)
    order = ("over", "unknown", "unjudged", "within")
    readings = sorted(row.readings.all(), key=lambda reading: (order.index(reading.verdict), reading.pk))
    findings = {reading.finding_id: reading.finding for reading in readings if reading.finding is not None}
    context = {"e": row, "row": event_row(row), "readings": readings, "findings": list(findings.values())}
    return render(request, "reviews/monitoring_event.html", context)
