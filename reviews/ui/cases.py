"""The explained decision of one submission, and the submitter's moves on it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gates.selectors.runs import progress, submission_for
from governance.domain.errors import Conflict, DomainError
from governance.domain.vocabulary import State
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView
from reviews.selectors.case_page import case_page
from reviews.selectors.decision_view import decision_view
from reviews.selectors.raw_lines import raw_lines
from reviews.services import intake
from reviews.services.looking import mark_seen
from reviews.services.permits import revoke as revoke_permit
from reviews.ui.case_context import case_context
from reviews.ui.shown import first_shown


@require_GET
def case(request: HttpRequest, pk: int) -> HttpResponse:
    """The one page everybody looks at: why this track, what was measured, who decides, what changed."""
    page = case_page(pk, caller_of(request), against=request.GET.get("compare", ""))
    view = page.view
    if view.state == State.DRAFT:
        return redirect("draft_tasks", pk)
    context = case_context(view, page, shown=first_shown(request, view)[0])
    if view.state == State.IN_CHECKS:
        caller = caller_of(request)
        submission = submission_for(caller, pk)
        context |= {"submission": submission, "progress": progress(submission, caller)}
    return render(request, "reviews/case.html", context)


@require_POST
def seen(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark a section as seen, as it was on the page the person looked at."""
    section = request.POST.get("section", "")
    try:
        mark_seen(caller=caller_of(request), submission_id=pk, section=section, digest=request.POST.get("digest", ""))
    except Conflict as exc:
        messages.error(request, exc.detail)
    where = section if section.isascii() and section.isalpha() else ""
    return redirect(f"{reverse('case', args=[pk])}#{where}")


@require_GET
def measurements(request: HttpRequest, pk: int, gate: str) -> HttpResponse:
    """The lines behind a gate as CSV: every number with its run, its inputs and the digest of what was read."""
    rows = raw_lines(caller_of(request), pk, gate)
    headers = {"Content-Disposition": f'attachment; filename="S-{pk}-{gate}.csv"'}
    return HttpResponse(rows, content_type="text/csv; charset=utf-8", headers=headers)


@require_http_methods(["GET", "POST"])
def submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand the draft in. The answer does not wait for the gates."""
    if request.method == "GET":
        return redirect("draft_check", pk)
    intake.submit(caller=caller_of(request), submission_id=pk)
    messages.success(request, "Submitted. The gates run now; this page shows each result as it arrives.")
    return redirect("case", pk)


@require_http_methods(["GET", "POST"])
def revise(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand in the next revision, with a reply to each requested change."""
    caller = caller_of(request)
    view = decision_view(pk, caller)
    items = [item for item in view.change_items if item.replied_in_revision is None]
    fields = [
        FieldView(
            name=f"reply-{item.id}",
            label=f"{item.about_label or item.about}: {item.asks}",
            kind="textarea",
            rows=3,
            hint=f"Good enough: {item.good_enough}",
            why=f"Asked by {item.asked_by} ({item.asked_by_role}).",
            value=request.POST.get(f"reply-{item.id}", ""),
            error="Say what you did about it."
            if request.method == "POST" and not request.POST.get(f"reply-{item.id}", "").strip()
            else "",
        )
        for item in items
    ]
    problem = ""
    if request.method == "POST" and not any(field.error for field in fields):
        try:
            replies = {item.id: request.POST[f"reply-{item.id}"] for item in items}
            intake.revise(caller=caller, submission_id=pk, note=request.POST.get("note", ""), replies=replies)
        except DomainError as exc:
            problem = exc.detail
        else:
            messages.success(request, "The revision is handed in. Only what changed is measured again.")
            return redirect("case", pk)
    note = FieldView(
        name="note",
        label="What did you change?",
        kind="textarea",
        rows=3,
        optional=True,
        hint="Reviewers see it beside the two revisions.",
        value=request.POST.get("note", ""),
    )
    status = 422 if request.method == "POST" else 200
    return render(request, "reviews/revise.html", {"v": view, "fields": fields, "note": note, "problem": problem}, status=status)


@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then take the submission back."""
    caller = caller_of(request)
    if request.method == "POST" and "confirmed" in request.POST:
        intake.withdraw(caller=caller, submission_id=pk, reason=request.POST.get("reason", ""))
        messages.success(request, "Withdrawn. Nobody will review it.")
        return redirect("case", pk)
    return _confirm(
        request,
        pk,
        "withdraw",
        "Withdraw this submission?",
        "Nobody will review it. You can submit the version again; its strictest track is remembered for 90 days.",
    )


@require_http_methods(["GET", "POST"])
def recheck(request: HttpRequest, pk: int) -> HttpResponse:
    """Run again the checks that stopped with an error."""
    if request.method == "POST":
        intake.recheck(caller=caller_of(request), submission_id=pk)
        messages.success(request, "The checks that stopped run again.")
        return redirect("case", pk)
    return _confirm(
        request,
        pk,
        "recheck",
        "Run the checks again?",
        "Checks that stopped with an error run once more. A check that failed needs a revision instead.",
    )


@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then end the permit at once."""
    reason = request.POST.get("reason", "").strip()
    if request.method == "POST" and reason:
        revoke_permit(caller=caller_of(request), submission_id=pk, reason=reason)
        messages.success(request, "Revoked. Deployment tools get “not allowed” from now on.")
        return redirect("case", pk)
    error = "Say why, so that the people who deployed it understand." if request.method == "POST" else ""
    return _confirm(request, pk, "revoke", "Revoke the approval?", "The permit ends at once.", error=error)


def _confirm(request: HttpRequest, pk: int, action: str, title: str, text: str, *, error: str = "") -> HttpResponse:
    view = decision_view(pk, caller_of(request))
    available = next((row for row in view.actions if row.action == action), None)
    if available is None or not available.available:
        why = available.why_not if available else "This is not possible now."
        return render(request, "reviews/not_now.html", {"v": view, "title": title, "why": why}, status=409)
    fields = (
        [FieldView(name="reason", label="Why?", kind="textarea", rows=3, optional=action != "revoke", error=error)]
        if action != "recheck"
        else []
    )
    context = {
        "v": view,
        "title": title,
        "text": text,
        "action": request.path,
        "fields": fields,
        "hidden": [{"name": "confirmed", "value": "1"}],
        "label": available.label,
    }
    return render(request, "reviews/confirm.html", context, status=422 if error else 200)
