"""Pictures of a submission and the tables beneath them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from gates.selectors.chart_table import chart_csv
from gates.selectors.outcomes import chart as find_chart
from governance.domain.errors import NotFound
from governance.ui.drafts import caller_of

# An SVG styles itself inline and fetches, runs and submits nothing; `sandbox` holds when it is opened on its own
_SVG_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
)
# Charts are append-only, so a browser may keep them; they belong to one unit, so no shared cache may
_KEEP = "private, max-age=86400, immutable"


@require_GET
def svg(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture in the light or dark theme (`?theme=dark`)."""
    found = find_chart(caller_of(request), pk)
    drawing = found.svg_dark if request.GET.get("theme") == "dark" else found.svg_light
    if not drawing:
        raise NotFound("This picture could not be drawn. Its table holds the same numbers.")
    headers = {"Content-Security-Policy": _SVG_POLICY, "Cache-Control": _KEEP}
    return HttpResponse(drawing, content_type="image/svg+xml", headers=headers)


@require_GET
def table(request: HttpRequest, pk: int) -> HttpResponse:
    """The numbers of a picture as CSV."""
    found = find_chart(caller_of(request), pk)
    headers = {"Content-Disposition": f'attachment; filename="chart-{found.pk}.csv"', "Cache-Control": _KEEP}
    return HttpResponse(chart_csv(found), content_type="text/csv; charset=utf-8", headers=headers)
