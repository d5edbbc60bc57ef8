"""What an administrator looks after: people with their roles, units, tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Prefetch, Q, QuerySet
from django.utils import timezone

from governance.domain.errors import Forbidden, NotFound
from governance.domain.vocabulary import Role
from governance.models import ApiToken, Person, RoleGrant, Unit
from governance.selectors.access import Caller, visible

MOST = 500


@dataclass(frozen=True)
class PersonRow:
    """Somebody, the roles held now, and those that ended or have not begun."""

    person: Person
    held: tuple[RoleGrant, ...]
    others: tuple[RoleGrant, ...]


def require_reading(caller: Caller) -> None:
    """Administration is read by administrators and auditors."""
    if not caller.any_roles & {Role.ADMIN, Role.AUDITOR}:
        raise Forbidden("Administration is for administrators; auditors may read it.", code="role_needed")


def administers(caller: Caller) -> bool:
    """Whether there is a unit in which the caller may change anything."""
    return Role.ADMIN in caller.any_roles


def people(caller: Caller, words: str = "") -> Sequence[PersonRow]:
    """People of the caller's units by name; `words` narrows by name, user name or address. The first 500."""
    require_reading(caller)
    rows = visible(Person.objects.all(), caller)
    for word in words.split()[:5]:
        named = Q(first_name__icontains=word) | Q(last_name__icontains=word)
        rows = rows.filter(named | Q(username__icontains=word) | Q(email__icontains=word))
    return [_row(person) for person in _with_grants(rows).order_by("last_name", "first_name", "pk")[:MOST]]


def person(caller: Caller, pk: int) -> PersonRow:
    """One of them. Raises `NotFound`."""
    require_reading(caller)
    found = _with_grants(visible(Person.objects.filter(pk=pk), caller)).first()
    if found is None:
        raise NotFound("There is no such person in your business unit.")
    return _row(found)


def units(caller: Caller) -> QuerySet[Unit]:
    """The units the caller sees."""
    return visible(Unit.objects.order_by("name"), caller, "pk")


def tokens(caller: Caller) -> QuerySet[ApiToken]:
    """Tokens of the caller's units: the living first, the newest on top."""
    require_reading(caller)
    # a pipeline's fifteen minutes are no entry to look after once they are over
    rows = visible(ApiToken.objects.select_related("person", "unit"), caller).exclude(
        trust_rule__isnull=False, expires_at__lt=timezone.now()
    )
    return rows.order_by(F("revoked_at").desc(nulls_first=True), "-id")[:MOST]


def _with_grants(rows: QuerySet[Person]) -> QuerySet[Person]:
    grants = RoleGrant.objects.select_related("unit", "granted_by", "approved_by", "delegated_by").order_by("-valid_from")
    return rows.select_related("unit", "manager").prefetch_related(Prefetch("grants", queryset=grants))


def _row(person: Person) -> PersonRow:
    now = timezone.now()
    grants = tuple(person.grants.all())
    held = tuple(g for g in grants if g.valid_from <= now and (g.valid_until is None or g.valid_until > now))
    return PersonRow(person, held, tuple(g for g in grants if g not in held))
