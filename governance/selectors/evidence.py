"""Where stored evidence lies."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from governance.domain.errors import FieldError, InvalidInput
from governance.models import EvidenceFile

MAX_SOURCE_BYTES = 2 * 1024 * 1024


def evidence_path(sha256: str) -> Path:
    """Where the bytes of a stored file lie."""
    return Path(settings.EVIDENCE_DIR) / sha256[:2] / sha256


def stored_source(unit_id: int, sha256: str) -> bytes:
    """The bytes of stored evidence that is used as a metadata file, one byte more than the limit at most."""
    file = EvidenceFile.objects.filter(unit_id=unit_id, sha256=sha256.removeprefix("sha256:")).first()
    if file is None:
        raise InvalidInput(
            f"No evidence with sha256 {sha256[:19]}… is stored in this unit. Send the file first: POST /api/v1/evidence.",
            code="unknown_evidence",
            errors=(FieldError("/sources", "unknown", "Send the file first, or put its text into “content”."),),
        )
    with evidence_path(file.sha256).open("rb") as handle:
        return handle.read(MAX_SOURCE_BYTES + 1)
