"""What stands already where a new submission wants to go: unit, system, version, and whether it was handed in before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

from governance.domain.vocabulary import State
from governance.models import Person, System, SystemVersion, Unit

M = TypeVar("M", bound=Model)

ENDED_WITHOUT = (State.WITHDRAWN, State.REJECTED, State.REVOKED, State.EXPIRED, State.SUPERSEDED)
"""States in which the same content may be handed in once more."""

_READ: tuple[tuple[str, type[Model], tuple[str, ...]], ...] = (
    ("u", Unit, ("id", "slug", "name")),
    ("y", System, ("id", "unit_id", "slug", "name", "kind", "owner_id", "purpose", "created_at")),
    ("p", Person, ("id", "username", "first_name", "last_name")),
    ("v", SystemVersion, ("id", "system_id", "version", "artifact_digest", "created_at")),
)
_FIND = f"""
SELECT {", ".join(f"{table}.{name}" for table, _, names in _READ for name in names)},
  EXISTS (SELECT 1 FROM governance_submission s WHERE s.unit_id = u.id AND s.content_digest = %(content)s
          AND s.state <> ALL(%(ended)s))
  OR %(key)s <> '' AND EXISTS (SELECT 1 FROM governance_submission s WHERE s.unit_id = u.id AND s.idempotency_key = %(key)s)
FROM governance_unit u
LEFT JOIN governance_system y ON y.unit_id = u.id AND y.slug = %(slug)s
LEFT JOIN governance_person p ON p.id = y.owner_id
LEFT JOIN governance_systemversion v ON v.system_id = y.id AND v.version = %(version)s
WHERE u.id = %(unit)s
"""


@dataclass(frozen=True)
class Standing:
    """`known`: the same content, or this key, was handed in before."""

    unit: Unit
    system: System | None
    version: SystemVersion | None
    known: bool


def standing(*, unit_id: int, slug: str, version: str, content: str, key: str) -> Standing:
    """Look all of it up. One query. Raises `Unit.DoesNotExist`."""
    ended = [state.value for state in ENDED_WITHOUT]
    wanted: dict[str, Any] = {"unit": unit_id, "slug": slug, "version": version, "content": content, "key": key, "ended": ended}
    with connection.cursor() as cursor:
        cursor.execute(_FIND, wanted)
        row = cursor.fetchone()
    if row is None:
        raise Unit.DoesNotExist
    parts, at = [], 0
    for _, _, names in _READ:
        parts.append((names, row[at : at + len(names)]))
        at += len(names)
    unit, system = _instance(Unit, *parts[0]), _instance(System, *parts[1])
    assert unit is not None
    if system is not None:
        system.owner, system.unit = _instance(Person, *parts[2]), unit
    return Standing(unit, system, _instance(SystemVersion, *parts[3]), bool(row[at]))


def _instance(model: type[M], names: Sequence[str], values: Sequence[Any]) -> M | None:
    """The row as the ORM would give it, or None where the join found nothing."""
    return None if values[0] is None else model.from_db("default", names, values)
