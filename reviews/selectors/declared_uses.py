"""What is on record about who uses what: teams that depend on a system, and A/B tests that submissions declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet

from gates.models import Measurement
from governance.domain.vocabulary import RunStatus
from governance.selectors.access import Caller, visible
from reviews.models import DownstreamTeam

MOST = 300


@dataclass(frozen=True)
class ExperimentRow:
    """One declared A/B test, by the submission that declared it."""

    submission: str
    submission_id: int
    system: str
    id: str
    team: str
    population: str
    start: str
    end: str


def consumers(caller: Caller) -> QuerySet[DownstreamTeam]:
    """Teams that depend on systems of the caller's units, by system."""
    rows = DownstreamTeam.objects.filter(removed_at__isnull=True).select_related("system", "contact", "unit")
    return visible(rows, caller).order_by("system__slug", "name")


def experiments(caller: Caller) -> list[ExperimentRow]:
    """Tests declared in the latest revision of submissions the caller may see, latest first."""
    found = Measurement.objects.filter(
        metric="experiment.declared",
        run__collector="experiment",
        run__current=True,
        run__status=RunStatus.DONE,
        run__not_measured="",
        run__not_applicable="",
        run__revision=F("run__submission__revision"),
    ).select_related("submission__system")
    rows = visible(found, caller, "submission__unit").order_by("-id")[:MOST]
    return [
        ExperimentRow(
            row.submission.number,
            row.submission_id,
            row.submission.system.slug,
            *(_words((row.detail or {}).get(name)) for name in ("id", "team", "population", "start", "end")),
        )
        for row in rows
    ]


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {', '.join(map(str, values))}" for name, values in value.items()) or "everybody"
    return str(value or "not said")
