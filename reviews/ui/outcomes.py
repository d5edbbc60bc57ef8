"""What governance comes to, as pages: how long decisions take, how versions fare, what waiting and failing cost; re-reviews."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from governance.domain.errors import InvalidInput, NotFound
from governance.models import Submission
from governance.selectors.access import visible
from governance.ui.drafts import caller_of
from governance.ui.fields import ErrorItem, FieldView, Option
from reviews.selectors.outcomes import AFTER, PERIODS, Cost, costs, elapsed, released
from reviews.selectors.re_reviews import re_reviews
from reviews.services.declaring import declare_value, declaring_refusal
from reviews.ui.paging import address


@require_GET
def outcomes(request: HttpRequest) -> HttpResponse:
    """One page of measures. What the address asks for and cannot be is left out."""
    caller = caller_of(request)
    days, after = _chosen(request, "days", PERIODS, 90), _chosen(request, "after", AFTER, 30)
    safe, rows = released(caller, days=days, after=after)
    money = costs(caller, days=days)
    context = {
        "days": PERIODS[days],
        "after": AFTER[after],
        "elapsed": [{"row": row, "median": _words(row.median), "p90": _words(row.p90)} for row in elapsed(caller, days=days)],
        "safe": safe,
        "released": rows,
        "parts": [
            {"title": "By track", "column": "Track", "rows": _beside(money.delay_by_track, money.failure_by_track)},
            {"title": "By rule that fired", "column": "Rule", "rows": _beside(money.delay_by_rule, money.failure_by_rule)},
        ],
        "undeclared": money.undeclared[:20],
        "filters": [
            FieldView(
                name="days",
                label="Of the last",
                kind="select",
                value=str(days),
                options=[Option(str(n), text) for n, text in PERIODS.items()],
            ),
            FieldView(
                name="after",
                label="Without an incident within",
                kind="select",
                value=str(after),
                options=[Option(str(n), text) for n, text in AFTER.items()],
            ),
        ],
    }
    return render(request, "reviews/outcomes.html", context)


@require_GET
def re_review_list(request: HttpRequest) -> HttpResponse:
    """Approvals that reached their age limit or soon will."""
    only = "mine" if request.GET.get("only") == "mine" else ""
    context = {
        "rows": re_reviews(caller_of(request), only=only),
        "scopes": [
            {"label": label, "href": address(request, only=name) or "?", "current": name == only}
            for name, label in (("", "All"), ("mine", "Mine"))
        ],
    }
    return render(request, "reviews/re_reviews.html", context)


@require_http_methods(["GET", "POST"])
def value(request: HttpRequest, pk: int) -> HttpResponse:
    """What a version is worth a day: the declarations so far, and another one."""
    caller = caller_of(request)
    submission = visible(Submission.objects.select_related("system", "version"), caller).filter(pk=pk).first()
    if submission is None:
        raise NotFound(f"There is no submission S-{pk} in your business unit.")
    refused = declaring_refusal(submission, caller)
    errors: dict[str, str] = {}
    if request.method == "POST":
        if refused is not None:
            raise refused
        given = {name: request.POST.get(name, "").replace("\x00", "").strip() for name in ("per_day", "currency", "why")}
        try:
            declare_value(
                caller=caller,
                submission_id=pk,
                per_day=_amount(given["per_day"]),
                currency=given["currency"].upper(),
                why=given["why"],
            )
        except InvalidInput as exc:
            errors = {error.pointer.strip("/"): error.detail for error in exc.errors}
        else:
            messages.success(request, "Declared under your name.")
            return redirect("declared_value", pk)
    fields = [
        _field(request, errors, "per_day", "What is having it in use worth a day?", kind="number", hint="Such as 1200.50."),
        _field(request, errors, "currency", "In which currency?", hint="Three letters, such as EUR.", maxlength="3"),
        _field(request, errors, "why", "Where does the amount come from?", kind="textarea", rows=2, maxlength="500"),
    ]
    context = {
        "submission": submission,
        "values": submission.declared_values.select_related("by").order_by("-id"),
        "fields": fields,
        "why_not": "" if refused is None else refused.detail,
        "errors": [ErrorItem(f"#{field.html_id}", field.error) for field in fields if field.error],
    }
    return render(request, "reviews/outcomes_value.html", context, status=422 if errors else 200)


def _field(request: HttpRequest, errors: dict[str, str], name: str, label: str, **more: Any) -> FieldView:
    return FieldView(name=name, label=label, value=request.POST.get(name, ""), error=errors.get(name, ""), **more)


def _chosen(request: HttpRequest, name: str, known: dict[int, str], usual: int) -> int:
    raw = request.GET.get(name, "")
    return int(raw) if raw in {str(n) for n in known} else usual


def _amount(raw: str) -> Decimal | None:
    try:
        return Decimal(raw.replace(" ", "")).quantize(Decimal("0.01")) if raw else None
    except InvalidOperation:
        return None


def _words(span: timedelta | None) -> str:
    """A length of time as people say it, by the clock."""
    if span is None:
        return "no verdict yet"
    minutes = max(int(span.total_seconds() // 60), 0)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes / 60:.1f} h" if minutes < 2 * 1440 else f"{minutes / 1440:.1f} days"


def _beside(delay: tuple[Cost, ...], failure: tuple[Cost, ...]) -> list[dict[str, Any]]:
    """Waiting and failing of the same track or rule in one row."""
    failed = {row.name: row for row in failure}
    names = [row.name for row in delay] + [row.name for row in failure if row.name not in {d.name for d in delay}]
    waited = {row.name: row for row in delay}
    return [{"name": name, "delay": waited.get(name), "failure": failed.get(name)} for name in names]
