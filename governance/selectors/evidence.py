"""Where stored evidence lies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from governance.domain.errors import FieldError, InvalidInput
from governance.domain.vocabulary import EvidenceRole
from governance.models import Evidence, EvidenceFile, Submission

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


_PAIRS = {
    EvidenceRole.BASELINE_PREDICTIONS: EvidenceRole.CANDIDATE_PREDICTIONS,
    EvidenceRole.CANDIDATE_PREDICTIONS: EvidenceRole.BASELINE_PREDICTIONS,
    EvidenceRole.CURRENT_SAMPLE: EvidenceRole.REFERENCE_SAMPLE,
    EvidenceRole.REFERENCE_SAMPLE: EvidenceRole.CURRENT_SAMPLE,
}
"""Files that are compared with each other, and so have the same columns."""


def columns_named_before(submission: Submission, role: EvidenceRole) -> tuple[Mapping[str, Any], str]:
    """The columns of a file in that role as they were named last, and where: its counterpart here, else the system's last one.

    Nothing and "" where nobody named any. Two statements at most.
    """
    pair = _PAIRS.get(role)
    here = Evidence.objects.filter(submission=submission, role=pair).first() if pair is not None else None
    if here is not None and here.columns:
        return here.columns, f"the {here.role.replace('_', ' ')}"
    before = Evidence.objects.filter(submission__system=submission.system_id, role=role, submission__lt=submission.pk)
    last = before.exclude(columns={}).order_by("-submission_id", "-id").first()
    return (last.columns, f"S-{last.submission_id}") if last is not None else ({}, "")
