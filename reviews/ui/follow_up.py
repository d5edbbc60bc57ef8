"""What approvals left to be done: the list, and recording what was done."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from governance.domain.errors import DomainError, InvalidInput, NotFound
from governance.selectors.access import visible
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from reviews.models import Condition, Evaluation
from reviews.selectors.following_up import KINDS, condition_refusal, evaluation_refusal, follow_up
from reviews.services.following_up import meet_condition, record_evaluation
from reviews.ui.paging import address

RESULTS = (
    Option("as_expected", "As expected", "It does in use what it was approved with."),
    Option("worse", "Worse than approved", "A finding is opened, and the reviewers are told."),
    Option("not_released", "It was never released", "There is nothing to look back at."),
)


@require_GET
def tasks(request: HttpRequest) -> HttpResponse:
    """Open tasks, the most urgent first; recorded ones on request."""
    scope = request.GET.get("scope", "open")
    scope = scope if scope in ("open", "mine", "done") else "open"
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    rows = follow_up(caller_of(request), done=scope == "done", kind=kind, mine=scope == "mine")
    labels = {"open": "Open", "mine": "Mine", "done": "Recorded"}
    context = {
        "rows": rows,
        "scope": scope,
        "overdue": sum(row.overdue for row in rows),
        "scopes": [
            {"label": label, "href": address(request, scope=name), "current": name == scope} for name, label in labels.items()
        ],
        "filters": [
            FieldView(
                name="kind",
                label="What",
                kind="select",
                value=kind,
                options=[Option("", "everything"), *(Option(name, label) for name, label in KINDS.items())],
            )
        ],
    }
    return render(request, "reviews/follow_up.html", context)


@require_http_methods(["GET", "POST"])
def evaluation(request: HttpRequest, pk: int) -> HttpResponse:
    """The post-release evaluation of a submission: what to look at, and what was found."""
    caller = caller_of(request)
    rows = Evaluation.objects.select_related("submission__system", "submission__version", "owner", "recorded_by")
    row = visible(rows, caller).filter(submission_id=pk).first()
    if row is None:
        raise NotFound(f"No evaluation is scheduled for S-{pk} in your business unit.")
    errors: dict[str, str] = {}
    if request.method == "POST":
        given = {name: request.POST.get(name, "").replace("\x00", "") for name in ("result", "found", "evidence")}
        try:
            record_evaluation(caller=caller, submission_id=pk, **given)
        except InvalidInput as exc:
            errors = _by_field(exc)
        else:
            messages.success(request, "The evaluation is recorded.")
            return redirect("evaluation", pk)
    refused = evaluation_refusal(row, caller)
    post = request.POST
    fields = [
        FieldView(
            name="result", id="f-result", label="How did it come out?", kind="radio", options=RESULTS,
            value=post.get("result", ""), error=errors.get("result", ""),
        ),
        FieldView(
            name="found", id="f-found", label="What did you look at, and what did you find?", kind="textarea",
            value=post.get("found", ""), error=errors.get("found", ""),
        ),
        FieldView(
            name="evidence", id="f-evidence", label="Where can it be looked up?", hint="A report, a dashboard, a query.",
            value=post.get("evidence", ""), error=errors.get("evidence", ""),
        ),
    ]  # fmt: skip
    return _page(request, row, "Post-release evaluation", fields, refused, errors)


@require_http_methods(["GET", "POST"])
def condition(request: HttpRequest, pk: int) -> HttpResponse:
    """A condition of an approval: what was asked, and the evidence that it is met."""
    caller = caller_of(request)
    rows = Condition.objects.select_related("submission__system", "submission__version", "owner", "confirmed_by")
    row = visible(rows, caller, "submission__unit_id").filter(pk=pk).first()
    if row is None:
        raise NotFound("There is no such condition in your business unit.")
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            meet_condition(caller=caller, condition_id=pk, evidence=request.POST.get("evidence", "").replace("\x00", ""))
        except InvalidInput as exc:
            errors = _by_field(exc)
        else:
            messages.success(request, "The condition is confirmed as met.")
            return redirect("condition", pk)
    fields = [
        FieldView(
            name="evidence",
            id="f-evidence",
            label="What shows that it is met?",
            kind="textarea",
            hint="What you looked at, and where it can be looked up.",
            value=request.POST.get("evidence", ""),
            error=errors.get("evidence", ""),
        )
    ]
    return _page(request, row, "Condition of an approval", fields, condition_refusal(row, caller), errors)


def _page(
    request: HttpRequest,
    row: Evaluation | Condition,
    title: str,
    fields: list[FieldView],
    refused: DomainError | None,
    errors: dict[str, str],
) -> HttpResponse:
    context = {
        "row": row,
        "submission": row.submission,
        "title": title,
        "is_evaluation": isinstance(row, Evaluation),
        "done": row.done_at if isinstance(row, Evaluation) else row.met_at,
        "fields": fields,
        "why_not": refused.detail if refused is not None else "",
        "errors": [{"href": f"#f-{name}", "text": text} for name, text in errors.items()],
    }
    return render(request, "reviews/follow_up_task.html", context, status=422 if errors else 200)


def _by_field(exc: InvalidInput) -> dict[str, str]:
    return {error.pointer.strip("/"): error.detail for error in exc.errors}
