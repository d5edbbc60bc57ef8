"""Incidents as people read them: the list, one incident with its timeline, and who may do what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from governance.domain.errors import Conflict, DomainError, FieldError, Forbidden, InvalidInput, NotFound
from governance.domain.vocabulary import REVIEWING_ROLES, Role, Scope
from governance.selectors.access import Caller, visible
from reviews.models import Incident, IncidentStep
from reviews.selectors.paging import page_of
from reviews.selectors.playbooks import KINDS

SCOPES = {
    "open": "Open",
    "late": "With an overdue step",
    "resolved": "Waiting for a post-mortem",
    "closed": "Closed",
    "all": "All",
}


@dataclass(frozen=True)
class IncidentRow:
    """One line of the list."""

    id: int
    number: str
    title: str
    kind: str
    kind_label: str
    severity: str
    state: str
    system: str
    version: str
    environment: str
    submission: str
    by_signal: bool
    loss: Decimal | None
    currency: str
    steps: int
    done: int
    overdue: int
    began_at: datetime
    opened_at: datetime
    resolved_at: datetime | None


def incidents(
    caller: Caller, *, scope: str = "all", kind: str = "", system: str = "", cursor: str = "", size: int = 50
) -> tuple[tuple[IncidentRow, ...], str, str]:
    """Incidents the caller may see, the latest first: rows, next and previous cursor. One query. Raises `InvalidInput`."""
    problems = [
        FieldError(f"/{name}", "unknown", ", ".join(known))
        for name, value, known in (("scope", scope, SCOPES), ("kind", kind, KINDS))
        if value and value not in known
    ]
    if problems:
        raise InvalidInput(f"There is no such {problems[0].pointer.strip('/')} of incidents.", errors=tuple(problems))
    late = Q(steps__done_at__isnull=True, steps__due_at__lt=Now())
    rows = visible(Incident.objects.select_related("system", "version", "submission"), caller).annotate(
        step_count=Count("steps"),
        done_count=Count("steps", filter=Q(steps__done_at__isnull=False)),
        late_count=Count("steps", filter=late),
    )
    if scope in ("open", "resolved", "closed"):
        rows = rows.filter(state=scope)
    if scope == "late":
        rows = rows.filter(late_steps()).exclude(state=Incident.CLOSED)
    if kind:
        rows = rows.filter(kind=kind)
    if system:
        rows = rows.filter(system__slug=system)
    page = page_of(rows, keys=("-id",), cursor=cursor, size=size)
    return tuple(_row(row) for row in page.rows), page.next, page.previous


def late_steps() -> Exists:
    """For incidents: whether a step is open after its time."""
    return Exists(IncidentStep.objects.filter(incident=OuterRef("pk"), done_at__isnull=True, due_at__lt=Now()))


def find_incident(*, caller: Caller, incident_id: int) -> Incident:
    """An incident with what it is about, or `NotFound`."""
    row = visible(_whole(), caller).filter(pk=incident_id).first()
    if row is None:
        raise NotFound(f"There is no incident I-{incident_id} in your business unit.")
    return row


def _whole() -> QuerySet[Incident]:
    return Incident.objects.select_related(
        "unit",
        "system__owner",
        "version",
        "submission__system",
        "submission__version",
        "submission__submitter",
        "submission__policy",
        "deployment",
        "event",
        "finding",
        "opened_by",
        "post_mortem__by",
    )


def opening_refusal(caller: Caller, unit_id: int) -> DomainError | None:
    """Why the caller cannot open an incident there, or None: people who work in the unit, and monitors."""
    if caller.token is not None:
        if Scope.MONITOR.value in caller.token.scopes:
            return None
        return Forbidden("This token lacks the scope “monitor”. Ask an administrator for one that has it.", code="scope_needed")
    if caller.person is not None and caller.roles_in(unit_id) & (REVIEWING_ROLES | {Role.SUBMITTER}):
        return None
    return Forbidden("Incidents are opened by people who build, run or review models of this unit.", code="role_needed")


def working_refusal(row: Incident, caller: Caller) -> DomainError | None:
    """Why the caller cannot work on it, or None: its system's owner, its submitter, and people who review."""
    if row.state == Incident.CLOSED:
        return Conflict(f"{row.number} is closed. Open another one where it comes back.", code="wrong_state")
    if caller.token is not None or caller.person is None:
        return Forbidden("A token cannot work on an incident. A person has to sign in.", code="person_needed")
    if caller.person.pk in {row.system.owner_id, row.submission.submitter_id} or caller.roles_in(row.unit_id) & REVIEWING_ROLES:
        return None
    return Forbidden(
        "The owner of the system, the submitter of the version and people who review work on it.", code="role_needed"
    )


def step_refusal(step: IncidentStep, row: Incident, caller: Caller) -> DomainError | None:
    """Why the caller cannot record this step, or None: its role; the submitter's part also the system's owner."""
    if (refused := working_refusal(row, caller)) is not None:
        return refused
    if step.done_at is not None:
        return Conflict("This step is recorded already.", code="wrong_state")
    if step.part == "learn":
        return Conflict("The post-mortem does this step. Resolve the incident, then hold it.", code="wrong_state")
    assert caller.person is not None
    if step.role == Role.SUBMITTER and caller.person.pk in {row.system.owner_id, row.submission.submitter_id}:
        return None
    if step.role in caller.roles_in(row.unit_id):
        return None
    return Forbidden(f"This step is for the {Role(step.role).label}.", code="role_needed")


def _row(row: Incident) -> IncidentRow:
    counted = row.__dict__
    return IncidentRow(
        id=row.pk,
        number=row.number,
        title=row.title,
        kind=row.kind,
        kind_label=KINDS[row.kind],
        severity=row.severity,
        state=row.state,
        system=row.system.slug,
        version=row.version.version,
        environment=row.submission.environment,
        submission=row.submission.number,
        by_signal=row.opened_by_id is None,
        loss=row.loss,
        currency=row.currency,
        steps=counted["step_count"],
        done=counted["done_count"],
        overdue=counted["late_count"] if row.state != Incident.CLOSED else 0,
        began_at=row.began_at,
        opened_at=row.opened_at,
        resolved_at=row.resolved_at,
    )
