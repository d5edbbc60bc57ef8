"""The inventory: every system. One system as a page stands in `reviews.ui.systems`."""

from __future__ import annotations

from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from governance.models import System
from governance.selectors.access import visible
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
