"""The waivers of a case as everybody is shown them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from governance.domain.decision_gates import WaiverSignatureView, WaiverView
from reviews.models import Waiver, WaiverAudit, WaiverSignature
from reviews.selectors.loading import Loaded
from reviews.selectors.waiving import PARTS, holds, state_of


def waiver_views(loaded: Loaded, now: datetime) -> tuple[WaiverView, ...]:
    """Waivers of the submission, the latest first."""
    audits = {row.waiver_id: row for row in loaded.waiver_audits}
    return tuple(
        waiver_view(row, [s for s in loaded.waiver_signatures if s.waiver_id == row.pk], audits.get(row.pk), loaded.name, now)
        for row in reversed(loaded.waivers)
    )


def waiver_view(
    row: Waiver,
    signatures: Iterable[WaiverSignature],
    audit: WaiverAudit | None,
    name: Callable[[int | None], str],
    now: datetime,
) -> WaiverView:
    """One waiver with its signatures and audit. `name`: person -> name."""
    signatures = sorted(signatures, key=lambda s: s.pk)
    return WaiverView(
        id=row.pk,
        number=row.number,
        gate=row.gate,
        says=row.says,
        risk=row.risk,
        reason=row.reason,
        compensating_control=row.compensating_control,
        owner=name(row.owner_id),
        requested_by=name(row.requested_by_id),
        requested_at=row.requested_at,
        expires_at=row.expires_at,
        granted_at=row.granted_at,
        ended_at=row.ended_at,
        ended_why=row.ended_why,
        audit_owner=name(row.audit_owner_id),
        audit_due_on=row.audit_due_on,
        audit_done_at=audit.done_at if audit is not None else None,
        audit_held=audit.held if audit is not None else None,
        audit_found=audit.found if audit is not None else "",
        signatures=tuple(
            WaiverSignatureView(s.part, PARTS[s.part], name(s.by_id), s.by_id, s.signed, s.meaning, s.comment, s.at)
            for s in signatures
        ),
        state=state_of(row, [s.part for s in signatures if s.signed], audit, now),
        live=holds(row, audit, now),
        url=f"/waivers/{row.pk}",
    )


def waived_by(loaded: Loaded) -> dict[int, str]:
    """People who asked for or signed a waiver of the case, with what they did."""
    gates = {row.pk: row.gate for row in loaded.waivers}
    found = {row.requested_by_id: f"asked for the waiver of {row.gate}" for row in loaded.waivers}
    return found | {s.by_id: f"signed the waiver of {gates[s.waiver_id]}" for s in loaded.waiver_signatures if s.signed}
