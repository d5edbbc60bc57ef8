"""Declaring a conflict of interest, as a page that says what it leads to before it is sent."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from governance.domain.errors import InvalidInput
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView
from reviews.selectors.decision_view import decision_view
from reviews.selectors.interests import interest_refusal
from reviews.selectors.loading import find_submission
from reviews.services.interests import declare_conflict

TITLE = "Declare a conflict of interest"


@require_http_methods(["GET", "POST"])
def declare(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask why, then take the case from what the reader can decide."""
    caller = caller_of(request)
    refused = interest_refusal(find_submission(caller=caller, submission_id=pk), caller)
    if refused is not None:
        context = {"v": decision_view(pk, caller), "title": TITLE, "why": refused.detail}
        return render(request, "reviews/not_now.html", context, status=409)
    error = ""
    if request.method == "POST":
        try:
            declare_conflict(caller=caller, submission_id=pk, why=request.POST.get("why", ""))
        except InvalidInput as exc:
            error = exc.detail
        else:
            messages.success(request, "Recorded. Somebody else decides on this case.")
            return redirect("case", pk)
    field = FieldView(
        name="why",
        label="What binds you?",
        kind="textarea",
        rows=3,
        hint="Such as: I advised the team on its features, or a relative of mine leads it.",
        value=request.POST.get("why", ""),
        error=error,
    )
    context = {
        "v": decision_view(pk, caller),
        "title": TITLE,
        "text": "You decide nothing on this case from then on, and it leaves your queue. It stays on record for good.",
        "action": request.path,
        "fields": [field],
        "label": "Declare it",
    }
    return render(request, "reviews/confirm.html", context, status=422 if error else 200)
