"""The register of data sources as people and programs read it: entries, their history, and who may decide about a proposal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from governance.domain.errors import NotFound
from governance.domain.source_register import FIELDS
from governance.domain.vocabulary import OPEN_STATES, Role
from governance.models import Answer, Contributor, DataSource, MetadataSource, SourceChange, SourceRuling
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
DECIDERS = (Role.PRIVACY, Role.POLICY_AUTHOR)


@dataclass(frozen=True)
class Line:
    """One field of an entry. `value` as the register holds it; `before`, in a proposal: what stands there now."""

    name: str
    label: str
    value: Any
    hint: str = ""
    before: Any = None


def entries(caller: Caller) -> QuerySet[DataSource]:
    """The entries the caller may see, by name."""
    return visible(DataSource.objects.select_related("unit"), caller).order_by("unit__slug", "name")


def dated_entries(caller: Caller) -> QuerySet[DataSource]:
    """The entries with `edition`, how often a second person approved them as they are or were, and `since`, when last.

    Edition 0 was registered when the installation was set up, before a history was kept.
    """
    ruled = SourceRuling.objects.filter(approved=True, change__unit=OuterRef("unit"), change__name=OuterRef("name"))
    counted = ruled.order_by().values("approved").annotate(times=Count("pk"), last=Max("at"))
    return entries(caller).annotate(
        edition=Coalesce(Subquery(counted.values("times")), 0), since=Subquery(counted.values("last"))
    )


def entry(caller: Caller, pk: int) -> DataSource:
    """One entry. Raises `NotFound`."""
    found = entries(caller).filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such data source in your business units.")
    return found


def values_of(row: DataSource | None) -> dict[str, Any]:
    """The entry as field -> value, dates as texts; nothing for one that is not there yet."""
    if row is None:
        return {}
    found = {field.name: getattr(row, field.name) for field in FIELDS}
    return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in found.items()}


def lines_of(row: DataSource) -> list[Line]:
    """Every field of an entry in the order of the form."""
    values = values_of(row)
    return [Line(field.name, field.label, values[field.name], field.hint) for field in FIELDS]


def change_lines(change: SourceChange, row: DataSource | None) -> list[Line]:
    """What a proposal changes, with what stands there now."""
    now = values_of(row)
    return [
        Line(field.name, field.label, change.values[field.name], before=now.get(field.name))
        for field in FIELDS
        if field.name in change.values
    ]


def changes(caller: Caller) -> QuerySet[SourceChange]:
    """Proposals the caller may see, with what was decided, newest first."""
    rows = SourceChange.objects.select_related("unit", "proposed_by", "ruling__by")
    return visible(rows, caller).order_by("-id")


def change(caller: Caller, pk: int) -> SourceChange:
    """One proposal. Raises `NotFound`."""
    found = changes(caller).filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such proposal in your business units.")
    return found


def to_json(row: DataSource) -> dict[str, Any]:
    """An entry as the API gives it."""
    return {"name": row.name, "unit": row.unit.slug, **values_of(row)}


def may_propose(caller: Caller, unit_id: int) -> str:
    """Why this caller cannot propose an entry of the unit; "" when they can."""
    if caller.person is None or not caller.roles_in(unit_id) & set(PROPOSERS):
        return "Only people who work on submissions or decide about them propose entries here."
    return ""


def may_decide(caller: Caller, proposal: SourceChange) -> str:
    """Why this caller cannot decide about a proposal; "" when they can. An approved source lowers tracks: two people see it."""
    if hasattr(proposal, "ruling"):
        return "It was decided already."
    if caller.person is None or caller.token is not None:
        return "A person decides, signed in; no token does."
    if not caller.roles_in(proposal.unit_id) & set(DECIDERS):
        return f"Only the {' or the '.join(role.label for role in DECIDERS)} decides."
    if proposal.proposed_by_id == caller.person.pk:
        return "You proposed it, so somebody else decides."
    used = _own_open_use(proposal, caller.person.pk)
    return f"You work on {used}, which uses this source, so somebody else decides." if used else ""


def _own_open_use(proposal: SourceChange, person_id: int) -> str:
    """The number of an open submission that names the source and that this person contributed to; "" for none."""
    mine = Contributor.objects.filter(
        person_id=person_id, submission__unit_id=proposal.unit_id, submission__state__in=[state.value for state in OPEN_STATES]
    )
    ids = sorted(set(mine.values_list("submission_id", flat=True)))
    answers = Answer.objects.filter(submission_id__in=ids, question="data.sources").values_list("submission_id", "value")
    files = MetadataSource.objects.filter(submission_id__in=ids).values_list("submission_id", "facts")
    named: list[tuple[int, Any]] = [
        *answers,
        *((pk, fact.get("value")) for pk, facts in files for fact in facts if fact.get("name") == "data.sources"),
    ]
    return next((f"S-{pk}" for pk, places in named if _uses(places, proposal.name)), "")


def _uses(places: Any, name: str) -> bool:
    """Whether one of the places is the source, or lies below one that ends in `/`."""
    rows: Sequence[Any] = places if isinstance(places, list) else [places]
    wanted = name.lower()
    return any(
        isinstance(place, str) and (place.lower() == wanted or (wanted.endswith("/") and place.lower().startswith(wanted)))
        for place in rows
    )
