"""The evidence pack of a case, to take away."""

from __future__ import annotations

import tempfile

from django.http import FileResponse, HttpRequest
from django.views.decorators.http import require_GET

from governance.ui.drafts import caller_of
from reviews.selectors.evidence_pack import write_pack

IN_MEMORY = 8 * 1024 * 1024


@require_GET
def download(request: HttpRequest, pk: int) -> FileResponse:
    """The archive. Who may read the case may take it away; nothing changes by it."""
    archive = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 (the response closes it)
    try:
        name = write_pack(caller_of(request), pk, archive)
    except BaseException:
        archive.close()
        raise
    archive.seek(0)
    headers = {"Cache-Control": "no-store"}
    return FileResponse(archive, as_attachment=True, filename=name, content_type="application/zip", headers=headers)
