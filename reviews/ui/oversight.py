"""One page for those who answer for the whole: policy, incidents, evidence."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from governance.ui.drafts import caller_of
from reviews.selectors.oversight import oversight


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """Policy status, incident history with how long mending took, and compliance evidence."""
    found = oversight(caller_of(request))
    history = [
        {
            "line": line,
            "noticed": _took(line.noticed_after),
            "resolved": _took(line.resolved_after),
            "learnt": _took(line.learnt_after),
        }
        for line in found.incidents.latest
    ]
    return render(request, "reviews/oversight.html", {"o": found, "history": history})


def _took(time: timedelta | None) -> str:
    """A span as people say it: minutes, hours or days; "" for what is not over."""
    if time is None:
        return ""
    minutes = max(0, round(time.total_seconds() / 60))
    for unit, size in (("day", 1_440), ("hour", 60)):
        if minutes >= 2 * size:
            number = round(minutes / size)
            return f"{number} {unit}s"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"
