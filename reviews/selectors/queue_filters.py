"""What lists of submissions are narrowed to. Filters live in the address, so they survive reload and can be shared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from governance.domain.errors import FieldError, InvalidInput
from governance.domain.vocabulary import REVIEWING_ROLES, State, Track
from governance.models import Submission
from governance.selectors.access import Caller
from governance.selectors.search import search_query

TURNS = frozenset({"submitter", "machine", *(role.value for role in REVIEWING_ROLES)})
AGES: Mapping[str, str] = {"in_time": "in time", "soon": "due soon", "overdue": "overdue"}
"""How old something is against its due time: four fifths of its working time used is soon."""
_PERSON = re.compile(r"[\w.@+-]{1,150}")


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; "" leaves it out. `q`: words, or a number such as S-1042.

    `unit` and `system`: short names; `claimed`: "me", "nobody" or a user name; `submitter`: "me" or a user name; `age`: one of
    `AGES`.
    """

    system: str = ""
    track: str = ""
    state: str = ""
    turn: str = ""
    q: str = ""
    unit: str = ""
    claimed: str = ""
    submitter: str = ""
    age: str = ""

    def check(self) -> None:
        """Raise `InvalidInput` naming each filter that cannot be."""
        known = {"track": {t.value for t in Track}, "state": {s.value for s in State}, "turn": TURNS, "age": set(AGES)}
        errors = [
            FieldError(f"/{name}", "unknown", f"{name} is one of {', '.join(sorted(values))}.")
            for name, values in known.items()
            if getattr(self, name) and getattr(self, name) not in values
        ]
        errors += [
            FieldError(f"/{name}", "unknown", f"{name} is a user name, or me.")
            for name in ("claimed", "submitter")
            if getattr(self, name) and not _PERSON.fullmatch(getattr(self, name))
        ]
        if errors:
            says = "The list cannot be narrowed like that. " + " ".join(e.detail for e in errors)
            raise InvalidInput(says, errors=tuple(errors))


def narrowed(rows: QuerySet[Submission], filters: Filters, caller: Caller) -> QuerySet[Submission]:
    """Apply the filters. Raises `InvalidInput`."""
    filters.check()
    for name in ("track", "state", "turn"):
        if value := getattr(filters, name):
            rows = rows.filter(**{name: value})
    if filters.system:
        rows = rows.filter(system__slug=filters.system)
    if filters.unit:
        rows = rows.filter(unit__slug=filters.unit)
    for name, path in (("claimed", "claimed_by"), ("submitter", "submitter")):
        if value := getattr(filters, name):
            rows = rows.filter(_person(path, value, caller))
    if filters.age:
        rows = rows.filter(of_age(filters.age))
    if words := filters.q.strip():
        number = re.fullmatch(r"(?:S-)?(\d{1,15})", words, re.IGNORECASE)
        found = Q(search=search_query(words[:200].replace("\x00", " ")))
        rows = rows.filter(found | Q(pk=int(number[1])) if number else found)
    return rows


def of_age(age: str) -> Q:
    """Cases of that age, by the clock of the database. What waits for nobody, or has no due time, has none."""
    waits = ~Q(turn="") & Q(due_at__isnull=False)
    overdue, soon = Q(due_at__lte=Now()), Q(soon_at__lte=Now())
    if age == "overdue":
        return waits & overdue
    if age == "soon":
        return waits & ~overdue & soon
    return waits & ~overdue & (Q(soon_at__isnull=True) | Q(soon_at__gt=Now()))


def _person(path: str, value: str, caller: Caller) -> Q:
    if value == "nobody":
        return Q(**{f"{path}__isnull": True})
    if value == "me":
        return Q(**{f"{path}_id": caller.person.pk if caller.person is not None else None})
    return Q(**{f"{path}__username": value})
