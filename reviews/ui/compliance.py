"""One table of where every version stands, as a page and for a spreadsheet; and what runs where."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from gates.selectors.chart_table import cell
from governance.domain.errors import InvalidInput
from governance.domain.lifecycle import words
from governance.domain.vocabulary import State, Track
from governance.models import Unit
from governance.selectors.access import Caller
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from reviews.selectors.compliance import ONLY, ComplianceFilters, ComplianceRow, compliance, every_row
from reviews.selectors.deployments import deployments as deployment_rows
from reviews.ui.paging import address, page_links

NAMES = ("unit", "system", "track", "state", "only")
COLUMNS = (
    "submission", "unit", "system", "version", "environment", "state", "track", "age_days", "permit_until", "running", "findings",
    "waivers", "monitoring", "evaluation", "evaluation_due", "conditions_open", "decided_by", "decided_at", "policy",
    "policy_is_current", "missing",
)  # fmt: skip


@require_GET
def table(request: HttpRequest) -> HttpResponse:
    """Every version the person may see: state, permit, findings, waivers, monitoring, last decision, policy, what is missing."""
    caller, (filters, problem) = caller_of(request), _filters(request)
    rows, following, before = compliance(caller, filters=filters, cursor=request.GET.get("cursor", ""))
    context = {
        "rows": rows,
        "problem": problem,
        "filters": _fields(caller, filters),
        "csv": "/compliance.csv" + address(request, cursor=""),
        "page": page_links(request, following, before),
    }
    return render(request, "reviews/compliance.html", context)


@require_GET
def table_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The same, all of it, as CSV that a spreadsheet opens without running anything."""
    filters, _ = _filters(request)
    lines = _lines(every_row(caller_of(request), filters=filters))
    headers = {"Content-Disposition": 'attachment; filename="compliance.csv"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


@require_GET
def deployments(request: HttpRequest) -> HttpResponse:
    """What was reported to run where; what runs without a permit stands out."""
    only = request.GET.get("only", "")
    only = only if only in ("live", "unpermitted") else ""
    rows, following, before = deployment_rows(caller_of(request), only=only, cursor=request.GET.get("cursor", ""))
    labels = {"": "All", "live": "Live", "unpermitted": "Without a permit"}
    context = {
        "rows": rows,
        "only": only,
        "scopes": [
            {"label": label, "href": address(request, only=name, cursor="") or "?", "current": name == only}
            for name, label in labels.items()
        ],
        "page": page_links(request, following, before),
    }
    return render(request, "reviews/deployments.html", context)


def _lines(rows: Iterable[ComplianceRow]) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        values = {name: getattr(row, name) for name in COLUMNS} | {"missing": "; ".join(row.missing)}
        writer.writerow([cell(values[name]) for name in COLUMNS])
        if out.tell() > 60_000:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def _filters(request: HttpRequest) -> tuple[ComplianceFilters, str]:
    wanted = ComplianceFilters(**{name: request.GET.get(name, "").strip().replace("\x00", "") for name in NAMES})
    try:
        wanted.check()
    except InvalidInput as exc:
        return ComplianceFilters(unit=wanted.unit, system=wanted.system), exc.detail
    return wanted, ""


def _fields(caller: Caller, filters: ComplianceFilters) -> list[FieldView]:
    units = Unit.objects.all() if caller.sees_all_units else Unit.objects.filter(pk__in=caller.units)

    def choice(name: str, label: str, options: Iterable[tuple[str, str]]) -> FieldView:
        rows = [Option("", "any"), *(Option(value, text) for value, text in options if value)]
        return FieldView(name=name, label=label, kind="select", value=getattr(filters, name), options=rows)

    return [
        choice("only", "Only", ONLY.items()),
        choice("track", "Track", ((t.value, t.value) for t in Track)),
        choice("state", "State", ((s.value, words(s)) for s in State)),
        choice("unit", "Business unit", units.order_by("name").values_list("slug", "name")),
        FieldView(name="system", label="System", value=filters.system),
    ]
