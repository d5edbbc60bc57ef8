"""What waits, by system and by business unit: a page of groups with counts that stop at a cap, in one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import JSONObject
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from governance.models import Submission, System, Unit
from governance.selectors.access import Caller, visible
from reviews.selectors.paging import page_of
from reviews.selectors.queue import age_of

MOST = 100


@dataclass(frozen=True)
class Group:
    """A system or a unit with what waits there. `waiting` counts to a hundred and no further."""

    slug: str
    name: str
    unit: str
    waiting: int
    in_time: int
    soon: int
    overdue: int
    longest: datetime | None

    @property
    def says(self) -> str:
        return f"more than {MOST}" if self.waiting > MOST else str(self.waiting)


def by_system(caller: Caller, *, cursor: str = "", size: int = 50) -> tuple[tuple[Group, ...], str, str]:
    """Systems of the caller's units where something waits, by name: groups, next and previous cursor."""
    rows = visible(System.objects.select_related("unit"), caller)
    page = page_of(_with_waiting(rows, "system"), keys=("slug", "id"), cursor=cursor, size=size)
    return tuple(_group(row, row.unit.name) for row in page.rows), page.next, page.previous


def by_unit(caller: Caller, *, cursor: str = "", size: int = 50) -> tuple[tuple[Group, ...], str, str]:
    """Units of the caller where something waits, by name."""
    rows = visible(Unit.objects.all(), caller, unit_field="id")
    page = page_of(_with_waiting(rows, "unit"), keys=("slug", "id"), cursor=cursor, size=size)
    return tuple(_group(row, row.name) for row in page.rows), page.next, page.previous


def _with_waiting(rows: QuerySet[Any], path: str) -> QuerySet[Any]:
    waiting = Submission.objects.filter(**{path: OuterRef("pk")}).exclude(turn="").order_by("due_at")
    times = waiting.values(row=JSONObject(due="due_at", soon="soon_at", since="turn_since"))[: MOST + 1]
    found: QuerySet[Any] = rows.filter(Exists(waiting.order_by())).annotate(times=ArraySubquery(times))
    return found


def _group(row: Any, unit: str) -> Group:
    now = timezone.now()
    ages = [age_of(_moment(each["due"]), _moment(each["soon"]), now) for each in row.times]
    since = [moment for each in row.times if (moment := _moment(each["since"])) is not None]
    return Group(
        slug=row.slug,
        name=row.name,
        unit=unit,
        waiting=len(ages),
        in_time=ages.count("in_time"),
        soon=ages.count("soon"),
        overdue=ages.count("overdue"),
        longest=min(since, default=None),
    )


def _moment(text: str | None) -> datetime | None:
    return parse_datetime(text) if text else None
