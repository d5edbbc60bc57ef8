"""Who is asking, what they may see and which roles they hold where. One function serves pages, API and tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

from governance.domain.errors import Forbidden
from governance.domain.lifecycle import POLICY, Actor
from governance.domain.vocabulary import Role, Scope
from governance.models import ApiToken, Person, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Repeat:
    """A call that may come twice: its key, and the digest of what it asks for."""

    key: str
    digest: str


@dataclass(frozen=True)
class Caller:
    """One request's actor. `roles`: unit id -> roles held there now; key None holds for every unit. `token`: set for API
    tokens. `lent`: (unit, role) -> who handed it on, of roles not held in one's own right there. `repeat`: set while a call with
    an Idempotency-Key is carried out."""

    person: Person | None
    roles: Mapping[int | None, frozenset[Role]] = field(default_factory=dict)
    home_unit: int | None = None
    token: ApiToken | None = None
    origin: str = "web"
    request_id: str = ""
    repeat: Repeat | None = None
    lent: Mapping[tuple[int | None, Role], frozenset[int]] = field(default_factory=dict)

    @property
    def sees_all_units(self) -> bool:
        return self.person is None or None in self.roles

    @property
    def units(self) -> frozenset[int]:
        """Units whose records this caller may see (beside "all", see `sees_all_units`)."""
        own = {self.home_unit} if self.home_unit is not None else set()
        return frozenset(own | {unit for unit in self.roles if unit is not None})

    def roles_in(self, unit_id: int) -> frozenset[Role]:
        return self.roles.get(unit_id, frozenset()) | self.roles.get(None, frozenset())

    @property
    def any_roles(self) -> frozenset[Role]:
        return frozenset().union(*self.roles.values()) if self.roles else frozenset()

    def actor(self, unit_id: int) -> Actor:
        """The actor the lifecycle rules see for a case of that unit."""
        if self.person is None:
            return POLICY
        return Actor(self.person.pk, self.roles_in(unit_id), token=self.token is not None, reference=self.person.reference)

    @property
    def reference(self) -> str:
        """How audit events name the caller."""
        if self.person is None:
            return "policy"
        return f"{self.person.reference}/token:{self.token.pk}" if self.token else self.person.reference

    def require_scope(self, scope: Scope) -> None:
        """Refuse a token that lacks `scope`; people signed in have no scopes to lack."""
        if self.token is not None and scope.value not in self.token.scopes:
            raise Forbidden(
                f"This token lacks the scope “{scope.value}”. Ask an administrator for one that has it.", code="scope_needed"
            )

    def require_role(self, unit_id: int, *roles: Role) -> None:
        """Refuse a caller who holds none of `roles` in the unit."""
        if not self.roles_in(unit_id) & set(roles):
            raise Forbidden(f"Only the {' or '.join(r.label for r in roles)} can do this.", code="role_needed")


SYSTEM = Caller(person=None, origin="job")


# The roles that a person `p` holds now, by the database clock, as "role:unit:giver": no unit is all units, and a giver is who
# handed the role on for a while.
HELD_NOW = """ARRAY(
  SELECT concat_ws(':', g.role, COALESCE(g.unit_id::text, ''), COALESCE(g.delegated_by_id::text, ''))
  FROM governance_rolegrant g WHERE g.person_id = p.id
  AND g.valid_from <= statement_timestamp() AND (g.valid_until IS NULL OR g.valid_until > statement_timestamp())
) AS held_now"""
_PERSON = f"""SELECT p.id, u.slug, u.name, {HELD_NOW}
FROM governance_person p LEFT JOIN governance_unit u ON u.id = p.unit_id WHERE p.id = %s AND p.unit_id IS NOT DISTINCT FROM %s"""


def caller_for(person: Person, *, token: ApiToken | None = None, origin: str = "web", request_id: str = "") -> Caller:
    """Build the caller from the grants that hold now, by the database clock. One query, or none for a person just read with them.

    A token acts in its own unit only, submits only while its person may, and carries no other role.
    """
    # used once: whoever asks later is told what holds then
    held = person.__dict__.pop("held_now", None)
    if held is None:
        held = _held_now(person)
    roles: dict[int | None, frozenset[Role]] = {}
    givers: dict[tuple[int | None, Role], frozenset[int]] = {}
    own: set[tuple[int | None, Role]] = set()
    for grant in held:
        role, unit, giver = grant.split(":")
        unit_id = int(unit) if unit else None
        roles[unit_id] = roles.get(unit_id, frozenset()) | {Role(role)}
        if giver:
            givers[unit_id, Role(role)] = givers.get((unit_id, Role(role)), frozenset()) | {int(giver)}
        else:
            own.add((unit_id, Role(role)))
    if token is not None:
        return _by_token(person, roles, token, origin, request_id)
    lent = {where: people for where, people in givers.items() if where not in own}
    return Caller(person, roles, person.unit_id, None, origin, request_id, lent=lent)


def _held_now(person: Person) -> list[str]:
    """Read the roles held now, and the person's unit with them: every page names it."""
    with connection.cursor() as cursor:
        cursor.execute(_PERSON, [person.pk, person.unit_id])
        row = cursor.fetchone()
    if row is None:  # moved to another unit since the person was read: nothing is certain, so nothing is held
        return []
    _, slug, name, held = row
    if person.unit_id is not None and "unit" not in person._state.fields_cache:
        person.unit = Unit(id=person.unit_id, slug=slug, name=name)
    return list(held)


def _by_token(
    person: Person, roles: Mapping[int | None, frozenset[Role]], token: ApiToken, origin: str, request_id: str
) -> Caller:
    """The token's share of what its person may do now: nothing outside its unit, nothing once the person left that unit."""
    unit = token.unit_id
    held = roles.get(unit, frozenset()) | roles.get(None, frozenset())
    if person.unit_id != unit and not held:
        return Caller(person, {}, None, token, origin, request_id)
    return Caller(person, {unit: held & {Role.SUBMITTER}}, unit, token, origin, request_id)


def visible(rows: QuerySet[M], caller: Caller, unit_field: str = "unit_id") -> QuerySet[M]:
    """Narrow a queryset to what the caller may see: outside their units nothing is found."""
    if caller.sees_all_units:
        return rows
    return rows.filter(**{f"{unit_field}__in": caller.units})
