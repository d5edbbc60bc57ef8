"""Every component on one page, with worked examples: for looking at the interface and for its browser tests.

Routed only where `DEBUG` is on. The examples follow the verdict document, so that a component that drifts from it shows here.
"""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from governance.ui.badges import SETS
from governance.ui.fields import errors_of
from governance.ui.gallery_samples import EXAMPLES, drawing, questions


@login_not_required
def gallery(request: HttpRequest) -> HttpResponse:
    """The component page; `?drawing=light` or `dark` answers with the example chart."""
    theme = request.GET.get("drawing")
    if theme in ("light", "dark"):
        return HttpResponse(drawing(dark=theme == "dark"), content_type="image/svg+xml")
    fields = questions()
    context = {
        **EXAMPLES,
        "sets": {name: list(members) for name, members in SETS.items()},
        "fields": fields,
        "errors": errors_of(fields),
    }
    return render(request, "components/gallery.html", context)
