"""The evidence pack of a case, to take away."""

from __future__ import annotations

import io

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from governance.ui.drafts import caller_of
from reviews.selectors.evidence_pack import write_pack


@require_GET
def download(request: HttpRequest, pk: int) -> HttpResponse:
    """The archive: a few megabytes of text, held in memory. Who may read the case may take it away; nothing changes by it."""
    archive = io.BytesIO()
    name = write_pack(caller_of(request), pk, archive)
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(archive.getvalue(), content_type="application/zip", headers=headers)
