"""The inventory: systems, their versions and what became of them."""

from __future__ import annotations

from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from governance.domain.errors import NotFound
from governance.models import Submission, System
from governance.selectors.access import visible
from governance.selectors.champions import champion_of
from governance.ui.drafts import caller_of


@require_GET
def systems(request: HttpRequest) -> HttpResponse:
    """Every system of the caller's units, the one touched last on top."""
    rows = (
        visible(System.objects.select_related("unit", "owner"), caller_of(request))
        .annotate(version_count=Count("versions", distinct=True), touched=Max("submissions__updated_at"))
        .order_by("-touched", "slug")[:200]
    )
    return render(request, "governance/systems.html", {"systems": rows})


@require_GET
def system(request: HttpRequest, pk: int) -> HttpResponse:
    """One system: what is in force, and every submission."""
    found = visible(System.objects.select_related("unit", "owner"), caller_of(request)).filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such system in your business unit.")
    submissions = Submission.objects.filter(system=found).select_related("version", "submitter").order_by("-id")[:100]
    context = {"system": found, "champion": champion_of(system_id=found.pk, environment="production"), "submissions": submissions}
    return render(request, "governance/system.html", context)
