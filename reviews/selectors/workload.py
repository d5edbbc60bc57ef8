"""Load of the reviewers: what arrives, what they get done, how old what waits is, and what that comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import TruncMonth
from django.utils import timezone

from governance.domain.vocabulary import REVIEWING_ROLES, Role, State, Track
from governance.domain.workload import Simulated, Team, simulate
from governance.models import Submission
from governance.selectors.access import Caller, visible
from reviews.models import RefusedReading, SignOff
from reviews.selectors.queue_filters import of_age

MONTHS = 6
RECENT = timedelta(days=28)
USUAL = {"green": 0.6, "yellow": 0.25, "red": 0.15}
"""Assumed mix of tracks where too little has arrived to know one."""
_DECIDED = sorted(state.value for state in (State.APPROVED, State.REJECTED, State.SUPERSEDED, State.REVOKED, State.EXPIRED))


@dataclass(frozen=True)
class MonthOf:
    """One month: what arrived by track, and of what was decided how much nobody had to read."""

    month: datetime
    arrived: Mapping[str, int]
    decided: Mapping[str, int]
    by_nobody: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.arrived.values())

    @property
    def share(self) -> float | None:
        """Share of everything decided that was decided without a human; None where nothing was."""
        whole = sum(self.decided.values())
        return sum(self.by_nobody.values()) / whole if whole else None

    @property
    def cells(self) -> tuple[tuple[str, int, float | None], ...]:
        """Track, arrivals, and the share decided without a human."""
        return tuple(
            (
                t.value,
                self.arrived.get(t.value, 0),
                self.by_nobody.get(t.value, 0) / n if (n := self.decided.get(t.value, 0)) else None,
            )
            for t in Track
        )


def _share(part: Mapping[str, int], whole: Mapping[str, int], track: str) -> float | None:
    return part.get(track, 0) / whole[track] if whole.get(track) else None


@dataclass(frozen=True)
class RoleLoad:
    """One role: what waits by age, what it decided in the last four weeks, and how many weeks what waits takes at that pace."""

    role: str
    label: str
    waiting: int
    soon: int
    overdue: int
    decided: int

    @property
    def weeks(self) -> float | None:
        """Weeks until what waits now is done at the pace of the last four weeks; None where nobody decided anything."""
        return self.waiting / (self.decided / 4) if self.decided else None

    @property
    def forecast(self) -> str:
        if not self.waiting:
            return "Nothing waits."
        if self.weeks is None:
            return "Nobody of this role decided anything in four weeks: what waits stays."
        return f"At the pace of the last four weeks what waits takes {self.weeks:.1f} weeks."


@dataclass(frozen=True)
class Readings:
    """Readings of gates: written, and refused because nothing was said or the words were somebody else's."""

    accepted: int
    missing: int
    copied: int

    @property
    def share(self) -> float | None:
        whole = self.accepted + self.missing + self.copied
        return (self.missing + self.copied) / whole if whole else None


@dataclass(frozen=True)
class Workload:
    """The page."""

    months: tuple[MonthOf, ...]
    roles: tuple[RoleLoad, ...]
    readings: Readings
    mix: Mapping[str, float]
    assumed: bool
    simulated: tuple[Simulated, ...]


def workload(caller: Caller, *, monthly: tuple[int, ...] = (5, 50)) -> Workload:
    """The load in the caller's units. Five queries."""
    since = (timezone.now() - timedelta(days=31 * (MONTHS - 1))).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    months = _months(caller, since)
    arrived = {t.value: sum(month.arrived.get(t.value, 0) for month in months) for t in Track}
    assumed = sum(arrived.values()) < 20
    mix = USUAL if assumed else {track: number / sum(arrived.values()) for track, number in arrived.items()}
    return Workload(
        months=months,
        roles=_roles(caller),
        readings=readings_of(caller, since),
        mix=mix,
        assumed=assumed,
        simulated=tuple(simulate(number, shares=mix, team=Team()) for number in monthly),
    )


def _months(caller: Caller, since: datetime) -> tuple[MonthOf, ...]:
    """Arrivals, and what was decided without a human, by month and track. One query."""
    rows = visible(Submission.objects.filter(submitted_at__gte=since), caller).exclude(track="")
    read = Exists(SignOff.objects.filter(submission=OuterRef("pk")))
    found = (
        rows.annotate(month=TruncMonth("submitted_at"), read=read)
        .values("month", "track")
        .annotate(
            arrived=Count("pk"),
            decided=Count("pk", filter=Q(state__in=_DECIDED)),
            by_nobody=Count("pk", filter=Q(state__in=_DECIDED, read=False)),
        )
        .order_by("month")
    )
    grouped: dict[datetime, dict[str, dict[str, int]]] = {}
    rows_of: Iterable[Mapping[str, Any]] = found
    for row in rows_of:
        month = grouped.setdefault(row["month"], {"arrived": {}, "decided": {}, "by_nobody": {}})
        for name, counts in month.items():
            counts[row["track"]] = row[name]
    return tuple(MonthOf(month, **counts) for month, counts in grouped.items())


def _roles(caller: Caller) -> tuple[RoleLoad, ...]:
    """Each reviewing role with what waits and what it got done. Two queries."""
    waiting: dict[str, Mapping[str, Any]] = {
        row["turn"]: row
        for row in visible(Submission.objects.filter(state=State.IN_REVIEW), caller)
        .values("turn")
        .annotate(cases=Count("pk"), soon=Count("pk", filter=of_age("soon")), overdue=Count("pk", filter=of_age("overdue")))
        .order_by()
    }
    signed = visible(SignOff.objects.filter(at__gte=timezone.now() - RECENT), caller, "submission__unit_id")
    decided = dict(signed.values_list("role").annotate(number=Count("pk")).order_by())
    roles = []
    for role in Role:
        row = waiting.get(role.value, {})
        if role in REVIEWING_ROLES and (row or decided.get(role.value)):
            roles.append(
                RoleLoad(
                    role.value,
                    role.label,
                    row.get("cases", 0),
                    row.get("soon", 0),
                    row.get("overdue", 0),
                    decided.get(role.value, 0),
                )
            )
    return tuple(roles)


def readings_of(caller: Caller, since: datetime) -> Readings:
    """Readings written and refused since then. Two queries."""
    written = visible(SignOff.objects.filter(at__gte=since), caller, "submission__unit_id")
    accepted = sum(len(each) for each in written.exclude(readings={}).values_list("readings", flat=True)[:20_000])
    refused = dict(
        visible(RefusedReading.objects.filter(at__gte=since), caller).values_list("why").annotate(number=Count("pk")).order_by()
    )
    return Readings(accepted, refused.get("missing", 0), refused.get("copied", 0))
