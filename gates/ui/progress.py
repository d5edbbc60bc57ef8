"""Live progress of a submission's checks, and what people do with single ones."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from gates.selectors.runs import progress, submission_for
from gates.services.control import cancel_run, repeat_run
from governance.ui.drafts import caller_of
from governance.ui.htmx import render_page_or_part, wants_part


@require_GET
def submission_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The part that a page polls while checks run; a page of its own for those without scripts.

    A poll says what it shows already (`seen`): nothing new is 204, so that nothing on the page moves. How many have finished is
    read out only when the number changes (`done`).
    """
    caller = caller_of(request)
    submission = submission_for(caller, pk)
    found = progress(submission, caller)
    part = wants_part(request)
    if part and not found.finished and request.GET.get("seen") == found.seen:
        return HttpResponse(status=204)
    announce = part and request.GET.get("done", str(found.done)) != str(found.done)
    context = {"progress": found, "submission": submission, "announce": announce}
    return render_page_or_part(request, "gates/submission_progress.html", "gates/_submission_progress.html", context)


@require_POST
def run_cancel(request: HttpRequest, pk: int, collector: str) -> HttpResponse:
    """Cancel one check."""
    cancel_run(caller=caller_of(request), submission_id=pk, collector=collector)
    messages.success(request, "Cancelled. Gates that need it are not assessed; you can run it again.")
    return redirect("submission_progress", pk)


@require_POST
def run_again(request: HttpRequest, pk: int, collector: str) -> HttpResponse:
    """Run one ended check again."""
    repeat_run(caller=caller_of(request), submission_id=pk, collector=collector)
    messages.success(request, "It is queued again. What it measured before stays on record.")
    return redirect("submission_progress", pk)
