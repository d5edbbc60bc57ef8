"""The second person of a role grant, and roles handed on for a while."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound, ReauthenticationNeeded
from governance.domain.freshness import fresh
from governance.domain.vocabulary import Role
from governance.models import GrantRequest, Person, RoleGrant
from governance.selectors.access import Caller, visible
from governance.selectors.granting import answer_refusal, own_grants
from governance.services.administration import held_by, keep_apart
from governance.services.work import Work, unit_of_work

LONGEST_STAND_IN = timedelta(days=31)


def answer_request(
    *, caller: Caller, request_id: int, approve: bool, why: str = "", proved_at: datetime | None = None
) -> GrantRequest:
    """Approve or refuse a role that somebody else asked for. Approved, it holds from now on.

    Raises `NotFound`, `Forbidden` to whoever asked, is concerned or has no say, `Conflict` when it was answered, is too old or
    the person must not hold the role any more, `InvalidInput` for a refusal without a reason, `ReauthenticationNeeded`.
    """
    with unit_of_work(caller) as work:
        found = visible(GrantRequest.objects.filter(pk=request_id), caller, "person__unit_id")
        request = found.select_for_update(of=("self",)).select_related("person", "unit", "asked_by").first()
        if request is None:
            raise NotFound("There is no such request in your business unit.")
        refused = answer_refusal(request, caller)
        if refused is not None and not (refused.code == "stale" and not approve):
            raise refused
        if not fresh(proved_at, timezone.now()):
            raise ReauthenticationNeeded("Changing access needs a fresh sign-in. Confirm it is you, then send the form again.")
        if not approve and not why.strip():
            raise InvalidInput("Say why it is refused.", errors=(FieldError("/why", "missing", "Such as: she left the team."),))
        assert caller.person is not None
        grant = _grant(request, caller.person) if approve else None
        GrantRequest.objects.filter(pk=request.pk).update(
            answered_by=caller.person, answered_at=Now(), approved=approve, answer=why.strip()[:300], grant=grant
        )
        said = {"person": request.person.reference, "role": request.role, "unit": request.unit.slug if request.unit else "all"}
        said |= {"asked_by": request.asked_by.reference, "request": str(request.pk)}
        work.note("role.granted" if approve else "role.refused", grant or request, said, unit=request.person.unit_id)
    request.refresh_from_db()
    return request


def _grant(request: GrantRequest, approver: Person) -> RoleGrant:
    person = Person.objects.select_for_update().get(pk=request.person_id)
    if request.valid_until is not None and request.valid_until <= timezone.now():
        raise Conflict("The end that was asked for has passed. Refuse it, and let it be asked for anew.", code="past")
    if held_by(person).filter(role=request.role, unit=request.unit, delegated_by__isnull=True).exists():
        raise Conflict(f"{person.name} holds this role there by now.", code="held_already")
    keep_apart(person, Role(request.role))
    return RoleGrant.objects.create(
        person=person,
        role=request.role,
        unit=request.unit,
        valid_until=request.valid_until,
        reason=request.reason,
        granted_by=request.asked_by,
        approved_by=approver,
    )


def delegate(
    *,
    caller: Caller,
    grant_id: int,
    to: Person,
    until: datetime,
    reason: str,
    proved_at: datetime | None = None,
    then: Callable[[Work, RoleGrant], None] | None = None,
) -> RoleGrant:
    """Let somebody stand in for the caller in one of their reviewing roles, until a time within a month.

    `then` is done in the same transaction, such as telling whoever stands in.

    The stand-in decides under their own name and under every rule of segregation; what bars the caller from a case bars the
    stand-in too. Raises `Forbidden`, `InvalidInput` naming the field, `Conflict`, `ReauthenticationNeeded`.
    """
    if caller.token is not None or caller.person is None:
        raise Forbidden("A person hands on a role, not a token. Sign in.", code="person_needed")
    if not fresh(proved_at, timezone.now()):
        raise ReauthenticationNeeded("Handing on a role needs a fresh sign-in. Confirm it is you, then send the form again.")
    own = next((grant for grant in own_grants(caller.person) if grant.pk == grant_id), None)
    if own is None:
        raise Forbidden("Only a reviewing role that you hold yourself can be handed on.", code="role_needed")
    now, problems = timezone.now(), []
    if not now < until <= now + LONGEST_STAND_IN:
        problems.append(FieldError("/until", "range", f"A day to come, within {LONGEST_STAND_IN.days} days."))
    elif own.valid_until is not None and until > own.valid_until:
        problems.append(FieldError("/until", "range", "Not longer than you hold the role yourself."))
    if not reason.strip():
        problems.append(FieldError("/reason", "missing", "Such as: on leave until the 3rd."))
    if to.pk == caller.person.pk or not to.is_active or to.unit_id != caller.person.unit_id:
        problems.append(FieldError("/to", "unknown", "Choose a colleague of your own unit."))
    if problems:
        raise InvalidInput("Nobody stands in yet: " + " ".join(p.detail for p in problems), errors=tuple(problems))
    with unit_of_work(caller) as work:
        Person.objects.select_for_update().get(pk=to.pk)
        if held_by(to).filter(role=own.role, unit=own.unit).exists():
            raise Conflict(f"{to.name} holds this role there already.", code="held_already")
        keep_apart(to, Role(own.role))
        grant = RoleGrant.objects.create(
            person=to,
            role=own.role,
            unit=own.unit,
            valid_until=until,
            reason=reason.strip()[:300],
            granted_by=caller.person,
            delegated_by=caller.person,
        )
        said = {"to": to.reference, "role": own.role, "unit": own.unit.slug if own.unit else "all", "until": until.isoformat()}
        work.note("role.delegated", grant, said, unit=to.unit_id)
        if then is not None:
            then(work, grant)
    return grant


def end_delegation(*, caller: Caller, grant_id: int) -> RoleGrant:
    """Take back a role that the caller handed on, or give back one that was handed to them."""
    with unit_of_work(caller) as work:
        grant = RoleGrant.objects.select_for_update().filter(pk=grant_id, delegated_by__isnull=False).first()
        me = caller.person.pk if caller.person is not None and caller.token is None else 0
        if grant is None or me not in (grant.delegated_by_id, grant.person_id):
            raise NotFound("You neither handed on nor hold such a role.")
        if RoleGrant.objects.filter(pk=grant.pk, valid_until__gt=Now()).update(valid_until=Now()):
            said = {"role": grant.role, "by": caller.reference}
            work.note("role.delegation_ended", grant, said, unit=caller.person.unit_id if caller.person else None)
    grant.refresh_from_db()
    return grant
