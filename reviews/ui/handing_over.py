"""Handing a case over: to whom, and what they should know."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from governance.domain.errors import DomainError, InvalidInput
from governance.domain.vocabulary import Role
from governance.models import Person, Submission
from governance.ui.drafts import caller_of
from governance.ui.fields import ErrorItem, FieldView, Option
from reviews.selectors.case import case_of
from reviews.selectors.decision_view import decision_view
from reviews.services.claiming import hand_over, may_hand_over
from reviews.services.telling import able_to_decide


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """The form, or why there is none. The receiver is checked before anything changes."""
    caller = caller_of(request)
    view = decision_view(pk, caller)
    submission = Submission.objects.select_related("unit", "claimed_by").get(pk=view.id)
    if (refused := may_hand_over(submission, caller, submission.claimed_by)) is not None:
        return render(request, "reviews/not_now.html", {"v": view, "title": "Hand it over", "why": refused.detail}, status=409)
    errors: dict[str, str] = {}
    problem = ""
    if request.method == "POST":
        try:
            to = request.POST.get("to", "")
            given = hand_over(
                caller=caller,
                submission_id=pk,
                to=int(to) if to.isascii() and to.isdigit() and len(to) < 16 else 0,
                note=request.POST.get("note", ""),
            )
        except InvalidInput as exc:
            errors = {error.pointer.strip("/"): error.detail for error in exc.errors}
            problem = "" if errors else exc.detail
        except DomainError as exc:
            problem = exc.detail
        else:
            messages.success(request, f"Handed over to {given.to.name}, who is told with your note.")
            return redirect("case", pk)
    fields = _fields(request, submission, errors)
    context = {
        "v": view,
        "holder": submission.claimed_by.name if submission.claimed_by is not None else "",
        "fields": fields,
        "problem": problem,
        "errors": [ErrorItem(f"#{field.html_id}", field.error) for field in fields if field.error],
    }
    return render(request, "reviews/hand_over.html", context, status=422 if errors or problem else 200)


def _fields(request: HttpRequest, submission: Submission, errors: dict[str, str]) -> list[FieldView]:
    able: dict[int, str] = {}
    for role in case_of(submission).open_steps:
        able |= able_to_decide(submission, Role(role))
    able.pop(submission.claimed_by_id or 0, None)
    people = Person.objects.filter(pk__in=able, is_active=True).order_by("first_name", "username")[:200]
    options = [Option("", "Choose…"), *(Option(str(row.pk), row.name) for row in people)]
    return [
        FieldView(
            name="to",
            label="To whom?",
            kind="select",
            options=options,
            value=request.POST.get("to", ""),
            hint="People who hold the role of the open step and neither submitted, built nor waived it."
            if len(options) > 1
            else "Nobody else may decide this step now. An administrator can grant the role to somebody.",
            error=errors.get("to", ""),
        ),
        FieldView(
            name="note",
            label="What should they know?",
            kind="textarea",
            hint="What you looked at already, what is open. It stays with the case.",
            value=request.POST.get("note", ""),
            error=errors.get("note", ""),
        ),
    ]
