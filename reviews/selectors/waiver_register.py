"""The register of waivers: by unit, those that wait, run, end soon or ended; and what was decided on the same gate before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.decision_gates import WaiverView
from governance.domain.errors import FieldError, InvalidInput, NotFound
from governance.domain.vocabulary import Role
from governance.models import Submission
from governance.selectors.access import Caller, visible
from reviews.models import Waiver, WaiverSignature
from reviews.selectors.paging import page_of
from reviews.selectors.view_waivers import waiver_view
from reviews.selectors.waiving import live

SCOPES = {
    "mine": "Waiting for me",
    "open": "Waiting for signatures",
    "live": "Running",
    "soon": "Ending within 14 days",
    "ended": "Ended",
    "all": "All",
}
SOON = timedelta(days=14)


@dataclass(frozen=True)
class WaiverRow:
    """One line of the register. `age_days`: since it was asked for."""

    view: WaiverView
    unit: str
    submission: str
    system: str
    version: str
    age_days: int
    waits_for: str


def register(
    caller: Caller, *, scope: str = "all", unit: str = "", gate: str = "", cursor: str = "", size: int = 50
) -> tuple[tuple[WaiverRow, ...], str, str]:
    """Waivers the caller may see, the latest first: rows, next and previous cursor. Three statements. Raises `InvalidInput`."""
    if scope not in SCOPES:
        raise InvalidInput("There is no such list of waivers.", errors=(FieldError("/scope", "unknown", ", ".join(SCOPES)),))
    rows = _loaded(visible(Waiver.objects.all(), caller))
    if unit:
        rows = rows.filter(unit__slug=unit)
    if gate:
        rows = rows.filter(gate=gate)
    page = page_of(_scoped(rows, scope, caller), keys=("-id",), cursor=cursor, size=size)
    return tuple(row_of(row) for row in page.rows), page.next, page.previous


def find_waiver(*, caller: Caller, waiver_id: int) -> tuple[Waiver, WaiverView]:
    """A waiver with its signatures and audit, or `NotFound`."""
    row = _loaded(visible(Waiver.objects.all(), caller)).filter(pk=waiver_id).first()
    if row is None:
        raise NotFound(f"There is no waiver W-{waiver_id} in your business unit.")
    return row, row_of(row).view


def precedents(caller: Caller, *, gate: str, but: Submission | None = None, most: int = 5) -> tuple[WaiverRow, ...]:
    """Earlier waivers of the same gate that were signed or refused, the latest first: a second request meets the first answer."""
    rows = _loaded(visible(Waiver.objects.filter(gate=gate), caller)).filter(Q(granted_at__isnull=False) | Q(ended_how="refused"))
    if but is not None:
        rows = rows.exclude(submission=but)
    return tuple(row_of(row) for row in rows.order_by("-id")[:most])


def _loaded(rows: QuerySet[Waiver]) -> QuerySet[Waiver]:
    signatures = Prefetch("signatures", WaiverSignature.objects.select_related("by"))
    related = ("unit", "submission__system", "submission__version", "owner", "requested_by__manager", "audit_owner", "audit")
    return rows.select_related(*related).prefetch_related(signatures)


def _scoped(rows: QuerySet[Waiver], scope: str, caller: Caller) -> QuerySet[Waiver]:
    waiting = Q(granted_at__isnull=True, ended_at__isnull=True, expires_at__gt=Now())
    if scope == "open":
        return rows.filter(waiting)
    if scope == "live":
        return live(rows)
    if scope == "soon":
        return live(rows).filter(expires_at__lte=Now() + SOON)
    if scope == "ended":
        return rows.filter(Q(ended_at__isnull=False) | Q(expires_at__lte=Now()))
    if scope == "mine":
        me = caller.person.pk if caller.person is not None else 0
        signed = WaiverSignature.objects.filter(waiver=OuterRef("pk"), signed=True)
        by_manager = ~Q(Exists(signed)) & Q(requested_by__manager_id=me)
        as_risk = Q(pk__in=[])
        for unit_id, roles in caller.roles.items():
            where = Q() if unit_id is None else Q(unit_id=unit_id)
            if Role.RISK_OFFICER in roles:
                as_risk |= where & Q(Exists(signed)) & ~Q(Exists(signed.filter(by_id=me)))
            stands_in = Q(stands_in__in=sorted(role.value for role in roles), requested_by__manager__isnull=True)
            by_manager |= where & ~Q(Exists(signed)) & stands_in
        to_audit = Q(granted_at__isnull=False, ended_at__isnull=True, audit_owner_id=me, audit__done_at__isnull=True)
        return rows.filter((waiting & (by_manager | as_risk) & ~Q(requested_by_id=me)) | to_audit)
    return rows


def row_of(row: Waiver) -> WaiverRow:
    """One line of the register."""
    signatures, audit = list(row.signatures.all()), getattr(row, "audit", None)
    people = {
        row.owner_id: row.owner.name,
        row.requested_by_id: row.requested_by.name,
        row.audit_owner_id: row.audit_owner.name,
        **{s.by_id: s.by.name for s in signatures},
    }
    now = timezone.now()
    view = waiver_view(row, signatures, audit, lambda pk: people.get(pk or 0, ""), now)
    manager = row.requested_by.manager
    waits = {
        "requested": manager.name if manager is not None else f"somebody of “{Role(row.stands_in).label}”",
        "countersigned": "a risk officer",
        "live": f"the audit by {row.audit_owner.name}" if audit is not None and audit.done_at is None else "",
    }
    return WaiverRow(
        view=view,
        unit=row.unit.name,
        submission=row.submission.number,
        system=row.submission.system.slug,
        version=row.submission.version.version,
        age_days=(now - row.requested_at).days,
        waits_for=waits.get(view.state, ""),
    )
