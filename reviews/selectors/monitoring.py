"""Reports of monitors as people and programs read them: the latest first, one with its readings, and the series of a metric."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from governance.domain.errors import FieldError, InvalidInput, NotFound
from governance.policy.monitoring import SIGNALS
from governance.selectors.access import Caller, visible
from reviews.models import MonitoringEvent, MonitoringReading
from reviews.selectors.paging import page_of

LABELS = {
    "drift": "Drift",
    "performance": "Performance",
    "cost": "Cost",
    "data_quality": "Data quality",
    "privacy": "Privacy incidents",
    "access": "Access violations",
    "incident": "Incident",
}
ONLY = {"": "All", "over": "Over a limit", "unknown": "Not measured"}


@dataclass(frozen=True)
class Point:
    """One point of a series."""

    event: int
    at: datetime
    system: str
    version: str
    environment: str
    signal: str
    metric: str
    subject: str
    value: float | None
    n: int | None
    against: float | None
    limit: str
    verdict: str
    severity: str
    finding: str


@dataclass(frozen=True)
class EventRow:
    """One report. `says`: its worst reading in words, else the note."""

    id: int
    key: str
    at: datetime
    received_at: datetime
    system: str
    version: str
    environment: str
    submission: str
    kind: str
    label: str
    source: str
    verdict: str
    says: str
    findings: tuple[str, ...]
    incidents: tuple[str, ...]


def series(
    caller: Caller,
    *,
    signal: str,
    system: str = "",
    version: str = "",
    metric: str = "",
    subject: str = "",
    cursor: str = "",
    size: int = 50,
) -> tuple[tuple[Point, ...], str, str]:
    """Points of one kind of signal, the latest report first: points, next and previous cursor. One query."""
    if signal not in SIGNALS:
        raise InvalidInput(
            f"kind is one of {', '.join(SIGNALS)}.", errors=(FieldError("/kind", "unknown", f"One of {', '.join(SIGNALS)}."),)
        )
    rows = MonitoringReading.objects.select_related("event__version", "system").filter(signal=signal)
    given = {"system__slug": system, "event__version__version": version, "metric": metric, "subject": subject}
    rows = rows.filter(**{name: value for name, value in given.items() if value})
    page = page_of(visible(rows, caller), keys=("-id",), cursor=cursor, size=size)
    return tuple(_point(row) for row in page.rows), page.next, page.previous


def events(
    caller: Caller, *, kind: str = "", only: str = "", system: str = "", cursor: str = "", size: int = 50
) -> tuple[tuple[EventRow, ...], str, str]:
    """Reports the caller may see, the latest first: rows, next and previous cursor. Raises `InvalidInput`."""
    for name, value, known in (("kind", kind, LABELS), ("only", only, ONLY)):
        if value and value not in known:
            raise InvalidInput(
                f"There is no such {name}.", errors=(FieldError(f"/{name}", "unknown", ", ".join(filter(None, known))),)
            )
    rows = MonitoringEvent.objects.select_related("system", "version", "submission").prefetch_related("readings", "incidents")
    if kind:
        rows = rows.filter(signal=kind)
    if only:
        rows = rows.filter(Q(verdict=only))
    if system:
        rows = rows.filter(system__slug=system)
    page = page_of(visible(rows, caller), keys=("-id",), cursor=cursor, size=size)
    return tuple(event_row(row) for row in page.rows), page.next, page.previous


def find_event(*, caller: Caller, event_id: int) -> MonitoringEvent:
    """A report with what it is about, or `NotFound`."""
    rows = MonitoringEvent.objects.select_related("system", "version", "submission", "deployment", "reported_by")
    row = visible(rows.prefetch_related("readings__finding", "incidents"), caller).filter(pk=event_id).first()
    if row is None:
        raise NotFound("There is no such report in your business unit.")
    return row


def event_row(row: MonitoringEvent) -> EventRow:
    """A report as a line of a list."""
    readings = sorted(row.readings.all(), key=lambda r: ("over", "unknown", "unjudged", "within").index(r.verdict))
    findings = sorted({reading.finding_id for reading in readings if reading.finding_id is not None})
    return EventRow(
        id=row.pk,
        key=row.key,
        at=row.at,
        received_at=row.received_at,
        system=row.system.slug,
        version=row.version.version,
        environment=row.environment,
        submission=row.submission.number,
        kind=row.signal,
        label=LABELS[row.signal],
        source=row.source,
        verdict=row.verdict,
        says=readings[0].says if readings else row.note,
        findings=tuple(f"F-{pk}" for pk in findings),
        incidents=tuple(incident.number for incident in row.incidents.all()),
    )


def _point(row: MonitoringReading) -> Point:
    return Point(
        event=row.event_id,
        at=row.event.at,
        system=row.system.slug,
        version=row.event.version.version,
        environment=row.event.environment,
        signal=row.signal,
        metric=row.metric,
        subject=row.subject,
        value=row.value,
        n=row.n,
        against=row.against,
        limit=row.limit,
        verdict=row.verdict,
        severity=row.severity,
        finding=f"F-{row.finding_id}" if row.finding_id else "",
    )
