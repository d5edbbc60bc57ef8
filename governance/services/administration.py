"""Who works here and what they may do: people, role grants with a beginning and an end, business units.

An administrator of one unit administers that unit and the people whose roles lie within it; one of all units administers
everything. Nobody changes their own access. Whatever changes access needs a fresh proof of identity and leaves an audit event.
`SYSTEM` (commands on the server) may do all of it: that is how the first administrator comes in.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound, ReauthenticationNeeded
from governance.domain.freshness import fresh
from governance.domain.vocabulary import REVIEWING_ROLES, SECOND_PERSON_ROLES, Role
from governance.models import GrantRequest, Person, RoleGrant, Unit
from governance.selectors.access import Caller
from governance.services.work import Work, unit_of_work

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,79}")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def require_administrator(caller: Caller, unit_id: int | None, proved_at: datetime | None) -> None:
    """Refuse whoever is not an administrator of that unit (None: of all units), or has not just proved who they are."""
    if caller.person is None:
        return
    if caller.token is not None:
        raise Forbidden("Access is administered by people, not by tokens. Sign in.", code="person_needed")
    held = caller.roles.get(None, frozenset()) if unit_id is None else caller.roles_in(unit_id)
    if Role.ADMIN not in held:
        where = "all units" if unit_id is None else "this unit"
        raise Forbidden(f"Only an administrator of {where} can do this.", code="role_needed")
    if not fresh(proved_at, timezone.now()):
        raise ReauthenticationNeeded("Changing access needs a fresh sign-in. Confirm it is you, then send the form again.")


def add_person(
    *,
    caller: Caller,
    username: str,
    first_name: str,
    last_name: str,
    email: str,
    unit: Unit,
    manager: Person | None = None,
    known_as: Iterable[str] = (),
    proved_at: datetime | None = None,
) -> tuple[Person, str]:
    """Add somebody to a unit. Returns the person and a first password, which is shown only now.

    `known_as`: names under which metadata speaks of the person, so that contributors are recognised. Raises `InvalidInput` naming
    the field, `Forbidden`, `ReauthenticationNeeded`.
    """
    require_administrator(caller, unit.pk, proved_at)
    username, email = username.strip().lower(), email.strip()
    problems = []
    if not _USERNAME.fullmatch(username):
        problems.append(FieldError("/username", "invalid", "2 to 80 small letters, digits, dots, dashes."))
    elif Person.objects.filter(username=username).exists():
        problems.append(FieldError("/username", "taken", "Somebody has this user name. Choose another."))
    try:
        validate_email(email)
    except ValidationError:
        problems.append(FieldError("/email", "invalid", "An address such as dana@example.org."))
    else:
        if Person.objects.filter(email__iexact=email).exists():
            # a second account would let one person sign twice
            problems.append(FieldError("/email", "taken", "Somebody has this address already. One person has one account."))
    if not first_name.strip() or not last_name.strip():
        problems.append(FieldError("/last_name", "missing", "Give both names: decisions stand under them."))
    if problems:
        raise InvalidInput("The person was not added: " + " ".join(p.detail for p in problems), errors=tuple(problems))
    password = secrets.token_urlsafe(15)
    names = sorted({name.strip() for name in known_as if name.strip()})
    with unit_of_work(caller) as work:
        person = Person.objects.create_user(
            username=username,
            email=email,
            password=password,
            first_name=first_name.strip(),
            last_name=last_name.strip(),
            unit=unit,
            manager=manager,
            known_as=names,
        )
        work.note("person.added", person, {"unit": unit.slug, "manager": manager.reference if manager else None})
    return person, password


def new_password(*, caller: Caller, person_id: int, proved_at: datetime | None = None) -> tuple[Person, str]:
    """Give somebody a new first password, shown only now. What they were signed in with ends."""
    person = _person_of(caller, person_id, proved_at)
    password = secrets.token_urlsafe(15)
    with unit_of_work(caller) as work:
        person.set_password(password)
        person.save(update_fields=["password"])
        work.note("person.password_set", person)
        transaction.on_commit(partial(_tell, person, f"{caller.person.name if caller.person else 'A server command'}"))
    return person, password


def set_active(*, caller: Caller, person_id: int, active: bool, proved_at: datetime | None = None) -> Person:
    """Let somebody in, or not any more: sessions and tokens of a person who is not active stop working at once."""
    person = _person_of(caller, person_id, proved_at)
    with unit_of_work(caller) as work:
        if Person.objects.filter(pk=person.pk, is_active=not active).update(is_active=active):
            work.note("person.activated" if active else "person.deactivated", person)
            if not active:
                end_delegations(work, person)
    person.refresh_from_db()
    return person


def grant_role(
    *,
    caller: Caller,
    person_id: int,
    role: Role,
    unit: Unit | None,
    until: datetime | None,
    reason: str,
    proved_at: datetime | None = None,
) -> RoleGrant | GrantRequest:
    """Grant a role in a unit (None: all units) until a time (None: until it is ended). Raises `Conflict` when it is held.

    A role of `SECOND_PERSON_ROLES` is only asked for: it holds once somebody else approved it, see `granting.answer_request`.
    """
    require_administrator(caller, unit.pk if unit is not None else None, proved_at)
    person = _person_of(caller, person_id, proved_at)
    if not reason.strip():
        raise InvalidInput(
            "The role was not granted: say why.", errors=(FieldError("/reason", "missing", "Such as: joins the risk team."),)
        )
    if until is not None and until <= timezone.now():
        raise InvalidInput(
            "The role was not granted: its end has passed.", errors=(FieldError("/until", "past", "A day to come, or none."),)
        )
    with unit_of_work(caller) as work:
        Person.objects.select_for_update().get(pk=person.pk)
        if held_by(person).filter(role=role, unit=unit, delegated_by__isnull=True).exists():
            raise Conflict(
                f"{person.name} holds this role there already. End that grant first to change it.", code="held_already"
            )
        keep_apart(person, role)
        said = {"person": person.reference, "role": role.value, "unit": unit.slug if unit else "all"}
        said_until = until.isoformat() if until else None
        if caller.person is not None and role in SECOND_PERSON_ROLES:
            waiting = GrantRequest.objects.filter(person=person, role=role, unit=unit, answered_at__isnull=True)
            if waiting.exists():
                raise Conflict(f"This was asked for {person.name} already and waits for a second person.", code="asked_already")
            asked = GrantRequest.objects.create(
                person=person, role=role, unit=unit, valid_until=until, reason=reason.strip()[:300], asked_by=caller.person
            )
            work.gives(asked.pk)
            work.note("role.asked", asked, {**said, "until": said_until}, unit=person.unit_id)
            return asked
        grant = RoleGrant.objects.create(
            person=person, role=role, unit=unit, valid_until=until, reason=reason.strip()[:300], granted_by=caller.person
        )
        work.gives(grant.pk)
        work.note("role.granted", grant, {**said, "until": said_until}, unit=person.unit_id)
    return grant


def end_grant(*, caller: Caller, grant_id: int, proved_at: datetime | None = None) -> RoleGrant:
    """End a grant now. It stays on record with its time."""
    grant = RoleGrant.objects.select_related("person").filter(pk=grant_id).first()
    if grant is None:
        raise NotFound("There is no such grant.")
    require_administrator(caller, grant.unit_id, proved_at)
    not_oneself(caller, grant.person)
    with unit_of_work(caller) as work:
        if held_by(grant.person).filter(pk=grant.pk).update(valid_until=Now()):
            work.note("role.ended", grant, {"person": grant.person.reference, "role": grant.role}, unit=grant.person.unit_id)
            end_delegations(work, grant.person, role=Role(grant.role))
    grant.refresh_from_db()
    return grant


def add_unit(*, caller: Caller, slug: str, name: str, proved_at: datetime | None = None) -> Unit:
    """Add a business unit. What belongs to it is invisible to the others."""
    require_administrator(caller, None, proved_at)
    slug, name = slug.strip().lower(), name.strip()
    if not _SLUG.fullmatch(slug) or not name:
        raise InvalidInput(
            "The unit was not added: give a short name of small letters, digits and dashes, and a name.",
            errors=(FieldError("/slug", "invalid", "Such as lending."),),
        )
    if Unit.objects.filter(slug=slug).exists():
        raise Conflict(f"There is a unit {slug} already.", code="taken")
    with unit_of_work(caller) as work:
        unit = Unit.objects.create(slug=slug, name=name[:120])
        work.note("unit.added", unit, {"slug": slug}, unit=unit.pk)
    return unit


def change_person(
    *,
    caller: Caller,
    person_id: int,
    unit: Unit,
    manager: Person | None,
    known_as: Iterable[str],
    proved_at: datetime | None = None,
) -> Person:
    """Move somebody to a unit, under a manager, with the names under which metadata speaks of them.

    Who reports to whom decides who signs waivers and who is outside of a team. Raises `InvalidInput` for a manager who reports
    to the person, `Forbidden` where the caller does not administer both units.
    """
    person = _person_of(caller, person_id, proved_at)
    require_administrator(caller, unit.pk, proved_at)
    above, seen = manager.pk if manager is not None else None, set[int]()
    while above is not None and above not in seen:
        if above == person.pk:
            raise InvalidInput(
                "Nothing was changed: the manager reports to this person.",
                errors=(FieldError("/manager", "circle", "Choose somebody who does not report to this person."),),
            )
        seen.add(above)
        above = Person.objects.values_list("manager_id", flat=True).get(pk=above)
    names = sorted({name.strip() for name in known_as if name.strip()})
    with unit_of_work(caller) as work:
        before = Person.objects.select_for_update().get(pk=person.pk)
        boss = manager.reference if manager is not None else None
        changed: dict[str, object] = {}
        if before.unit_id != unit.pk:
            changed["unit"] = unit.slug
        if before.manager_id != (manager.pk if manager is not None else None):
            changed["manager"] = boss
        if before.known_as != names:
            changed["known_as"] = len(names)
        if changed:
            Person.objects.filter(pk=person.pk).update(unit=unit, manager=manager, known_as=names)
            work.note("person.changed", person, changed, unit=unit.pk)
    person.refresh_from_db()
    return person


def end_delegations(work: Work, person: Person, *, role: Role | None = None) -> int:
    """End what somebody handed on, of one role or of all, with the role itself."""
    rows = RoleGrant.objects.filter(delegated_by=person, valid_until__gt=Now())
    if role is not None:
        rows = rows.filter(role=role)
    ended = list(rows)
    for grant in ended:
        RoleGrant.objects.filter(pk=grant.pk).update(valid_until=Now())
        work.note("role.delegation_ended", grant, {"role": grant.role, "by": person.reference}, unit=person.unit_id)
    return len(ended)


def keep_apart(person: Person, role: Role) -> None:
    """Who makes tokens and passwords can act for others, so that person must not review what was handed in that way."""
    held = {Role(value) for value in held_by(person).values_list("role", flat=True)}
    if (role is Role.ADMIN and held & REVIEWING_ROLES) or (role in REVIEWING_ROLES and Role.ADMIN in held):
        raise Conflict(
            f"{person.name} cannot both administer access and review. End the other role first, or choose somebody else.",
            code="kept_apart",
        )


def held_by(person: Person) -> QuerySet[RoleGrant]:
    """Grants that hold now, by the database clock."""
    open_ended = RoleGrant.objects.filter(person=person, valid_until__isnull=True)
    return open_ended | RoleGrant.objects.filter(person=person, valid_until__gt=Now())


def _person_of(caller: Caller, person_id: int, proved_at: datetime | None) -> Person:
    """Somebody whom the caller administers: who sets another's password could sign in their place, so no administrator of one
    unit reaches a person with roles beyond it."""
    person = Person.objects.filter(pk=person_id).first()
    if person is None:
        raise NotFound("There is no such person.")
    for unit_id in {person.unit_id, *held_by(person).values_list("unit_id", flat=True)}:
        require_administrator(caller, unit_id, proved_at)
    not_oneself(caller, person)
    return person


def _tell(person: Person, by: str) -> None:
    """A new password that somebody did not ask for is something they have to hear of."""
    if person.email:
        text = (
            f"{by} set a new password for your account {person.username}. If you did not ask for it, tell your security team now."
        )
        send_mail("Guiderail: your password was set anew", text, None, [person.email], fail_silently=True)


def not_oneself(caller: Caller, person: Person) -> None:
    if caller.person is not None and caller.person.pk == person.pk:
        raise Forbidden("Nobody changes their own access. Ask another administrator.", code="own_access")
