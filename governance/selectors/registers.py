"""The registers as people and programs read them: entries, their history, and who may decide about a proposal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from governance.domain.errors import NotFound
from governance.domain.registers import REGISTERS, Register, register_named
from governance.domain.vocabulary import OPEN_STATES, Role
from governance.models import Answer, Contributor, DataSource, MetadataSource, RegisterChange, RegisterEntry, RegisterRuling
from governance.selectors.access import Caller, visible

PROPOSERS = (
    Role.SUBMITTER,
    Role.PLATFORM_ENGINEER,
    Role.ANALYST,
    Role.RISK_OFFICER,
    Role.PRIVACY,
    Role.PRODUCT,
    Role.POLICY_AUTHOR,
)
Entry = DataSource | RegisterEntry


@dataclass(frozen=True)
class Line:
    """One field of an entry. `value` as the register holds it; `before`, in a proposal: what stands there now."""

    name: str
    label: str
    value: Any
    hint: str = ""
    before: Any = None

    @property
    def words(self) -> str:
        """The value as people read it; "" where nobody said anything."""
        return _words(self.value)

    @property
    def words_before(self) -> str:
        return _words(self.before)


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value)
    return "" if value is None else str(value).replace("_", " ") if value in _CHOICES else str(value)


_CHOICES = frozenset(choice for register in REGISTERS.values() for field in register.fields for choice in field.choices)


def entries(caller: Caller, register: Register) -> QuerySet[Any]:
    """The entries of a register the caller may see, by name."""
    sources: QuerySet[Any] = DataSource.objects.all()
    rows = sources if register.key == "sources" else RegisterEntry.objects.filter(register=register.key)
    return visible(rows.select_related("unit"), caller).order_by("unit__slug", "name")


def dated_sources(caller: Caller) -> QuerySet[DataSource]:
    """Data sources with `edition`, how often a second person approved them as they are or were, and `since`, when last.

    Edition 0 was registered when the installation was set up, before a history was kept.
    """
    ruled = RegisterRuling.objects.filter(
        approved=True, change__register="sources", change__unit=OuterRef("unit"), change__name=OuterRef("name")
    )
    counted = ruled.order_by().values("approved").annotate(times=Count("pk"), last=Max("at"))
    rows = visible(DataSource.objects.select_related("unit"), caller).order_by("unit__slug", "name")
    return rows.annotate(edition=Coalesce(Subquery(counted.values("times")), 0), since=Subquery(counted.values("last")))


def entry(caller: Caller, register: Register, pk: int) -> Entry:
    """One entry. Raises `NotFound`."""
    found: Entry | None = entries(caller, register).filter(pk=pk).first()
    if found is None:
        raise NotFound(f"There is no such {register.noun} in your business units.")
    return found


def values_of(register: Register, row: Entry | None) -> dict[str, Any]:
    """The entry as field -> value, dates as texts; nothing for one that is not there yet."""
    if row is None:
        return {}
    if isinstance(row, RegisterEntry):
        return {field.name: row.values.get(field.name, field.empty) for field in register.fields}
    found = {field.name: getattr(row, field.name) for field in register.fields}
    return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in found.items()}


def lines_of(register: Register, row: Entry, only: Sequence[str] = ()) -> list[Line]:
    """Every field of an entry in the order of the form; `only` some, in that order."""
    values = values_of(register, row)
    fields = {field.name: field for field in register.fields}
    return [Line(name, fields[name].label, values[name], fields[name].hint) for name in only or fields]


def change_lines(register: Register, change: RegisterChange, row: Entry | None) -> list[Line]:
    """What a proposal changes, with what stands there now."""
    now = values_of(register, row)
    return [
        Line(field.name, field.label, change.values[field.name], before=now.get(field.name))
        for field in register.fields
        if field.name in change.values
    ]


def changes(caller: Caller, register: Register | None = None) -> QuerySet[RegisterChange]:
    """Proposals the caller may see, with what was decided, newest first."""
    rows = RegisterChange.objects.select_related("unit", "proposed_by", "ruling__by")
    if register is not None:
        rows = rows.filter(register=register.key)
    return visible(rows, caller).order_by("-id")


def change(caller: Caller, pk: int) -> RegisterChange:
    """One proposal. Raises `NotFound`."""
    found = changes(caller).filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such proposal in your business units.")
    return found


def to_json(register: Register, row: Entry) -> dict[str, Any]:
    """An entry as the API gives it."""
    return {"name": row.name, "unit": row.unit.slug, **values_of(register, row)}


def may_propose(caller: Caller, unit_id: int) -> str:
    """Why this caller cannot propose an entry of the unit; "" when they can."""
    if caller.person is None or not caller.roles_in(unit_id) & set(PROPOSERS):
        return "Only people who work on submissions or decide about them propose entries here."
    return ""


def may_decide(caller: Caller, proposal: RegisterChange) -> str:
    """Why this caller cannot decide about a proposal; "" when they can. An approved entry lowers tracks: two people see it."""
    register = register_named(proposal.register)
    if hasattr(proposal, "ruling"):
        return "It was decided already."
    if caller.person is None or caller.token is not None:
        return "A person decides, signed in; no token does."
    if not caller.roles_in(proposal.unit_id) & set(register.deciders):
        return f"Only {register.who_decides} decides."
    if proposal.proposed_by_id == caller.person.pk:
        return "You proposed it, so somebody else decides."
    used = _own_open_use(register.fact, proposal, caller.person.pk) if register.fact else ""
    return f"You work on {used}, which uses this {register.noun}, so somebody else decides." if used else ""


def _own_open_use(fact_name: str, proposal: RegisterChange, person_id: int) -> str:
    """The number of an open submission that names the entry and that this person contributed to; "" for none."""
    mine = Contributor.objects.filter(
        person_id=person_id, submission__unit_id=proposal.unit_id, submission__state__in=[state.value for state in OPEN_STATES]
    )
    ids = sorted(set(mine.values_list("submission_id", flat=True)))
    answers = Answer.objects.filter(submission_id__in=ids, question=fact_name).values_list("submission_id", "value")
    files = MetadataSource.objects.filter(submission_id__in=ids).values_list("submission_id", "facts")
    named: list[tuple[int, Any]] = [
        *answers,
        *((pk, fact.get("value")) for pk, facts in files for fact in facts if fact.get("name") == fact_name),
    ]
    return next((f"S-{pk}" for pk, places in named if _uses(places, proposal.name)), "")


def _uses(places: Any, name: str) -> bool:
    """Whether one of the names is the entry's, or lies below one that ends in `/`, or has a module before it."""
    rows: Sequence[Any] = places if isinstance(places, list) else [places]
    wanted = name.lower()
    return any(
        isinstance(place, str)
        and (
            place.lower() == wanted
            or (wanted.endswith("/") and place.lower().startswith(wanted))
            or place.lower().endswith(f".{wanted}")
        )
        for place in rows
    )
