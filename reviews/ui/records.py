"""The record of a signature, as PDF."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from governance.ui.drafts import caller_of
from reviews.selectors.sign_off_record import record_of
from reviews.services.record_pdf import draw


@require_GET
def sign_off(request: HttpRequest, pk: int, sign_off_id: int) -> HttpResponse:
    """Draw it anew: it is made from what was kept, so it is the same every time."""
    record = record_of(caller_of(request), pk, sign_off_id)
    name = f"guiderail-S-{pk}-signature-{sign_off_id}.pdf"
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(draw(record), content_type="application/pdf", headers=headers)
