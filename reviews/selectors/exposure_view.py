"""A request for more exposure as people and programs read it: what is asked, what is known, who decides, what was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.domain.decision_json import to_json
from governance.domain.vocabulary import Role, Track
from governance.policy.exposure import step_for
from governance.selectors.access import Caller
from reviews.models import ExposureRequest
from reviews.selectors.case import case_of
from reviews.selectors.exposure import (
    deciding_refusal,
    find_request,
    not_by_policy,
    plan_of,
    present_permit,
    requests_page,
    standing_of,
    state_of,
    withdrawing_refusal,
)
from reviews.selectors.paging import page_of


@dataclass(frozen=True)
class ExposureRow:
    """One line of the list. `decided_by`: a name, “policy”, or "" where nobody decided."""

    id: int
    number: str
    url: str
    state: str
    submission: str
    system: str
    version: str
    environment: str
    present: int
    wanted: int
    role: str
    requested_by: str
    requested_at: datetime
    decided_by: str
    decided_at: datetime | None


@dataclass(frozen=True)
class ExposureView:
    """One request.

    `known`: what monitors, findings and incidents say, now while it waits, else as it was decided on; `digest` is of that.
    `people_because`: why the policy does not grant it by itself. `cannot_decide`, `cannot_withdraw`: why not, "" where the caller
    can. `permit`: the one it led to.
    """

    row: ExposureRow
    reason: str
    monitoring_says: str
    why: str
    step_why: str
    known: Mapping[str, Any]
    digest: str
    people_because: tuple[str, ...]
    permit: str
    cannot_decide: str
    cannot_withdraw: str


def exposure_requests(
    caller: Caller, *, scope: str = "", cursor: str = "", size: int = 50
) -> tuple[tuple[ExposureRow, ...], str, str]:
    """Requests, the latest first: rows, next and previous cursor. One query."""
    page = page_of(requests_page(caller, scope=scope), keys=("-id",), cursor=cursor, size=size)
    return tuple(_row(row, holds=bool(getattr(row, "holds", False))) for row in page.rows), page.next, page.previous


def exposure_view(request_id: int, caller: Caller) -> ExposureView:
    """One request with what the caller can do. Raises `NotFound`."""
    row = find_request(caller=caller, request_id=request_id)
    submission = row.submission
    case, permit = case_of(submission, caller), present_permit(submission)
    holds = permit is not None and permit.pk == row.permit_id
    known, digest, step_why = row.seen or row.shown, row.seen_digest or row.shown_digest, ""
    because: tuple[str, ...] = ()
    step = step_for(plan_of(submission), Track(submission.track), row.present, row.wanted)
    if not isinstance(step, str):
        step_why = step.why
    if holds and permit is not None and not row.outcome:
        standing = standing_of(submission, permit, row.wanted)
        known, digest = standing.document(), standing.digest
        because = not_by_policy(step, Track(submission.track), standing) if not isinstance(step, str) else (step,)
    refused, kept = deciding_refusal(row, case, caller, permit), withdrawing_refusal(row, caller)
    raised = getattr(row, "raised_to", None)
    return ExposureView(
        row=_row(row, holds=holds),
        reason=row.reason,
        monitoring_says=row.monitoring_says,
        why=row.why,
        step_why=step_why,
        known=known,
        digest=digest,
        people_because=because,
        permit=str(raised.pk) if raised is not None else "",
        cannot_decide=refused.detail if refused is not None else "",
        cannot_withdraw=kept.detail if kept is not None else "",
    )


def exposure_document(submission_id: int) -> list[dict[str, Any]]:
    """Every request for more exposure of a case, for its evidence pack: what was asked, seen, decided, and by whom."""
    rows = ExposureRequest.objects.filter(submission=submission_id).order_by("id")
    found = rows.select_related("submission__system", "submission__version", "requested_by", "decided_by")
    return [
        {
            **to_json(_row(row, holds=False)),
            "state": row.outcome or "not decided",
            "permit_before": str(row.permit_id),
            "reason": row.reason,
            "monitoring_says": row.monitoring_says,
            "policy_digest": row.policy_digest,
            "shown": row.shown,
            "shown_digest": row.shown_digest,
            "seen": row.seen,
            "seen_digest": row.seen_digest,
            "why": row.why,
        }
        for row in found
    ]


def _row(row: ExposureRequest, *, holds: bool) -> ExposureRow:
    by_policy = row.outcome == ExposureRequest.GRANTED and row.decided_by is None
    return ExposureRow(
        id=row.pk,
        number=row.number,
        url=f"/exposure/{row.pk}",
        state=state_of(row, holds=holds),
        submission=row.submission.number,
        system=row.submission.system.slug,
        version=row.submission.version.version,
        environment=row.submission.environment,
        present=row.present,
        wanted=row.wanted,
        role=Role(row.role).value,
        requested_by=row.requested_by.name,
        requested_at=row.requested_at,
        decided_by="policy" if by_policy else (row.decided_by.name if row.decided_by is not None else ""),
        decided_at=row.decided_at,
    )
