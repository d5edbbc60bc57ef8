"""Whom to ask: people who hold a role now, where the reader may see it. Never written down anywhere else."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.db.models.functions import Now

from governance.domain.vocabulary import Role
from governance.models import RoleGrant
from governance.selectors.access import Caller

MOST = 12
"""Names for one role on a page; nobody writes to more."""


@dataclass(frozen=True)
class Contact:
    """Somebody who holds a role. `unit`: where; "" for every unit."""

    name: str
    email: str
    unit: str


def contacts(caller: Caller) -> dict[Role, tuple[Contact, ...]]:
    """Role -> who holds it now, in the reader's units or in all of them. One statement. A role nobody holds is missing.

    Data scientists are not listed: whom to ask about a system is its owner.
    """
    rows = RoleGrant.objects.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=Now()), valid_from__lte=Now())
    rows = rows.filter(person__is_active=True).exclude(role=Role.SUBMITTER)
    if not caller.sees_all_units:
        rows = rows.filter(Q(unit__isnull=True) | Q(unit__in=caller.units))
    found: dict[Role, dict[tuple[str, str], Contact]] = {}
    for row in rows.select_related("person", "unit").order_by("unit__name", "person__username", "id"):
        unit = row.unit.name if row.unit is not None else ""
        contact = Contact(row.person.name, row.person.email, unit)
        found.setdefault(Role(row.role), {}).setdefault((row.person.username, unit), contact)
    return {role: tuple(people.values())[:MOST] for role, people in found.items()}
