"""Roles that wait for a second person, as pages. Answering needs a fresh sign-in."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from governance.domain.errors import DomainError, Forbidden
from governance.selectors import granting as selected
from governance.selectors.administration import administers
from governance.services import granting
from governance.ui.drafts import caller_of
from governance.ui.freshness import authenticated_at, confirm_address, is_fresh


@require_GET
def requests(request: HttpRequest) -> HttpResponse:
    """Roles that administrators asked for: what waits with who may answer, and what was answered lately."""
    caller = caller_of(request)
    waiting, answered = selected.requests_of(caller)
    rows = [{"row": row, "refused": selected.answer_refusal(row, caller)} for row in waiting]
    context = {"rows": rows, "answered": answered, "may_change": administers(caller), "may_answer": selected.may_answer(caller)}
    return render(request, "governance/administration_requests.html", context)


@require_POST
def request_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve or refuse what somebody else asked for."""
    caller = caller_of(request)
    if not selected.may_answer(caller):
        raise Forbidden("Only another administrator or a risk officer can do this.", code="role_needed")
    if not is_fresh(request):
        return redirect(confirm_address(reverse("administration_requests")))
    approve = request.POST.get("answer") == "approve"
    try:
        granting.answer_request(
            caller=caller, request_id=pk, approve=approve, why=request.POST.get("why", ""), proved_at=authenticated_at(request)
        )
    except DomainError as exc:
        messages.error(request, exc.detail)
    else:
        messages.success(request, "Approved: the role holds from now on." if approve else "Refused. Nothing was granted.")
    return redirect("administration_requests")
