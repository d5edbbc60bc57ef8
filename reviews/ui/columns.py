"""The data steward's page: columns with personal data, what each was found as, and what somebody said about it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from governance.domain.errors import InvalidInput, NotFound
from governance.domain.vocabulary import ColumnMarkKind
from governance.models import Submission
from governance.selectors.access import visible
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from reviews.selectors.columns import ColumnView, columns_of, marking_refusal
from reviews.services.marking import NewMark, mark_column

MEANS = {
    ColumnMarkKind.EXPECTED: "It is personal data and belongs there; the approval is asked for as before.",
    ColumnMarkKind.HASHED: "Its values are hashed or tokens; it no longer counts.",
    ColumnMarkKind.WRONG: "The find is wrong; it no longer counts.",
    ColumnMarkKind.REMOVE: "It has to go: the check fails until it is gone.",
}


@require_http_methods(["GET", "POST"])
def columns(request: HttpRequest, pk: int) -> HttpResponse:
    """Read the columns; those who may, say what they are."""
    caller = caller_of(request)
    rows = Submission.objects.select_related("system", "version", "unit", "submitter")
    submission = visible(rows, caller).filter(pk=pk).first()
    if submission is None:
        raise NotFound(f"There is no submission S-{pk} in your business unit.")
    errors: dict[str, str] = {}
    given = {name: request.POST.get(name, "") for name in ("column", "mark", "reason")}
    if request.method == "POST":
        try:
            mark = mark_column(caller=caller, submission_id=pk, new=NewMark(**given))
        except InvalidInput as exc:
            errors = {error.pointer.removeprefix("/"): error.detail for error in exc.errors}
        else:
            label = ColumnMarkKind(mark.mark).label
            messages.success(request, f"Recorded: {mark.column} is {label}. It counts from the next revision on.")
            return redirect("columns", pk)
    found = columns_of(submission)
    refused = marking_refusal(submission, caller)
    context = {
        "submission": submission,
        "columns": found,
        "fields": _fields(found, given, errors) if refused is None and found else [],
        "refused": refused.detail if refused is not None else "",
    }
    return render(request, "reviews/columns.html", context, status=422 if errors else 200)


def _fields(found: tuple[ColumnView, ...], given: dict[str, str], errors: dict[str, str]) -> list[FieldView]:
    open_ones = sorted(found, key=lambda row: (bool(row.marks) and row.stands, row.column))
    return [
        FieldView(
            name="column",
            label="Column",
            kind="select",
            value=given["column"],
            options=[Option("", "choose a column"), *(Option(row.column, f"{row.column}: {row.kind}") for row in open_ones)],
            error=errors.get("column", ""),
        ),
        FieldView(
            name="mark",
            label="What is it?",
            kind="radio",
            value=given["mark"],
            options=[Option(kind.value, kind.label.capitalize(), MEANS[kind]) for kind in ColumnMarkKind],
            error=errors.get("mark", ""),
        ),
        FieldView(
            name="reason",
            label="Why?",
            kind="textarea",
            rows=3,
            value=given["reason"],
            hint="It is kept in the audit trail with your name, and shown to everybody who reads the case.",
            maxlength="500",
            error=errors.get("reason", ""),
        ),
    ]
