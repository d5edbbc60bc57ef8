"""Back-tests as pages and files: progress, what would have changed, and asking what moved figures would do."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.domain.errors import DomainError
from governance.domain.vocabulary import RunStatus
from governance.models import Backtest
from governance.selectors.policy import installed_kinds
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from reviews.selectors.backtest_result import result_for
from reviews.services import backtesting

WIDE = 320
EXAMPLES = (
    ("drift.*", "0.1", "data drift: every drift figure 0.1 higher"),
    ("performance.relative_change", "-0.05", "performance: five points worse than measured"),
    ("explanation.max_share_change", "0.05", "explanations: the largest shift five points larger"),
)


@require_http_methods(["GET", "POST"])
def scenarios(request: HttpRequest) -> HttpResponse:
    """Ask what the policy in force would have said, had figures been others; and the latest back-tests."""
    caller = caller_of(request)
    backtesting.require_reader(caller)
    problem = ""
    if request.method == "POST":
        try:
            amount = float(request.POST.get("amount", "").strip().replace(",", "."))
        except ValueError:
            problem = "Write by how much as a number, such as 0.1 or -0.05."
        else:
            try:
                shifts = {request.POST.get("fact", "").strip() or "-": amount}
                asked = backtesting.ask(caller=caller, name=request.POST.get("kind", "ml_model"), shifts=shifts)
            except DomainError as exc:
                problem = exc.detail
            else:
                return redirect("policy_backtest", asked.pk)
    fields = [
        FieldView(
            name="kind",
            label="Which policy?",
            kind="select",
            value=request.POST.get("kind", ""),
            options=[Option(str(each.kind), each.title) for each in installed_kinds()],
        ),
        FieldView(
            name="fact",
            label="Which figure?",
            value=request.POST.get("fact", ""),
            hint="The name of a fact, or a pattern such as drift.* or *psi*.",
        ),
        FieldView(
            name="amount", label="Moved by", value=request.POST.get("amount", ""), inputmode="decimal", hint="Such as 0.1."
        ),
    ]
    rows = Backtest.objects.select_related("asked_by", "draft").defer("source", "questionnaire", "result")[:50]
    context = {"fields": fields, "problem": problem, "rows": rows, "examples": EXAMPLES}
    return render(request, "reviews/policy_scenarios.html", context, status=422 if problem else 200)


@require_GET
def backtest(request: HttpRequest, pk: int) -> HttpResponse:
    """One back-test. `?format=json` and `?format=csv` give it as a file."""
    caller = caller_of(request)
    row = backtesting.find(caller=caller, backtest_id=pk)
    result = result_for(row, caller)
    if result is not None and (wanted := request.GET.get("format")) in ("json", "csv"):
        text = json.dumps(result, ensure_ascii=False, indent=1) if wanted == "json" else _csv(result)
        kind = "application/json" if wanted == "json" else "text/csv; charset=utf-8"
        name = f"backtest-{row.pk}.{wanted}"
        return HttpResponse(text, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
    context: dict[str, Any] = {
        "row": row,
        "result": result,
        "unfinished": row.status in (RunStatus.QUEUED, RunStatus.RUNNING),
        "bars": _bars(result) if result else [],
        "weeks": _weeks(result) if result else [],
    }
    return render(request, "reviews/policy_backtest.html", context)


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop it."""
    backtesting.cancel(caller=caller_of(request), backtest_id=pk)
    messages.success(request, "Cancelled.")
    return redirect("policy_backtest", pk)


def _bars(result: dict[str, Any]) -> list[dict[str, Any]]:
    """How many submissions have each track before and after, as bars of one scale."""
    before, after = dict.fromkeys(("green", "yellow", "red"), 0), dict.fromkeys(("green", "yellow", "red"), 0)
    for move in result["moves"]:
        before[move["before"]] += move["count"]
        after[move["after"]] += move["count"]
    most = max([*before.values(), *after.values(), 1])
    return [
        {
            "track": track,
            "before": before[track],
            "after": after[track],
            "before_width": round(WIDE * before[track] / most, 1),
            "after_width": round(WIDE * after[track] / most, 1),
        }
        for track in before
    ]


def _weeks(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Review steps per role and week, the busiest twelve weeks first to last."""
    weeks = sorted({row["week"] for row in result["load"]})[-12:]
    return [row for row in result["load"] if row["week"] in weeks]


def _csv(result: dict[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["submission", "system", "before", "after", "rules", "why", "outcome"])
    for row in result["submissions"]:
        cells = [
            row["submission"],
            row.get("system", ""),
            row["before"],
            row["after"],
            " ".join(row["rules"]),
            "; ".join(row.get("says", [])),
            row["outcome"],
        ]
        # what a spreadsheet would run as a formula is text
        writer.writerow([f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell for cell in cells])
    return out.getvalue()
