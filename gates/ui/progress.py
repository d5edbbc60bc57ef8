"""Live progress of a submission's checks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from gates.selectors.runs import progress, submission_for
from governance.ui.drafts import caller_of
from governance.ui.htmx import render_page_or_part


@require_GET
def submission_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The part that a page polls while checks run; a page of its own for those without scripts."""
    submission = submission_for(caller_of(request), pk)
    context = {"progress": progress(submission), "submission": submission}
    return render_page_or_part(request, "gates/submission_progress.html", "gates/_submission_progress.html", context)
