"""Findings as list and board: everything open of the caller's units, whose it is, until when, and where the fix can be seen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject, Now, TruncDate
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from governance.domain.errors import FieldError, InvalidInput, NotFound
from governance.domain.lifecycle import Actor
from governance.domain.remedies import Remedy
from governance.domain.vocabulary import Severity, State
from governance.models import Contributor
from governance.selectors.access import Caller, visible
from reviews.models import Finding
from reviews.selectors.paging import page_of

STATES = {"open": "Open", "fixed": "Fix reported", "closed": "Closed"}
_STAYS = sorted(state.value for state in (State.APPROVED, State.SUPERSEDED, State.REVOKED, State.EXPIRED))
"""A gate's finding is measured anew on the next version; one on a version that went into force stays until people close it."""
_PERSON = re.compile(r"[\w.@+-]{1,150}")


@dataclass(frozen=True)
class FindingFilters:
    """What the board is narrowed to; "" leaves it out. `owner`: "me", "nobody" or a user name; `due`: overdue."""

    state: str = ""
    severity: str = ""
    system: str = ""
    owner: str = ""
    due: str = ""

    def check(self) -> None:
        """Raise `InvalidInput` naming each filter that cannot be."""
        known = {"state": set(STATES), "severity": {s.value for s in Severity}, "due": {"overdue"}}
        errors = [
            FieldError(f"/{name}", "unknown", f"{name} is one of {', '.join(sorted(values))}.")
            for name, values in known.items()
            if getattr(self, name) and getattr(self, name) not in values
        ]
        if self.owner and not _PERSON.fullmatch(self.owner):
            errors.append(FieldError("/owner", "unknown", "owner is a user name, me or nobody."))
        if errors:
            raise InvalidInput(
                "The board cannot be narrowed like that. " + " ".join(e.detail for e in errors), errors=tuple(errors)
            )


@dataclass(frozen=True)
class FindingRow:
    """One line of the list, one card of the board."""

    id: int
    number: str
    submission: str
    system: str
    version: str
    about: str
    severity: str
    says: str
    state: str
    state_words: str
    owner: str
    due_on: date | None
    overdue: bool
    opened_at: datetime
    by_person: bool
    evidence: str


def findings(
    caller: Caller, *, filters: FindingFilters, cursor: str = "", size: int = 25
) -> tuple[tuple[FindingRow, ...], str, str]:
    """The list, newest first: rows, next and previous cursor. One query."""
    page = page_of(_related(narrowed(caller, filters)), keys=("-id",), cursor=cursor, size=size)
    return tuple(row_of(row) for row in page.rows), page.next, page.previous


def narrowed(caller: Caller, filters: FindingFilters) -> QuerySet[Finding]:
    """The findings a caller may see, narrowed. Raises `InvalidInput`."""
    filters.check()
    rows = visible(Finding.objects.all(), caller, "submission__unit_id")
    for name in ("state", "severity"):
        if value := getattr(filters, name):
            rows = rows.filter(**{name: value})
    if filters.system:
        rows = rows.filter(submission__system__slug=filters.system)
    if filters.owner == "nobody":
        rows = rows.filter(owner__isnull=True)
    elif filters.owner == "me":
        rows = rows.filter(owner=caller.person)
    elif filters.owner:
        rows = rows.filter(owner__username=filters.owner)
    if filters.due == "overdue":
        rows = rows.filter(due_on__lt=TruncDate(Now())).exclude(state="closed")
    return rows


def find(caller: Caller, finding_id: int) -> Finding:
    """A finding by number, or `NotFound` outside of the caller's units."""
    related = Finding.objects.select_related(
        "submission__system__owner", "submission__version", "submission__unit", "owner", "fixed_by", "verified_by", "raised_by"
    )
    row = visible(related, caller, "submission__unit_id").filter(pk=finding_id).first()
    if row is None:
        raise NotFound(f"There is no finding F-{finding_id} in your business unit.")
    return row


def remedy_of(finding: Finding) -> Remedy:
    """What the rules need to know of it. One query."""
    workers = set(Contributor.objects.filter(submission_id=finding.submission_id).values_list("person_id", flat=True))
    return Remedy(
        state=finding.state,
        by_person=finding.raised_by_id is not None,
        case=State(finding.submission.state),
        owner=finding.owner_id,
        fixed_by=finding.fixed_by_id,
        workers=frozenset({finding.submission.submitter_id, *workers}),
    )


def actor_on(caller: Caller, finding: Finding) -> Actor:
    return caller.actor(finding.submission.unit_id)


def of_system(caller: Caller, system_id: int, *, most: int = 20) -> tuple[FindingRow, ...]:
    """What is not closed of a system, the most severe first."""
    rows = visible(Finding.objects.filter(submission__system_id=system_id), caller, "submission__unit_id").exclude(state="closed")
    order = [severity.value for severity in Severity]
    found = [row_of(row) for row in _related(rows).order_by("-id")[: most * 5]]
    return tuple(sorted(found, key=lambda row: (-order.index(row.severity), -row.id))[:most])


def carried_rows() -> QuerySet[Any]:
    """Of earlier versions of the same system in the same environment, what is not closed: as a subquery on a submission."""
    rows = Finding.objects.filter(
        Q(raised_by__isnull=False) | Q(submission__state__in=_STAYS),
        submission__system=OuterRef("system"),
        submission__environment=OuterRef("environment"),
        submission_id__lt=OuterRef("pk"),
    ).exclude(state="closed")
    return rows.order_by("-id").values(
        row=JSONObject(
            id="id", submission="submission_id", system=F("submission__system__slug"), version=F("submission__version__version"),
            about="about", severity="severity", says="says", state="state", first="owner__first_name", owner="owner__username",
            due_on="due_on", opened_at="opened_at", raised_by="raised_by_id", evidence="evidence",
        )
    )[:20]  # fmt: skip


def carried_of(row: Mapping[str, Any]) -> FindingRow:
    """A row of `carried_rows`."""
    opened = parse_datetime(row["opened_at"])
    assert opened is not None
    due = parse_date(row["due_on"]) if row["due_on"] else None
    return FindingRow(
        id=row["id"],
        number=f"F-{row['id']}",
        submission=f"S-{row['submission']}",
        system=row["system"],
        version=row["version"],
        about=row["about"],
        severity=row["severity"],
        says=row["says"],
        state=row["state"],
        state_words=STATES[row["state"]],
        owner=row["first"] or row["owner"] or "",
        due_on=due,
        overdue=due is not None and due < timezone.now().date(),
        opened_at=opened,
        by_person=row["raised_by"] is not None,
        evidence=row["evidence"],
    )


def _related(rows: QuerySet[Finding]) -> QuerySet[Finding]:
    return rows.select_related("submission__system", "submission__version", "owner").defer("submission__search")


def row_of(row: Finding) -> FindingRow:
    """One line of the list."""
    return FindingRow(
        id=row.pk,
        number=row.number,
        submission=row.submission.number,
        system=row.submission.system.slug,
        version=row.submission.version.version,
        about=row.about,
        severity=row.severity,
        says=row.says,
        state=row.state,
        state_words=STATES[row.state],
        owner=row.owner.name if row.owner is not None else "",
        due_on=row.due_on,
        overdue=row.due_on is not None and row.state != "closed" and row.due_on < timezone.now().date(),
        opened_at=row.opened_at,
        by_person=row.raised_by_id is not None,
        evidence=row.evidence,
    )
