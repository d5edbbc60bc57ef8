"""Load and forecast of the review queue."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from governance.ui.drafts import caller_of
from reviews.selectors.workload import workload


@require_GET
def load(request: HttpRequest) -> HttpResponse:
    """What arrives, what gets done, how old what waits is; and what five and fifty a month would mean."""
    found = workload(caller_of(request))
    return render(request, "reviews/queue_load.html", {"load": found})
