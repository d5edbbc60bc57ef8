"""Roles that wait for a second person, and who stands in for whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import Conflict, DomainError, Forbidden
from governance.domain.vocabulary import REVIEWING_ROLES, Role
from governance.models import GrantRequest, Person, RoleGrant
from governance.selectors.access import Caller, visible
from governance.selectors.administration import require_reading

ANSWERED_SHOWN = 50
STALE_AFTER = timedelta(days=14)
"""A request that nobody answered for so long has to be asked for anew: what was said of it may not be so any more."""


def may_answer(caller: Caller) -> bool:
    """Whether there is a unit in which the caller is a second person for role grants."""
    return caller.token is None and bool(caller.any_roles & {Role.ADMIN, Role.RISK_OFFICER})


def requests_of(caller: Caller) -> tuple[Sequence[GrantRequest], Sequence[GrantRequest]]:
    """What waits, the oldest first, and what was answered lately. For administrators, risk officers and auditors."""
    rows = request_rows(caller)
    return list(rows.filter(answered_at__isnull=True).order_by("id")), list(
        rows.filter(answered_at__isnull=False).order_by("-answered_at")[:ANSWERED_SHOWN]
    )


def request_rows(caller: Caller) -> QuerySet[GrantRequest]:
    """Roles asked for in the caller's units, answered or not. Raises `Forbidden`."""
    if not caller.any_roles & {Role.ADMIN, Role.RISK_OFFICER, Role.AUDITOR}:
        raise Forbidden(
            "Access is administered by administrators; risk officers and auditors see what is asked for.", code="role_needed"
        )
    rows = GrantRequest.objects.select_related("person", "unit", "asked_by", "answered_by")
    return visible(rows, caller, "person__unit_id")


def grant_rows(caller: Caller) -> QuerySet[RoleGrant]:
    """Grants of people of the caller's units, those that ended too. For administrators and auditors."""
    require_reading(caller)
    rows = RoleGrant.objects.select_related("person", "unit", "granted_by", "approved_by", "delegated_by")
    return visible(rows, caller, "person__unit_id")


def people_rows(caller: Caller) -> QuerySet[Person]:
    """People of the caller's units. For administrators and auditors."""
    require_reading(caller)
    return visible(Person.objects.all(), caller)


def answer_refusal(request: GrantRequest, caller: Caller) -> DomainError | None:
    """Why the caller is not the second person for this request, or None. Said before the click and enforced by the service."""
    if caller.token is not None or caller.person is None:
        return Forbidden("Access is administered by people, not by tokens. Sign in.", code="person_needed")
    if request.answered_at is not None:
        return Conflict("This was answered already.", code="answered_already")
    if caller.person.pk == request.asked_by_id:
        return Forbidden("You asked for it, so somebody else approves it.", code="own_request")
    if caller.person.pk == request.person_id:
        return Forbidden("It is your own access, so somebody else approves it.", code="own_access")
    held = caller.roles.get(None, frozenset()) if request.unit_id is None else caller.roles_in(request.unit_id)
    if not held & {Role.ADMIN, Role.RISK_OFFICER}:
        where = "all units" if request.unit_id is None else "this unit"
        return Forbidden(f"Only another administrator or a risk officer of {where} can approve it.", code="role_needed")
    if request.asked_at < timezone.now() - STALE_AFTER:
        return Conflict(f"It waited longer than {STALE_AFTER.days} days. Refuse it, and let it be asked for anew.", code="stale")
    return None


def own_grants(person: Person) -> Sequence[RoleGrant]:
    """Reviewing roles that the person holds now and could hand on: their own, not those they stand in for."""
    rows = RoleGrant.objects.select_related("unit").filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=Now()),
        person=person,
        delegated_by__isnull=True,
        valid_from__lte=Now(),
        role__in=sorted(role.value for role in REVIEWING_ROLES),
    )
    return list(rows.order_by("role", "pk"))


def stand_ins(person: Person) -> tuple[Sequence[RoleGrant], Sequence[RoleGrant]]:
    """Who stands in for the person now, and for whom the person does."""
    rows = RoleGrant.objects.select_related("unit", "person", "delegated_by").filter(
        valid_until__gt=Now(), delegated_by__isnull=False
    )
    return list(rows.filter(delegated_by=person).order_by("valid_until")), list(
        rows.filter(person=person).order_by("valid_until")
    )
