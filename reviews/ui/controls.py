"""Controls of regulations and standards with what shows them in a period: page, CSV, Markdown and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from gates.selectors.chart_table import cell
from governance.domain import markdown_text as md
from governance.domain.errors import InvalidInput
from governance.policy.lessons import lessons_about
from governance.policy.regimes import regimes
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from reviews.selectors.control_evidence import STANDINGS, Period, RegimeEvidence, control_evidence, period
from reviews.ui.paging import address

COLUMNS = (
    "regime", "mapping_version", "control", "title", "asks", "standing", "evidence_kind", "evidence", "count", "says", "gap",
    "since", "until",
)  # fmt: skip


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """Every regime with how its controls stand; one of them control by control."""
    within, problem = _period(request)
    chosen = _chosen(request)
    tables = control_evidence(caller_of(request), within)
    overview = [
        {
            "regime": table.regime,
            "named": table.named,
            "standings": [(words, table.number(name)) for name, words in STANDINGS.items()],
            "href": address(request, regime=table.regime.regime),
        }
        for table in tables
    ]
    context = {
        "period": within,
        "problem": problem,
        "standing_words": STANDINGS,
        "lessons": lessons_about(regime=chosen),
        "overview": overview,
        "table": next((table for table in tables if table.regime.regime == chosen), None),
        "filters": _fields(within, chosen),
        "exports": [
            {"label": label, "href": f"/controls.{ending}{address(request)}"}
            for ending, label in (("csv", "CSV"), ("md", "Markdown"), ("json", "JSON"))
        ],
    }
    return render(request, "reviews/controls.html", context)


@require_GET
def as_csv(request: HttpRequest) -> HttpResponse:
    """One line for each thing that shows a control, and one for each control that nothing shows."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for table in _tables(request):
        for row in table.rows:
            control = row.control
            head = (table.regime.title, table.regime.version, control.id, control.title, control.asks, STANDINGS[row.standing])
            tail = (control.gap, table.period.since.isoformat(), table.period.until.isoformat())
            for item in row.evidence or (None,):
                shown = (item.kind, item.name, item.count, item.says) if item is not None else ("", "", 0, "")
                writer.writerow([cell(value) for value in (*head, *shown, *tail)])
    return _download(out.getvalue(), "text/csv", "controls.csv")


@require_GET
def as_markdown(request: HttpRequest) -> HttpResponse:
    """The tables as a document."""
    return _download(md.document(_blocks(_tables(request))), "text/markdown", "controls.md")


@require_GET
def as_json(request: HttpRequest) -> HttpResponse:
    """The tables for programs."""
    tables = [_json(table) for table in _tables(request)]
    headers = {"Content-Disposition": 'attachment; filename="controls.json"', "Cache-Control": "no-store"}
    return JsonResponse({"schema": "guiderail/controls/1", "regimes": tables}, headers=headers)


def _tables(request: HttpRequest) -> tuple[RegimeEvidence, ...]:
    """What an export holds. A period that cannot be is refused there: a file says nothing beside its table."""
    within = period(request.GET.get("since", ""), request.GET.get("until", ""))
    return control_evidence(caller_of(request), within, _chosen(request))


def _chosen(request: HttpRequest) -> str:
    name = request.GET.get("regime", "")
    if name and name not in {regime.regime for regime in regimes()}:
        raise Http404
    return name


def _period(request: HttpRequest) -> tuple[Period, str]:
    try:
        return period(request.GET.get("since", ""), request.GET.get("until", "")), ""
    except InvalidInput as exc:
        return period(), f"{exc.detail} The last 90 days are shown."


def _fields(within: Period, chosen: str) -> list[FieldView]:
    options = [Option("", "overview only"), *(Option(regime.regime, regime.title) for regime in regimes())]
    return [
        FieldView(name="regime", label="Regulation or standard", kind="select", value=chosen, options=options),
        FieldView(name="since", label="From", kind="date", value=within.since.isoformat()),
        FieldView(name="until", label="To", kind="date", value=within.until.isoformat()),
    ]


def _blocks(tables: Iterable[RegimeEvidence]) -> Iterable[str]:
    yield md.heading(1, "Controls and what shows them")
    for table in tables:
        regime = table.regime
        yield md.heading(2, regime.title)
        yield md.plain(f"{regime.source}. Mapping {regime.version}, checked on {regime.as_of}, {regime.digest}.")
        yield md.plain(f"Counted from {table.period.since} to {table.period.until}.")
        yield md.table(
            ("Day", "What", "Source", "Moved from"),
            [(day.day, day.what, day.source, day.moved_from or "") for day in regime.dates],
        )
        yield md.table(
            ("Control", "What it asks", "What shows it", "Standing", "Not covered here"),
            [
                (
                    f"{row.control.id} {row.control.title}",
                    row.control.asks,
                    "; ".join(f"{item.label}: {item.says}" for item in row.evidence) or "nothing",
                    STANDINGS[row.standing],
                    row.control.gap,
                )
                for row in table.rows
            ],
        )


def _json(table: RegimeEvidence) -> dict[str, Any]:
    regime = table.regime
    return {
        **regime.model_dump(mode="json", exclude={"controls"}),
        "digest": regime.digest,
        "since": table.period.since.isoformat(),
        "until": table.period.until.isoformat(),
        "submissions_that_name_it": table.named,
        "standings": table.standings,
        "controls": [
            {
                **row.control.model_dump(mode="json"),
                "standing": row.standing,
                "evidence": [
                    {"kind": item.kind, "name": item.name, "count": item.count, "says": item.says, "url": item.url}
                    for item in row.evidence
                ],
            }
            for row in table.rows
        ],
    }


def _download(text: str, kind: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(text, content_type=f"{kind}; charset=utf-8", headers=headers)
